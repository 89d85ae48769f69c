"""What a subscriber sees of a topic, and the checks that every topic must pass."""

from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from adapter.cluster import Cluster
from adapter.commands.tail import read_topic
from tests.outbound.published import faults


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a subscriber has it; `value` None for a tombstone."""

    key: str
    headers: dict[str, str]
    value: dict[str, Any] | None
    partition: int


def cluster_of(bootstrap: str | Cluster) -> Cluster:
    """A cluster that asks for nothing, or the one that is given."""
    return bootstrap if isinstance(bootstrap, Cluster) else Cluster(bootstrap)


async def records(bootstrap: str | Cluster, topic: str) -> list[Record]:
    """All committed records of a topic, each partition in its order; each is as its schema promises."""
    seen = [
        Record(
            record.key.decode(),
            {name: value.decode() for name, value in record.headers},
            orjson.loads(record.value) if record.value is not None else None,
            record.partition,
        )
        async for record in read_topic(topic, cluster_of(bootstrap), follow=False)
    ]
    for one in seen:
        assert faults(one.headers, one.value) == []
    return seen


def revisions(seen: list[Record]) -> dict[str, list[int]]:
    """The revisions of each case in the order seen."""
    found: dict[str, list[int]] = {}
    for record in seen:
        if record.value is not None:
            found.setdefault(record.key, []).append(record.value["revision"])
    return found


#: For what a test asks of a broker that may have come up a moment ago: what passes is asked again.
again = retry(
    retry=retry_if_exception(lambda error: isinstance(error, KafkaError) and error.retriable),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.1),
    reraise=True,
)


@again
async def remove_topics(bootstrap: str) -> None:
    """Remove every topic of earlier tests, and wait until they are gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        while left := [name for name in await admin.list_topics() if not name.startswith("__")]:
            await admin.delete_topics(left)
    finally:
        await admin.close()
