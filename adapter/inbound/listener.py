"""The Kafka door: messages and resources on a topic of the source's own.

Owns how far the reading has come: the offset is kept in the transaction of what the record brought, and not
in Kafka, so that whatever crashes, each record is stored once and none is passed over. One listener works for
a source at a time: it holds an advisory lock of the database. Does not own what becomes of a record.
"""

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from adapter.cluster import Cluster
from adapter.delivery import Delivery, Door, Mark
from adapter.errors import LosusError
from adapter.inbound.receiver import Receiver
from adapter.kafka import consumer, fault_of, stamp_of
from adapter.store.database import Database, connect_once
from adapter.store.doors import read_marks
from adapter.trace import Trace, read_traceparent

log = structlog.get_logger()

_AT_ONCE = 200
_LOOK_AGAIN_S = 2.0
_BACK_OFF_S = 2.0


class Listener:
    """Reads one source's topic; `run` works until cancelled."""

    def __init__(
        self, source: str, topic: str, cluster: Cluster, *, dsn: str, receiver: Receiver, database: Database
    ) -> None:
        self._source, self._topic, self._cluster, self._dsn = source, topic, cluster, dsn
        self._receiver, self._database = receiver, database

    async def run(self) -> None:
        """Read for ever; a broker or database that is away, or a stopped source, is waited out."""
        while True:
            try:
                await self._session()
            except (KafkaError, LosusError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                kind = error.problems[0].rule if isinstance(error, LosusError) else type(error).__name__
                why = await fault_of(self._cluster) if isinstance(error, KafkaError) else None
                log.warning("listener.interrupted", source=self._source, error=why or kind)
                await asyncio.sleep(_BACK_OFF_S)

    async def _session(self) -> None:
        """From taking the lock to the first fault, or to new files of the cluster."""
        connection = await connect_once(self._dsn, deadline_s=30)
        try:
            while not await self._hold(connection):  # noqa: ASYNC110 - a database's lock has no event
                await asyncio.sleep(_LOOK_AGAIN_S)
            await self._read(connection)
        finally:
            connection.terminate()

    async def _read(self, connection: asyncpg.Connection) -> None:
        """What the topic brings, as long as the lock is held and the files of the cluster stay the same.

        A consumer whose certificate or password is out of date says nothing: it tries for ever.
        """
        stamp = stamp_of(self._cluster)
        reader = consumer(
            self._cluster,
            self._topic,  # without a group: all its partitions, those too that are added later
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            await _started(reader)
            await self._begin(reader)
            while stamp_of(self._cluster) == stamp:
                found = await reader.getmany(timeout_ms=1000, max_records=_AT_ONCE)
                if not await self._hold(connection):
                    return
                for partition, records in found.items():
                    await self._take(partition, records)
        finally:
            await reader.stop()

    async def _hold(self, connection: asyncpg.Connection) -> bool:
        """Whether this session is the one listener of the source; held again, it is still held once."""
        name = f"listen {self._source}"
        return bool(
            await connection.fetchval(
                """select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
                       or pg_try_advisory_lock(hashtextextended($1, 2))""",
                name,
            )
        )

    async def _begin(self, reader: AIOKafkaConsumer) -> None:
        """Go to where the reading had come."""
        async with self._database.transaction() as connection:
            marks = await read_marks(connection, f"stream {self._source} ")
        for partition in reader.assignment():
            offset = marks.get(self._mark(partition))
            if offset is not None:
                reader.seek(partition, int(offset))
        log.info("listener.started", source=self._source, partitions=len(reader.assignment()))

    async def _take(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        await self._receiver.take_in_order(
            [
                Delivery(
                    self._source,
                    Door.STREAM,
                    record.value or b"",
                    "xml" if (record.value or b"").lstrip()[:1] == b"<" else "json",
                    mark=Mark(self._mark(partition), str(record.offset + 1)),
                    trace=_trace(record),
                )
                for record in records
            ]
        )

    def _mark(self, partition: TopicPartition) -> str:
        return f"stream {self._source} {partition.topic} {partition.partition}"


def _trace(record: ConsumerRecord) -> Trace | None:
    """Where the writer's trace has come, as its one header says; None where it has none that is one."""
    said = [value for name, value in record.headers if name == "traceparent"]
    return read_traceparent(said[0].decode("latin-1")) if len(said) == 1 and said[0] is not None else None


async def _started(reader: AIOKafkaConsumer) -> None:
    """Start the consumer to the end, even if nobody waits any more: cut off it leaves connections open."""
    starting = asyncio.ensure_future(reader.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting})
        raise
