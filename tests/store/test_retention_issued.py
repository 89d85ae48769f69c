"""What was issued stays seven years after its calendar year, and as long as what corrects it."""

from datetime import datetime, time
from typing import Any

import orjson
import pytest

from adapter.agreements.load import load_book
from adapter.losus.days import Month, at_local, local_day
from adapter.retention import Kind
from adapter.settling.closing import Closing, close_books
from adapter.settling.run import ClosedError
from tests.service import service
from tests.settling.hospital import corrected, database, ledger, messages, rows, settled, tell
from tests.store.aging import close_through, counted, erased, made_old, now, over, past_triggers, published

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")
ISSUED = ("statement", "statement_resource", "dispute", "dispute_answer", "follow_up", "follow_up_resource")


def year_end(years: int) -> datetime:
    """The last moment of the latest calendar year of which so many years are over."""
    year = local_day(now()).year - years - 1
    return at_local(datetime(year, 12, 31).date(), time(23, 59))  # noqa: DTZ001 - a local date


def year_start(years: int) -> datetime:
    """A moment of the year after: it is kept for the rest of this year."""
    year = local_day(now()).year - years
    return at_local(datetime(year, 1, 1).date(), time(0, 1))  # noqa: DTZ001 - a local date


async def spring(dsn: str) -> None:
    """Four months over the threshold, issued; then a stay of February is corrected, and May issued."""
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        for month in SPRING:
            await settled(dsn, month, "2019-05-02", issue=True)
        await tell(client, corrected(3, "2019-04", 18, 3), *messages(8, "2019-05", 19))


async def issued_at(dsn: str, at: datetime, month: str) -> None:
    await past_triggers(
        dsn,
        ("update statement set issued_at = $1 where month = $2", at, month),
        ("update follow_up set issued_at = $1 where month = $2", at, month),
        (
            """update invoice set dated = swedish_day($1)
               where statement in (select id from statement where month = $2)""",
            at,
            month,
        ),
        (
            """update event set created_at = $1 where case_id in (
                 select id from statement where month = $2
                 union select follow_up_resource.id from follow_up_resource
                   join follow_up on follow_up.number = follow_up and month = $2)""",
            at,
            month,
        ),
        ("delete from outbox",),
    )


async def closing(dsn: str, through: str, first: str | None = None, *, is_run: bool = True) -> Closing:
    async with database(dsn) as opened:
        return await close_books(
            opened,
            ledger(dsn, agreed=load_book()),
            through=Month.parse(through),
            first=None if first is None else Month.parse(first),
            now=datetime.fromisoformat("2019-06-02T09:00Z"),
            is_run=is_run,
        )


async def test_later_months_are_settled_as_if_nothing_had_gone(dsn: str) -> None:
    """Liability in May follows from three months in a row, whose cases are gone: their counts are left."""
    await spring(dsn)
    await published(dsn)
    before = await settled(dsn, "2019-05", "2019-06-02")
    assert [one.statement.due for one in before.told if one.statement.adjustments] != []
    assert await closing(dsn, "2019-05") == Closing(Month(2019, 3), "2380 has a correction to come")
    for number in range(4):
        await made_old(dsn, number, over(10))
    gone = await erased(dsn, Kind.CASES)
    assert gone[Kind.CASES].of.total() == 3, "April is not closed: its correction is still to be posted"
    after = await settled(dsn, "2019-05", "2019-06-02")
    assert after.told == before.told
    assert [one.statement.due for one in after.told if one.statement.due] != []
    with pytest.raises(ClosedError):
        await settled(dsn, "2019-03", "2019-06-02")


async def test_how_far_the_books_are_closed(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
    assert await closing(dsn, "2019-02", is_run=False) == Closing(Month(2019, 2)), "where nobody settles, all"
    assert await rows(dsn, "select * from books_closed") == [], "on trial"
    found = await closing(dsn, "2019-04", "2019-02")
    assert found.because is not None
    assert (found.through, "lacks a statement of 2019-02" in found.because) == (Month(2019, 1), True)
    await settled(dsn, "2019-02", "2019-05-02", issue=True)
    await past_triggers(
        dsn,
        (
            """insert into dispute (id, municipality, stay, month, asked_at, message)
               select 'd', '2380', id, '2019-02', now(), '{}' from cases limit 1""",
        ),
    )
    assert await closing(dsn, "2019-02", "2019-02") == Closing(Month(2019, 1), "a dispute is open")
    await past_triggers(dsn, ("insert into dispute_answer values ('d', false, now())",))
    assert (await closing(dsn, "2019-02", "2019-02")).through == Month(2019, 2)
    await past_triggers(dsn, ("update cases set parked = true where key = 'stay-1-2'",))
    assert await closing(dsn, "2019-03") == Closing(Month(2019, 2), "a case is parked")
    assert (await closing(dsn, "2019-01")).through == Month(2019, 2), "never opened again"


async def test_a_statement_stays_with_what_corrects_it(dsn: str) -> None:
    await spring(dsn)
    await settled(dsn, "2019-05", "2019-06-02", issue=True)
    await close_through(dsn, "2019-12")
    for month in SPRING:
        await issued_at(dsn, year_end(7), month)
    await issued_at(dsn, year_start(7), "2019-05")
    await past_triggers(
        dsn,
        (
            """insert into dispute (id, municipality, stay, month, asked_at, message)
               select 'd', '2380', id, '2019-01', $1, '{}' from cases where key = 'stay-1-0'""",
            year_end(7),
        ),
    )
    await erased(dsn, statements_years=7)
    left = {month for (month,) in await rows(dsn, "select month from statement where municipality = '2380'")}
    assert left == {"2019-01", "2019-04", "2019-05"}, "asked about; corrected in May; of May"
    assert await rows(dsn, "select distinct month from statement where municipality = '2309' order by 1") == [
        ("2019-05",)
    ], "another municipality's are its own"
    await _all_resources_of_what_is_left_are_there(dsn)
    await past_triggers(dsn, ("insert into dispute_answer values ('d', false, $1)", year_end(7)))
    await erased(dsn, statements_years=7)
    assert await rows(dsn, "select id from dispute") == [], "answered, and gone with its statement"
    await issued_at(dsn, year_end(7), "2019-05")
    gone = await erased(dsn, statements_years=7)
    assert gone[Kind.STATEMENTS].of == {year_end(7).year: gone[Kind.STATEMENTS].rows["statement"]}
    assert set((await counted(dsn, *ISSUED)).values()) == {0}
    assert await rows(dsn, "select * from event where type like '%settlement%'") == []


async def _all_resources_of_what_is_left_are_there(dsn: str) -> None:
    """What several statements tell stood with one that is gone: it is still found."""
    there = set(await rows(dsn, "select type, id from issued_resource"))
    for (bundle,) in await rows(dsn, "select bundle from statement union all select bundle from follow_up"):
        for entry in orjson.loads(bundle)["entry"]:
            resource: dict[str, Any] = entry["resource"]
            assert (resource["resourceType"], resource["id"]) in there
