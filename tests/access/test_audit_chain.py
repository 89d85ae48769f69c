"""The audit: only ever added to, chained so that tampering shows, whole under many writers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.access.ledger import Ledger
from adapter.errors import UnavailableError
from adapter.store.audit import Entry, Head, Selection, append, head, link, read, verify
from adapter.store.database import Database, connect
from adapter.store.migrate import migrate
from tests.access.issuer import NOW
from tests.examples import examples

ONE = Entry(
    at=NOW,
    kind="staff",
    who="person",
    action="read",
    what=("case/abc", "case/def"),
    outcome="ok",
    why="auditor",
    municipality="2380",
    address="192.0.2.7",
    count=1,
)


def entry(number: int) -> Entry:
    return Entry(
        NOW + timedelta(seconds=number), "source", f"s{number}", "read", (f"case/{number}",), "ok", "x"
    )


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[Database]:
    await migrate(dsn)
    opened = await connect(dsn)
    yield opened
    await opened.close()


async def filled(store: Database, number: int = 5) -> None:
    async with store.transaction() as connection:
        await append(connection, [entry(n) for n in range(number)])


async def checked(store: Database, kept: Head | None = None) -> int | None:
    async with store.transaction() as connection:
        return await verify(connection, kept)


async def test_what_was_added_is_read_as_it_was(store: Database) -> None:
    async with store.transaction() as connection:
        assert await head(connection) == Head(0, bytes(32))
        first = await append(connection, [ONE])
        second = await append(connection, [entry(1), entry(2)])
        kept = [one async for one in read(connection)]
    assert [one.number for one in kept] == [1, 2, 3]
    assert [one.entry for one in kept] == [ONE, entry(1), entry(2)]
    assert (first, second) == (Head(1, kept[0].hash), Head(3, kept[2].hash))
    assert [one.previous for one in kept] == [bytes(32), kept[0].hash, kept[1].hash]
    assert await checked(store) is None


CHANGES = [
    # statement of somebody who may do all, first broken row, because
    ("update audit set who = 'somebody' where number = 3", 3, "who"),
    ("update audit set at = at + interval '1 microsecond' where number = 3", 3, "when"),
    ("update audit set what = '{case/9}' where number = 3", 3, "what"),
    ("update audit set what = '{}' where number = 3", 3, "what, nothing"),
    ("update audit set outcome = 'refused' where number = 3", 3, "the outcome"),
    ("update audit set why = 'y' where number = 3", 3, "why"),
    ("update audit set municipality = '2380' where number = 3", 3, "whose persons"),
    ("update audit set address = '192.0.2.7' where number = 3", 3, "where from"),
    ("update audit set count = 2 where number = 3", 3, "how many"),
    ("update audit set kind = 'staff' where number = 3", 3, "what sort"),
    ("update audit set action = 'search' where number = 3", 3, "what was done"),
    ("update audit set hash = sha256('x') where number = 3", 3, "the hash itself"),
    ("update audit set previous = sha256('x') where number = 3", 3, "the link"),
    ("delete from audit where number = 3", 3, "a row taken out"),
    ("delete from audit where number = 1", 1, "the first row taken out"),
    ("update audit set number = 17 where number = 5", 5, "a gap"),
    (
        "update audit set number = -number + 7, at = at where number in (3, 4)",
        3,
        "two rows in each other's place",
    ),
    (
        """insert into audit select 6, at, kind, who, action, what, outcome, why, municipality, address,
                                    count, hash, sha256('y') from audit where number = 5""",
        6,
        "a row put in",
    ),
]


@pytest.mark.parametrize(("statement", "broken", "because"), CHANGES)
async def test_tampering_shows(store: Database, dsn: str, statement: str, broken: int, because: str) -> None:
    await filled(store)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("alter table audit disable trigger all")
        await connection.execute(
            "alter table audit drop constraint audit_pkey, drop constraint audit_number_check"
        )
        await connection.execute(statement)
    finally:
        await connection.close()
    assert await checked(store) == broken, because


#: What is done to row `at`, and to `to` beside it; the first row that is told.
DONE = {
    "update audit set why = why || 'x' where number = {at}": "{at}",
    "delete from audit where number between {at} and {to}": "{at}",
    "update audit set at = (select max(at) from audit) + interval '1 s' where number = {at}": "{at}",
    "update audit set number = {at} + {to} - number where number in ({at}, {to})": "{at}",
    "update audit set number = number + 1 where number >= {at}": "{at}",
    "update audit set hash = sha256(hash) where number = {to}": "{to}",
}


@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example leaves it as it was
)
@given(st.data())
async def test_tampering_shows_wherever_it_is(store: Database, data: st.DataObject) -> None:
    async with store.trial() as connection:
        await append(connection, [entry(n) for n in range(12)])
        kept = await head(connection)
        await connection.execute("alter table audit disable trigger all")
        await connection.execute("alter table audit drop constraint audit_pkey")
        done, told = data.draw(st.sampled_from(sorted(DONE.items())))
        at = data.draw(st.integers(1, 11))
        to = data.draw(st.integers(at + 1, 12))
        await connection.execute(done.format(at=at, to=to))
        assert await verify(connection, kept) == int(told.format(at=at, to=to)), (done, at, to)


async def test_an_end_that_was_cut_off_shows_by_the_head_that_was_kept(store: Database, dsn: str) -> None:
    await filled(store)
    async with store.transaction() as connection:
        kept = await head(connection)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("alter table audit disable trigger all")
        await connection.execute("delete from audit where number >= 4")
    finally:
        await connection.close()
    assert (await checked(store), await checked(store, kept)) == (None, 4)
    await filled(store)
    assert (await checked(store), await checked(store, kept)) == (None, 5), "made anew, and longer"


async def test_the_head_of_an_earlier_day_is_still_in_the_chain(store: Database) -> None:
    await filled(store)
    async with store.transaction() as connection:
        kept = await head(connection)
    await filled(store)
    assert await checked(store, kept) is None


@pytest.mark.parametrize("statement", ["update audit set who = 'x'", "delete from audit", "truncate audit"])
async def test_the_database_refuses_to_change_it(store: Database, statement: str) -> None:
    await filled(store)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="only ever added to"):
        async with store.transaction() as connection:
            await connection.execute(statement)
    assert await checked(store) is None


async def test_many_writers_make_one_chain(store: Database) -> None:
    async def write(number: int) -> None:
        async with store.transaction() as connection:
            await append(connection, [entry(number), entry(number + 1000)])

    await asyncio.gather(*(write(number) for number in range(40)))
    async with store.transaction() as connection:
        kept = [one.entry.who async for one in read(connection)]
    assert sorted(kept) == sorted(f"s{n + m}" for n in range(40) for m in (0, 1000))
    assert await checked(store) is None


async def test_what_was_rolled_back_leaves_no_gap(store: Database) -> None:
    async def fail() -> None:
        async with store.transaction() as connection:
            await append(connection, [entry(1)])
            await connection.execute("select 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail()
    await filled(store, 2)
    assert await checked(store) is None


SELECTED = [
    # selection, who, because
    (Selection(), ["s0", "s1", "s2", "s3", "s4"], "all"),
    (Selection(since=NOW + timedelta(seconds=3)), ["s3", "s4"], "from an instant on"),
    (Selection(until=NOW + timedelta(seconds=3)), ["s0", "s1", "s2"], "before an instant"),
    (Selection(what="case/2"), ["s2"], "of a case: PDL 8:5, what the patient may ask"),
    (Selection(who="s1"), ["s1"], "by somebody"),
    (Selection(what="case/2", who="s1"), [], "both"),
]


@pytest.mark.parametrize(("wanted", "who", "because"), SELECTED)
async def test_what_is_asked_for(store: Database, wanted: Selection, who: list[str], because: str) -> None:
    await filled(store)
    async with store.transaction() as connection:
        assert [one.entry.who async for one in read(connection, wanted)] == who, because


async def test_pages_are_whole(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(store, 6)
    for page in (1, 2, 3, 6, 7):
        monkeypatch.setattr("adapter.store.audit._PAGE", page)
        async with store.transaction() as connection:
            assert [one.number async for one in read(connection)] == [1, 2, 3, 4, 5, 6]


async def test_notes_that_come_together_are_written_together(store: Database) -> None:
    """A transaction for each would be as slow as the disk; yet each is durable when its note returns."""
    ledger = Ledger(store)
    async with store.transaction() as connection:
        before = await connection.fetchval("select pg_current_xact_id()::text::bigint")
    await asyncio.gather(*(ledger.note(entry(number)) for number in range(100)))
    async with store.transaction() as connection:
        after = await connection.fetchval("select pg_current_xact_id()::text::bigint")
        assert (await head(connection)).number == 100
    assert after - before < 10
    assert await checked(store) is None


async def test_a_note_that_cannot_be_written_fails_for_all_of_them(dsn: str) -> None:
    await migrate(dsn)
    store = await connect(dsn)
    ledger = Ledger(store)
    await ledger.note(entry(0))
    await store.close()
    failed = await asyncio.gather(*(ledger.note(entry(n)) for n in range(5)), return_exceptions=True)
    assert [type(one) for one in failed] == [UnavailableError] * 5


async def test_a_note_that_is_given_up_holds_nobody_up(store: Database) -> None:
    ledger = Ledger(store)
    notes = [asyncio.create_task(ledger.note(entry(number))) for number in range(10)]
    await asyncio.sleep(0)
    notes[0].cancel()
    done = await asyncio.gather(*notes, return_exceptions=True)
    assert [one for one in done if isinstance(one, Exception)] == []
    async with store.transaction() as connection:
        written = {one.entry.who async for one in read(connection)}
    assert written >= {f"s{number}" for number in range(1, 10)}
    assert await checked(store) is None


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
said = st.builds(
    Entry,
    at=st.datetimes(timezones=st.timezones()).filter(lambda at: 1900 < at.year < 2200),
    kind=text,
    who=text,
    action=text,
    what=st.lists(text, max_size=3).map(tuple),
    outcome=text,
    why=text,
    municipality=st.none() | text,
    address=text,
    count=st.integers(1, 2**31 - 1),
)


@given(said, said)
def test_no_two_rows_have_the_same_hash(one: Entry, another: Entry) -> None:
    """Whatever is moved from one field to the next."""
    before = Head(7, bytes(32))
    same: Any = one == another
    assert (link(before, one) == link(before, another)) is same
    assert link(before, one) != link(Head(8, bytes(32)), one)
    assert link(before, one) != link(Head(7, b"1" * 32), one)
