"""The pool of connections, and the words for a database that is not there.

Owns connecting and the translation of the driver's errors; does not own any statement. Database
errors carry parameters in their text, so only their kind is ever passed on.

TLS is as the address says, in libpq's words (`sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `passfile`); its
files are read anew for every connection that is opened, and the pool opens some as it goes. Nobody connects
but here.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import asyncpg

from adapter.errors import Problem, UnavailableError
from adapter.store.asking import ASKING
from adapter.trust import tls_fault

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

#: What the driver raises when the server is gone, restarting, or gave up on a conflict: all pass.
_PASSING = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a session that was cut off while it was given back to the pool
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.QueryCanceledError,
    asyncpg.InvalidAuthorizationSpecificationError,  # while a password is being exchanged for another
)


#: Said in a transaction whose statements find their rows by an index. A planner that has no statistics yet,
#: as of a table that was just made or has just grown, would read the whole table for each batch instead, or
#: a whole index to join it; and a plan that was made so is kept with the connection.
_BY_INDEX = "; ".join(
    f"set local {method} = off" for method in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")
)

#: The setting of PostgreSQL that says who asked, read where the outbox is written (migration 0010).
ASKED = "losus.asked"
#: How long one waits for a connection of the pool before it is told that the database is not available.
_ACQUIRE_S = 30.0
_DEADLINE_S = 30.0
#: For work that reads all there is, at night and on a cold disk: longer than that something is wrong.
PATIENT_S = 900.0


class Database:
    """A pool on one PostgreSQL server; `async with database.transaction() as connection`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self, *, by_index: bool = True) -> AsyncIterator[Connection]:
        """One transaction: committed at the end, rolled back on any fault.

        `by_index`: its statements are planned to find their rows by an index, whatever the statistics say.
        False is for what reads a table from end to end, and lets PostgreSQL choose how. Raises
        UnavailableError where the database is not there or gave up on a conflict.
        """
        with told():
            async with self._pool.acquire(timeout=_ACQUIRE_S) as connection, connection.transaction():
                if by_index:
                    await connection.execute(_BY_INDEX)
                yield connection

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[Connection]:
        """One transaction that leaves everything as it was, to see what would be."""
        with told():
            async with self._pool.acquire(timeout=_ACQUIRE_S) as connection:
                trial = connection.transaction()
                await trial.start()
                try:
                    await connection.execute(_BY_INDEX)
                    yield connection
                finally:
                    await trial.rollback()

    def usage(self) -> dict[str, int]:
        """How many connections are busy, and how many are open and idle."""
        idle = self._pool.get_idle_size()
        return {"busy": self._pool.get_size() - idle, "idle": idle}

    async def close(self) -> None:
        """Give all connections back to the server."""
        await self._pool.close()


async def asked_by(connection: Connection, entry: int | None) -> None:
    """Say that what the caller's transaction does was asked for by an entry of the audit; None: by nobody.

    Events that it puts into the outbox bear it until they are delivered.
    """
    text = "" if entry is None else str(entry)
    await connection.execute("select set_config($1, $2, true)", ASKED, text)


@contextmanager
def told() -> Iterator[None]:
    """Tell the driver's errors that pass as UnavailableError, by their kind alone."""
    try:
        yield
    except _PASSING as error:
        rule = f"the database is not available ({_kind(error)})"
        raise UnavailableError(Problem("transient", rule)) from None


def _kind(error: BaseException) -> str:
    """A word for the fault that holds no value; asyncpg says nothing else of a server without TLS."""
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return "it offers no TLS"
    return tls_fault(error) or type(error).__name__


async def connect(dsn: str, *, size: int = 8, deadline_s: float = _DEADLINE_S) -> Database:
    """A pool of up to `size` connections to `dsn`; UnavailableError where it is not there.

    `deadline_s`: how long one statement may take.
    What is put into the outbox by it bears who asked for it, where somebody did (`ASKING`).
    """
    asking = ASKING.get()
    asked = {} if asking is None else {ASKED: str(asking.entry)}
    with told():
        pool = await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, command_timeout=deadline_s, server_settings=asked
        )
    return Database(pool)


async def connect_once(
    dsn: str, *, deadline_s: float | None = None, session: Mapping[str, str] | None = None
) -> asyncpg.Connection:
    """A connection of its own, with settings of its own; UnavailableError where the database is not there.

    `deadline_s`: how long one statement may take, None: as long as it likes.
    """
    with told():
        return await asyncpg.connect(dsn, command_timeout=deadline_s, server_settings=session)
