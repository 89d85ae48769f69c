"""A region in good health on the servers of the tests, and the doctor's view of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import asyncpg

from adapter.agreements.agreement import cited_values
from adapter.agreements.load import load_book
from adapter.cluster import Cluster
from adapter.doctor.deployment import Deployment
from adapter.doctor.examine import examine
from adapter.doctor.findings import Finding, Verdict
from adapter.outbound.topics import SHARES, make_topics
from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from adapter.settings import Kafka
from tests.outbound.outboxes import relaying, until
from tests.service import settings
from tests.store.logins import Logins, installed, remove

#: Area, check and thing of a finding that is not ok, and its verdict.
Trouble = tuple[str, str, str, Verdict]
LANES = ("2380", "2309")
HELD = """
  select count(*) from pg_locks where locktype = 'advisory' and classid = 1819243265
    and database = (select oid from pg_database where datname = current_database())"""
OPEN_DOORS: Trouble = ("settings", "demands", "", Verdict.WARN)


@dataclass(frozen=True, slots=True)
class Region:
    """Its logins, and the broker that it publishes on."""

    logins: Logins
    bootstrap: str

    @property
    def superuser(self) -> str:
        """The address by which anything can be done to the database."""
        return self.logins.server.rpartition("/")[0] + f"/{self.logins.name}"

    def deployment(
        self, *, ahead: timedelta = timedelta(0), today: date | None = None, **more: Any
    ) -> Deployment:
        """What the doctor looks at; `ahead`: how far its clock is."""
        kafka = Kafka(bootstrap=self.bootstrap, transactions=False)
        given = settings(**{"dsn": self.logins.dsn("read"), "kafka": kafka, **more})
        return Deployment(given, lambda: datetime.now(UTC) + ahead, today or checked())

    async def seen(self, **more: Any) -> list[Finding]:
        """What the doctor finds, by the login that it is to have."""
        return await examine(self.deployment(**more), limit_s=120)

    async def execute(self, *statements: str) -> None:
        """Change the database as nobody may, past all triggers."""
        connection = await asyncpg.connect(self.superuser)
        try:
            await connection.execute("set session_replication_role = replica")
            for one in statements:
                await connection.execute(one)
        finally:
            await connection.close()


@asynccontextmanager
async def region(database: Database, broker: Broker, *, relay: bool) -> AsyncIterator[Region]:
    """A migrated database with its roles, all topics, and a relay that holds every share, or none."""
    logins, _ = await installed(database)
    made = Region(logins, broker.bootstrap)
    try:
        await make_topics(Cluster(broker.bootstrap), LANES, partitions=3, replication=1)
        if not relay:
            yield made
            return
        async with relaying(logins.dsn("relay"), broker.bootstrap, transactions=False, make_topics=False):
            connection = await asyncpg.connect(made.superuser)
            await until(connection, HELD, lambda held: held == SHARES)
            await connection.close()
            yield made
    finally:
        await remove(logins)


@cache
def checked() -> date:
    """The day after the shipped agreements were last held against their texts."""
    book = load_book()
    found = [
        cited.checked for file in book.files for _, cited in cited_values(file.agreement) if cited.checked
    ]
    rates = [one.checked for series in book.rates.series.values() for one in series.amounts if one.checked]
    return max(*found, *rates) + timedelta(days=1)


def troubles(findings: list[Finding]) -> set[Trouble]:
    """What is not ok."""
    return {(one.area, one.check, one.what, one.verdict) for one in findings if one.verdict is not Verdict.OK}
