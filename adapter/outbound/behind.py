"""Whether the database is older than what Kafka has: restored to an earlier point, or another one.

Owns reading the numbers of claims from `losus.relay-progress` and the comparison. Does not own what a relay
does about it (`relay`) nor how it is mended (`adapter.recovery`).

A claim stands in PostgreSQL, with a number that counts the claims of its slot, before anything of it is sent.
So a number in Kafka that is greater than the one that stands here, or the same number on another claim, was
given by a database that this one is not: whether or not that claim was ever committed, so it is read
uncommitted, and nobody's open transaction hides it. A crash leaves no such thing behind: the claim it leaves
open has the greatest number. Kafka is read first, the database after it: what is claimed meanwhile by other
relays is known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from adapter.cluster import Cluster
from adapter.kafka import administrator, consumer
from adapter.outbound.progress import NUMBER, broker_asked
from adapter.outbound.topics import PROGRESS, SHARES
from adapter.store.recovery import KnownClaim


@dataclass(frozen=True, slots=True)
class PublishedClaim:
    """The claim of a slot with the greatest number that Kafka was told of, and where it stands."""

    slot: str
    share: int
    number: int
    id: str
    offset: int


@dataclass(frozen=True, slots=True)
class Behind:
    """A slot of which Kafka was told a number that was not given here; `known` is the last that was."""

    slot: str
    published: int
    known: int


def behind(published: Mapping[str, PublishedClaim], known: Mapping[str, KnownClaim]) -> tuple[Behind, ...]:
    """The slots whose claims in Kafka another database gave, by name; empty: this one is as new as it is."""
    found = []
    for slot, one in sorted(published.items()):
        here = known.get(slot)
        number = here.number if here is not None else 0
        is_other = here is not None and one.number == number and one.id != here.id
        if one.number > number or is_other:
            found.append(Behind(slot, one.number, number))
    return tuple(found)


async def published_claims(cluster: Cluster, known: Mapping[str, KnownClaim]) -> dict[str, PublishedClaim]:
    """The newest claims that Kafka was told of; `known` says from where on a share's partition is read.

    Empty where the topic is not there, or has records of an earlier version alone. UnavailableError where
    the broker does not answer.
    """
    async with broker_asked(cluster, "claims"):
        places = await _places(cluster)
        if not places:
            return {}
        reader = consumer(cluster, auto_offset_reset="earliest", enable_auto_commit=False)
        await reader.start()
        try:
            reader.assign(places)
            return await _read(reader, places, known)
        finally:
            await reader.stop()


async def _places(cluster: Cluster) -> list[TopicPartition]:
    """The partitions of the topic; looked up in the list of topics, for asking for it might make it."""
    admin = administrator(cluster)
    await admin.start()
    try:
        if PROGRESS not in await admin.list_topics():
            return []
        (described,) = await admin.describe_topics([PROGRESS])
    finally:
        await admin.close()
    return [TopicPartition(PROGRESS, one["partition"]) for one in described["partitions"]]


async def _read(
    reader: AIOKafkaConsumer, places: list[TopicPartition], known: Mapping[str, KnownClaim]
) -> dict[str, PublishedClaim]:
    first, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    for place in places:
        own = known.get(f"share-{place.partition}")
        since = own.since if own is not None and first[place] <= own.since <= ends[place] else first[place]
        reader.seek(place, since)
    newest: dict[str, PublishedClaim] = {}
    while [one for one in places if await reader.position(one) < ends[one]]:
        for records in (await reader.getmany(timeout_ms=200)).values():
            for one in records:
                number = int(dict(one.headers).get(NUMBER, b"0"))
                slot = one.key.decode()
                if number and (slot not in newest or newest[slot].number <= number):
                    share = one.partition % SHARES
                    newest[slot] = PublishedClaim(slot, share, number, one.value.decode(), one.offset)
    return newest
