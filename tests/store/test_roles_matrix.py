"""The matrix of rights: everything of the schema stands in it; the catalog has it, no more and no less."""

import asyncpg
import pytest

from adapter.commands.migrate import bring_up
from adapter.store.grants import granted, rest, wanted
from adapter.store.roles import FUNCTIONS, ROLES, SEQUENCES, TABLES


@pytest.fixture
async def owner(dsn):
    """The owner's session on a database as `losus migrate` leaves it."""
    await bring_up(dsn)
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def names(connection, query, *given):
    return {row[0] for row in await connection.fetch(query, *given)}


_OF_A_KIND = """select relname::text from pg_class
                where relnamespace = current_schema()::regnamespace and relkind::text = any ($1::text[])"""


async def test_everything_in_the_schema_stands_in_the_matrix(owner):
    assert await names(owner, _OF_A_KIND, ["r", "p", "v", "m", "f"]) == set(TABLES)
    sequences = await names(owner, _OF_A_KIND, ["S"])
    assert sequences >= set(SEQUENCES), "the others are drawn from by no name, and need no right"
    functions = await names(
        owner,
        "select oid::regprocedure::text from pg_proc where pronamespace = current_schema()::regnamespace",
    )
    assert functions == set(FUNCTIONS)


async def test_the_catalog_has_the_matrix_no_more_and_no_less(owner):
    assert await granted(owner) == wanted("public")
    assert (await rest(owner)).is_done


async def test_a_role_is_a_group_and_no_more(owner):
    rows = await owner.fetch(
        """select rolname, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
                  or rolcanlogin as may_more,
                  exists (select from pg_class where relowner = pg_roles.oid) as owns,
                  exists (select from pg_auth_members where member = pg_roles.oid) as belongs
           from pg_roles where rolname = any ($1::text[]) order by rolname""",
        [*ROLES],
    )
    assert [tuple(row) for row in rows] == [(role, False, False, False) for role in sorted(ROLES)]


async def test_what_the_owner_makes_later_is_open_to_nobody(owner):
    await owner.execute("create function later() returns integer language sql as 'select 1'")
    await owner.execute("create table later_on (id integer)")
    assert await granted(owner) == wanted("public")
