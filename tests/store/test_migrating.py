"""Bringing a database up to date: while others use it, by whom, and what a process does that may not."""

import asyncio
import os
import subprocess
from pathlib import Path

import asyncpg
import orjson
import pytest

from adapter.commands.migrate import bring_up
from adapter.errors import SetupError, UnavailableError
from adapter.sandbox.database import Database
from adapter.store.grants import granted, rest, wanted
from adapter.store.migrate import Migration, Patience, apply, limits, migrate, migrations
from adapter.store.roles import ROLES
from tests import cli
from tests.recovery.backups import tool
from tests.settling.test_settle_on_store import losus
from tests.store.logins import KINDS, Logins, install, remove

#: Advisory locks of this database; the server has those of others.
HELD = """select count(*) from pg_locks where locktype = 'advisory'
            and database = (select oid from pg_database where datname = current_database())"""
SHORT = Patience(lock_s=0.05, file_s=0.5)
COLUMN = Migration("0900_column", "alter table held add column more text;\n")
INDEX = Migration(
    "0901_index",
    "-- outside a transaction\n"
    "create index concurrently if not exists held_by_cause on held (cause);\n"
    "-- and one more\n"
    "create index concurrently if not exists held_by_tries on held (tries);\n",
)


@pytest.fixture
async def owner(dsn):
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def other(dsn):
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def empty(database: Database):
    """A database as a DBA leaves it, before the first `losus migrate`."""
    made = await install(database)
    yield made
    await remove(made)


async def columns(connection, table):
    query = "select attname::text from pg_attribute where attrelid = to_regclass($1) and attnum > 0"
    return {row["attname"] for row in await connection.fetch(query, table)}


async def test_each_file_is_applied_once_whoever_starts_at_the_same_time(unmigrated):
    done = await asyncio.gather(*(migrate(unmigrated) for _ in range(4)))
    assert sorted(name for names in done for name in names) == [one.name for one in migrations()]
    assert await migrate(unmigrated) == []


async def test_who_waits_for_a_busy_table_gives_up_soon_and_holds_up_nobody(owner, other):
    async with other.transaction():
        await other.execute("select from held")
        with pytest.raises(UnavailableError, match="0900_column: a table was in use"):
            await apply(owner, SHORT, [COLUMN])
        await other.execute("insert into stopped_source values ('s', now(), 'x')")
    assert "more" not in await columns(owner, "held")
    assert await apply(owner, SHORT, [COLUMN]) == ["0900_column"], "tried again, it is applied"
    assert await owner.fetchval(HELD) == 0


async def test_a_busy_table_is_waited_out(owner, other):
    trial = other.transaction()
    await trial.start()
    await other.execute("select from held")
    applying = asyncio.create_task(apply(owner, Patience(lock_s=0.05, file_s=60), [COLUMN]))
    blocked = "select exists (select from pg_locks where not granted and relation = 'held'::regclass)"
    while not await other.fetchval(blocked):
        await asyncio.sleep(0.01)
    await trial.commit()
    assert await applying == ["0900_column"]


async def test_no_statement_waits_longer_than_it_is_to(owner):
    async with owner.transaction():
        for one in limits(Patience(lock_s=2)):
            await owner.execute(one)
        assert await owner.fetchval("show lock_timeout") == "2s"
        assert await owner.fetchval("show statement_timeout") == "0"


