"""A case is taken out whole, ten years after its last entry, and not while anything of it is to be done."""

from datetime import date, datetime, time, timedelta

import asyncpg
import pytest

from adapter.losus.days import at_local, local_day
from adapter.retention import Kind, period_of, years_ago
from adapter.store.audit import read, verify
from adapter.store.erasing import may_go
from adapter.store.migrate import migrate
from tests.service import renewed, service
from tests.settling.hospital import corrected, database, messages, rows, tell
from tests.store.aging import (
    OF_A_CASE,
    close_through,
    counted,
    erased,
    just,
    made_old,
    now,
    over,
    owner,
    past_triggers,
    published,
    sent,
)

OVER = [
    # last entry (UTC), years, today, is over, because
    ("2016-03-04T12:00Z", 10, "2026-03-04", False, "the tenth year ends with this day"),
    ("2016-03-04T12:00Z", 10, "2026-03-05", True, "it has ended"),
    ("2016-03-04T22:59Z", 10, "2026-03-05", True, "23:59 by a Swedish clock: still the 4th"),
    ("2016-03-04T23:00Z", 10, "2026-03-05", False, "midnight by a Swedish clock: the 5th"),
    ("2016-07-04T21:59Z", 10, "2026-07-05", True, "summer time: still the 4th"),
    ("2016-07-04T22:00Z", 10, "2026-07-05", False, "summer time: the 5th"),
    ("2016-02-29T12:00Z", 10, "2026-02-28", False, "of a leap day the 28th is the last"),
    ("2016-02-29T12:00Z", 10, "2026-03-01", True, "so the 1st of March is after it"),
    ("2016-02-29T12:00Z", 12, "2028-02-29", False, "where there is one it counts"),
    ("2018-02-28T12:00Z", 10, "2028-02-28", False, "to the day"),
    ("2018-02-28T12:00Z", 10, "2028-02-29", True, "the day after is the 29th"),
    ("2016-03-04T12:00Z", 5, "2021-03-05", True, "five years of the audit"),
]


async def test_when_years_are_over(dsn: str) -> None:
    """By the database, and by what looks for them; then every day around a leap day of both."""
    await migrate(dsn)
    days = [date(year, 2, 26) + timedelta(days=n) for year in (2026, 2028) for n in range(6)]
    lasts = [date(year, 2, 26) + timedelta(days=n) for year in (2016, 2018) for n in range(6)]
    async with owner(dsn) as connection:
        for last, years, day, is_over, because in OVER:
            at, today = datetime.fromisoformat(last), date.fromisoformat(day)
            assert await connection.fetchval("select years_over($1, $2, $3)", at, years, today) is is_over, (
                because
            )
            assert (local_day(at) < years_ago(today, years)) is is_over, because
        for today in days:
            for one in lasts:
                found = await connection.fetchval(
                    "select years_over($1, 10, $2)", at_local(one, time(12)), today
                )
                assert found is (one < years_ago(today, 10)), (one, today)


async def test_a_case_goes_whole_and_its_neighbour_stays_whole(dsn: str) -> None:
    await sent(dsn, 1, 2)
    await close_through(dsn, "2019-12")
    before = await counted(dsn, *OF_A_CASE)
    await made_old(dsn, 1, over(10))
    await made_old(dsn, 2, just(10))
    gone = await erased(dsn)
    assert gone[Kind.CASES].of.total() == 1
    assert await rows(dsn, "select key from cases") == [("stay-1-2",)]
    after = await counted(dsn, *OF_A_CASE)
    assert {table: before[table] - after[table] for table in OF_A_CASE} == {
        table: before[table] // 2 for table in OF_A_CASE
    }
    assert {table: count for table, count in gone[Kind.CASES].rows.items() if table in OF_A_CASE} == {
        table: before[table] // 2 for table in OF_A_CASE if before[table]
    }, "and that is what it says"
    assert await rows(dsn, "select 1 from fact where resource like '%-1' and message < 14") == []
    assert (await erased(dsn))[Kind.CASES].of.total() == 0, "once"


async def test_a_dry_run_says_the_same_and_changes_nothing(dsn: str) -> None:
    await sent(dsn, 1)
    await made_old(dsn, 1, over(10))
    before = await counted(dsn, *OF_A_CASE, "books_closed", "audit")
    trial = await erased(dsn, is_run=False, through="2019-12")
    assert await counted(dsn, *OF_A_CASE, "books_closed", "audit") == before
    await close_through(dsn, "2019-12")
    assert (await erased(dsn))[Kind.CASES] == trial[Kind.CASES]


async def test_each_transaction_is_in_the_chain_and_names_nobody(dsn: str) -> None:
    await sent(dsn, 1)
    await close_through(dsn, "2019-12")
    await made_old(dsn, 1, over(10))
    [(case_id,)] = await rows(dsn, "select id from cases")
    await erased(dsn)
    async with database(dsn) as opened, opened.transaction() as connection:
        entries = [one.entry async for one in read(connection)]
        assert await verify(connection) is None
    [entry] = entries
    assert (entry.kind, entry.who, entry.action, entry.count) == ("system", "losus retention", "erase", 1)
    assert {"cases/1", "message/13", "event/14"} <= set(entry.what), "how many of each table"
    assert entry.why == f"PDL (2008:355) 3:17: 10 years, before {local_day(just(10))}"
    assert case_id not in str(entry)


async def later_message(dsn: str) -> None:
    """A correction that comes after ten years."""
    async with service(dsn) as client:
        await tell(client, corrected(1, "2019-03", 18, 3))
    await past_triggers(dsn, ("delete from outbox",))


