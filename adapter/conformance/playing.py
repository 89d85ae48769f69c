"""The script played on a broker: each delivery a transaction, on the topics that the relay writes to.

Owns writing; does not own what is written (`script`). A broker without transactions gets each record as it
is, and nothing of what would be taken back.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from adapter.cluster import Cluster
from adapter.conformance.telling import REGION, Delivery
from adapter.errors import Problem, UnavailableError
from adapter.kafka import administrator, consumer, producer
from adapter.outbound.topics import cases_topic, events_topic

_DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Player:
    """A producer that plays deliveries; `transactions` false: for a broker that knows none."""

    producer: AIOKafkaProducer
    transactions: bool

    async def play(self, deliveries: Iterable[Delivery]) -> int:
        """Write them in order; how many records there were, those taken back among them.

        UnavailableError where the broker does not take one.
        """
        count = 0
        try:
            for one in deliveries:
                async with asyncio.timeout(_DEADLINE_S):
                    count += await self._deliver(one)
        except (KafkaError, OSError, TimeoutError) as error:
            rule = f"the broker does not take a record ({type(error).__name__})"
            raise UnavailableError(Problem("transient", rule, "--kafka")) from None
        return count

    async def _deliver(self, one: Delivery) -> int:
        if not self.transactions:
            return 0 if one.aborted else await self._send(one)
        await self.producer.begin_transaction()
        try:
            count = await self._send(one)
        except BaseException:
            await self.producer.abort_transaction()
            raise
        await (self.producer.abort_transaction() if one.aborted else self.producer.commit_transaction())
        return count

    async def _send(self, one: Delivery) -> int:
        sent = [
            await self.producer.send(topic, value, key=key, headers=headers, partition=one.partition)
            for topic, key, value, headers in one.records
        ]
        await asyncio.gather(*sent)
        return len(sent)


@asynccontextmanager
async def player(cluster: Cluster, *, transactions: bool) -> AsyncIterator[Player]:
    """A player on a broker; UnavailableError where there is none."""
    writer = producer(
        cluster,
        enable_idempotence=True,
        transactional_id=f"losus-conform-{uuid4().hex}" if transactions else None,
    )
    try:
        await asyncio.wait_for(writer.start(), _DEADLINE_S)
    except (KafkaError, OSError, TimeoutError) as error:
        await writer.stop()
        rule = f"no broker answers ({type(error).__name__})"
        raise UnavailableError(Problem("transient", rule, "--kafka")) from None
    try:
        yield Player(writer, transactions)
    finally:
        await writer.stop()


async def partitions_of(cluster: Cluster, municipality: str) -> int:
    """How many partitions the municipality's topics have.

    Raises UnavailableError where they are not there, or differ.
    """
    wanted = {events_topic(municipality), cases_topic(municipality)}
    admin = administrator(cluster)
    try:
        await admin.start()
        missing = sorted(wanted - set(await admin.list_topics()))
        described = [] if missing else await admin.describe_topics(sorted(wanted))
    except (KafkaError, OSError) as error:
        rule = f"no broker answers ({type(error).__name__})"
        raise UnavailableError(Problem("transient", rule, "--kafka")) from None
    finally:
        await admin.close()
    if missing:
        raise UnavailableError(Problem("not-found", "the broker has no such topic", missing[0]))
    counts = {len(one["partitions"]) for one in described}
    if len(counts) != 1:
        raise UnavailableError(Problem("invalid", "the two topics differ in partitions", "--kafka"))
    return counts.pop()


async def is_in_use(cluster: Cluster, municipality: str) -> bool:
    """Whether the municipality's snapshot has a case that is none of the kit's: then real people may read it.

    Raises UnavailableError where the broker does not answer.
    """
    reader = consumer(
        cluster,
        cases_topic(municipality),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    others: set[bytes] = set()
    try:
        await reader.start()
        ends = await reader.end_offsets(reader.assignment())
        while [one for one, end in ends.items() if await reader.position(one) < end]:
            for records in (await reader.getmany(timeout_ms=500)).values():
                for record in records:
                    is_ours = dict(record.headers).get("ce_source") == REGION.encode()
                    (others.discard if is_ours or record.value is None else others.add)(record.key)
    except (KafkaError, OSError) as error:
        rule = f"the topic cannot be read ({type(error).__name__})"
        raise UnavailableError(Problem("transient", rule, "--kafka")) from None
    finally:
        await reader.stop()
    return bool(others)
