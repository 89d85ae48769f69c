"""A database with a login for each role."""

from collections.abc import AsyncIterator

import pytest

from adapter.sandbox.database import Database
from tests.store.logins import Logins, installed, remove


@pytest.fixture(scope="module")
async def logins(database: Database) -> AsyncIterator[Logins]:
    """An empty database, migrated by its owner."""
    made, _ = await installed(database)
    yield made
    await remove(made)