KEEPS = [
    # what is so, whether the database refuses to let the case go, because
    ("select", False, "nothing keeps it"),
    ("update cases set parked = true", True, "something of it could not be read"),
    (
        """insert into held (message, source, cause, problems, since)
             values (13, 'losus-r4', 'invalid', '[]', now());
           insert into held_case (message, case_id) select 13, id from cases""",
        True,
        "a message of it is held",
    ),
    (
        "insert into outbox (event, lane) select max(id), '2380' from event",
        True,
        "the municipality has not been told all of it yet",
    ),
    (
        """insert into parked_case (lane, case_id, event, reason, parked_at)
           select '2380', case_id, max(id), 'x', now() from event group by case_id""",
        True,
        "the broker refuses an event of it",
    ),
    ("delete from event where revision < 0", False, "it still stands on the municipality's `.cases`"),
    (
        """insert into dispute (id, municipality, stay, month, asked_at)
           select 'd', '2380', id, '2019-03', now() from cases""",
        False,
        "a line of it is disputed",
    ),
    (
        """update cases set state = 'ready', picture = convert_to(
             jsonb_set(convert_from(picture, 'UTF8')::jsonb, '{ended}', 'null')::text, 'UTF8')""",
        True,
        "the stay goes on, as far as anybody said",
    ),
    ("delete from books_closed", True, "its month may still be settled"),
    ("update cases set changed_at = now()", True, "something was entered"),
    ("update event set created_at = now() where revision = 13", True, "something was told"),
    ("update message set received_at = now() where id = 2", True, "a message of it is younger"),
]


async def test_what_keeps_a_case(dsn: str) -> None:
    """Each thing by itself, on one case that could go: what looks passes it over, the database refuses it."""
    await sent(dsn, 1)
    await close_through(dsn, "2019-12")
    await made_old(dsn, 1, over(10))
    async with owner(dsn) as connection:
        [case_id] = [row["id"] for row in await connection.fetch("select id from cases")]
        for given, is_refused, because in KEEPS:
            trial = connection.transaction()
            await trial.start()
            await connection.execute(f"set local session_replication_role = replica; {given}")
            await connection.execute("set local session_replication_role = origin")
            found = await may_go(connection, [case_id], period_of(10, now()))
            assert bool(found) is (given == "select"), because
            await connection.execute("set local losus.retention = 'on'")
            if is_refused:
                with pytest.raises(
                    asyncpg.IntegrityConstraintViolationError, match="cases is kept for longer"
                ):
                    await connection.execute("delete from cases")
            else:
                await connection.execute("delete from cases")
            await trial.rollback()


async def test_a_late_message_begins_the_ten_years_anew(dsn: str) -> None:
    await sent(dsn, 1)
    await close_through(dsn, "2019-12")
    await made_old(dsn, 1, over(10))
    await later_message(dsn)
    assert (await erased(dsn))[Kind.CASES].of.total() == 0
    await past_triggers(
        dsn, ("update event set created_at = $1, revision = -15 where revision = 14", now())
    )  # as if that was told, and its time on `.cases` is over too
    await past_triggers(
        dsn,
        ("update message set received_at = $1", over(10)),
        ("update cases set changed_at = $1, revisions = '{\"2380\": 15}'", over(10)),
    )
    assert (await erased(dsn))[Kind.CASES].of.total() == 1, "and then they too are over"


async def test_what_two_stays_share_stays_until_the_last_of_them_goes(dsn: str) -> None:
    """One Patient with two stays: its record is the journal of both."""
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
        for index, one in enumerate(messages(2, "2019-05", 20)):
            text = renewed(one, f"2-{index}")
            for entry in text["entry"][1:]:
                resource = entry["resource"]
                if resource["resourceType"] == "Patient":
                    resource["id"] = "tolvan-1"
                    entry["fullUrl"] = entry["fullUrl"].replace("tolvan-2", "tolvan-1")
                for element in ("subject", "for"):
                    if element in resource:
                        resource[element]["reference"] = resource[element]["reference"].replace("-2", "-1")
            await tell(client, text)
    await published(dsn)
    await close_through(dsn, "2019-12")
    await made_old(dsn, 1, over(10))
    await made_old(dsn, 2, over(10) + timedelta(days=400))
    assert (await erased(dsn))[Kind.CASES].of.total() == 0, (
        "the second stay's messages tell of the patient too"
    )
    await past_triggers(dsn, ("delete from fact where resource = 'Patient/tolvan-1' and message > 13",))
    assert (await erased(dsn))[Kind.CASES].of.total() == 1
    assert await rows(dsn, "select resource from fact where resource like 'Patient/%'") == [
        ("Patient/tolvan-1",)
    ]
    assert await rows(dsn, "select count(*) from message where id <= 13") == [(1,)], "with what said it"
    await made_old(dsn, 2, over(10))
    await erased(dsn)
    assert set((await counted(dsn, *OF_A_CASE)).values()) == {0}


async def test_it_goes_on_where_it_was_cut_off(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.retention._CASES", 1)
    await sent(dsn, 1, 2)
    await close_through(dsn, "2019-12")
    for number in (1, 2):
        await made_old(dsn, number, over(10))
    async with owner(dsn) as connection:
        await connection.execute(
            """create function cut() returns trigger language plpgsql as $$ begin
                 if (select count(*) from cases) = 0 then raise exception 'cut off'; end if;
                 return old; end $$;
               create trigger zz_cut after delete on message for each row execute function cut()"""
        )
        with pytest.raises(asyncpg.RaiseError):
            await erased(dsn)
        assert await connection.fetchval("select count(*) from cases") == 1
        assert await connection.fetchval("select count(*) from message") == 13, "one whole, one not at all"
        assert await connection.fetchval("select count(*) from audit") == 1
        await connection.execute("drop trigger zz_cut on message")
    await erased(dsn)
    assert set((await counted(dsn, *OF_A_CASE)).values()) == {0}
