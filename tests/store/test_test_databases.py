"""Databases that one test leaves to the next: as new, or not at all."""

import asyncpg
import pytest

from adapter.sandbox.database import Database
from tests.databases import Databases
from tests.service import send, service, settings, way_home

_ROWS = "select count(*) from message"


@pytest.fixture
def fewer(database: Database, template: str) -> Databases:
    """Databases that nobody else uses."""
    return Databases(database, template)


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_what_a_test_leaves_is_gone_and_numbers_begin_again(fewer: Databases) -> None:
    numbers = []
    addresses = []
    for _ in range(2):
        async with fewer.one() as dsn:
            addresses.append(dsn)
            left_open = await asyncpg.connect(dsn)
            assert await left_open.fetchval(_ROWS) == 0
            async with service(dsn) as client:
                for message in way_home()[:3]:
                    assert (await send(client, message)).status_code == 200
                assert len((await client.get("/cases")).json()["cases"]) == 1
            numbers.append(await left_open.fetchval("select array_agg(id order by id) from message"))
        assert left_open.is_closed() or await _is_cut_off(left_open)
    assert addresses[0] == addresses[1]
    assert numbers[0] == numbers[1] == [1, 2, 3]
    assert settings(addresses[0]).database.get_secret_value() == addresses[0]


async def _is_cut_off(connection: asyncpg.Connection) -> bool:
    try:
        await connection.fetchval("select 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return True
    return False


ALTERED = [
    ("create table more (it int)", "a table"),
    ("alter table audit disable trigger all", "triggers that do not fire"),
    ("alter table held add column more text", "a column"),
    ("alter table message drop constraint message_pkey cascade", "a constraint"),
    ("create role {role}; grant select on message to {role}", "a right"),
    ("grant usage on schema public to {role}", "a right on the schema"),
    ("create index more on held (cause)", "an index"),
    ("create function more() returns int language sql return 1", "a function"),
    ("alter sequence message_id_seq increment by 2", "a sequence"),
    ("delete from migration where name like '0003%'", "a migration that is said not to be there"),
    (
        "do $$ begin execute format('alter database %I set lock_timeout = 1', current_database()); end $$",
        "a setting",
    ),
]


@pytest.mark.parametrize(("statement", "because"), ALTERED)
async def test_who_alters_it_is_the_last_to_have_it(fewer: Databases, statement: str, because: str) -> None:
    async with fewer.one() as dsn:
        role = f"role_{dsn.rpartition('_')[2]}"
        if "{role}" in statement and "create role" not in statement:
            await execute(dsn, f"create role {role}")
        await execute(dsn, statement.replace("{role}", role))
    async with fewer.one() as other:
        assert other != dsn, because
    async with fewer.one() as again:
        assert again == other
