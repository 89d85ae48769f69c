"""The relay: events from the outbox to Kafka, in order, none lost.

Guarantee. On a broker with transactions (Apache Kafka) each event is seen exactly once by a
`read_committed` consumer, in order per case, also over `kill -9` of the relay at any point; on a
broker without (`kafka.transactions: false`) at least once, with the same `ce_id`.

How. (1) The events to publish are written down in PostgreSQL under a number that only grows (the
claim). (2) One Kafka transaction publishes them and commits that number as the offset of a consumer
group. (3) They leave the outbox. After a crash the claim still stands: where Kafka's committed
number is the claim's, (2) had happened and only (3) is left; otherwise (2) is done again. A second
relay waits for an advisory lock of the database; one that lost its lock without knowing is fenced by
Kafka, for its successor took over the transactional id.

Order. Within a case, event numbers are drawn under the case's row lock, so number order is commit
order; a number that commits later than a higher one of another case is simply found at the next
claim, for the relay asks what is in the outbox, not what is greater than the last seen.

Owns the protocol; does not own what an event says (`events`) nor the statements (`store.outbox`).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from adapter.errors import UnavailableError
from adapter.losus.instants import instant_text
from adapter.outbound.events import SETTLEMENT_ISSUED, cloud_event_headers
from adapter.outbound.topics import (
    LARGEST_STATEMENT,
    PROGRESS,
    UNROUTED,
    cases_topic,
    events_topic,
    make_topics,
    settlements_topic,
)
from adapter.store.outbox import Claim, claim, hold, open_claim, settle

log = structlog.get_logger()

_GATHER_S = 0.05  # between two transactions: under load many events share one, alone none waits
_LOOK_AGAIN_S = 1.0  # a missed notification costs this much, no more
_DEADLINE_S = 60.0  # an idempotent producer would wait for ever
_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_PASSING = (
    KafkaError,
    UnavailableError,
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)

#: A record: topic, key, value (None: a tombstone), headers.
Record = tuple[str, bytes, bytes | None, list[tuple[str, bytes]]]


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """What one relay needs to know; `name` is the same for all replicas that share an outbox."""

    dsn: str
    bootstrap: str
    region: str
    municipalities: tuple[str, ...]
    partitions: int = 3
    replication: int = 1
    transactions: bool = True
    batch: int = 500
    name: str = "losus-relay"


async def run_relay(settings: RelaySettings) -> None:
    """Relay until cancelled; whatever passes (database or broker away) is waited out, and logged."""
    failures = 0
    while True:
        try:
            async with _session(settings) as relay:
                failures = 0
                await relay.work()
        except _PASSING as error:
            wait_s = _BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)]
            failures += 1
            log.warning("relay.interrupted", error=type(error).__name__, retry_in_s=wait_s)
            await asyncio.sleep(wait_s)


def records(one: Claim, region: str) -> Iterator[Record]:
    """The records of a claim, in order.

    Each event of a case on `.events`, and its newest picture on `.cases`; a statement on `.settlements`,
    its key the statement's id.
    """
    for event, created_at in one.events:
        key = event.case_id.encode()
        headers = list(cloud_event_headers(event, region, instant_text(created_at)))
        if event.municipality is None:
            yield UNROUTED, key, event.payload, headers
            continue
        if event.type == SETTLEMENT_ISSUED:
            yield settlements_topic(event.municipality), key, event.payload, headers
            continue
        yield events_topic(event.municipality), key, event.payload, headers
        newest = None if event.closing else event.payload
        yield cases_topic(event.municipality), key, newest, headers


@asynccontextmanager
async def _session(settings: RelaySettings) -> AsyncIterator["_Relay"]:
    """A database session that holds the relay's lock, and a producer that fences its forerunners."""
    connection = await asyncpg.connect(settings.dsn, command_timeout=_DEADLINE_S)
    try:
        woken = asyncio.Event()
        await connection.add_listener("losus_outbox", lambda *_: woken.set())
        while not await hold(connection, settings.name):  # noqa: ASYNC110 - a database's lock has no event
            await asyncio.sleep(_LOOK_AGAIN_S)
        await make_topics(
            settings.bootstrap,
            settings.municipalities,
            partitions=settings.partitions,
            replication=settings.replication,
        )
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap,
            transactional_id=settings.name if settings.transactions else None,
            enable_idempotence=True,
            max_request_size=LARGEST_STATEMENT + 1_000_000,
        )
        try:
            await asyncio.wait_for(producer.start(), _DEADLINE_S)
            yield _Relay(settings, connection, producer, woken)
        finally:
            with suppress(*_PASSING):
                await asyncio.wait_for(producer.stop(), _DEADLINE_S)
    finally:
        connection.terminate()


class _Relay:
    """One session of the relay: from taking the lock to the first fault."""

    def __init__(
        self,
        settings: RelaySettings,
        connection: asyncpg.Connection,
        producer: AIOKafkaProducer,
        woken: asyncio.Event,
    ) -> None:
        self._settings, self._connection = settings, connection
        self._producer, self._woken = producer, woken

    async def work(self) -> None:
        """Mend what a crash left, then publish whatever comes; ends only by a fault."""
        floor = await self._mend()
        log.info("relay.started", committed=floor)
        done: tuple[int, ...] = ()
        while True:
            self._woken.clear()
            async with self._connection.transaction():
                if done:
                    await settle(self._connection, self._settings.name, done)
                one = await claim(self._connection, self._settings.name, self._settings.batch, floor)
            done = ()
            if one is None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), _LOOK_AGAIN_S)
                continue
            await self._publish(one)
            done = one.ids
            await asyncio.sleep(_GATHER_S)

    async def _mend(self) -> int:
        """Finish the claim that stands open, if any; the number that Kafka has committed."""
        committed = await self._committed()
        left = await open_claim(self._connection, self._settings.name)
        if left is None:
            return committed
        if left.number != committed:
            await self._publish(left)
        async with self._connection.transaction():
            await settle(self._connection, self._settings.name, left.ids)
        log.info("relay.mended", events=len(left.ids), had_been_published=left.number == committed)
        return max(committed, left.number)

    async def _committed(self) -> int:
        """The number of the last claim that Kafka has, 0 for none; without transactions always 0."""
        if not self._settings.transactions:
            return 0
        partition = TopicPartition(PROGRESS, 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap, group_id=self._settings.name, enable_auto_commit=False
        )
        await asyncio.wait_for(consumer.start(), _DEADLINE_S)
        try:
            consumer.assign([partition])
            return await asyncio.wait_for(consumer.committed(partition), _DEADLINE_S) or 0
        finally:
            await consumer.stop()

    async def _publish(self, one: Claim) -> None:
        async with asyncio.timeout(_DEADLINE_S):
            if not self._settings.transactions:
                await self._send(one)
                return
            async with self._producer.transaction():
                await self._send(one)
                offsets = {TopicPartition(PROGRESS, 0): one.number}
                await self._producer.send_offsets_to_transaction(offsets, self._settings.name)

    async def _send(self, one: Claim) -> None:
        sent = [
            await self._producer.send(topic, value, key=key, headers=headers)
            for topic, key, value, headers in records(one, self._settings.region)
        ]
        await asyncio.gather(*sent)
