"""A fault of one municipality's topics holds up that one alone: nothing lost, all in order."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import ProducerFenced

from adapter.outbound.records import share_of
from adapter.outbound.topics import PROGRESS, cases_topic, events_topic, make_topics
from adapter.store import quarantine
from tests.kafka.cluster import ApacheKafka
from tests.kafka.libraries import jvm
from tests.kafka.records import producer
from tests.outbound.outboxes import (
    BAD,
    LANES,
    LEFT,
    NEIGHBOUR,
    STRANGER,
    add,
    add_some,
    emptied,
    event,
    outbox,
    relaying,
    seen,
    until,
    whole,
)
from tests.servers import java

pytestmark = pytest.mark.kafka

APART = "select reason from quarantine where lane = $1"


def access(bootstrap: str, *words: str) -> None:
    """Kafka's own tool for access lists."""
    argv = [
        java(),
        *jvm("128m"),
        "org.apache.kafka.tools.AclCommand",
        "--bootstrap-server",
        bootstrap,
        *words,
    ]
    subprocess.run(argv, check=True, capture_output=True, timeout=120, env=os.environ | {"LC_ALL": "C.UTF-8"})


@pytest.fixture
async def admin(empty_apache: ApacheKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=empty_apache.bootstrap)
    await client.start()
    yield client
    await client.close()


def test_the_neighbour_is_one_that_could_be_held_up() -> None:
    assert share_of(BAD) == share_of(NEIGHBOUR) != share_of(STRANGER)


async def test_a_topic_that_is_removed_holds_up_its_own_lane_alone(
    dsn: str, empty_apache: ApacheKafka, admin: AIOKafkaAdminClient
) -> None:
    async with outbox(dsn) as connection, relaying(dsn, empty_apache.bootstrap):
        for lane in LANES:
            await add_some(dsn, lane, range(1, 4))
            await emptied(connection, lane)
        await admin.delete_topics([events_topic(BAD)])
        for lane in LANES:
            await add_some(dsn, lane, range(4, 7))
        await until(connection, APART, lambda reason: reason == "missing", BAD)
        for lane in (NEIGHBOUR, STRANGER):
            await emptied(connection, lane)
        assert await connection.fetchval("select count(*) from outbox") == 6, "the other's wait"
        await make_topics(empty_apache.cluster, [BAD], partitions=3, replication=1)
        await emptied(connection, BAD)
        await until(connection, APART, lambda reason: reason is None, BAD)
        await add_some(dsn, BAD, range(7, 8))
        await emptied(connection, BAD)
    assert await seen(empty_apache.bootstrap, NEIGHBOUR) == whole(NEIGHBOUR, 6)
    assert await seen(empty_apache.bootstrap, STRANGER) == whole(STRANGER, 6)
    later = await seen(empty_apache.bootstrap, BAD)
    assert later == {case: list(range(4, 8)) for case in whole(BAD, 1)}, "the first three went with the topic"


async def test_what_the_broker_will_never_take_parks_its_case_alone(
    dsn: str, empty_apache: ApacheKafka, admin: AIOKafkaAdminClient
) -> None:
    small = {"max.message.bytes": "2000"}
    await make_topics(empty_apache.cluster, (NEIGHBOUR, STRANGER), partitions=3, replication=1)
    await admin.create_topics([NewTopic(events_topic(BAD), 1, 1, topic_configs=small)])
    async with outbox(dsn) as connection, relaying(dsn, empty_apache.bootstrap):
        await add_some(dsn, NEIGHBOUR, range(1, 4))
        await add(dsn, event(BAD, "large", 1), event(BAD, "small", 1), event(BAD, "large", 2, size=3000))
        await add(dsn, event(BAD, "small", 2), event(BAD, "large", 3), event(BAD, "small", 3))
        await until(connection, "select count(*) from parked_event", lambda parked: parked == 2)
        for lane in (BAD, NEIGHBOUR):
            await emptied(connection, lane)
        await add(dsn, event(BAD, "large", 4), event(BAD, "small", 4))
        await emptied(connection, BAD)
        [parked] = await quarantine.parked_cases(connection)
        assert (parked.lane, parked.case_id, parked.reason) == (BAD, "large", "MessageSizeTooLargeError")
        assert (parked.events, parked.released) == (3, False), "the refused one, and all that came after it"
        assert await seen(empty_apache.bootstrap, BAD) == {"large": [1], "small": [1, 2, 3, 4]}
        assert await seen(empty_apache.bootstrap, NEIGHBOUR) == whole(NEIGHBOUR, 3)

        assert await quarantine.release(connection, BAD, "large")
        again = "select exists (select from parked_case where parked_at > $1)"
        await until(connection, again, bool, parked.parked_at)
        await until(connection, "select count(*) from parked_event", lambda parked: parked == 3)
        assert [one.events for one in await quarantine.parked_cases(connection)] == [3], "refused again"

        await _allow(admin, events_topic(BAD), "1000000")
        assert await quarantine.release(connection, BAD, "large")
        await until(connection, "select count(*) from parked_event", lambda parked: parked == 0)
        await emptied(connection, BAD)
        assert await quarantine.parked_cases(connection) == []
        assert not await quarantine.release(connection, BAD, "large"), "there is no such case any more"
    assert await seen(empty_apache.bootstrap, BAD) == {"large": [1, 2, 3, 4], "small": [1, 2, 3, 4]}


