"""Numbers of invoices and credit notes: one series for each region and year, without gaps."""

import asyncio
from datetime import date, timedelta

import asyncpg
import orjson
import pytest

from adapter.fhir.numbers import published_numbers
from adapter.recovery.issued import keep_again
from adapter.settling import issuing
from adapter.store import invoices
from adapter.store.invoices import KnownDocument, NewDocument, allocate, keep_numbers
from adapter.store.putting_back import Staged
from tests.service import service
from tests.settling.hospital import at, corrected, database, messages, rows, settled, tell

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")
DAY = date(2026, 3, 2)


def wanted(*kinds: str, day: date = DAY) -> list[NewDocument]:
    return [NewDocument(kind, "statement", day) for kind in kinds]


async def test_one_series_for_each_region_and_year(dsn: str) -> None:
    async with database(dsn) as opened, opened.transaction() as connection:
        assert await allocate(connection, "23", wanted("invoice", "credit-note")) == (
            "23-2026-000001",
            "23-2026-000002",
        )
        assert await allocate(connection, "23", wanted("invoice")) == ("23-2026-000003",)
        assert await allocate(connection, "01", wanted("invoice")) == ("01-2026-000001",)
        later = wanted("invoice", day=date(2027, 1, 1))
        assert await allocate(connection, "23", later) == ("23-2027-000001",)
        last_day = wanted("invoice", day=date(2026, 12, 31))
        assert await allocate(connection, "23", last_day) == ("23-2026-000004",)


def test_more_than_six_digits() -> None:
    assert invoices.number_of("23", 2026, 1_000_000) == "23-2026-1000000"


async def test_what_is_rolled_back_leaves_no_gap(dsn: str) -> None:
    """Two runs at once: the second waits for the first, which is rolled back, and gets its number."""
    first_has, let_go = asyncio.Event(), asyncio.Event()

    async with database(dsn) as opened:

        async def fails() -> None:
            async with opened.transaction() as connection:
                assert await allocate(connection, "23", wanted("invoice")) == ("23-2026-000001",)
                first_has.set()
                await let_go.wait()
                raise ZeroDivisionError

        async def succeeds() -> tuple[str, ...]:
            await first_has.wait()
            async with opened.transaction() as connection:
                return await allocate(connection, "23", wanted("invoice"))

        failing, waiting = asyncio.create_task(fails()), asyncio.create_task(succeeds())
        await first_has.wait()
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done, "it waits while the first may still get the number"
        let_go.set()
        with pytest.raises(ZeroDivisionError):
            await failing
        assert await waiting == ("23-2026-000001",)
    assert await rows(dsn, "select number from invoice") == [("23-2026-000001",)]


async def test_many_at_once_have_no_duplicate_and_no_gap(dsn: str) -> None:
    async with database(dsn) as opened:

        async def one(number: int) -> None:
            async with opened.transaction() as connection:
                await allocate(connection, "23", wanted("invoice", "credit-note"))
                if number % 3 == 0:
                    raise ZeroDivisionError

        done = await asyncio.gather(*(one(number) for number in range(12)), return_exceptions=True)
    assert sum(isinstance(each, ZeroDivisionError) for each in done) == 4
    found = await rows(dsn, "select ordinal from invoice order by ordinal")
    assert [ordinal for (ordinal,) in found] == list(range(1, 17))


REFUSED = (
    ("update invoice set number = 'x'", "an invoice, once issued, is never changed"),
    ("delete from invoice", "an invoice, once issued, is never changed"),
    ("truncate invoice", "only ever added to|is only added to|only"),
    ("update invoice_series set last = 1", "a series of numbers only grows"),
    ("update invoice_series set year = 2025", "a series of numbers only grows"),
    ("delete from invoice_series", "a series of numbers only grows"),
)


@pytest.mark.parametrize(("statement", "words"), REFUSED)
async def test_numbers_stay(dsn: str, statement: str, words: str) -> None:
    async with database(dsn) as opened, opened.transaction() as connection:
        await allocate(connection, "23", wanted("invoice", "invoice"))
    with pytest.raises(asyncpg.PostgresError, match=words):
        await rows(dsn, statement)
    assert await rows(dsn, "select last from invoice_series") == [(2,)]


async def test_a_number_lost_in_a_restore_is_never_given_again(dsn: str) -> None:
    async with database(dsn) as opened, opened.transaction() as connection:
        await allocate(connection, "23", wanted("invoice"))
        lost = [KnownDocument(f"23-2026-{n:06d}", "invoice", "lost", DAY) for n in (3, 2)]
        await keep_numbers(connection, lost)
        await keep_numbers(connection, lost)
        assert await allocate(connection, "23", wanted("invoice")) == ("23-2026-000004",)
    assert await rows(dsn, "select ordinal, statement from invoice order by ordinal") == [
        (1, "statement"),
        (2, "lost"),
        (3, "lost"),
        (4, "statement"),
    ]


