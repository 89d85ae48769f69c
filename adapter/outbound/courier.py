"""A courier: one Kafka producer that carries claims, each in one transaction, and tells what held it up.

Owns the producer's life and its deadlines; does not own what its answers mean (`answers`), nor what follows
from them (`share`, `quarantine`). A courier that failed is thrown away, whatever the fault was: an idempotent
producer that has lost its place (aiokafka #1017) or been fenced never finds it again.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from adapter.errors import UnavailableError
from adapter.kafka import producer
from adapter.outbound.answers import REFUSALS, Outcome, Sent, note_fenced
from adapter.outbound.faults import lanes_at_fault
from adapter.outbound.progress import NUMBER, TRANSACTION_TIMEOUT_S, Progress, broker_asked
from adapter.outbound.records import Record, records
from adapter.outbound.topics import LARGEST_STATEMENT
from adapter.store.outbox import Claim

_LOOK_FOR_TOPICS_S = 2.0
_LOOK_AGAIN_S = 0.4
_LOOK_S = 0.5
_ASK_AFTER_S = 2.0
_AT_MOST_S = 45.0  # well within the life of a transaction
_COMMIT_S = 30.0
_BURY_S = 2.0
#: aiokafka asserts where its state has changed under it.
_BROKEN = (KafkaError, OSError, AssertionError)


class Courier:
    """A producer and its life; `has_begun` a transaction, `since` its last one is before that offset.

    `alone` for one lane in quarantine: each record is in a batch of its own, so that an error is of that
    record.
    """

    def __init__(self, progress: Progress, producer_id: str, region: str, *, alone: bool) -> None:
        self.id = producer_id
        self.since = 0
        self.has_begun = False
        self._progress, self._region, self._alone = progress, region, alone
        self._producer = producer(
            progress.cluster,
            client_id=f"losus-relay-{progress.slot}",
            transactional_id=producer_id or None,
            transaction_timeout_ms=int(TRANSACTION_TIMEOUT_S * 1000),
            enable_idempotence=True,
            max_batch_size=1 if alone else 65_536,
            max_request_size=LARGEST_STATEMENT + 1_000_000,
            metadata_max_age_ms=60_000,
        )

    async def start(self, since: int) -> None:
        """Connect, and lock out whoever publishes under the same id; UnavailableError: no broker."""
        self.since = since
        try:
            async with broker_asked(self._progress.cluster, "start"):
                await self._producer.start()
        except BaseException:
            await self.discard()
            raise

    async def stop(self) -> None:
        """End orderly, with nothing under way."""
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_BURY_S):
                await self._producer.stop()

    async def discard(self) -> None:
        """End at once, whatever is under way: it may never come to an end of its own."""
        broken = self._producer
        broken._closed = True  # noqa: SLF001 - stop() would wait for what cannot be delivered
        sending = broken._sender.sender_task  # noqa: SLF001
        for _ in range(20):  # it waits for its own tasks, so one call is not enough
            if sending is None or sending.done():
                break
            sending.cancel()
            await asyncio.wait([sending], timeout=_BURY_S / 20)
        for pause_s in (0.2, 0.0):  # what was connecting meanwhile is closed the second time
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_BURY_S):
                    await broken.client.close()
            await asyncio.sleep(pause_s)

    async def carry(self, claim: Claim, patience_s: float) -> Outcome:
        """Publish a claim in one transaction, or not at all, or tell that only Kafka knows.

        Gives up when no answer has come for `patience_s`: an idempotent producer would wait for ever.
        """
        lanes = _by_lane(claim, self._region)
        outcome = Outcome()
        topics = {record[0] for load in lanes.values() for _, record in load}
        if not await self._are_led(topics, min(patience_s, _LOOK_FOR_TOPICS_S)):
            outcome.error = "no leader"
            return outcome
        sent = Sent()
        try:
            await self._watched(self._send(claim, lanes, sent), claim, sent, patience_s, outcome)
        except TimeoutError:
            outcome.error = "TimeoutError"
        except _BROKEN as error:
            outcome.error = type(error).__name__
        sent.judge(outcome, self._denied(), alone=self._alone)
        if not outcome.error:
            await self._commit(sent, outcome)
        return outcome

    async def _are_led(self, topics: set[str], patience_s: float) -> bool:
        """Whether each partition has a leader.

        A transaction with one in it that has none could not even be aborted, so nothing is sent before.
        """
        client = self._producer.client
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while waiting := [topic for topic in topics if not _is_led(client.cluster, topic)]:
                    for topic in waiting:
                        client.add_topic(topic)
                    await client.force_metadata_update()
                    if any(not _is_led(client.cluster, topic) for topic in waiting):
                        await asyncio.sleep(_LOOK_AGAIN_S)
                return True
        return False

    async def _watched(
        self,
        sending: Coroutine[Any, Any, None],
        claim: Claim,
        sent: Sent,
        patience_s: float,
        outcome: Outcome,
    ) -> None:
        """Wait as long as answers come; TimeoutError where none has come for `patience_s`.

        When it is silent the broker is asked about the topics: no need to wait for what cannot come.
        """
        clock = asyncio.get_running_loop().time
        began = heard_at = clock()
        answers, is_asked = 0, False
        task = asyncio.ensure_future(sending)
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK_S))[0]:
                if sent.answers != answers:
                    answers, heard_at = sent.answers, clock()
                if not is_asked and clock() - heard_at >= _ASK_AFTER_S:
                    is_asked = True
                    with suppress(UnavailableError):
                        outcome.faults |= await lanes_at_fault(self._progress.cluster, claim.lanes)
                    if outcome.faults:
                        return
                if clock() - heard_at >= patience_s or clock() - began >= _AT_MOST_S:
                    raise TimeoutError
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _send(self, claim: Claim, lanes: Mapping[str, "_Load"], sent: Sent) -> None:
        if self.id:
            self.has_begun = True
            await self._producer.begin_transaction()
            key, place = self._progress.slot.encode(), self._progress.place
            sent.progress = await self._producer.send(
                place.topic,
                claim.id.encode(),
                key=key,
                partition=place.partition,
                headers=[(NUMBER, str(claim.number).encode())],
            )
        # a lane whose batches are full waits in its own task alone
        await _all(self._enqueue(lane, load, sent) for lane, load in lanes.items())
        await self._producer.flush()

    async def _enqueue(self, lane: str, load: "_Load", sent: Sent) -> None:
        sent.lanes[lane] = mine = []
        for number, (topic, key, value, headers) in load:
            try:
                future = await self._producer.send(topic, value, key=key, headers=headers)
            except REFUSALS as error:
                sent.refused[number] = type(error).__name__
            else:
                mine.append((number, future))

    def _denied(self) -> list[str]:
        """Topics that the coordinator did not let us add; aiokafka tells it to the next commit alone."""
        manager = self._producer._txn_manager  # noqa: SLF001 - the only place where it stands
        ending = manager._transaction_waiter if manager is not None else None  # noqa: SLF001
        if ending is None or not ending.done() or ending.cancelled():
            return []
        error = ending.exception()
        return sorted(error.args[0]) if isinstance(error, TopicAuthorizationFailedError) else []

    async def _commit(self, sent: Sent, outcome: Outcome) -> None:
        outcome.places = sent.places()
        if not self.id:
            outcome.committed = True
            return
        outcome.committed = None
        try:
            async with asyncio.timeout(_COMMIT_S):
                await self._producer.commit_transaction()
        except (*_BROKEN, TimeoutError) as error:
            outcome.error = type(error).__name__
            note_fenced(error)
            return
        outcome.committed = True
        if sent.progress is not None and sent.progress.result().offset >= 0:
            self.since = sent.progress.result().offset + 1


def _is_led(cluster: ClusterMetadata, topic: str) -> bool:
    partitions = cluster.partitions_for_topic(topic)
    return bool(partitions) and all(
        cluster.leader_for_partition(TopicPartition(topic, number)) not in {None, -1} for number in partitions
    )


#: What a lane has to send: number of the event, record.
_Load = list[tuple[int, Record]]


def _by_lane(claim: Claim, region: str) -> dict[str, _Load]:
    lanes: dict[str, _Load] = {}
    for one in claim.events:
        load = lanes.setdefault(one.lane, [])
        for record in records(one.event, one.lane, one.created_at, region):
            load.append((one.id, record))
    return lanes


async def _all(works: Any) -> None:  # noqa: ANN401 - an iterable of coroutines
    """All of them; where it is a single one, without a task for it."""
    first: list[Coroutine[Any, Any, None]] = list(works)
    if len(first) == 1:
        await first[0]
    else:
        await asyncio.gather(*first)