async def _allow(admin: AIOKafkaAdminClient, topic: str, largest: str) -> None:
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType  # noqa: PLC0415

    await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": largest})]
    )


async def test_a_topic_that_may_not_be_written_holds_up_its_own_lane_alone(
    dsn: str, empty_apache: ApacheKafka
) -> None:
    what = ("--topic", cases_topic(BAD), "--operation", "Write", "--deny-principal", "User:ANONYMOUS")
    await make_topics(empty_apache.cluster, LANES, partitions=3, replication=1)
    everyone = ("--allow-principal", "User:*", "--operation", "All", "--topic", cases_topic(BAD))
    await asyncio.to_thread(access, empty_apache.bootstrap, "--add", *everyone)
    async with outbox(dsn) as connection, relaying(dsn, empty_apache.bootstrap):
        for lane in LANES:
            await add_some(dsn, lane, range(1, 4))
            await emptied(connection, lane)
        await asyncio.to_thread(access, empty_apache.bootstrap, "--add", *what)
        for lane in LANES:
            await add_some(dsn, lane, range(4, 7))
        await until(connection, APART, lambda reason: reason == "denied", BAD)
        for lane in (NEIGHBOUR, STRANGER):
            await emptied(connection, lane)
        await asyncio.to_thread(access, empty_apache.bootstrap, "--remove", "--force", *what)
        await emptied(connection, BAD)
    for lane in LANES:
        assert await seen(empty_apache.bootstrap, lane) == whole(lane, 6)


@pytest.mark.long
async def test_a_partition_that_nobody_leads_holds_up_its_own_lane_alone(
    dsn: str, cluster3: ApacheKafka
) -> None:
    """One copy alone, on a broker that is killed: not even a transaction's end can be written to it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster3.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1) for name in (events_topic(BAD), cases_topic(BAD))])
    await admin.close()
    await make_topics(cluster3.cluster, (NEIGHBOUR, STRANGER), partitions=3, replication=3)
    async with outbox(dsn) as connection, relaying(dsn, cluster3.bootstrap, replication=3, make_topics=False):
        for lane in LANES:
            await add_some(dsn, lane, range(1, 4), cases=9)
            await emptied(connection, lane)
        leader = await cluster3.leader_of(events_topic(BAD))
        assert leader is not None
        await asyncio.to_thread(leader.kill)
        for lane in LANES:
            await add_some(dsn, lane, range(4, 7), cases=9)
        for lane in (NEIGHBOUR, STRANGER):
            await emptied(connection, lane)
        await until(connection, APART, lambda reason: reason is not None, BAD)
        assert await connection.fetchval(LEFT, BAD) > 0
        await asyncio.to_thread(cluster3.restart)
        await emptied(connection, BAD)
    for lane in LANES:
        assert await seen(cluster3.bootstrap, lane) == whole(lane, 6, cases=9)


@pytest.mark.long
async def test_a_transaction_that_cannot_end_holds_up_nobody(dsn: str, cluster3: ApacheKafka) -> None:
    """A relay died with a transaction open in a partition that nobody leads now: even its abort must wait.

    The one that takes over waits as long as a transaction lives, and goes on under an id of its own.
    """
    topic = "losus.of-one-copy"
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster3.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    await make_topics(cluster3.cluster, LANES, partitions=3, replication=3)
    before = await seen(cluster3.bootstrap, NEIGHBOUR)
    share = share_of(NEIGHBOUR)
    async with outbox(dsn) as connection, producer(cluster3.bootstrap, transactional_id="dead") as forerunner:
        await add(dsn, event(NEIGHBOUR, "after", 1))
        await connection.execute(
            "insert into relay_claim (slot, share, id, producer, since, events) "
            "select 'share-' || $1::int, $1::int, 'claimed', 'dead', 0, array_agg(event) from outbox",
            share,
        )
        await forerunner.begin_transaction()
        await forerunner.send_and_wait(PROGRESS, b"claimed", b"share-%d" % share, partition=share)
        await forerunner.send_and_wait(topic, b"never committed")
        leader = await cluster3.leader_of(topic)
        assert leader is not None
        await asyncio.to_thread(leader.kill)
        async with relaying(dsn, cluster3.bootstrap, make_topics=False):
            await emptied(connection, NEIGHBOUR)
        assert (await seen(cluster3.bootstrap, NEIGHBOUR)).keys() - before.keys() == {"after"}
        assert not (await cluster3.leader_of(topic)), "all the while"
        await asyncio.to_thread(cluster3.restart)
        with pytest.raises(ProducerFenced):
            await forerunner.commit_transaction()