async def spring(dsn: str) -> None:
    """Four months of Östersund, the fourth liable: 46 800 SEK."""
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
    for month in SPRING:
        await settled(dsn, month, "2019-05-02", issue=True, municipalities=("2380",))


async def test_a_month_with_a_larger_credit_than_charge(dsn: str) -> None:
    """May costs 7 800 and takes 23 400 of April back: an invoice and a credit note, each with its number."""
    await spring(dsn)
    async with service(dsn) as client:
        await tell(client, *messages(4, "2019-05", 15))
        await tell(client, corrected(3, "2019-04", 17, 3))  # home on the 17th of April, not the 20th
    (done,) = [
        one
        for one in (await settled(dsn, "2019-05", "2019-06-03", issue=True, municipalities=("2380",))).told
        if one.statement.statement.care_form == "somatic"
    ]
    assert [(each.kind, each.number) for each in done.statement.documents or ()] == [
        ("invoice", "23-2019-000002"),
        ("credit-note", "23-2019-000003"),
    ]
    stored = await rows(dsn, "select resource from issued_resource where type = 'Invoice' order by number")
    told = [orjson.loads(resource) for (resource,) in stored]
    assert [(one["identifier"][0]["value"], one["totalNet"]["value"]) for one in told] == [
        ("23-2019-000001", 46800.0),
        ("23-2019-000002", 7800.0),
        ("23-2019-000003", 23400.0),
    ]
    assert [one.kind for one in published_numbers(told)] == ["invoice", "invoice", "credit-note"]
    (corrects,) = [
        one["valueReference"]["identifier"]["value"]
        for one in told[2]["extension"]
        if one["url"].endswith("/settlement-corrected-invoice")
    ]
    assert corrects == "23-2019-000001"
    kept = await rows(dsn, "select number, kind, dated from invoice order by ordinal")
    assert kept == [
        ("23-2019-000001", "invoice", date(2019, 5, 2)),
        ("23-2019-000002", "invoice", date(2019, 6, 3)),
        ("23-2019-000003", "credit-note", date(2019, 6, 3)),
    ]


async def test_a_statement_that_is_refused_takes_no_number(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "LARGEST_STATEMENT", 30_000)  # April's is larger
    await spring(dsn)
    assert await rows(dsn, "select number from invoice") == []
    assert await rows(dsn, "select last from invoice_series") == []
    monkeypatch.undo()
    await settled(dsn, "2019-04", "2019-05-02", issue=True, municipalities=("2380",))
    assert await rows(dsn, "select number from invoice") == [("23-2019-000001",)]


async def test_a_lost_statement_is_kept_again_with_its_number(dsn: str) -> None:
    """After a restore: another region's document must not get the number, and the statement gets it back."""
    await spring(dsn)
    ((name, bundle),) = await rows(
        dsn,
        "select statement.id, bundle from statement join invoice on statement = statement.id",
    )
    ((ce_id, issued_at, payload),) = await rows(
        dsn,
        "select ce_id, created_at, payload from event join invoice on statement = case_id",
    )
    lost = """
        set session_replication_role = replica;
        delete from outbox; delete from event where case_id = '{0}';
        delete from statement_resource where statement = '{0}'; delete from statement where id = '{0}';
        delete from invoice; delete from invoice_series;
    """
    connection = await asyncpg.connect(dsn)
    await connection.execute(lost.format(name))
    await connection.close()
    event = Staged(
        lane="2380",
        case_id=name,
        revision=1,
        type="se.losus.settlement.issued.v1",
        ce_id=ce_id,
        payload=payload,
        closing=False,
        at=issued_at,
        partition=0,
        offset=1,
        delivered_at=issued_at,
    )
    async with database(dsn) as opened, opened.transaction() as connection:
        done = await keep_again(connection, event, at("2019-05-10"))
        assert done.outcome == "blocked"
        assert await allocate(connection, "23", wanted("invoice", day=date(2019, 5, 10))) == (
            "23-2019-000002",
        )
    later = issued_at + timedelta(days=9)
    await settled(dsn, "2019-04", f"{later:%Y-%m-%d}", issue=True, municipalities=("2380",))
    assert (name, bundle) in await rows(dsn, "select id, bundle from statement")
    assert await rows(dsn, "select number, statement from invoice order by ordinal") == [
        ("23-2019-000001", name),
        ("23-2019-000002", "statement"),
    ]
