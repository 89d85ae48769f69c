"""Messages that bring the same copy of a ward do not wait for each other: it is known already."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from adapter.delivery import Delivery, Door
from adapter.flow import commit
from adapter.reading import read
from tests.service import app_behind, service
from tests.specification.sending import Resource, code_of, message, meta, person, say, stay

WARD = {
    "resourceType": "Location",
    "id": "w1",
    **meta("1", "2024-01-01T00:00:00+01:00"),
    "name": "Avdelningen",
}
RENAMED = {**WARD, **meta("2", "2024-02-01T00:00:00+01:00"), "name": "Nya avdelningen"}


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn) as one:
        yield one


def bringing(number: int, *ward: Resource) -> Resource:
    """A message of one patient's stay in the ward, with a copy of the ward beside it, or without."""
    whom = person(f"p{number}", "194501019824" if number == 1 else "193805179813")
    at = stay(
        f"s{number}",
        subject={"reference": f"Patient/p{number}"},
        location=[{"location": {"reference": "Location/w1"}}],
    )
    return message(f"{number}", at, whom, *ward)


COPIES = [
    # the copy that a transaction under way brings, that of the next one, it waits, because
    (WARD, [WARD], False, "the copy that is stored: nobody changes it"),
    ({**WARD, **meta(None, None)}, [WARD], False, "the same without a version of its own"),
    (WARD, [], False, "who only refers to it"),
    (RENAMED, [WARD], False, "the copy that comes along is what a message means"),
    (RENAMED, [], True, "who refers to it must read what it is changed to"),
    (RENAMED, [RENAMED], True, "two that change it"),
]


@pytest.mark.parametrize(("copy", "next_copy", "waits", "because"), COPIES)
async def test_who_waits_for_a_copy(
    client: httpx.AsyncClient, copy: Resource, next_copy: list[Resource], waits: bool, because: str
) -> None:
    assert code_of(await say(client, bringing(0, WARD))) == "ok"
    state, now = app_behind(client).state, datetime.now(UTC)
    body = json.dumps(bringing(1, copy)).encode()
    prepared = read(state.world, Delivery("losus-r4", Door.MESSAGE, body), now)
    async with state.database.transaction() as connection:
        [receipt] = await commit(connection, state.world, [prepared], now)
        assert receipt.state == "taken"
        sending = asyncio.ensure_future(say(client, bringing(2, *next_copy)))
        done, _ = await asyncio.wait([sending], timeout=1.0 if waits else 20.0)
        assert bool(done) is not waits, because
    assert code_of(await sending) == "ok"
