"""The adapter as a region runs it, in this process: a door, the store, the relay; and what is told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from adapter.client.calls import FhirClient
from adapter.delivery import Delivery, Door
from adapter.inbound.flood import Flood
from adapter.inbound.receiver import Receiver
from adapter.inbound.rereader import reread_due
from adapter.losus.case import fold
from adapter.losus.signal import Fact
from adapter.outbound.relay import run_relay
from adapter.outbound.topics import cases_topic, events_topic
from adapter.reading import read
from adapter.settings import Kafka, Settings, Source
from adapter.store.cases import waiting_events
from adapter.store.database import Database, connect
from adapter.store.migrate import migrate
from adapter.wiring import clients_of, library_of, relay_settings, world_of
from adapter.world import World
from tests.service import settings, way_home
from tests.topic import records, remove_topics, revisions

SOURCE = "hospital"
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Rig:
    """What a test of a door works with; `clients` are those of the sources' servers."""

    settings: Settings
    world: World
    database: Database
    receiver: Receiver
    clients: Mapping[str, FhirClient]

    async def reread(self) -> None:
        """Read anew what is due now."""
        library = library_of(self.settings, self.clients)
        while await reread_due(self.world, self.database, library, datetime.now(UTC)):
            pass

    async def told(self, municipality: str = "2380") -> list[dict[str, Any]]:
        """What the municipality has on its `.cases` when everything is published; revisions are whole."""
        bootstrap = self.settings.kafka.bootstrap
        async with asyncio.timeout(_PATIENCE_S):
            while await self._waiting():
                await asyncio.sleep(0.05)
        seen = await records(bootstrap, events_topic(municipality))
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in revisions(seen).values())
        newest = {one.key: one.value for one in await records(bootstrap, cases_topic(municipality))}
        return [picture for picture in newest.values() if picture is not None]

    async def _waiting(self) -> int:
        async with self.database.transaction() as connection:
            return await waiting_events(connection)


@asynccontextmanager
async def rig(dsn: str, bootstrap: str, **source: Any) -> AsyncIterator[Rig]:
    """A running adapter with one hospital, `source` as its settings say; it speaks `losus-r4`."""
    given = {SOURCE: Source.model_validate({"mapping": "losus-r4", **source})}
    made = settings(dsn, sources=given, kafka=Kafka(bootstrap=bootstrap))
    await remove_topics(bootstrap)
    await migrate(dsn)
    world, clients = world_of(made), clients_of(made)
    async with AsyncExitStack() as stack:
        for client in clients.values():
            stack.push_async_callback(client.aclose)
        database = await connect(dsn)
        stack.push_async_callback(database.close)
        flood = Flood(world, database, _now)
        receiver = Receiver(world, database, _now, library_of(made, clients), flood)
        for work in (receiver.run(), receiver.run(), flood.run()):
            stack.push_async_callback(_end, asyncio.create_task(work))
        stopping = asyncio.Event()
        relay = asyncio.create_task(run_relay(relay_settings(made), stopping))
        stack.push_async_callback(asyncio.wait_for, relay, _PATIENCE_S)
        stack.callback(stopping.set)  # orderly: a relay that is cut off leaves its producers open
        yield Rig(made, world, database, receiver, clients)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _now() -> datetime:
    return datetime.now(UTC)


def resources() -> list[dict[str, Any]]:
    """All versions of all resources of the demo's way home, in their own order, those pointed at first."""
    every = [entry["resource"] for message in way_home() for entry in message["entry"][1:]]
    return sorted(every, key=lambda one: _FIRST.get(one["resourceType"], 3))


_FIRST = {"Location": 0, "Patient": 1, "Encounter": 2}
_ESSENCE = ("state", "municipality", "times", "ready_episodes", "day_zero", "criteria")


def essence(picture: Mapping[str, Any]) -> dict[str, Any]:
    """What a picture says of the way home, whichever way it came."""
    return {name: picture[name] for name in _ESSENCE}


def home(world: World) -> dict[str, Any]:
    """What the way home comes to: all its messages folded, in no store at all."""
    facts: list[Fact] = []
    for message in way_home():
        delivery = Delivery(SOURCE, Door.MESSAGE, orjson.dumps(message))
        facts += [one.fact for one in read(world, delivery, _now()).readings]
    terms = world.terms_for("2380", datetime(2024, 3, 4, tzinfo=UTC), "somatic", world.treating(SOURCE))
    case = fold("home", facts, terms=terms, route=world.route, now=_now())
    return essence(case.picture.model_dump(mode="json"))
