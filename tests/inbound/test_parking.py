"""What cannot be translated is kept; its case waits, others go on; after a mending everything is told."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from adapter.inbound.library import Library
from adapter.inbound.rereader import reread_due, reread_now
from adapter.mapping.load import default_folder
from adapter.refold import judge_due
from adapter.rereading import discard
from adapter.store.database import Database, connect
from adapter.wiring import world_of
from adapter.world import World
from tests.service import renewed, send, service, settings, stay, way_home

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
UNKNOWN = "a-code-of-tomorrow"


def untranslatable(message: dict[str, Any]) -> dict[str, Any]:
    """The admission with a care form that the mapping's table does not hold yet."""
    changed: dict[str, Any] = json.loads(json.dumps(message))
    changed["entry"][1]["resource"]["serviceType"]["coding"][0]["code"] = UNKNOWN
    return changed


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn) as one:
        yield one


@pytest.fixture
async def store(dsn: str, client: httpx.AsyncClient) -> AsyncIterator[Database]:
    assert client  # the service has made the tables
    one = await connect(dsn)
    yield one
    await one.close()


def mended(dsn: str, folder: Path) -> World:
    """The world with a table that holds the code: what an engineer mends."""
    for path in default_folder().rglob("*"):
        if path.is_file() and "examples" not in path.parts:
            copy = folder / path.relative_to(default_folder())
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    table = folder / "concepts" / "care-form.json"
    concepts = json.loads(table.read_text(encoding="utf-8"))
    element = concepts["group"][0]["element"]
    element.append({**element[0], "code": UNKNOWN})
    table.write_text(json.dumps(concepts), encoding="utf-8")
    return world_of(settings(dsn, mappings=folder))


async def told(dsn: str) -> list[tuple[str, str | None, int]]:
    """What is published, in order: type, municipality, revision."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select type, municipality, revision from event order by id")
    await connection.close()
    return [(row["type"].split(".")[-2], row["municipality"], row["revision"]) for row in rows]


async def value(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchval(query)
    await connection.close()
    return found


async def pictures(client: httpx.AsyncClient) -> list[Mapping[str, Any]]:
    answer = await client.get("/cases")
    return list(answer.json()["cases"])


async def test_later_messages_of_the_case_wait_and_others_go_on(client: httpx.AsyncClient, dsn: str) -> None:
    first, second, *_ = way_home()
    assert (await send(client, untranslatable(first))).status_code == 422
    assert (await send(client, second)).status_code == 200
    assert await told(dsn) == [("parked", None, 1)]
    assert (await send(client, stay(first, 7, 1))).status_code == 200
    assert await told(dsn) == [("parked", None, 1), ("changed", "2380", 1)]
    assert await value(dsn, "select count(*) from cases where parked") == 1


async def test_after_a_mending_the_case_is_as_if_nothing_had_been(
    client: httpx.AsyncClient, store: Database, dsn: str, other_dsn: str, tmp_path: Path
) -> None:
    messages = way_home()
    for message in (untranslatable(messages[0]), *messages[1:]):
        await send(client, message)
    world = mended(dsn, tmp_path)
    [done] = await reread_now(world, store, Library(), [1], NOW)
    assert (done.was_held, done.problems) == (True, ())
    assert await value(dsn, "select count(*) from held") == 0
    assert await value(dsn, "select count(*) from cases where parked") == 0
    [healed] = await pictures(client)
    async with service(other_dsn, mappings=tmp_path) as other:
        for message in (untranslatable(messages[0]), *messages[1:]):
            await send(other, message)
        [whole] = await pictures(other)
    apart = {"case_id", "revision", "changed"}
    assert {k: v for k, v in healed.items() if k not in apart} == {
        k: v for k, v in whole.items() if k not in apart
    }


async def test_what_still_cannot_be_used_stays_held_and_is_told_of_once(
    client: httpx.AsyncClient, store: Database, dsn: str
) -> None:
    await send(client, untranslatable(way_home()[0]))
    world = world_of(settings(dsn))
    for _ in range(3):
        [done] = await reread_now(world, store, Library(), [1], NOW)
        assert done.problems
    assert await told(dsn) == [("parked", None, 1)]
    assert await value(dsn, "select tries from held") == 4


async def test_what_is_discarded_lets_its_case_go_and_stays_kept(
    client: httpx.AsyncClient, store: Database, dsn: str
) -> None:
    messages = way_home()
    await send(client, untranslatable(messages[0]))
    await send(client, renewed(messages[0], "mended"))
    assert await told(dsn) == [("parked", None, 1)]
    async with store.transaction() as connection:
        done = await discard(connection, world_of(settings(dsn)), 1, NOW, "sent again, mended")
    assert done is not None
    assert done.told == ("2380",)
    assert await told(dsn) == [("parked", None, 1), ("changed", "2380", 1)]
    assert await value(dsn, "select count(*) from message") == 2
    assert await value(dsn, "select reason from discarded") == "sent again, mended"


async def test_no_limit_is_judged_of_a_case_that_waits(
    client: httpx.AsyncClient, store: Database, dsn: str
) -> None:
    """What is held may say that the limit was kept."""
    first, *_ = way_home()
    await send(client, first)
    before = await told(dsn)
    broken = untranslatable(first)
    await send(client, renewed(broken, "broken"))
    connection = await asyncpg.connect(dsn)
    await connection.execute("update cases set due = now() - interval '1 hour'")
    await connection.close()
    async with store.transaction() as one:
        assert await judge_due(one, world_of(settings(dsn)), datetime.now(UTC), 10) == 0
    assert await told(dsn) == [*before, ("parked", None, 1)]


async def test_what_is_due_again_waits_for_its_time(
    client: httpx.AsyncClient, store: Database, dsn: str
) -> None:
    await send(client, untranslatable(way_home()[0]))
    connection = await asyncpg.connect(dsn)
    await connection.execute("update held set retry_at = $1", NOW)
    await connection.close()
    world, library = world_of(settings(dsn)), Library()
    assert await reread_due(world, store, library, NOW - timedelta(seconds=1)) == []
    [done] = await reread_due(world, store, library, NOW)
    assert done.number == 1


async def test_the_dead_letter_says_cause_and_place_and_no_value(client: httpx.AsyncClient, dsn: str) -> None:
    await send(client, untranslatable(way_home()[0]))
    letter = json.loads(await value(dsn, "select payload from event where type like '%parked%'"))
    assert (letter["cause"], letter["source"], letter["message"]) == ("untranslated", "losus-r4", 1)
    assert letter["expression"] == "Bundle.entry[1].resource"
    assert UNKNOWN not in json.dumps(letter)
    assert letter["case_id"] == await value(dsn, "select id from cases")
