"""What commands on the store need, opened by the settings of this process.

Owns opening and closing; does not own any command.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapter.client.calls import FhirClient
from adapter.inbound.library import Library
from adapter.settings import Settings, load_settings
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
async def opened() -> AsyncIterator[Store]:
    """The store of the settings (LOSUS_…); UnavailableError where it is not there."""
    settings = load_settings()
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=2)
    clients = clients_of(settings)
    try:
        yield Store(settings, world_of(settings), database, library_of(settings, clients), clients)
    finally:
        for client in clients.values():
            await client.aclose()
        await database.close()
