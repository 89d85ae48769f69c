"""A service of its own for each row, on a copy of one migrated database."""

import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from adapter.sandbox.database import Database
from adapter.store.migrate import migrate
from tests.service import service


@pytest.fixture(scope="session")
async def migrated(database: Database) -> str:
    """The name of a database that has all tables and nothing in them."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f"create database {name}")
    await connection.close()
    await migrate(f"{database.dsn.rpartition('/')[0]}/{name}")
    return name


@pytest.fixture
async def dsn(database: Database, migrated: str) -> AsyncIterator[str]:
    """Address of such a database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f"create database {name} template {migrated} strategy file_copy")
    yield f"{database.dsn.rpartition('/')[0]}/{name}"
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn) as one:
        yield one
