"""A courier: one Kafka producer that carries claims, each in one transaction, and tells what held it up.

Owns the producer's life, its deadlines and the reading of its faults; does not own what follows from them
(`share`, `quarantine`). A courier that failed is thrown away, whatever the fault was: an idempotent
producer that has lost its place (aiokafka #1017) or been fenced never finds it again.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTimestampError,
    InvalidTxnState,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnknownError,
    UnknownProducerId,
    UnknownTopicOrPartitionError,
)

from adapter.errors import UnavailableError
from adapter.outbound.faults import lanes_at_fault
from adapter.outbound.progress import TRANSACTION_TIMEOUT_S, Progress, broker_asked
from adapter.outbound.records import Record, records
from adapter.outbound.topics import LARGEST_STATEMENT
from adapter.store.outbox import Claim
from adapter.watch import RELAY_FENCED

log = structlog.get_logger()

_LOOK_FOR_TOPICS_S = 2.0
_LOOK_AGAIN_S = 0.4
_ASK_AFTER_S = 2.0
_COMMIT_S = 30.0
_BURY_S = 2.0
#: What a broker says of a record that it will never take, however often it is asked.
_REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTimestampError)
#: What is wrong with the producer, and nothing with the topic that it was told of.
_OURS = (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    TransactionalIdAuthorizationFailed,
    UnknownProducerId,
)


@dataclass(slots=True)
class Outcome:
    """What became of a claim.

    `committed`: True, False, or None where only Kafka knows. `faults`: by lane, why it held the claim up.
    `refused`: by number of the event, the kind of error of a record that the broker will never take.
    `has_answered`: the broker took the record of our own progress, so it is there.
    """

    committed: bool | None = False
    faults: dict[str, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    error: str = ""
    has_answered: bool = False


class Courier:
    """A producer and its life.

    `alone` for one lane in quarantine: each record is in a batch of its own, so that an error is of that
    record.
    """

    def __init__(self, progress: Progress, producer_id: str, region: str, *, alone: bool) -> None:
        self.id = producer_id
        self.since = 0
        self._progress, self._region, self._alone = progress, region, alone
        self._producer = AIOKafkaProducer(
            bootstrap_servers=progress.bootstrap,
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
            async with broker_asked("start"):
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
        producer = self._producer
        producer._closed = True  # noqa: SLF001 - stop() would wait for what cannot be delivered
        sending = producer._sender.sender_task  # noqa: SLF001
        for _ in range(20):  # it waits for its own tasks, so one call is not enough
            if sending is None or sending.done():
                break
            sending.cancel()
            await asyncio.wait([sending], timeout=_BURY_S / 20)
        for pause_s in (0.2, 0.0):  # what was connecting meanwhile is closed the second time
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_BURY_S):
                    await producer.client.close()
            await asyncio.sleep(pause_s)

    async def carry(self, claim: Claim, patience_s: float) -> Outcome:
        """Publish a claim in one transaction, or not at all, or tell that only Kafka knows.

        Gives up after `patience_s`: an idempotent producer would wait for ever.
        """
        lanes = _by_lane(claim, self._region)
        outcome = Outcome()
        topics = {record[0] for load in lanes.values() for _, record in load}
        if not await self._are_led(topics, min(patience_s, _LOOK_FOR_TOPICS_S)):
            outcome.error = "no leader"
            return outcome
        sent = _Sent()
        try:
            async with asyncio.timeout(patience_s):
                await self._watched(self._send(claim, lanes, sent), claim, outcome)
        except TimeoutError:
            outcome.error = "TimeoutError"
        except (KafkaError, OSError) as error:
            outcome.error = type(error).__name__
        self._judge(sent, outcome)
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

    async def _watched(self, sending: Coroutine[Any, Any, None], claim: Claim, outcome: Outcome) -> None:
        """Ask the broker about the topics when it takes long; no need to wait for what cannot come."""
        task = asyncio.ensure_future(sending)
        try:
            await asyncio.wait({task}, timeout=_ASK_AFTER_S)
            if not task.done():
                with suppress(UnavailableError):
                    outcome.faults |= await lanes_at_fault(self._progress.bootstrap, claim.lanes)
            if not outcome.faults:
                await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _send(self, claim: Claim, lanes: Mapping[str, "_Load"], sent: "_Sent") -> None:
        if self.id:
            await self._producer.begin_transaction()
            key, place = self._progress.slot.encode(), self._progress.place
            sent.progress = await self._producer.send(
                place.topic, claim.id.encode(), key=key, partition=place.partition
            )
        # a lane whose batches are full waits in its own task alone
        await _all(self._enqueue(lane, load, sent) for lane, load in lanes.items())
        await self._producer.flush()

    async def _enqueue(self, lane: str, load: "_Load", sent: "_Sent") -> None:
        sent.lanes[lane] = mine = []
        for number, (topic, key, value, headers) in load:
            try:
                future = await self._producer.send(topic, value, key=key, headers=headers)
            except _REFUSALS as error:
                sent.refused[number] = type(error).__name__
            else:
                mine.append((number, future))

    def _judge(self, sent: "_Sent", outcome: Outcome) -> None:
        """What the futures say: who was refused, who had an error, and who has not been answered."""
        outcome.refused = dict(sent.refused)
        outcome.has_answered = sent.progress is not None and _is_acknowledged(sent.progress)
        denied = self._denied()
        late = set()
        for lane, futures in sent.lanes.items():
            for number, future in futures:
                if not future.done():
                    future.cancel()
                    late.add(lane)
                elif (error := future.exception()) is not None:
                    self._blame(lane, number, error, outcome)
            if any(topic.split(".")[1] == lane for topic in denied):
                outcome.faults[lane] = "denied"
        if sent.progress is not None and not sent.progress.done():
            sent.progress.cancel()
        if late and outcome.has_answered and len(late) <= max(len(sent.lanes) // 4, 1):
            outcome.faults |= dict.fromkeys(late - outcome.faults.keys(), "slow")
        if outcome.faults or outcome.refused or late or (self.id and not outcome.has_answered):
            outcome.error = outcome.error or "refused"

    def _blame(self, lane: str, number: int, error: BaseException, outcome: Outcome) -> None:
        if isinstance(error, _REFUSALS):
            outcome.refused[number] = type(error).__name__
        elif isinstance(error, TopicAuthorizationFailedError):
            outcome.faults[lane] = "denied"
        elif isinstance(error, UnknownTopicOrPartitionError):
            outcome.faults[lane] = "missing"
        elif isinstance(error, UnknownError) and self._alone:
            outcome.faults[lane] = "unclear"
        else:
            outcome.error = type(error).__name__
            if isinstance(error, ProducerFenced | InvalidProducerEpoch):
                RELAY_FENCED.inc()

    def _denied(self) -> list[str]:
        """Topics that the coordinator did not let us add; aiokafka tells it to the next commit alone."""
        manager = self._producer._txn_manager  # noqa: SLF001 - the only place where it stands
        ending = manager._transaction_waiter if manager is not None else None  # noqa: SLF001
        if ending is None or not ending.done() or ending.cancelled():
            return []
        error = ending.exception()
        return sorted(error.args[0]) if isinstance(error, TopicAuthorizationFailedError) else []

    async def _commit(self, sent: "_Sent", outcome: Outcome) -> None:
        if not self.id:
            outcome.committed = True
            return
        outcome.committed = None
        try:
            async with asyncio.timeout(_COMMIT_S):
                await self._producer.commit_transaction()
        except (KafkaError, OSError, TimeoutError) as error:
            outcome.error = type(error).__name__
            if isinstance(error, ProducerFenced):
                RELAY_FENCED.inc()
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


@dataclass(slots=True)
class _Sent:
    """What was given to the producer, and the futures of its answers."""

    progress: "asyncio.Future[Any] | None" = None
    lanes: dict[str, list[tuple[int, "asyncio.Future[Any]"]]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


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


def _is_acknowledged(future: "asyncio.Future[Any]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
