"""A region with bills and cases, and its service with closed doors: once for each file of tests."""

from collections.abc import AsyncIterator

import httpx
import pytest

from adapter.sandbox.database import Database as Server
from tests.access.closed import SPRING, guarded
from tests.databases import copy_of
from tests.service import service
from tests.settling.hospital import messages, settled, tell


@pytest.fixture(scope="module")
async def region(database: Server, template: str) -> AsyncIterator[str]:
    """A spring of stays in Östersund and one in Krokom, settled; what these tests do only adds to it."""
    async with copy_of(database, template) as made:
        async with service(made) as client:
            for number, month in enumerate(SPRING):
                await tell(client, *messages(number, month, 20))
            await tell(client, *messages(9, "2019-04", 20, "2309"))
            for month in SPRING:
                await settled(made, month, "2019-05-02", issue=True)
        yield made


@pytest.fixture(scope="module")
async def client(region: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """The service with its doors closed, at the tests' own time of day."""
    async with guarded(region, tmp_path_factory.mktemp("secrets")) as closed:
        yield closed
