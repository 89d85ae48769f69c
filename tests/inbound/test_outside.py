"""What a message points at outside itself is fetched; what is not to be had makes it wait, and then park."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import respx

from adapter.inbound.rereader import reread_due
from adapter.parking import RETRIES
from adapter.settings import Source
from adapter.store.database import connect
from adapter.wiring import clients_of, library_of, world_of
from tests.service import send, service, settings, way_home

BASE = "https://ehr.example/fhir"
SOURCES = {
    "losus-r4": Source.model_validate(
        {"mapping": "losus-r4", "server": {"base_url": BASE, "patience": {"attempts": 1}}}
    )
}


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn, sources=SOURCES) as one:
        yield one


def alone() -> dict[str, Any]:
    """The admission without the person that it is about."""
    message = way_home()[0]
    message["entry"] = [one for one in message["entry"] if one["resource"]["resourceType"] != "Patient"]
    return message


def person() -> dict[str, Any]:
    entries = way_home()[0]["entry"]
    return next(one["resource"] for one in entries if one["resource"]["resourceType"] == "Patient")


async def row(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchrow(query)
    await connection.close()
    return found


async def test_what_is_outside_is_fetched_and_counts(client: httpx.AsyncClient) -> None:
    with respx.mock(base_url=BASE) as router:
        router.get("/Patient/tolvan").respond(json=person())
        assert (await send(client, alone())).status_code == 200
    [case] = (await client.get("/cases")).json()["cases"]
    assert case["municipality"] == "2380", "the person says where it is folkbokförd"


async def test_what_is_away_makes_the_message_wait_and_is_asked_for_again(
    client: httpx.AsyncClient, dsn: str
) -> None:
    with respx.mock(base_url=BASE) as router:
        router.get("/Patient/tolvan").respond(503)
        answer = await send(client, alone())
    assert answer.status_code == 422
    held = await row(dsn, "select cause, retry_at, since from held")
    assert (held["cause"], held["retry_at"] - held["since"]) == ("unresolved", RETRIES[0])
    assert (await row(dsn, "select count(*) as n from event"))["n"] == 0, "nobody has to look yet"

    made = settings(dsn, sources=SOURCES)
    store, clients = await connect(dsn), clients_of(made)
    library = library_of(made, clients)
    with respx.mock(base_url=BASE) as router:
        router.get("/Patient/tolvan").respond(json=person())
        [done] = await reread_due(world_of(made), store, library, held["retry_at"])
    assert (done.problems, done.told) == ((), ("2380",))
    for one in clients.values():
        await one.aclose()
    await store.close()


async def test_what_is_not_there_parks_the_message_at_once(client: httpx.AsyncClient, dsn: str) -> None:
    made = settings(dsn, sources=SOURCES)
    store, clients = await connect(dsn), clients_of(made)
    library = library_of(made, clients)
    with respx.mock(base_url=BASE) as router:
        router.get("/Patient/tolvan").respond(404)
        assert (await send(client, alone())).status_code == 422
    held = await row(dsn, "select cause, retry_at from held")
    assert (held["cause"], held["retry_at"]) == ("unresolved", None), (
        "it is not there: asking again is no help"
    )
    letter = await row(dsn, "select type, payload from event")
    assert letter["type"] == "se.losus.message.parked.v1"
    assert b"unresolved" in letter["payload"]
    soon = datetime.now(UTC) + timedelta(days=30)
    assert await reread_due(world_of(made), store, library, soon) == []
    for one in clients.values():
        await one.aclose()
    await store.close()
