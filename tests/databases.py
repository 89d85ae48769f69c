"""Databases of the tests' server, each a copy of one that has been migrated once.

Migrating an empty database takes ten times as long as copying a migrated one, and hundreds of tests want a
database of their own. `file_copy` is the cheaper strategy here: a template of 9 MB goes through no WAL.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from adapter.sandbox.database import Database
from adapter.store.migrate import migrate


async def make_template(server: Database) -> str:
    """Create a database that has all tables and nothing in them; return its name."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    await _execute(server, f"create database {name} strategy file_copy")
    await migrate(address(server, name))
    return name


@asynccontextmanager
async def copy_of(server: Database, template: str | None) -> AsyncIterator[str]:
    """Yield the address of a new copy of `template` (of an empty database where None), and drop it after."""
    name = f"test_{uuid.uuid4().hex}"
    origin = f"template {template}" if template else ""
    await _execute(server, f"create database {name} {origin} strategy file_copy")
    try:
        yield address(server, name)
    finally:
        await _execute(server, f"drop database {name} with (force)")


def address(server: Database, name: str) -> str:
    return f"{server.dsn.rpartition('/')[0]}/{name}"


async def _execute(server: Database, statement: str) -> None:
    """Execute it as superuser; a server that a test has stopped is started again first."""
    if not server.is_running:
        server.restart()
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