async def test_an_index_that_was_cut_off_is_made_anew(owner):
    await owner.execute(
        """insert into message (source, received_at, body) select 's', now(), '' from generate_series(1, 2);
           insert into held (message, source, cause, problems, since)
             select id, 's', 'faulty', '[]', now() from message"""
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute("create unique index concurrently held_by_cause on held (cause)")
    valid = "select indisvalid from pg_index where indexrelid = 'held_by_cause'::regclass"
    assert not await owner.fetchval(valid), "it is there, kept up to date, and never used"
    assert await apply(owner, SHORT, [INDEX]) == ["0901_index"]
    assert await owner.fetchval(valid)
    assert await owner.fetchval("select to_regclass('held_by_tries') is not null")
    await owner.execute("delete from migration where name = '0901_index'")
    assert await apply(owner, SHORT, [INDEX]) == ["0901_index"], "cut off before it was noted"


async def test_an_index_made_meanwhile_does_not_wait_for_who_waits_to_migrate(owner, other):
    async with asyncio.timeout(30):
        done = await asyncio.gather(apply(owner, SHORT, [INDEX]), apply(other, SHORT, [INDEX]))
    assert sorted(done, key=len) == [[], ["0901_index"]]


async def test_who_may_change_nothing_goes_on_where_all_is_there(logins: Logins):
    for kind in KINDS:
        assert await migrate(logins.dsn(kind)) == []


async def test_who_may_change_nothing_waits_until_the_owner_has_migrated(empty: Logins):
    with pytest.raises(UnavailableError, match="losus migrate") as told:
        await migrate(empty.dsn("intake"))
    assert told.value.retryable
    with pytest.raises(SetupError, match="does not own"):
        await bring_up(empty.dsn("intake"))
    waiting = asyncio.create_task(migrate(empty.dsn("intake"), wait_s=120))
    await asyncio.sleep(0)
    done = await bring_up(empty.dsn("owner"))
    assert done.applied == [one.name for one in migrations()]
    assert await waiting == []


async def test_tables_without_rights_are_told_as_such(empty: Logins):
    await migrate(empty.dsn("owner"))
    await empty.execute("grant usage on schema public to public")
    with pytest.raises(UnavailableError, match="may not read the database"):
        await migrate(empty.dsn("relay"))


async def test_an_old_version_goes_on_and_leaves_the_rights_of_the_later(logins: Logins):
    await logins.execute(
        "insert into migration (name) values ('9999_later')", "grant select (picture) on cases to losus_relay"
    )
    assert await migrate(logins.dsn("intake")) == []
    done = await bring_up(logins.dsn("owner"))
    assert (done.later, done.granted) == (["9999_later"], [])
    await logins.execute("delete from migration where name = '9999_later'")
    assert (await bring_up(logins.dsn("owner"))).granted, "of its own version it takes back what is not to be"


async def test_rights_that_are_too_much_are_taken_back(logins: Logins):
    await logins.execute(
        "grant delete on event to losus_intake",
        "grant select on message to public",
        "revoke insert on audit from losus_intake",
        "grant execute on function lane_of(text, text) to public",
        "grant select on outbox to pg_monitor",
    )
    connection = await asyncpg.connect(logins.dsn("owner"))
    try:
        assert len((await rest(connection)).statements) == 6, "two of them anew, two taken away"
        done = await bring_up(logins.dsn("owner"))
        assert done.left.is_done
        assert await granted(connection) == wanted("public")
        monitor = "select has_table_privilege('pg_monitor', 'outbox', 'select')"
        assert await connection.fetchval(monitor), "what a DBA gave to others is the DBA's"
    finally:
        await connection.close()


async def test_a_dba_may_run_the_script_instead(empty: Logins, database: Database, tmp_path: Path):
    def run(kind):
        printed = losus(empty.dsn("owner"), "--sql", command="migrate")
        assert printed.returncode == 0, printed.stderr
        (tmp_path / "script.sql").write_text(printed.stdout)
        name = f"--dbname={empty.name}"
        tool(database, empty.dsn(kind), "psql", "--no-psqlrc", name, f"--file={tmp_path / 'script.sql'}")

    with pytest.raises(subprocess.CalledProcessError) as stopped:
        run("intake")
    assert stopped.value.returncode == 3, "psql: an error of the script, and it went no further"
    run("owner")
    connection = await asyncpg.connect(empty.dsn("owner"))
    try:
        assert await granted(connection) == wanted("public")
        assert await migrate(empty.dsn("intake")) == []
        valid = "select indisvalid from pg_index where indexrelid = 'fact_by_message'::regclass"
        await empty.execute(
            "update pg_index set indisvalid = false where indexrelid = 'fact_by_message'::regclass",
            "delete from migration where name = '0012_retention_indexes'",
        )
        run("owner")
        assert await connection.fetchval(valid), "an index that was cut off is made anew"
        assert await migrate(empty.dsn("intake")) == []
    finally:
        await connection.close()


def alone(dsn):
    """`losus migrate --check` where nothing but the database is set."""
    return cli.run("migrate", "--check", env={"PATH": os.environ["PATH"], "LOSUS_DATABASE": dsn})


async def test_the_command_checks_applies_and_is_done(empty: Logins):
    names = [one.name for one in migrations()]
    check = losus(empty.dsn("owner"), "--check", "--format", "json", command="migrate")
    assert (check.returncode, orjson.loads(check.stdout)["missing"]) == (1, names)
    done = losus(empty.dsn("owner"), "--format", "json", command="migrate")
    assert (done.returncode, orjson.loads(done.stdout)["applied"]) == (0, names), done.stderr
    for kind in ("owner", "read"):
        check = losus(empty.dsn(kind), "--check", command="migrate")
        assert check.returncode == 0, (kind, check.stdout)
    assert alone(empty.dsn("owner")).returncode == 0, "no secret of others is needed"
    unsafe = alone("postgresql://losus:losus@database.example/losus")
    assert (unsafe.returncode, "sslmode=verify-full" in unsafe.stderr) == (2, True)
    refused = losus(empty.dsn("intake"), command="migrate")
    assert (refused.returncode, "does not own" in refused.stderr) == (2, True)


async def test_roles_that_the_owner_may_not_make_are_told_to_the_dba():
    """On a server of its own: roles are of the whole server, and here there are none yet."""
    with Database.start(durable=False) as server:
        connection = await asyncpg.connect(server.dsn)
        try:
            await connection.execute("create role owner login password 'test'")
            await connection.execute("create database d owner owner")
            dsn = f"postgresql://owner:test@{server.dsn.rpartition('@')[2].rpartition('/')[0]}/d"
            first = await bring_up(dsn)
            assert first.left.roles == ROLES
            assert all("from public" in one or "alter default" in one for one in first.granted)
            for statement in first.left.making:
                await connection.execute(statement)
            second = await bring_up(dsn)
            assert (second.applied, second.left.is_done) == ([], True)
        finally:
            await connection.close()
        assert (await bring_up(server.dsn)).left.is_done, "a superuser makes all itself"
