"""The relay on real brokers: order per case, nothing missing, nothing twice, over `kill -9`."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import orjson
import pytest

from adapter.losus.identity import pseudonym
from adapter.outbound.records import share_of
from adapter.outbound.topics import UNROUTED, cases_topic, events_topic
from adapter.settings import Subscriber
from tests import cli
from tests.conftest import Kafka as Broker
from tests.service import renewed, send, service, settings, stay, way_home
from tests.topic import records, revisions

EVENTS, CASES = events_topic("2380"), cases_topic("2380")


@contextmanager
def relay(
    dsn: str, bootstrap: str, subscribers: Mapping[str, Subscriber] | None = None, **more: Any
) -> Iterator[cli.Process]:
    """`losus relay` as a process of its own; `more` are settings of Kafka."""
    given = settings(dsn) if subscribers is None else settings(dsn, subscribers=subscribers)
    environment = os.environ | {
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": given.secret.get_secret_value(),
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_KAFKA": orjson.dumps({"bootstrap": bootstrap, **more}).decode(),
        "LOSUS_SUBSCRIBERS": orjson.dumps({c: s.model_dump() for c, s in given.subscribers.items()}).decode(),
    }
    with cli.start("relay", env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


async def delivered(dsn: str) -> list[tuple[int, bool]]:
    """Each delivery as it was written down: number of the event, and whether its place is known."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            'select event, "offset" is not null as is_placed from delivery order by 1'
        )
        return [(row["event"], row["is_placed"]) for row in rows]
    finally:
        await connection.close()


