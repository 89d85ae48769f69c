"""The embedded PostgreSQL: keeps data over kill and restart, asks for its password, tells no values."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest

from adapter.errors import SetupError
from adapter.sandbox.database import Database


async def fetch(dsn, statement, *arguments):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


@pytest.fixture
def folder():
    """A folder that PostgreSQL's user can come to, where we are root too."""
    one = Path(tempfile.mkdtemp(prefix="database-test-"))
    one.chmod(0o755)
    yield one / "home"
    shutil.rmtree(one)


@pytest.mark.parametrize("durable", [True, False])
async def test_data_outlive_kill_and_stop(durable):
    with Database.start(durable=durable) as server:
        settings = await fetch(
            server.dsn, "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
        )
        assert tuple(settings[0]) == ("on" if durable else "off", "on")
        await fetch(server.dsn, "CREATE TABLE kept (word text)")
        for end in (server.kill, server.stop, lambda: None):
            before = server.dsn
            await fetch(server.dsn, "INSERT INTO kept VALUES ('here')")
            end()
            assert server.is_running == (end not in (server.kill, server.stop))
            server.restart()
            assert server.dsn == before, "clients know the address"
        assert len(await fetch(server.dsn, "SELECT * FROM kept")) == 3


async def test_a_folder_of_the_callers_keeps_the_data(folder):
    with Database.start(folder) as server:
        await fetch(server.dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    with Database.start(folder) as server:
        assert len(await fetch(server.dsn, "SELECT * FROM kept")) == 1
    assert (folder / "data").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user")
def test_a_folder_that_nobody_can_enter_is_refused(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(SetupError, match="cannot enter"):
        Database.start(tmp_path / "closed" / "home")


async def test_nobody_comes_in_without_the_password(database):
    wrong = database.dsn.replace(database.dsn.split(":")[2].split("@")[0], "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await fetch(wrong, "SELECT 1")


async def test_text_is_utf_8_and_knows_swedish_letters(dsn):
    (row,) = await fetch(dsn, "SELECT lower('ÅSELE') AS low, current_setting('server_encoding') AS encoding")
    assert tuple(row) == ("åsele", "UTF8")


async def test_the_log_of_the_server_tells_no_value(database, dsn):
    """A key that is there twice: PostgreSQL's DETAIL line would tell it."""
    await fetch(dsn, "CREATE TABLE patient (personnummer text PRIMARY KEY)")
    for _ in range(2):
        try:
            await fetch(dsn, "INSERT INTO patient VALUES ($1)", "19121212-1212")
        except asyncpg.UniqueViolationError:
            break
    else:
        pytest.fail("no fault came")
    log = (database._guardian.folder / "postgres.log").read_text()
    assert "patient_pkey" in log
    assert "19121212" not in log


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/sysvipc is Linux's")
def test_no_shared_memory_is_left_by_a_killed_server():
    """PostgreSQL itself removes it when it stops, or starts again; not when it is killed for good."""
    with Database.start(durable=False) as server:
        segment = (server._data / "postmaster.pid").read_text().splitlines()[6].split()[1]
        server.kill()
        assert segment in _segments()
    assert segment not in _segments()


def _segments():
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


async def test_each_test_has_an_empty_database(unmigrated, dsn, other_dsn):
    tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
    assert await fetch(unmigrated, tables) == []
    migrated = {name for (name,) in await fetch(dsn, tables)}
    assert migrated == {name for (name,) in await fetch(other_dsn, tables)}
    assert await fetch(dsn, "SELECT name FROM migration") != []
    for table in migrated - {"migration"}:
        assert await fetch(dsn, f"SELECT FROM {table} LIMIT 1") == [], table
    await fetch(dsn, "CREATE TABLE of_one_alone ()")
    assert await fetch(other_dsn, "SELECT to_regclass('of_one_alone')") == [(None,)]
