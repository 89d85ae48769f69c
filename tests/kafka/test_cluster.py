"""Three brokers of Apache Kafka: the loss of one costs nothing that was acknowledged."""

import asyncio

import pytest

from tests.kafka.records import make_topic, producer, read

pytestmark = [pytest.mark.long, pytest.mark.kafka]


async def other_leader(cluster, topic, old):
    async with asyncio.timeout(30):
        while (leader := await cluster.leader_of(topic)) in {None, old}:
            await asyncio.sleep(0.1)
    return leader


async def test_another_leads_when_the_leader_is_killed(cluster3):
    topic = await make_topic(cluster3.bootstrap, copies=3)
    async with producer(cluster3.bootstrap) as out:
        await out.send_and_wait(topic, b"before")
        old = await cluster3.leader_of(topic)
        old.kill()
        assert not old.is_running
        assert not cluster3.is_running
        await out.send_and_wait(topic, b"while one is away")
    new = await other_leader(cluster3, topic, old)
    assert new.is_running
    cluster3.restart()
    assert cluster3.is_running
    assert await read(cluster3.bootstrap, topic, 2) == ["before", "while one is away"]


async def test_without_two_brokers_nothing_is_acknowledged(cluster3):
    """min.insync.replicas is 2: an answer means that the loss of one broker is borne."""
    topic = await make_topic(cluster3.bootstrap, copies=3)
    async with producer(cluster3.bootstrap) as out:
        await out.send_and_wait(topic, b"whole")
        first, second, _ = cluster3.brokers
        first.kill()
        second.kill()
        waiting = await out.send(topic, b"for two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.shield(waiting)
        await asyncio.to_thread(cluster3.restart)
        await waiting
    assert cluster3.console_consumer(topic, 2)[1].value == "for two"
