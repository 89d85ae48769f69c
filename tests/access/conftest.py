"""A region with bills and cases, and its service with closed doors: once for each file of tests."""

import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from adapter.sandbox.database import Database as Server
from tests.access.closed import SPRING, guarded
from tests.service import service
from tests.settling.hospital import messages, settled, tell


@pytest.fixture(scope="module")
async def region(database: Server) -> AsyncIterator[str]:
    """A spring of stays in Östersund and one in Krokom, settled; what these tests do only adds to it."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    await connection.close()
    made = database.dsn.rpartition("/")[0] + f"/{name}"
    async with service(made) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        await tell(client, *messages(9, "2019-04", 20, "2309"))
        for month in SPRING:
            await settled(made, month, "2019-05-02", issue=True)
    yield made
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(scope="module")
async def client(region: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """The service with its doors closed, at the tests' own time of day."""
    async with guarded(region, tmp_path_factory.mktemp("secrets")) as closed:
        yield closed