async def drained(dsn: str, left: int = 0, within_s: float = 60) -> None:
    """Wait until the outbox holds no more than `left`."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(within_s):
            while await connection.fetchval("select count(*) from outbox") > left:
                await asyncio.sleep(0.002)
    finally:
        await connection.close()


@asynccontextmanager
async def stored(dsn: str, stays: int = 1) -> AsyncIterator[None]:
    """The way home of `stays` patients in the database, and nothing published yet."""
    async with service(dsn) as client:
        for number in range(stays):
            for index, message in enumerate(way_home()):
                answer = await send(client, stay(message, number, index))
                assert answer.status_code == 200
        yield


def case_id(number: int) -> str:
    return pseudonym(b"a secret of the tests alone", "losus-r4", f"stay-1-{number}")


async def test_a_way_home_arrives_in_order_as_cloud_events(dsn: str, kafka: Broker) -> None:
    async with stored(dsn):
        with relay(dsn, kafka.bootstrap):
            await drained(dsn)
    seen = await records(kafka.bootstrap, EVENTS)
    assert revisions(seen) == {case_id(0): list(range(1, 14))}
    states = [record.value["state"] for record in seen if record.value]
    assert states == [
        "admitted", "notified", "planning", "planning", "planning", "ready", "planning", "planning",
        "ready", "home-ready", "home-ready", "discharged", "discharged",
    ]  # fmt: skip
    first = seen[0]
    assert first.headers == {
        "ce_specversion": "1.0",
        "ce_id": first.headers["ce_id"],
        "ce_source": "urn:losus:region",
        "ce_type": "se.losus.case.changed.v1",
        "ce_subject": first.key,
        "ce_time": first.headers["ce_time"],
        "content-type": "application/json",
        "ce_dataschema": "urn:losus:schema:case.changed.v1",
        "traceparent": first.headers["traceparent"],
    }
    assert len({record.headers["ce_id"] for record in seen}) == len(seen)
    newest = await records(kafka.bootstrap, CASES)
    assert newest[-1].value == seen[-1].value
    assert await delivered(dsn) == [(number, True) for number in range(1, 14)], "PDL 3:11"


async def test_killed_anywhere_and_started_again_nothing_is_missing_or_twice(dsn: str, kafka: Broker) -> None:
    chance = random.Random(20170612)  # noqa: S311 - a seed, not a secret
    stays = 6
    async with stored(dsn, stays):
        for left in sorted((chance.randrange(stays * 13) for _ in range(3)), reverse=True):
            with relay(dsn, kafka.bootstrap, batch=5) as process:
                await drained(dsn, left)
                await asyncio.sleep(chance.uniform(0, 0.02))
                process.send_signal(signal.SIGKILL)
        with relay(dsn, kafka.bootstrap):
            await drained(dsn)
    seen = await records(kafka.bootstrap, EVENTS)
    assert revisions(seen) == {case_id(number): list(range(1, 14)) for number in range(stays)}
    told = [number for number, _ in await delivered(dsn)]
    assert told == list(range(1, 13 * stays + 1)), "each is written down once, whoever mended its claim"


@pytest.mark.parametrize("step", ["before kafka", "after kafka"])
async def test_a_crash_between_kafka_and_the_database_is_told_apart(
    dsn: str, kafka: Broker, step: str
) -> None:
    """Either side of the only gap there is: the claim stands open, and Kafka has it or has it not."""
    async with stored(dsn):
        if step == "after kafka":
            with relay(dsn, kafka.bootstrap):
                await drained(dsn)
    connection = await asyncpg.connect(dsn)
    # the database as the crash left it: the claim written down, the outbox still full
    await connection.execute("insert into outbox select id from event on conflict do nothing")
    await connection.execute("alter table delivery disable trigger all; delete from delivery")
    await connection.execute(
        """insert into relay_claim (slot, share, id, producer, since, events)
           select 'share-' || $1::int, $1::int, 'never sent', 'losus-relay-share-' || $1::int, 0,
                  array_agg(id order by id)
           from event on conflict (slot) do update set events = excluded.events""",
        share_of("2380"),
    )
    await connection.close()
    with relay(dsn, kafka.bootstrap):
        await drained(dsn)
    seen = await records(kafka.bootstrap, EVENTS)
    assert revisions(seen) == {case_id(0): list(range(1, 14))}
    is_placed = step == "before kafka"  # else Kafka was asked for the claim, not for its records
    assert await delivered(dsn) == [(number, is_placed) for number in range(1, 14)]


async def test_a_second_relay_waits_until_the_first_is_gone(dsn: str, kafka: Broker) -> None:
    async with stored(dsn):
        with relay(dsn, kafka.bootstrap) as first:
            await drained(dsn)
            with relay(dsn, kafka.bootstrap) as second:
                first.kill()
                connection = await asyncpg.connect(dsn)
                await connection.execute("insert into outbox select max(id) from event")
                await connection.close()
                await drained(dsn)
                assert second.poll() is None
    assert len(await records(kafka.bootstrap, EVENTS)) == 14


async def test_without_transactions_at_least_once_with_the_same_ids(dsn: str, broker: Broker) -> None:
    async with stored(dsn):
        for _ in range(2):
            connection = await asyncpg.connect(dsn)
            await connection.execute("insert into outbox select id from event on conflict do nothing")
            await connection.close()
            with relay(dsn, broker.bootstrap, transactions=False):
                await drained(dsn)
    seen = [r for r in await records(broker.bootstrap, EVENTS) if r.key == case_id(0)]
    ids = [record.headers["ce_id"] for record in seen]
    assert ids[-26:-13] == ids[-13:]


@pytest.mark.kafka
async def test_a_broker_that_restarts_is_waited_out(dsn: str, apache: Broker) -> None:
    async with stored(dsn):
        with relay(dsn, apache.bootstrap):
            await drained(dsn)
            await asyncio.to_thread(apache.kill)
            connection = await asyncpg.connect(dsn)
            await connection.execute("insert into outbox select max(id) from event")
            await connection.close()
            await asyncio.to_thread(apache.restart)
            await drained(dsn)
    # Of a broker that has just started, a reader sees what is committed a while later.
    async with asyncio.timeout(60):
        while True:
            seen = [record for record in await records(apache.bootstrap, EVENTS) if record.key == case_id(0)]
            if [record.headers["ce_id"] for record in seen[-2:]] == [seen[-1].headers["ce_id"]] * 2:
                break
            await asyncio.sleep(0.1)


async def test_nobody_to_send_it_to_is_told_the_region_alone(dsn: str, kafka: Broker) -> None:
    message = way_home()[0]
    coding = message["entry"][2]["resource"]["address"][0]["extension"][0]["valueCoding"]
    coding["code"] = "1280"  # Malmö does not subscribe here
    async with service(dsn) as client:
        assert (await send(client, message)).status_code == 200
    with relay(dsn, kafka.bootstrap):
        await drained(dsn)
    [record] = await records(kafka.bootstrap, UNROUTED)
    assert record.value
    assert (record.value["municipality"], record.value["revision"]) == ("1280", 1)
    assert await records(kafka.bootstrap, EVENTS) == []


async def test_a_move_closes_the_case_for_the_old_municipality_and_says_no_more(
    dsn: str, kafka: Broker
) -> None:
    first, *later = way_home()
    moved = renewed(first, "moved")
    patient = moved["entry"][2]["resource"]
    patient["meta"] = {"versionId": "2", "lastUpdated": "2024-03-06T08:00:00+01:00"}
    patient["address"][0]["extension"][0]["valueCoding"]["code"] = "2309"
    async with service(dsn) as client:
        for message in (first, later[0], moved, *later[1:]):
            assert (await send(client, message)).status_code == 200
    with relay(dsn, kafka.bootstrap):
        await drained(dsn)
    old = await records(kafka.bootstrap, EVENTS)
    assert [(r.value["revision"], r.value["moved"]) for r in old if r.value] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    last = orjson.dumps(old[-1].value).decode()
    assert not [word for word in ("2309", "Krokom", "Tolvansson", "191212121212") if word in last]
    assert [r.value is None for r in await records(kafka.bootstrap, CASES)] == [False, False, True]
    new = await records(kafka.bootstrap, events_topic("2309"))
    assert list(revisions(new).values()) == [list(range(1, 13))]
