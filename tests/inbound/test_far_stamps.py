"""Times of another server at the ends of time: no look is led astray, and no Subscription asked for again.

R4 datatypes#instant; `_lastUpdated` is the clock of who is asked.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.client.answers import Answer
from adapter.client.calls import Page
from adapter.inbound.poller import Poller
from adapter.inbound.subscribing import Subscriber
from adapter.servers import Poll, Subscribe
from adapter.store.database import connect
from adapter.store.doors import read_marks
from adapter.store.migrate import migrate
from tests.service import app_behind, service

NOW = datetime(2024, 3, 4, 12, tzinfo=UTC)
SINCE = "2024-03-01T00:00:00Z"


class Asked:
    """A server with one page of Locations, each last changed when it is told."""

    def __init__(self, *stamps: object, server_time: datetime | None = NOW) -> None:
        self._stamps, self._time = stamps, server_time

    async def search(self, kind: str, _parameters: Mapping[str, str]) -> AsyncIterator[Page]:
        resources = tuple(
            {"resourceType": kind, "id": str(number), "meta": {"lastUpdated": stamp}}
            for number, stamp in enumerate(self._stamps)
        )
        yield Page(resources, None, self._time, {})


STAMPS: list[tuple[tuple[object, ...], datetime | None, str, str]] = [
    # lastUpdated of what is found, the server's own time, how far the look has come, because
    (("2024-03-04T10:00:00+01:00",), NOW, "2024-03-04T09:00:00+00:00", "as far as what changed last"),
    (("2024-03-04T09:00:00Z", "9999-12-31T23:59:59+14:00"), NOW, "2024-03-04T09:00:00+00:00", "never"),
    (("0001-01-01T00:00:00+14:00",), NOW, "2024-03-01T00:00:00+00:00", "not known: no further than it began"),
    (("2030-01-01T00:00:00Z",), NOW, "2024-03-01T00:00:00+00:00", "the server has not reached it"),
    (("2024-03-04T12:00:00Z",), NOW, "2024-03-04T12:00:00+00:00", "it has just reached it"),
    (("2024-03-04T11:59:60Z",), NOW, "2024-03-04T11:59:59.999999+00:00", "a leap second"),
    (("2024-03-04T10:00:00Z",), None, "2024-03-04T10:00:00+00:00", "a server that does not tell its time"),
    (("2024-03-05T10:00:00Z",), None, "2024-03-01T00:00:00+00:00", "then our own clock counts"),
    (("yesterday", None, 20240304), NOW, "2024-03-01T00:00:00+00:00", "no times"),
]  # fmt: skip


@pytest.mark.parametrize(("stamps", "server_time", "reached", "because"), STAMPS)
async def test_how_far_a_look_comes(
    dsn: str, stamps: tuple[object, ...], server_time: datetime | None, reached: str, because: str
) -> None:
    async with service(dsn) as client:
        state = app_behind(client).state
        server: Any = Asked(*stamps, server_time=server_time)
        poll = Poll(types=("Location",), since=SINCE)
        poller = Poller(
            "losus-r4", poll, server, receiver=state.receiver, database=state.database, clock=lambda: NOW
        )
        await poller.look()
        async with state.database.transaction() as connection:
            marks = await read_marks(connection, "poll losus-r4 ")
    assert marks == {"poll losus-r4 Location": reached}, because


class Subscribed:
    """A server that has a Subscription with this end; it counts how often it is written again."""

    def __init__(self, end: object) -> None:
        self._there = {"resourceType": "Subscription", "id": "s", "status": "active", "end": end}
        self.renewed = 0

    async def post(self, _wanted: Mapping[str, Any]) -> Answer:
        return Answer(status=201, body=b'{"id": "s"}')

    async def read(self, _path: str) -> Any:
        return type("Read", (), {"resource": self._there})

    async def put(self, _wanted: Mapping[str, Any]) -> None:
        self.renewed += 1


class Silent:
    async def look(self) -> None:
        """Find nothing."""


ENDS = [
    # Subscription.end, whether it is renewed, because
    ((NOW + timedelta(hours=23)).isoformat(), True, "within a day"),
    ((NOW + timedelta(hours=25)).isoformat(), False, "later"),
    ("2024-03-04T13:59:60Z", True, "a leap second is an end too"),
    ("9999-12-31T23:59:59+14:00", False, "it never ends"),
    ("soon", False, "nobody can tell when"),
]


@pytest.mark.parametrize(("end", "renewed", "because"), ENDS)
async def test_when_a_subscription_is_renewed(dsn: str, end: object, renewed: bool, because: str) -> None:
    await migrate(dsn)
    database = await connect(dsn)
    server: Any = Subscribed(end)
    looking: Any = Silent()
    wanted = Subscribe(hook_url="https://losus.example/hook", criteria=("Encounter?",))
    subscriber = Subscriber(
        "h", wanted, server, looking, database=database, clock=lambda: NOW, turn=asyncio.Semaphore()
    )
    await subscriber.keep()
    await subscriber.keep()
    await database.close()
    assert bool(server.renewed) is renewed, because
