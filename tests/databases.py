"""Databases of the tests' server: copies of one that has been migrated once, used again when they are as new.

Migrating an empty database takes ten times as long as copying a migrated one, and copying one (300 files,
most of them PostgreSQL's own) several times as long as deleting the few rows that a test has left. A database
is used again only if its shape is what it was: whoever alters a table, a trigger or a right gets it dropped.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from adapter.sandbox.database import Database
from adapter.store.migrate import migrate

#: So often, at most: what is deleted leaves dead rows until it is vacuumed.
_USES = 50
#: Whatever alters the shape of a database changes a row of one of these; PostgreSQL's own counting does not.
_CATALOGS = (
    *("class", "attribute", "attrdef", "index", "constraint", "trigger", "rewrite", "policy", "inherits"),
    *("proc", "type", "enum", "sequence", "default_acl", "extension"),
)
_ROWS = ",".join(
    f"(select count(*) || ':' || coalesce(sum(xmin::text::bigint), 0) from pg_{name})"  # noqa: S608 - of constants
    for name in _CATALOGS
)
_SHAPE = f"""select concat_ws(' ', {_ROWS},
  (select string_agg(nspname || coalesce(nspacl::text, ''), ',' order by nspname) from pg_namespace
   where nspname !~ '^pg_(toast_)?temp'),
  (select concat_ws(' ', datacl::text, datconnlimit, datallowconn) from pg_database
   where datname = current_database()),
  (select count(*) from pg_db_role_setting join pg_database on pg_database.oid = setdatabase
   where datname = current_database()),
  (select string_agg(name || applied_at, ',' order by name) from migration))"""  # noqa: S608 - of constants
_TABLES = """select relname::text from pg_class where relkind = 'r' and relname <> 'migration'
             and relnamespace = 'public'::regnamespace order by 1"""
_OTHERS = """select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()"""
_COUNTED = """select setval(seqrelid::regclass, seqstart, false) from pg_sequence
              where pg_sequence_last_value(seqrelid) is not null"""


async def make_template(server: Database) -> str:
    """Create a database that has all tables and nothing in them; return its name."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    await _execute(server, f"create database {name} strategy file_copy")
    await migrate(address(server, name))
    return name


@asynccontextmanager
async def copy_of(server: Database, template: str | None) -> AsyncIterator[str]:
    """Yield the address of a new copy of `template` (of an empty database where None), and drop it after."""
    name = await _copied(server, template)
    try:
        yield address(server, name)
    finally:
        await _execute(server, f"drop database if exists {name} with (force)")


class Databases:
    """Copies of one template, each of one test at a time."""

    def __init__(self, server: Database, template: str) -> None:
        self._server, self._template = server, template
        self._free: list[str] = []
        self._uses: dict[str, int] = {}
        self._shape = ""
        self._left = ""

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """Yield the address of a migrated database without rows."""
        name = self._free.pop() if self._free else await self._new()
        try:
            yield address(self._server, name)
        finally:
            self._uses[name] += 1
            if self._uses[name] < _USES and await self._is_as_new(name):
                self._free.append(name)
            else:
                await _execute(self._server, f"drop database if exists {name} with (force)")

    async def _new(self) -> str:
        name = await _copied(self._server, self._template)
        self._uses[name] = 0
        if not self._shape:
            connection = await asyncpg.connect(address(self._server, name))
            self._shape = await connection.fetchval(_SHAPE)
            tables = [row["relname"] for row in await connection.fetch(_TABLES)]
            left = (f"select '{table}' as it where exists (select from {table})" for table in tables)  # noqa: S608
            self._left = " union all ".join(left)
            seeded = [row["it"] for row in await connection.fetch(self._left)]
            await connection.close()
            assert seeded == [], "a migration fills it: what a test leaves can no longer be told apart"
        return name

    async def _is_as_new(self, name: str) -> bool:
        """Delete what the test has left; False where its shape is another, or it is not there any more."""
        if not self._server.is_running:
            self._server.restart()
        try:
            connection = await asyncpg.connect(address(self._server, name))
        except asyncpg.PostgresError:
            return False
        try:
            while await connection.fetchval(_OTHERS):
                pass
            if await connection.fetchval(_SHAPE) != self._shape:
                return False
            filled = [row["it"] for row in await connection.fetch(self._left)]
            deletes = "".join(f"delete from {table};" for table in filled)  # noqa: S608 - of the catalog
            past_triggers = "set session_replication_role = replica;"
            await connection.execute(past_triggers + deletes)
            await connection.execute(_COUNTED)
        finally:
            await connection.close()
        return True


def address(server: Database, name: str) -> str:
    return f"{server.dsn.rpartition('/')[0]}/{name}"


async def _copied(server: Database, template: str | None) -> str:
    name = f"test_{uuid.uuid4().hex}"
    origin = f"template {template}" if template else ""
    await _execute(server, f"create database {name} {origin} strategy file_copy")
    return name


async def _execute(server: Database, statement: str) -> None:
    """Execute it as superuser; a server that a test has stopped is started again first."""
    if not server.is_running:
        server.restart()
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
