"""What a municipality lost is told again: the same events, in order, to it alone, none that may not be."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import pytest

from adapter.commands.republish import Again, Wish, republished
from adapter.outbound.republish import again
from adapter.outbound.topics import cases_topic, events_topic
from adapter.store.database import Database, connect
from adapter.store.republish import Recorded
from tests.conftest import Kafka as Broker
from tests.outbound.test_relay import case_id, drained, relay, stored
from tests.service import renewed, send, service, stay, way_home
from tests.topic import records, revisions

EVENTS, CASES = events_topic("2380"), cases_topic("2380")
ALL = Wish("2380", "full", None, None)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event(number: int, *, protected: bool = False, payload: str = "full", closing: bool = False) -> Recorded:
    """One event a minute from noon on."""
    said = json.dumps({"protected": protected, "payload": payload}).encode()
    return Recorded(number, "se.losus.case.changed.v1", said, closing, NOON + number * MINUTE)


OPEN = [event(0), event(1), event(2)]
SHIELDED = [event(0), event(1), event(2, protected=True), event(3, protected=True)]
EXPIRED = [*OPEN, Recorded(3, "se.losus.case.expired.v1", b"", False, NOON + 3 * MINUTE)]
STATEMENT = [Recorded(0, "se.losus.settlement.issued.v1", b'{"resourceType":"Bundle"}', False, NOON)]
LEFT = [event(0), event(1), event(2, closing=True)]
BRIEF = [event(0), event(1, payload="statutory"), event(2, payload="statutory")]

CHOICES = [
    # recorded, since, may be sent, protected now, goes again, may not, because
    (OPEN, None, "full", False, [0, 1, 2], 0, "from the first to the newest"),
    (OPEN, NOON + MINUTE, "full", False, [1, 2], 0, "from that instant on, it included"),
    (OPEN, NOON + MINUTE + timedelta(microseconds=1), "full", False, [2], 0, "what was told before stays"),
    (OPEN, NOON + 9 * MINUTE, "full", False, [], 0, "nothing was told since"),
    (SHIELDED, None, "full", True, [2, 3], 2, "no name, number or address of who is protected now"),
    (SHIELDED, None, "full", False, [0, 1, 2, 3], 0, "protected then, and not any more"),
    (LEFT, None, "full", True, [2], 2, "the last word says nothing of the person"),
    (OPEN, None, "statutory", False, [], 3, "LUS 2:2 alone is what it may be sent now"),
    (BRIEF, None, "statutory", False, [1, 2], 1, "what was told so before"),
    (BRIEF, None, "full", False, [0, 1, 2], 0, "less than what it may be sent"),
    (EXPIRED, None, "full", False, [0, 1, 2, 3], 0, "off `.cases` again at the end, where it was off"),
    (STATEMENT, None, "full", False, [0], 0, "a statement is the municipality's own"),
]


@pytest.mark.parametrize(
    ("recorded", "since", "payload", "protected", "goes", "withheld", "because"), CHOICES
)
def test_what_may_go_again(
    recorded: list[Recorded],
    since: datetime | None,
    payload: str,
    protected: bool,
    goes: list[int],
    withheld: int,
    because: str,
) -> None:
    found = again(recorded, since=since, payload=payload, is_protected=protected)
    assert found == (goes, withheld), because


@asynccontextmanager
async def database_of(dsn: str) -> AsyncIterator[Database]:
    database = await connect(dsn, size=2)
    try:
        yield database
    finally:
        await database.close()


async def value_of(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_the_same_events_come_again_in_order_to_that_municipality_alone(
    dsn: str, empty_broker: Broker
) -> None:
    """One case of the two, and of another municipality nothing."""
    other = way_home()[0]
    other = stay(other, 9, 0)
    other["entry"][2]["resource"]["address"][0]["extension"][0]["valueCoding"]["code"] = "2309"
    async with stored(dsn, 2), service(dsn) as client:
        assert (await send(client, other)).status_code == 200
        with relay(dsn, empty_broker.bootstrap):
            await drained(dsn)
            async with database_of(dsn) as database:
                wish = Wish("2380", "full", case_id(0), None)
                assert await republished(database, wish, 30, run=True) == [Again(case_id(0), 13)]
            await drained(dsn)
    seen = await records(empty_broker.bootstrap, EVENTS)
    once = list(range(1, 14))
    assert revisions(seen) == {case_id(0): once + once, case_id(1): once}
    ids = [one.headers["ce_id"] for one in seen if one.key == case_id(0)]
    assert ids[:13] == ids[13:]
    newest = [one for one in await records(empty_broker.bootstrap, CASES) if one.key == case_id(0)][-1]
    assert newest.value == [one.value for one in seen if one.key == case_id(0)][-1]
    assert len(await records(empty_broker.bootstrap, events_topic("2309"))) == 1


async def test_what_is_still_on_its_way_is_left_alone(dsn: str) -> None:
    """Put among what waits, the older would go after the newest, and be the last on `.cases`."""
    async with stored(dsn), database_of(dsn) as database:
        assert await republished(database, ALL, 0, run=True) == [Again(case_id(0), waits=True)]
    assert await value_of(dsn, "select count(*) from outbox") == 13


async def test_what_comes_meanwhile_comes_after(dsn: str, empty_broker: Broker) -> None:
    first, *later = way_home()
    async with service(dsn) as client:
        for message in (first, *later[:3]):
            assert (await send(client, message)).status_code == 200
        with relay(dsn, empty_broker.bootstrap):
            await drained(dsn)
        async with database_of(dsn) as database:
            [done] = await republished(database, ALL, 5, run=True)
            assert done.events == 4
        assert (await send(client, later[3])).status_code == 200
    with relay(dsn, empty_broker.bootstrap):
        await drained(dsn)
    [numbers] = revisions(await records(empty_broker.bootstrap, EVENTS)).values()
    assert numbers == [1, 2, 3, 4, 1, 2, 3, 4, 5]


async def test_told_again_and_again_while_more_comes_the_newest_is_always_the_last(
    dsn: str, empty_broker: Broker
) -> None:
    """Four stays: what is told again is still in the outbox when the next message of each comes."""
    async with service(dsn) as client, database_of(dsn) as database:
        with relay(dsn, empty_broker.bootstrap):
            for index, message in enumerate(way_home()):
                for number in range(4):
                    assert (await send(client, stay(message, number, index))).status_code == 200
                if index % 3 == 0:
                    await drained(dsn)
                    done = await republished(database, ALL, 0, run=True)
                    assert [one.events for one in done] == [index + 1] * 4
            await drained(dsn)
            done = await republished(database, ALL, 30, run=True)
            assert [one.events for one in done] == [13] * 4
            await drained(dsn)
    seen = await records(empty_broker.bootstrap, EVENTS)
    for numbers in revisions(seen).values():
        newest = 0
        for before, after in pairwise([0, *numbers]):
            assert after == before + 1 or (after == 1 and before == newest)
            newest = max(newest, after)
        assert numbers[-13:] == list(range(1, 14))
    last = {one.key: one.value for one in await records(empty_broker.bootstrap, CASES)}
    assert {value["revision"] for value in last.values() if value} == {13}


async def test_a_dry_run_changes_nothing_and_a_run_is_written_down(dsn: str, broker: Broker) -> None:
    async with stored(dsn):
        with relay(dsn, broker.bootstrap):
            await drained(dsn)
    audited = "select count(*) from audit where action = 'republish'"
    async with database_of(dsn) as database:
        assert await republished(database, ALL, 5, run=False) == [Again(case_id(0), 13)]
        assert await value_of(dsn, "select count(*) from outbox") == 0
        assert await value_of(dsn, audited) == 0
        assert await republished(database, ALL, 5, run=True) == [Again(case_id(0), 13)]
    assert await value_of(dsn, "select count(*) from outbox") == 13
    assert await value_of(dsn, audited) == 1


async def test_who_is_protected_now_is_not_named_again(dsn: str, empty_broker: Broker) -> None:
    first, second, *_ = way_home()
    shielded = renewed(first, "shield")
    patient = shielded["entry"][2]["resource"]
    patient["meta"] = {
        "versionId": "2",
        "lastUpdated": "2024-03-06T08:00:00+01:00",
        "security": [{"system": "https://losus.example/security", "code": "sekretessmarkering"}],
    }
    async with service(dsn) as client:
        for message in (first, second, shielded):
            assert (await send(client, message)).status_code == 200
    assert (
        await value_of(dsn, "select convert_from(picture, 'UTF8')::json ->> 'protected' from cases") == "true"
    )
    with relay(dsn, empty_broker.bootstrap):
        await drained(dsn)
        before = len(await records(empty_broker.bootstrap, EVENTS))
        async with database_of(dsn) as database:
            [done] = await republished(database, ALL, 5, run=True)
        await drained(dsn)
    repeated = (await records(empty_broker.bootstrap, EVENTS))[before:]
    assert (done.events, done.withheld) == (1, 2)
    assert [one.value["protected"] for one in repeated if one.value] == [True]
