"""A relay's session of the database: what it was told, its locks, one transaction at a time.

Owns the connection. Everything that a relay writes of claims, quarantine and parked cases goes through
here: with the session the right to write goes too, for its locks are gone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from adapter.cluster import Cluster
from adapter.store.database import Connection
from adapter.store.outbox import open_session

#: While one waits for the broker another works; more would only crowd the broker.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """What a relay needs to know; `name` is the same for all replicas that divide an outbox.

    `cases_days`: how long a case that has ended stays on `.cases`; None: for ever. `refuse_older`: publish
    nothing while Kafka knows of claims that the database never gave.
    """

    dsn: str
    cluster: Cluster
    region: str
    municipalities: tuple[str, ...]
    partitions: int = 3
    replication: int = 1
    min_insync: int | None = None
    retention_days: int = 90
    cases_days: int | None = None
    make_topics: bool = True
    transactions: bool = True
    refuse_older: bool = True
    batch: int = 500
    name: str = "losus-relay"


class Session:
    """One connection, held as long as it lasts.

    `woken` is set when events come in; `at_once` lets a few shares send at the same time.
    """

    def __init__(self, settings: RelaySettings, connection: asyncpg.Connection) -> None:
        self.settings = settings
        self.woken = asyncio.Event()
        self.at_once = asyncio.Semaphore(_AT_ONCE)
        self._connection = connection
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction; who comes meanwhile waits for its turn."""
        async with self._turn, self._connection.transaction():
            yield self._connection

    async def listen(self) -> None:
        """Be woken when events come in."""
        await self._connection.add_listener("losus_outbox", lambda *_: self.woken.set())


@asynccontextmanager
async def open_relay_session(settings: RelaySettings) -> AsyncIterator[Session]:
    """A session of the database; asyncpg's errors and OSError where it is not there, or ends."""
    connection = await open_session(settings.dsn)
    try:
        session = Session(settings, connection)
        await session.listen()
        yield session
    finally:
        connection.terminate()
