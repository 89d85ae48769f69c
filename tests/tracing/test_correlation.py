"""One id from the request to the record: in the answer, with the message, each event, in Kafka's header."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from adapter.delivery import Delivery, Door
from adapter.flow import commit
from adapter.inbound.library import Library
from adapter.inbound.rereader import reread_now
from adapter.outbound.records import records
from adapter.reading import Prepared, read
from adapter.refold import judge_due
from adapter.store.database import Database, connect
from adapter.store.intake import EventRow
from adapter.store.migrate import migrate
from adapter.trace import Causes, Trace, new_trace
from adapter.wiring import world_of
from adapter.world import World
from tests.outbound.published import faults
from tests.service import renewed, send, service, settings, stay, way_home

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NOW = datetime(2024, 3, 4, 14, 0, tzinfo=UTC)


async def kept(dsn: str, table: str = "event") -> list[str | None]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(f"select traceparent from {table} order by id")  # noqa: S608 - a name of ours
    await connection.close()
    return [row["traceparent"] for row in rows]


def trace_of(traceparent: str | None) -> str:
    assert traceparent is not None
    return traceparent.split("-")[1]


ASKED = [
    # headers of the request, trace of the answer (None: one of our own), X-Correlation-Id, because
    ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, TRACE, None, "the client's trace is gone on from"),
    ({}, None, None, "one begins here"),
    ({"traceparent": f"00-{TRACE}-{SPAN}-01\x20more"}, None, None, "a malformed one counts as none"),
    ({"traceparent": "19121212-1212"}, None, None, "and is never given back"),
    (
        {"x-request-id": "ehr-4711.a"},
        None,
        "ehr-4711.a",
        "FHIR: the client's own id is given back beside ours",
    ),
    ({"x-request-id": "19121212 1212; Tolvan"}, None, None, "what looks like no id is not"),
    ({"x-request-id": "a" * 65}, None, None, "nor what is longer than FHIR's id"),
]


async def test_an_answer_says_its_trace(dsn: str) -> None:
    seen = set()
    async with service(dsn) as client:
        for headers, trace, asked, because in ASKED:
            answer = await client.get("/healthz", headers=headers)
            given = answer.headers["x-request-id"]
            assert given == trace if trace else given not in seen, because
            assert len(given) == 32
            assert answer.headers.get("x-correlation-id") == asked, because
            assert not {"traceparent", "19121212"} & set(str(answer.headers).replace("'", " ").split())
            seen.add(given)
        both = [("traceparent", f"00-{TRACE}-{SPAN}-01"), ("traceparent", f"00-{TRACE[::-1]}-{SPAN}-01")]
        answer = await client.get("/healthz", headers=both)
        assert answer.headers["x-request-id"] not in {TRACE, TRACE[::-1]}, "two that disagree are none"
        for answer in (
            await send(client, b"{"),
            await client.get("/nowhere"),
            await send(client, way_home()[0], "nobody"),
        ):
            assert answer.status_code >= 400
            assert len(answer.headers["x-request-id"]) == 32, "a refusal says it too"


async def test_from_the_request_to_the_record(dsn: str) -> None:
    """Message, event and record bear the client's trace, and a span of ours; on each telling the same."""
    async with service(dsn) as client:
        answer = await client.post(
            "/fhir/losus-r4/$process-message",
            content=json.dumps(way_home()[0]),
            headers={"traceparent": f"00-{TRACE}-{SPAN}-01"},
        )
        [case] = (await client.get("/cases")).json()["cases"]
        timeline = (await client.get(f"/cases/{case['case_id']}/timeline")).json()["signals"]
    assert {line["trace_id"] for line in timeline} == {TRACE}, "an operator finds the message's log lines"
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, TRACE)
    [message], [event] = await kept(dsn, "message"), await kept(dsn)
    assert trace_of(message) == trace_of(event) == TRACE
    assert SPAN not in str(event), "the span is ours, not the client's"
    assert event is not None
    row = EventRow("case", "2380", 1, "se.losus.case.changed.v1", "0" * 32, b"{}", traceparent=event)
    for _ in range(2):
        for _, _, _, headers in records(row, "2380", NOW, "urn:region"):
            told = {name: value.decode() for name, value in headers}
            assert told["traceparent"] == event
            assert faults(told, None) == []


