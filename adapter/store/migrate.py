"""The database's shape: forward-only SQL files, each applied once, in the order of their numbers.

Owns which are missing, applying them one process at a time while the service goes on, and what a process does
when it starts. Does not own what the tables mean (the files say it) nor who may use them (`store.roles`).

A file is one transaction. No statement of it waits for a lock longer than `Patience.lock_s`: whoever comes
after waits behind it, and that would be the whole service. Where it does not get its lock the file is taken
back and tried again later. A file whose first line is `-- outside a transaction` is carried out statement by
statement (`create index concurrently`): it may be cut off anywhere, so each of them can be repeated.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_fixed,
    wait_random_exponential,
)

from adapter.errors import Problem, UnavailableError
from adapter.store.database import connect_once, told

log = structlog.get_logger()

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6C6F737573  # "losus"
_OUTSIDE = "-- outside a transaction"
_INDEX = re.compile(r"create (?:unique )?index concurrently if not exists (\w+)")
_BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
#: Where it is kept which were applied.
TABLE = """create table if not exists migration
            (name text primary key, applied_at timestamptz not null default now())"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `name` without its ending, `text` as it stands."""

    name: str
    text: str

    @property
    def is_outside(self) -> bool:
        """Whether it is carried out statement by statement, outside a transaction."""
        return self.text.startswith(_OUTSIDE + "\n")

    @property
    def note(self) -> str:
        """The statement that says that it is applied."""
        return f"insert into migration (name) values ('{self.name}')"  # noqa: S608 - a file of ours

    @property
    def steps(self) -> list[str]:
        """Its statements where it is outside: each ends with a semicolon at the end of a line."""
        plain = re.sub(r"--.*", "", self.text)
        return [step.strip() for step in re.split(r";[ ]*\n", plain + "\n") if step.strip()]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a statement waits for a lock, and for how long a file that did not get one is tried again."""

    lock_s: float = 2.0
    file_s: float = 600.0


PATIENCE = Patience()


def migrations() -> tuple[Migration, ...]:
    """All migrations that this version has, in order."""
    return tuple(
        Migration(path.stem, path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.sql"))
    )


async def migrate(dsn: str, wait_s: float = 0.0) -> list[str]:
    """What a process does when it starts: look whether the database at `dsn` is as this version needs it.

    Where something is missing it is applied by whoever may (in the sandbox and the tests: the owner), and the
    names of what was applied are given. Who may not waits `wait_s` for `losus migrate` to be run, or for the
    database to be there, and then raises UnavailableError. What a later version has added is no fault.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(UnavailableError),
        stop=stop_after_delay(wait_s),
        wait=wait_fixed(min(wait_s, 1.0)),
        before_sleep=lambda state: log.warning("database.waiting", attempt=state.attempt_number),
        reraise=True,
    ):
        with attempt:
            return await _checked(dsn)
    return []


async def _checked(dsn: str) -> list[str]:
    async with open_owner(dsn) as connection:
        lacking = await missing(connection)
        if not lacking:
            return []
        if not await may_apply(connection):
            rule = f"the database lacks {lacking[0].name}: run `losus migrate` with the login that owns it"
            raise UnavailableError(Problem("transient", rule))
        return await apply(connection)


