"""A service of its own for each row."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.service import service


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn) as one:
        yield one
