"""How PostgreSQL may look for rows: by an index in the transactions that ask for it, in no session."""

from collections.abc import AsyncIterator

import pytest

from adapter.sandbox.database import Database as Server
from adapter.store.database import Connection, Database, connect
from tests.databases import copy_of


@pytest.fixture
async def dsn(database: Server, template: str) -> AsyncIterator[str]:
    """A new copy: statistics and dead rows of other tests would change what the planner does."""
    async with copy_of(database, template) as made:
        yield made


METHODS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


async def said(connection: Connection) -> set[str]:
    return {await connection.fetchval(f"show {method}") for method in METHODS}


async def opened(database: Database, way: str) -> set[str]:
    if way == "trial":
        async with database.trial() as connection:
            return await said(connection)
    async with database.transaction(by_index=way == "by index") as connection:
        return await said(connection)


WAYS = [
    # the transaction, what the planner's methods are, because
    ("by index", {"off"}, "a batch finds its rows by an index, whatever the statistics say"),
    ("trial", {"off"}, "a trial does the same as what is tried"),
    ("whole", {"on"}, "what reads a table from end to end is PostgreSQL's to plan"),
]


@pytest.mark.parametrize(("way", "methods", "because"), WAYS)
async def test_what_the_planner_may_do(dsn: str, way: str, methods: set[str], because: str) -> None:
    database = await connect(dsn, size=1)
    for before in ("by index", "whole", "trial"):  # one session: nothing of it stays behind
        await opened(database, before)
        assert await opened(database, way) == methods, (before, because)
    await database.close()
