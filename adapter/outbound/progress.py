"""What Kafka knows of a claim: whether its transaction was committed, and that it can be no more.

Owns fencing and the reading of `losus.relay-progress`. Each transaction of the relay writes the id of
its claim there, in the same transaction as the records: so the id is there, for a `read_committed` reader,
if and only if the records are. As Kafka Connect does it for sources (KIP-618).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import ConcurrentTransactions, KafkaError, NodeNotReadyError, for_code
from aiokafka.protocol.transaction import InitProducerIdRequest

from adapter.cluster import Cluster
from adapter.errors import Problem, UnavailableError
from adapter.kafka import asker, consumer, fault_of
from adapter.outbound.topics import PROGRESS, SHARES

log = structlog.get_logger()

#: Header of a record: the number of the claim among those of its slot (see `behind`).
NUMBER = "number"
#: The broker ends a transaction that is older, whoever began it.
TRANSACTION_TIMEOUT_S = 60.0
_MARGIN_S = 15.0  # the broker looks for old transactions every ten seconds
_LOOK_AGAIN_S = 0.2
_DEADLINE_S = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one slot's claims are written: a key of a partition. A share has a partition of its own."""

    cluster: Cluster
    slot: str
    partition: int

    @property
    def place(self) -> TopicPartition:
        """The partition, as the client names it."""
        return TopicPartition(PROGRESS, self.partition)


def progress_of_share(cluster: Cluster, share: int) -> Progress:
    """Where a share's claims are written."""
    return Progress(cluster, f"share-{share}", share)


def progress_of_lane(cluster: Cluster, lane: str, share: int) -> Progress:
    """Where the claims of a lane in quarantine are written."""
    return Progress(cluster, lane, SHARES + share)


@asynccontextmanager
async def broker_asked(cluster: Cluster, what: str) -> AsyncIterator[None]:
    """Any fault of asking the broker within, as UnavailableError that says why one cannot come in.

    Nor is it waited for longer than a deadline.
    """
    try:
        async with asyncio.timeout(_DEADLINE_S):
            yield
    except (KafkaError, OSError, TimeoutError) as error:
        why = await fault_of(cluster) or type(error).__name__
        rule = f"the broker does not answer: {what} ({why})"
        raise UnavailableError(Problem("transient", rule)) from None


async def end_of(progress: Progress) -> int:
    """An offset at or before which the next claim will be written."""
    async with broker_asked(progress.cluster, "progress"), _reader(progress, "read_committed") as reader:
        return await _end(reader, progress)


async def was_published(progress: Progress, claim_id: str, producer: str, since: int) -> bool:
    """Whether the claim's transaction was committed; if not, it never will be any more.

    Ends what the producer has open, and looks for the claim's id. Where the broker cannot write the end of
    that transaction everywhere (a partition without a leader), the end is decided all the same: what is
    found is committed; what is not found after the longest time that a transaction lives is aborted.
    Raises UnavailableError where the broker does not answer, or not clearly.
    """
    clock = asyncio.get_running_loop().time
    decided_at = clock() + TRANSACTION_TIMEOUT_S + _MARGIN_S
    while True:
        is_ended = await fence(progress.cluster, producer)
        found = await _is_there(progress, claim_id, since)
        is_late = clock() > decided_at
        if found or (found is False and (is_ended or is_late)):
            return found
        if is_late:
            raise UnavailableError(Problem("transient", "what was committed cannot be told yet", PROGRESS))
        await asyncio.sleep(_LOOK_AGAIN_S)


async def fence(cluster: Cluster, producer: str) -> bool:
    """Lock out whoever publishes under this transactional id, and abort what it has open.

    True: that has ended. False: its end is decided, or being decided, and not yet written everywhere.
    """
    async with broker_asked(cluster, "fence"):
        client = asker(cluster, "losus-relay-fence")
        try:
            await client.bootstrap()
            for _ in range(10):
                error = await _init(client, producer)
                if error is not ConcurrentTransactions:
                    return True
                await asyncio.sleep(0.05)
            return False
        finally:
            await client.close()


async def _init(client: AIOKafkaClient, producer: str) -> type[KafkaError]:
    node = await client.coordinator_lookup(CoordinationType.TRANSACTION, producer)
    if not await client.ready(node, group=ConnectionGroup.COORDINATION):
        raise NodeNotReadyError
    request = InitProducerIdRequest(producer, int(TRANSACTION_TIMEOUT_S * 1000))
    answer = await client.send(node, request, group=ConnectionGroup.COORDINATION)
    error: type[KafkaError] = for_code(answer.error_code)
    if answer.error_code and error is not ConcurrentTransactions:
        raise error
    return error


async def _is_there(progress: Progress, claim_id: str, since: int) -> bool | None:
    """Whether the id is among what is committed at or after `since`; None: not all is decided there yet.

    Others may write to the partition too, and what they have open hides what was committed after it.
    """
    async with broker_asked(progress.cluster, "progress"):
        async with _reader(progress, "read_uncommitted") as reader:
            written = await _end(reader, progress)
        async with _reader(progress, "read_committed") as reader:
            end = await _end(reader, progress)
            if since > written:  # somebody made the topic anew: what it knew is gone
                log.error("relay.progress_lost", partition=progress.partition)
                since = 0
            reader.seek(progress.place, since)
            while await reader.position(progress.place) < end:
                for found in (await reader.getmany(progress.place, timeout_ms=500)).values():
                    if any((one.key, one.value) == _record(progress, claim_id) for one in found):
                        return True
    return None if end < written else False


def _record(progress: Progress, claim_id: str) -> tuple[bytes, bytes]:
    return progress.slot.encode(), claim_id.encode()


async def _end(reader: AIOKafkaConsumer, progress: Progress) -> int:
    ends: dict[TopicPartition, int] = await reader.end_offsets([progress.place])
    return ends[progress.place]


@asynccontextmanager
async def _reader(progress: Progress, isolation: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of the partition; in no group, so that it commits nothing and waits for nobody."""
    reader = consumer(
        progress.cluster,
        isolation_level=isolation,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        await reader.start()
        reader.assign([progress.place])
        yield reader
    finally:
        await reader.stop()
