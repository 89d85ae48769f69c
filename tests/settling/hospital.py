"""Stays sent through the service's own door, and the store settled: what the tests of this room share."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import asyncpg
import httpx

from adapter.agreements.load import Book, load_book
from adapter.fhir.model import FhirVersion
from adapter.losus.days import Month
from adapter.settling.issuing import Ledger
from adapter.settling.run import Asked, Settled, settle_month
from adapter.store.database import Database, connect
from adapter.treating import with_regions
from adapter.wiring import world_of
from tests.service import send, settings, stay, way_home

JH = "jamtland-harjedalen-losus-2018"
BASE = "https://losus.example.se"


@cache
def book() -> Book:
    return load_book()


#: Västra Götaland settles by this installation; the number is nobody's.
VGR = {"county": "14", "organisation_number": "002000-0006"}


def ledger(
    dsn: str, version: FhirVersion = FhirVersion.R4, agreed: Book | None = None, **more: Any
) -> Ledger:
    """What settling needs; `more` are settings."""
    given = settings(dsn, **more)
    agreed = with_regions(agreed or book(), given)
    return Ledger(world_of(given), agreed, version, f"{BASE}/fhir")


def messages(number: int, month: str, end_day: int, municipality: str = "2380") -> list[dict[str, Any]]:
    """The way home of the demo in another month: day zero the 11th, home on `end_day`, or later."""
    text = json.dumps(way_home(), ensure_ascii=False)
    text = text.replace("2024-03-12T11:0", f"2024-03-{end_day:02d}T11:0").replace("2024-03-", f"{month}-")
    text = text.replace('"code": "2380"', f'"code": "{municipality}"')
    return [stay(one, number, index) for index, one in enumerate(json.loads(text))]


def corrected(number: int, month: str, end_day: int, version: int) -> dict[str, Any]:
    """A newer version of the Encounter alone, with another time of discharge."""
    message = stay(messages(number, month, end_day)[11], number, 100 + version)
    encounter = message["entry"][1]["resource"]
    encounter["id"] = message["entry"][1]["fullUrl"] = f"stay-1-{number}"
    encounter["subject"]["reference"] = f"Patient/tolvan-{number}"
    encounter["meta"] = {"versionId": str(version), "lastUpdated": f"{month}-28T09:00:00+02:00"}
    return message


async def tell(client: httpx.AsyncClient, *told: dict[str, Any]) -> None:
    for message in told:
        response = await send(client, message)
        assert response.status_code == 200, response.text


@asynccontextmanager
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = await connect(dsn, size=4)
    try:
        yield opened
    finally:
        await opened.close()


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)


async def settled(dsn: str, month: str, on: str, **asked: Any) -> Settled:
    """Settle one month as a run on that day would, in a store that has all that happened (`confirmed`)."""
    given = asked.pop("ledger", None) or ledger(dsn)
    if asked.pop("complete", True):
        await confirmed(dsn)
    async with database(dsn) as opened:
        return await settle_month(opened, given, Asked((Month.parse(month),), **asked), at(on))


async def confirmed(dsn: str) -> None:
    """Confirm that nothing else happened than what is sent: no month of these years is without data."""
    async with database(dsn) as opened, opened.transaction() as connection:
        await connection.execute(
            """insert into confirmed_empty (care_form, month, confirmed_at, because)
               select form, to_char(day, 'YYYY-MM'), now(), 'a test'
               from unnest(array['somatic', 'psychiatric']) as form,
                    generate_series('2017-01-01'::date, '2026-12-01', '1 month') as day
               on conflict do nothing"""
        )


async def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row.values()) for row in await connection.fetch(query)]
    finally:
        await connection.close()
