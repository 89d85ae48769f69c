"""Stays that were told of long ago: sent through the service's own door, and made old by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

import asyncpg

from adapter.losus.days import Month, at_local, local_day
from adapter.outbound.expiry import expire
from adapter.retention import Eraser, Gone, Kind, years_ago
from adapter.settings import Retention
from adapter.store import closed
from tests.service import service
from tests.settling.hospital import database, messages, tell

#: Whatever holds in a row: of every table that has something of a patient in it.
OF_A_CASE = ("message", "message_bundle", "fact", "link", "cases", "event", "leaning", "stay")


def now() -> datetime:
    """The time of the database's clock: that of this machine."""
    return datetime.now(UTC)


def just(years: int) -> datetime:
    """An instant of the last local day of which so many years are not over yet; a day before, they are."""
    return at_local(years_ago(local_day(now()), years), time(12))


def over(years: int) -> datetime:
    """An instant of the day before: its years are over since this morning."""
    return just(years) - timedelta(days=1)


@asynccontextmanager
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that may do all, and does it past the triggers."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def past_triggers(dsn: str, *statements: tuple[Any, ...]) -> None:
    """Carry out statements, each with its parameters, as nobody can whom the triggers bind."""
    async with owner(dsn) as connection:
        await connection.execute("set session_replication_role = replica")
        for statement, *given in statements:
            await connection.execute(statement, *given)


async def sent(dsn: str, *numbers: int, month: str = "2019-03") -> None:
    """The way home of patients of these numbers, published, and taken off `.cases`."""
    async with service(dsn) as client:
        for number in numbers:
            await tell(client, *messages(number, month, 20))
    await published(dsn)


async def published(dsn: str) -> None:
    """As if a relay had told all that there is to tell, and a year had gone by."""
    async with database(dsn) as opened, opened.transaction() as connection:
        await connection.execute("delete from outbox")
        await expire(connection, now() + timedelta(days=1), 0)
        await connection.execute("delete from outbox")


async def made_old(dsn: str, number: int, at: datetime) -> None:
    """Make all entries of a patient's case so old; only that its time on `.cases` is over is younger."""
    mine = f"header-{number}-%"
    case = f"stay-1-{number}"
    await past_triggers(
        dsn,
        ("update message set received_at = $2 where header_id like $1", mine, at),
        (
            """update event set created_at = $2 from cases
               where event.case_id = cases.id and key = $1 and revision > 0""",
            case,
            at,
        ),
        ("update cases set changed_at = $2 where key = $1", case, at),
    )


async def close_through(dsn: str, month: str) -> None:
    """Close the books without looking."""
    async with database(dsn) as opened, opened.transaction() as connection:
        await closed.suppose(connection, Month.parse(month), now())


async def erased(
    dsn: str, *kinds: Kind, is_run: bool = True, through: str | None = None, **years: int
) -> dict[Kind, Gone]:
    """What a run of retention comes to."""
    month = None if through is None else Month.parse(through)
    async with database(dsn) as opened:
        eraser = Eraser(opened, Retention(**years), now(), month, is_run)
        return {gone.kind: gone async for gone in eraser.erase(kinds or tuple(Kind))}


async def counted(dsn: str, *tables: str) -> dict[str, int]:
    """How many rows there are of these tables."""
    async with owner(dsn) as connection:
        asked = "select count(*) from {}"
        return {table: await connection.fetchval(asked.format(table)) for table in tables}
