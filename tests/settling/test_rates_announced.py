"""The year's amount announced: once for each amount, to every municipality that subscribes (Bilaga 9)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from adapter.agreements.amounts import amounts_of, year_to_announce, years_due
from adapter.agreements.load import Book
from adapter.agreements.rates import RateEntry
from adapter.errors import UnavailableError
from adapter.outbound.announced import announcement_event, announcement_of
from adapter.outbound.topics import settlements_topic
from adapter.settling.announcing import UnknownAmountError, announce, stale, unannounced
from adapter.store.database import Database
from adapter.store.migrate import migrate
from adapter.store.rates import AnnouncementRow, announcements
from tests.conftest import Kafka as Broker
from tests.outbound.published import faults
from tests.outbound.test_relay import drained, relay
from tests.settling.hospital import book, database, rows
from tests.settling.test_settle_on_store import losus
from tests.topic import records

DECEMBER = datetime(2018, 12, 10, 9, tzinfo=UTC)
TOWNS = ("2380", "2309")
BOTH = {"LOSUS_SUBSCRIBERS": '{"2380": {"name": "Östersund"}, "2309": {"name": "Krokom"}}'}
EVENTS = "select municipality, type, revision, payload from event order by id"


def agreed(year: int, amount: str | None, *, verified: bool = True) -> Book:
    """Return what is agreed, with another amount of one year; None: it is not known."""
    series = dict(book().rates.series)
    law = series["varddygn"]
    entry = RateEntry.model_validate(
        {
            "year": year,
            "amount": amount,
            "verified": verified,
            "because": "not decided" if amount is None else None,
            "checked": "2018-12-10",
            **(
                {}
                if amount is None
                else {"source": {"document": "hslf-fs-2018-67", "section": "1 §", "words": "…"}}
            ),
        }
    )
    series["varddygn"] = law.model_copy(
        update={"amounts": (*(one for one in law.amounts if one.year != year), entry)}
    )
    return replace(book(), rates=book().rates.model_copy(update={"series": series}))


DAYS = [
    # the local day, the year of a run without one, the years that are to be announced by now, because
    ("2026-09-30", 2026, {"current": 2026}, "the autumn has not begun"),
    ("2026-10-01", 2027, {"current": 2026}, "known early, it may be announced early"),
    ("2026-11-30", 2027, {"current": 2026}, "not late before December"),
    ("2026-12-01", 2027, {"current": 2026, "next": 2027}, "Bilaga 9: in December for the coming year"),
    ("2026-12-31", 2027, {"current": 2026, "next": 2027}, "the last day of it"),
    ("2027-01-01", 2027, {"current": 2027}, "what was next year's is this year's"),
]


@pytest.mark.parametrize(("day", "year", "due", "because"), DAYS)
def test_which_year_and_from_when(day: str, year: int, due: dict[str, int], because: str) -> None:
    today = date.fromisoformat(day)
    assert (year_to_announce(today), dict(years_due(today))) == (year, due), because


AMOUNTS = [
    (2019, [(None, "7800", True)], "HSLF-FS 2018:67; one amount for both care forms (LUS 5:6)"),
    (2023, [(None, "10500", False)], "a secondary source: provisional"),
    (2021, [], "not known, and no neighbour's amount in its place"),
    (2016, [("somatic", "4816", True), ("psychiatric", "4085", True)], "the repealed law had one for each"),
]


@pytest.mark.parametrize(("year", "amounts", "because"), AMOUNTS)
def test_what_a_municipality_is_charged_by(year: int, amounts: list[Any], because: str) -> None:
    found = amounts_of(book(), "2380", year)
    told = [(one.care_form, str(one.rate.amount), one.rate.verified) for one in found]
    assert told == amounts, because


async def run(
    opened: Database, agreed_: Book, year: int = 2019, towns: tuple[str, ...] = TOWNS
) -> list[bool]:
    async with opened.transaction() as connection:
        return [one.fresh for one in await announce(connection, agreed_, towns, year, DECEMBER)]


async def test_once_for_each_amount_and_again_where_it_changes(dsn: str) -> None:
    await migrate(dsn)
    async with database(dsn) as opened:
        assert await run(opened, agreed(2019, "7750", verified=False), towns=("2380",)) == [True]
        assert await run(opened, agreed(2019, "7750", verified=False)) == [True, False], "Krokom came later"
        assert await run(opened, agreed(2019, "7750.00", verified=False)) == [False, False], "the same amount"
        assert await run(opened, agreed(2019, "7750")) == [True, True], "verified"
        assert await run(opened, book()) == [True, True], "another amount"
        assert await run(opened, book()) == [False, False]
        with pytest.raises(UnknownAmountError, match="no amount is known for 2021"):
            await run(opened, book(), 2021)
        async with opened.transaction() as connection:
            kept = await announcements(connection, [2019], TOWNS)
            assert await unannounced(connection, [*TOWNS, "2303"], 2019) == {"2303"}
            assert await unannounced(connection, TOWNS, 2020) == set(TOWNS)
    assert stale(book(), kept) == set()
    assert stale(agreed(2019, "7801"), kept) == set(TOWNS)
    sent = await rows(dsn, EVENTS)
    assert {kind for _, kind, _, _ in sent} == {"se.losus.rate.announced.v1"}
    for town in TOWNS:
        told = [(number, orjson.loads(said)) for code, _, number, said in sent if code == town]
        assert [number for number, _ in told] == [1, 2, 3], "contiguous for each municipality"
        said = [(one["version"], one["amount"], one["status"], one["replaces"]) for _, one in told]
        assert said == [
            (1, "7750", "provisional", None),
            (2, "7750", "verified", "7750"),
            (3, "7800", "verified", "7750"),
        ]
        assert "HSLF-FS 2018:67" in told[-1][1]["source"]


async def test_nothing_is_announced_by_a_database_that_is_older_than_kafka(dsn: str) -> None:
    await migrate(dsn)
    await rows(dsn, "insert into behind (slot, published, known, noticed_at) values ('share-1', 9, 8, now())")
    async with database(dsn) as opened:
        with pytest.raises(UnavailableError, match="losus recover"):
            await run(opened, book())


NEVER = (
    "update rate_announcement set amount = 1",
    "delete from rate_announcement",
    "truncate rate_announcement",
)


@pytest.mark.parametrize("change", NEVER)
async def test_what_was_announced_cannot_be_changed(dsn: str, change: str) -> None:
    await migrate(dsn)
    async with database(dsn) as opened:
        await run(opened, book())
    with pytest.raises(Exception, match="only ever added to"):
        await rows(dsn, change)


async def test_on_the_topic_as_promised_and_by_the_command(dsn: str, empty_broker: Broker) -> None:
    first = losus(dsn, "announce", "2019", "--format", "json", command="rates", **BOTH)
    assert {one["announced"] for one in map(orjson.loads, first.stdout.splitlines())} == {"now"}
    again = losus(dsn, "announce", "2019", "--format", "json", command="rates", **BOTH)
    assert {one["announced"] for one in map(orjson.loads, again.stdout.splitlines())} == {"before"}
    refused = losus(dsn, "announce", "2021", command="rates")
    assert refused.returncode == 1
    with relay(dsn, empty_broker.bootstrap):
        await drained(dsn)
    for town in TOWNS:
        [record] = await records(empty_broker.bootstrap, settlements_topic(town))
        assert record.value is not None
        assert faults(record.headers, record.value) == []
        assert record.headers["ce_dataschema"] == "urn:losus:schema:rate.announced.v1"
        assert record.headers["content-type"] == "application/json"
        assert (record.value["year"], record.value["amount"], record.value["municipality"]) == (
            2019,
            "7800",
            town,
        )


def test_an_event_says_all_that_is_kept() -> None:
    row = AnnouncementRow(2027, "2380", "somatic", 2, Decimal("12000.50"), False, "a source", DECEMBER)
    assert announcement_of(announcement_event(row, None).payload) == replace(row, amount=Decimal("12000.5"))
