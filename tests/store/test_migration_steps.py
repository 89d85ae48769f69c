"""From the first migration up, on a database that each version has filled, while the one before still writes.

What a new migration has to bring stands at the top of `versions`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import asyncpg
import pytest

from adapter.outbound.relay import RelaySettings, run_relay
from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from adapter.settings import Kafka
from adapter.store import audit
from adapter.store.database import connect
from adapter.store.held import find_held
from adapter.store.migrate import PATIENCE, apply, migrations
from adapter.store.roles import TABLES
from tests.databases import copy_of
from tests.service import service
from tests.settling.hospital import JH, settled
from tests.store.life import BEGUN, SPRING, Life, end, live, picture, write
from tests.store.versions import VERSIONS, Version
from tests.topic import cluster_of, records, remove_topics, revisions

#: Tables that are not filled by what a version writes, and why.
EMPTY = {
    "audit_anchor": "the audit is taken out after five years, with its rows",
    "behind": "stands only while the database is older than Kafka, when nothing is published",
    "delivery_batch": "made of hashes, by the relay of today at the end",
}


def test_each_migration_says_how_it_is_filled():
    assert [one.file for one in VERSIONS] == [one.name for one in migrations()]


class Walk:
    """A database on its way up: what is applied, and what was written so far."""

    def __init__(self, connection: asyncpg.Connection, life: Life) -> None:
        self._connection = connection
        self._life = life
        self._shapes: dict[str, dict[str, str]] = {}
        self._stays: Iterator[int] = iter(range(BEGUN, BEGUN + len(life.pictures)))
        self._months = iter(SPRING)
        self._n = 0
        self.told: list[int] = []

    async def climb(self) -> None:
        """Apply the files one by one; each time the version before writes once more, then the new one."""
        shapes: dict[str, str] = {}
        before: Version | None = None
        relays = True
        for version, file in zip(VERSIONS, migrations(), strict=True):
            assert await apply(self._connection, PATIENCE, [file]) == [version.file]
            assert version.stopped in file.text
            relays = relays and not version.stopped
            if before is not None:
                await self._work(before, relays=relays)
            shapes |= version.shapes
            self._shapes[version.file] = dict(shapes)
            await self._work(version, relays=relays)
            before = version

    async def _work(self, version: Version, *, relays: bool) -> None:
        """All that a version does; of relays that were to be stopped, what they do not."""
        self._n += 1
        shapes = self._shapes[version.file]
        number = next(self._stays)
        self.told.append(number)
        await write(self._connection, self._life.stays[number], shapes)
        if version.issues:
            await self._issue(shapes)
        if "audit" in shapes:
            await self._note(shapes["audit"].split())
        for one in VERSIONS[: VERSIONS.index(version) + 1]:
            said = one.uses + (one.relay if relays else "")
            if said:
                await self._connection.execute(said.replace("{n}", str(self._n)))

    async def _issue(self, shapes: Mapping[str, str]) -> None:
        month = next(self._months, None)
        if month is not None:
            await write(self._connection, self._life.stays[SPRING.index(month)], shapes)
            await write(self._connection, self._life.months[month], shapes)

    async def _note(self, columns: list[str]) -> None:
        entry = audit.Entry(datetime.now(UTC), "system", "test", "read", (f"case/{self._n}",), "ok", "x")
        found = await self._connection.fetchrow("select number, hash from audit order by number desc limit 1")
        last = audit.Head(*found) if found else audit.Head(0, bytes(32))
        row = asdict(entry) | {
            "number": last.number + 1,
            "previous": last.hash,
            "hash": audit.link(last, entry),
        }
        places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        statement = f"insert into audit ({', '.join(columns)}) values ({places})"  # noqa: S608 - ours
        await self._connection.execute(statement, *(row[column] for column in columns))


@pytest.fixture
async def second(database: Database) -> AsyncIterator[str]:
    """Another empty database."""
    async with copy_of(database, None) as made:
        yield made


async def test_today_works_with_all_that_was_ever_written(
    unmigrated: str, second: str, broker: Broker
) -> None:
    dsn = unmigrated
    await remove_topics(broker.bootstrap)
    life = await live(second, 2 * len(VERSIONS) - 1)
    connection = await asyncpg.connect(dsn)
    walk = Walk(connection, life)
    await walk.climb()
    empty = {
        table
        for table in TABLES
        if not await connection.fetchval(f"select exists (select from {table})")  # noqa: S608 - ours
    }
    assert empty == set(EMPTY), "every table is filled on the way, or it is said why not"

    async with service(dsn, kafka=Kafka(bootstrap=broker.bootstrap)) as client:
        await end(client, walk.told)
        for number in walk.told:
            assert await picture(connection, number) == life.pictures[number], (
                "as if it had always been today"
            )
        cases = (await client.get("/cases?source=losus-r4&key=stay-1-40")).json()
        assert len(cases["cases"]) == 1
        for month in SPRING:
            found = await client.get(f"/settlements/{JH}/2380/{month}")
            assert found.status_code == 200, month
    done = await settled(dsn, "2019-05", "2019-07-01", issue=True, municipalities=("2380",))
    assert (done.refused, {one.fresh for one in done.told}) == ([], {True})
    await _published(dsn, broker, connection, walk)
    store = await connect(dsn)
    async with store.transaction() as session:
        assert await audit.verify(session) is None
        assert {one.source for one in await find_held(session)} == {"held"}
    await store.close()
    await connection.close()


async def _published(dsn: str, broker: Broker, connection: asyncpg.Connection, walk: Walk) -> None:
    """All that waits goes out, of each stay every revision once."""
    stopping = asyncio.Event()
    given = RelaySettings(dsn, cluster_of(broker.bootstrap), "urn:losus:test", ("2380", "2326"))
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(120):
        tasks.create_task(run_relay(given, stopping))
        while await connection.fetchval("select exists (select from outbox)"):
            await asyncio.sleep(0.05)
        stopping.set()
    told = revisions(await records(broker.bootstrap, "losus.2380.events"))
    ids = {row["id"] for row in await connection.fetch("select id from cases where key like 'stay-1-%'")}
    assert len(ids) == len(walk.told) + len(SPRING)
    assert {case: told[case] for case in ids} == {case: list(range(1, len(told[case]) + 1)) for case in ids}
