"""The Kafka door: each record is stored once, and none is passed over, whatever crashes."""

import asyncio
import gc
from contextlib import suppress
from typing import Any

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from adapter.cluster import Cluster
from adapter.inbound.listener import Listener
from adapter.outbound.topics import DEAD_LETTER, make_topics
from tests.conftest import Kafka
from tests.doors.rig import SOURCE, Rig, essence, home, resources, rig
from tests.service import renewed, way_home
from tests.topic import records

TOPIC = "hospital.fhir"
_PATIENCE_S = 90.0

pytestmark = pytest.mark.timeout(400)


async def produce(bootstrap: str, values: list[bytes | None]) -> None:
    await make_topics(Cluster(bootstrap), (), partitions=1, replication=1, more=[TOPIC])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(TOPIC, value, key=b"k")
    finally:
        await producer.stop()


def listener(one: Rig, bootstrap: str) -> Listener:
    dsn = one.settings.database.get_secret_value()
    return Listener(SOURCE, TOPIC, Cluster(bootstrap), dsn=dsn, receiver=one.receiver, database=one.database)


async def offsets(dsn: str) -> int:
    """How many records the marks say were stored, over all partitions."""
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchval(
        "select coalesce(sum(value::bigint), 0) from mark where name like 'stream %'"
    )
    await connection.close()
    return int(found)


async def until(dsn: str, records: int) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while await offsets(dsn) < records:
            await asyncio.sleep(0.05)


async def test_messages_and_resources_lead_to_the_topic_of_the_municipality(
    dsn: str, empty_apache: Kafka
) -> None:
    values = [orjson.dumps(one) for one in [*way_home()[:6], *resources()]]
    async with rig(dsn, empty_apache.bootstrap, topic=TOPIC) as one:
        await produce(empty_apache.bootstrap, list(values))
        task = asyncio.create_task(listener(one, empty_apache.bootstrap).run())
        await until(dsn, len(values))
        task.cancel()
        await one.reread()
        [picture] = await one.told()
        assert essence(picture) == home(one.world)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # cut off, and seen to be
async def test_a_listener_that_is_cut_off_anywhere_goes_on_where_it_was(
    dsn: str, empty_apache: Kafka
) -> None:
    values = [orjson.dumps(one) for one in resources()] * 3
    async with rig(dsn, empty_apache.bootstrap, topic=TOPIC) as one:
        await produce(empty_apache.bootstrap, list(values))
        for pause_s in (0.5, 1.0, 0.2, 1.5):
            task = asyncio.create_task(listener(one, empty_apache.bootstrap).run())
            with suppress(TimeoutError):
                await asyncio.wait_for(task, pause_s)
        task = asyncio.create_task(listener(one, empty_apache.bootstrap).run())
        await until(dsn, len(values))
        task.cancel()
        await one.reread()
        [picture] = await one.told()
        assert essence(picture) == home(one.world)
    gc.collect()  # whatever was left open is told of here, and not in another test


async def test_what_cannot_be_read_is_held_and_the_rest_goes_on(dsn: str, broker: Kafka) -> None:
    """Nobody waits who could mend it: no JSON, no FHIR, no content, a Bundle.id used again."""
    first, second, *_ = way_home()
    again = {**renewed(second, "x"), "id": first["id"]}
    broken: list[Any] = [b"{", b'{"resourceType": "Encounter"}', None, orjson.dumps(again)]
    values = [orjson.dumps(first), *broken, orjson.dumps(second)]
    async with rig(dsn, broker.bootstrap, topic=TOPIC) as one:
        await produce(broker.bootstrap, values)
        task = asyncio.create_task(listener(one, broker.bootstrap).run())
        await until(dsn, len(values))
        task.cancel()
        connection = await asyncpg.connect(dsn)
        causes = await connection.fetch("select cause, count(*) as n from held group by 1")
        await connection.close()
        assert {row["cause"]: row["n"] for row in causes} == {"invalid": 3}
        [picture] = await one.told()
        assert picture["state"] == "notified"
        letters = [one.value for one in await records(broker.bootstrap, DEAD_LETTER)]
        assert [letter["cause"] for letter in letters if letter] == ["invalid"] * 3


async def test_what_may_not_be_said_is_held_and_does_not_stop_the_topic(dsn: str, broker: Kafka) -> None:
    """A municipality's system that says what is a hospital's to say: nobody waits whom it could be told."""
    values: list[bytes | None] = [orjson.dumps(one) for one in way_home()[:2]]
    async with rig(dsn, broker.bootstrap, topic=TOPIC, municipality="2380") as one:
        await produce(broker.bootstrap, values)
        task = asyncio.create_task(listener(one, broker.bootstrap).run())
        await until(dsn, len(values))
        task.cancel()
        connection = await asyncpg.connect(dsn)
        rules = await connection.fetch("select problems from held order by message")
        await connection.close()
        assert ["not for a municipality" in row["problems"] for row in rules] == [True] * len(values)