@asynccontextmanager
async def open_owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of its own for migrations; UnavailableError where the database is not there."""
    connection = await connect_once(dsn)
    try:
        with told():
            yield connection
    finally:
        await connection.close()


async def missing(
    connection: asyncpg.Connection, files: Sequence[Migration] | None = None
) -> list[Migration]:
    """What this version has (or these `files`) and the database has not, in order.

    UnavailableError where this login may not see it: it is in none of the roles, or they have no rights yet.
    """
    done = await applied(connection)
    return [one for one in files or migrations() if one.name not in done]


async def applied(connection: asyncpg.Connection) -> set[str]:
    """The names of the migrations that the database has."""
    try:
        return {row["name"] for row in await connection.fetch("select name from migration")}
    except asyncpg.UndefinedTableError:
        return set()
    except asyncpg.InsufficientPrivilegeError:
        rule = "this login may not read the database: make it a member of its role, then run `losus migrate`"
        raise UnavailableError(Problem("transient", rule)) from None


async def unknown(connection: asyncpg.Connection) -> list[str]:
    """The migrations that the database has from a later version than this one."""
    return sorted(await applied(connection) - {one.name for one in migrations()})


async def may_apply(connection: asyncpg.Connection) -> bool:
    """Whether this login may change the shape: it owns what is there, or may make it where nothing is."""
    return bool(
        await connection.fetchval(
            """select coalesce(
                 (select pg_has_role(relowner, 'usage') from pg_class where oid = to_regclass('migration')),
                 has_schema_privilege(current_schema(), 'create'), false)"""
        )
    )


async def apply(
    connection: asyncpg.Connection,
    patience: Patience = PATIENCE,
    files: Sequence[Migration] | None = None,
) -> list[str]:
    """Apply what is missing, of this version or of these `files`, one process at a time; what was applied.

    UnavailableError where a table was busy for longer than there is patience; what was applied by then stays.
    """
    async with _alone(connection):
        await connection.execute(TABLE)
        lacking = await missing(connection, files)
        for one in lacking:
            await _carry_out(connection, one, patience)
        return [one.name for one in lacking]


@asynccontextmanager
async def _alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Keep others from applying anything meanwhile.

    They look now and then and do not wait in a statement: one that waits is seen as reading, and an index
    that is made concurrently waits for every reader, so that both would wait for ever.
    """
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(_BusyError), wait=wait_fixed(0.05)):
        with attempt:
            if not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                raise _BusyError
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("select pg_advisory_unlock($1)", _LOCK)


class _BusyError(Exception):
    """Somebody else is at it."""


async def _carry_out(connection: asyncpg.Connection, one: Migration, patience: Patience) -> None:
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(_BUSY),
            stop=stop_after_delay(patience.file_s),
            wait=wait_random_exponential(multiplier=0.1, max=30),
            before_sleep=lambda state: log.warning(
                "database.busy", migration=one.name, attempt=state.attempt_number
            ),
            reraise=True,
        ):
            with attempt:
                await (_outside if one.is_outside else _inside)(connection, one, patience)
    except _BUSY as error:
        rule = f"{one.name}: a table was in use all the time ({type(error).__name__}); run it again"
        raise UnavailableError(Problem("transient", rule)) from None


async def _inside(connection: asyncpg.Connection, one: Migration, patience: Patience) -> None:
    async with connection.transaction():
        await connection.execute("; ".join(limits(patience)))
        await connection.execute(one.text)
        await connection.execute(one.note)


def limits(patience: Patience) -> Sequence[str]:
    """The statements that a transaction of a migration begins with."""
    return (
        f"set local lock_timeout = '{round(patience.lock_s * 1000)}ms'",
        "set local statement_timeout = 0",
    )


async def cut_off(connection: asyncpg.Connection, one: Migration) -> list[str]:
    """The statements that take away the indexes of a file that were begun and not finished.

    They are there and never used, and `if not exists` would leave them so.
    """
    query = "select not indisvalid from pg_index where indexrelid = to_regclass($1)"
    names = _INDEX.findall(one.text) if one.is_outside else []
    return [f"drop index concurrently {name}" for name in names if await connection.fetchval(query, name)]


async def _outside(connection: asyncpg.Connection, one: Migration, _: Patience) -> None:
    """Whoever waits here holds up nobody: these statements let others read and write meanwhile."""
    await connection.execute("set lock_timeout = 0; set statement_timeout = 0")
    for step in (*await cut_off(connection, one), *one.steps):
        await connection.execute(step)
    await connection.execute(one.note)
