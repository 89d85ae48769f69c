"""What commands on the store need, opened by the settings of this process.

Owns opening and closing; does not own any command.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from adapter.client.calls import FhirClient
from adapter.commands.checked import checked_settings
from adapter.inbound.flood import Flood
from adapter.inbound.library import Library
from adapter.inbound.receiver import Receiver
from adapter.process import begin_process
from adapter.settings import Settings
from adapter.store.database import Database, connect
from adapter.store.migrate import migrate
from adapter.wiring import clients_of, library_of, world_of
from adapter.world import World


@dataclass(frozen=True, slots=True)
class Store:
    """The store, and what its messages are read with."""

    settings: Settings
    world: World
    database: Database
    library: Library
    clients: Mapping[str, FhirClient]


@asynccontextmanager
async def opened(
    process: str, settings: Settings | None = None, *, connections: int = 2
) -> AsyncIterator[Store]:
    """The store of the settings (None: LOSUS_…), by so many connections; UnavailableError: it is away.

    The log is written in the name of `process`, the command.
    """
    settings = settings or checked_settings(sources=True)
    begin_process(process, settings)
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=connections)
    clients = clients_of(settings)
    try:
        yield Store(settings, world_of(settings), database, library_of(settings, clients), clients)
    finally:
        for client in clients.values():
            await client.aclose()
        await database.close()


@asynccontextmanager
async def receiving(store: Store) -> AsyncIterator[Receiver]:
    """A receiver at work, with the flood guard, as long as it is needed."""
    flood = Flood(store.world, store.database, now)
    receiver = Receiver(store.world, store.database, now, store.library, flood)
    working = [asyncio.create_task(receiver.run()), asyncio.create_task(flood.run())]
    try:
        yield receiver
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


def now() -> datetime:
    """The clock of the commands."""
    return datetime.now(UTC)
