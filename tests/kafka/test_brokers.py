"""Both kinds of broker: data over kill -9, transactions, fencing, and clients that are none of ours."""

import json
import uuid

import pytest
from aiokafka.errors import ProducerFenced

from tests.kafka.foreign import Seen, console_consumer
from tests.kafka.foreign import kcat as read_with_kcat
from tests.kafka.records import make_topic, producer, read
from tests.servers import eventually


@pytest.mark.kafka
async def test_what_apache_kafka_acknowledged_outlives_kill_9(apache):
    topic = await make_topic(apache.bootstrap)
    async with producer(apache.bootstrap) as out:
        for n in range(20):
            await out.send_and_wait(topic, str(n).encode())
        apache.kill()
    assert not apache.is_running
    before = apache.bootstrap
    apache.restart()
    assert apache.bootstrap == before, "clients know the address"
    assert await read(apache.bootstrap, topic, 20) == [str(n) for n in range(20)]
    async with producer(apache.bootstrap) as out:
        await out.send_and_wait(topic, b"after")
    assert (await read(apache.bootstrap, topic, 21))[-1] == "after"


async def test_what_the_sandbox_broker_saved_outlives_kill_9(broker):
    """It saves about once a second, so what it acknowledged last may be lost: the sandbox proves no more."""
    topic = await make_topic(broker.bootstrap)
    async with producer(broker.bootstrap) as out:
        await out.send_and_wait(topic, b"this is to be saved")
    assert eventually(lambda: _records_on_disk(broker, topic) == 1)
    broker.kill()
    assert not broker.is_running
    broker.restart()
    assert await read(broker.bootstrap, topic, 1) == ["this is to be saved"]


def _records_on_disk(broker, topic):
    saved = broker._guardian.folder / "data" / "kafka.json"
    topics = dict(json.loads(saved.read_bytes())["topics"]) if saved.exists() else {}
    return dict(topics[topic]["partitions"])[0]["high_watermark"] if topic in topics else None


async def test_an_orderly_stop_keeps_data(kafka):
    topic = await make_topic(kafka.bootstrap)
    async with producer(kafka.bootstrap) as out:
        await out.send_and_wait(topic, b"kept")
    kafka.stop()
    kafka.restart()
    assert await read(kafka.bootstrap, topic, 1) == ["kept"]


async def test_read_committed_skips_what_was_aborted(kafka):
    topic = await make_topic(kafka.bootstrap)
    async with producer(kafka.bootstrap, transactional_id=uuid.uuid4().hex) as out:
        async with out.transaction():
            await out.send(topic, b"committed")
        await out.begin_transaction()
        await out.send_and_wait(topic, b"aborted")
        await out.abort_transaction()
        async with out.transaction():
            await out.send(topic, b"committed too")
    assert await read(kafka.bootstrap, topic, 2) == ["committed", "committed too"]
    everything = await read(kafka.bootstrap, topic, 3, "read_uncommitted")
    assert everything == ["committed", "aborted", "committed too"], "the abort was not just never sent"


async def test_a_second_producer_of_the_same_name_fences_the_first(kafka):
    topic = await make_topic(kafka.bootstrap)
    name = uuid.uuid4().hex
    async with producer(kafka.bootstrap, transactional_id=name) as first:
        async with first.transaction():
            await first.send(topic, b"first")
        await first.begin_transaction()
        await first.send_and_wait(topic, b"open when fenced")
        async with producer(kafka.bootstrap, transactional_id=name) as second:
            async with second.transaction():
                await second.send(topic, b"second")
            with pytest.raises(ProducerFenced):
                await first.commit_transaction()
    assert await read(kafka.bootstrap, topic, 2) == ["first", "second"]


HEADERS = (("ce_type", "se.losus.case.changed.v1"), ("ce_time", "2018-07-02T12:00:00+02:00"), ("ce_x", "a,b"))
WRITTEN = (("case-1", '{"kommun": "Åre"}', HEADERS), ("case-2", None, ()), ("case-1", "två", HEADERS[:1]))
SEEN = [Seen(0, n, key, value, headers) for n, (key, value, headers) in enumerate(WRITTEN)]


async def written(bootstrap):
    topic = await make_topic(bootstrap)
    async with producer(bootstrap) as out:
        for key, value, headers in WRITTEN:
            data = None if value is None else value.encode()
            await out.send_and_wait(topic, data, key.encode(), headers=[(n, t.encode()) for n, t in headers])
    return topic


@pytest.mark.usefixtures("kcat")
async def test_kcat_reads_keys_values_and_headers(kafka):
    assert read_with_kcat(kafka.bootstrap, await written(kafka.bootstrap)) == SEEN


@pytest.mark.kafka
async def test_the_console_consumer_reads_keys_values_and_headers(kafka):
    assert console_consumer(kafka.bootstrap, await written(kafka.bootstrap), len(SEEN)) == SEEN


async def test_foreign_clients_see_what_is_committed_only(kafka, kcat):
    assert kcat
    topic = await make_topic(kafka.bootstrap)
    async with producer(kafka.bootstrap, transactional_id=uuid.uuid4().hex) as out:
        await out.begin_transaction()
        await out.send_and_wait(topic, b"aborted")
        await out.abort_transaction()
        async with out.transaction():
            await out.send(topic, b"committed")
    assert [seen.value for seen in read_with_kcat(kafka.bootstrap, topic)] == ["committed"]