def test_an_event_of_before_has_no_such_header() -> None:
    row = EventRow("case", "2380", 1, "se.losus.case.changed.v1", "0" * 32, b"{}")
    for _, _, _, headers in records(row, "2380", NOW, "urn:region"):
        told = {name: value.decode() for name, value in headers}
        assert "traceparent" not in told
        assert faults(told, None) == []


def prepared(world: World, message: Mapping[str, Any], trace: Trace | None) -> Prepared:
    return read(world, Delivery("losus-r4", Door.MESSAGE, json.dumps(message).encode(), trace=trace), NOW)


async def stored(dsn: str, *batch: tuple[Mapping[str, Any], Trace | None]) -> None:
    """Commit these messages in one transaction."""
    await migrate(dsn)
    world, database = world_of(settings(dsn)), await connect(dsn)
    async with database.transaction() as connection:
        await commit(connection, world, [prepared(world, *one) for one in batch], NOW)
    await database.close()


async def test_of_many_messages_each_case_is_put_down_to_the_last_that_names_it(dsn: str) -> None:
    """One transaction, one fold of a case, one event: of three messages about two stays."""
    first, second, other = (new_trace() for _ in range(3))
    admitted, noticed = way_home()[:2]
    await stored(
        dsn,
        (stay(admitted, 1, 0), first),
        (stay(admitted, 2, 0), other),
        (stay(noticed, 1, 1), second),
    )
    assert sorted(map(str, await kept(dsn))) == sorted(one.traceparent for one in (second, other))
    assert await kept(dsn, "message") == [one.traceparent for one in (first, other, second)]


async def test_what_came_without_a_trace_is_stored_without_one(dsn: str) -> None:
    await stored(dsn, (way_home()[0], None))
    assert (await kept(dsn), await kept(dsn, "message")) == ([None], [None])


async def test_what_time_decides_bears_the_watchers_trace(dsn: str) -> None:
    came, judged = new_trace(), new_trace()
    await stored(dsn, (way_home()[0], came))
    connection = await asyncpg.connect(dsn)
    await connection.execute("update cases set picture = null, revisions = '{}', due = $1", NOW)
    await connection.execute("alter table event disable trigger user")
    await connection.execute("delete from outbox")
    await connection.execute("delete from event")
    await connection.close()
    database = await connect(dsn)
    async with database.transaction() as one:
        assert await judge_due(one, world_of(settings(dsn)), NOW, 10, Causes(otherwise=judged)) == 1
    await database.close()
    assert await kept(dsn) == [judged.traceparent]


@pytest.fixture
async def store(dsn: str) -> Any:
    await migrate(dsn)
    opened = await connect(dsn)
    yield opened
    with suppress(asyncpg.InterfaceError):
        await opened.close()


async def test_what_is_parked_and_read_anew_has_each_time_its_trace(dsn: str, store: Database) -> None:
    """The letter to the region bears the message's trace; what follows from a mending that of the reading."""
    broken = renewed(way_home()[0], "broken")
    encounter = next(e["resource"] for e in broken["entry"] if e["resource"]["resourceType"] == "Encounter")
    encounter["status"] = "in-progress"
    period = encounter.pop("period")
    came = new_trace()
    await stored(dsn, (broken, came))
    letters = await kept(dsn)
    assert letters == [came.traceparent]
    encounter["period"] = period
    connection = await asyncpg.connect(dsn)
    await connection.execute("alter table message disable trigger user")
    await connection.execute("update message set body = $1", json.dumps(broken).encode())
    await connection.close()
    [done] = await reread_now(world_of(settings(dsn)), store, Library(), [1], NOW)
    assert done.problems == ()
    [*before, last] = await kept(dsn)
    assert before == letters
    assert trace_of(last) != came.trace_id
    assert await kept(dsn, "message") == [came.traceparent], "the message stays as it came"
