"""The front of the audit goes after its years; an anchor stays, and tampering shows as before."""

from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import pytest

from adapter.retention import Kind
from adapter.store.audit import Entry, Head, append, head, name_of, read, verify
from adapter.store.delivery_batch import DELIVER, batch_of
from adapter.store.migrate import migrate
from tests.settling.hospital import database
from tests.store.aging import (
    close_through,
    counted,
    erased,
    just,
    made_old,
    now,
    over,
    owner,
    past_triggers,
    sent,
)

ONE = Entry(over(5), "staff", "person", "read", ("case/abc",), "ok", "auditor", "2380", "192.0.2.7")


async def chain(dsn: str, *entries: Entry) -> list[Head]:
    """A chain of these entries: the head after each."""
    await migrate(dsn)
    async with database(dsn) as opened, opened.transaction() as connection:
        return [await append(connection, [one]) for one in entries]


async def checked(dsn: str, kept: Head | None = None) -> int | None:
    async with database(dsn) as opened, opened.transaction() as connection:
        return await verify(connection, kept)


async def left(dsn: str) -> list[int]:
    async with database(dsn) as opened, opened.transaction() as connection:
        return [one.number async for one in read(connection)]


async def five(dsn: str) -> list[Head]:
    """Three entries of which five years are over, one of the last day of which they are not, one of now."""
    old = [replace(ONE, at=over(5) - timedelta(days=n)) for n in (2, 1, 0)]
    return await chain(dsn, *old, replace(ONE, at=just(5)), replace(ONE, at=now()))


async def test_the_chain_goes_on_from_its_anchor(dsn: str) -> None:
    heads = await five(dsn)
    gone = await erased(dsn, Kind.AUDIT, audit_years=5)
    assert gone[Kind.AUDIT].rows == {"audit": 3}
    assert await left(dsn) == [4, 5, 6]
    async with database(dsn) as opened, opened.transaction() as connection:
        [*_, said] = [one.entry async for one in read(connection)]
        last = await head(connection)
    assert (said.action, said.count) == ("erase", 3)
    assert said.what == (name_of(heads[2]), "deliveries/1-0")
    assert said.why.startswith("HSLF-FS 2016:40 4:9: 5 years, before ")
    for kept, broken, because in (
        (None, None, "whole"),
        (heads[4], None, "a head that was noted before"),
        (last, None, "and one after"),
        (heads[2], None, "the anchor itself"),
        (replace(heads[2], hash=bytes(32)), 3, "not that of the row that was there"),
        (heads[0], None, "of a row that is gone nothing can be said"),
        (Head(7, bytes(32)), 7, "the end was cut off"),
    ):
        assert await checked(dsn, kept) == broken, because
    assert (await erased(dsn, Kind.AUDIT, audit_years=5))[Kind.AUDIT].rows == {}, "nothing more is old"
    assert await left(dsn) == [4, 5, 6]


TAMPERING = [
    # statement of somebody whom no trigger binds, first broken row, because
    ("update audit set who = 'x' where number = 4", 4, "the first row that is left"),
    ("delete from audit where number = 4", 4, "taken out"),
    ("delete from audit where number <= 5", 4, "the front cut further, past the anchor"),
    ("update audit_anchor set hash = sha256('x')", 4, "another anchor"),
    ("delete from audit_anchor", 1, "no anchor: where are the rows before?"),
    ("delete from audit where number = 6", 3, "nothing names the anchor any more"),
    (
        """insert into audit_anchor select number, hash, now() from audit where number = 4;
           delete from audit where number = 4""",
        4,
        "an anchor that nobody wrote into the chain",
    ),
]


@pytest.mark.parametrize(("statements", "broken", "because"), TAMPERING)
async def test_tampering_shows_behind_an_anchor(dsn: str, statements: str, broken: int, because: str) -> None:
    await five(dsn)
    await erased(dsn, Kind.AUDIT, audit_years=5)
    await past_triggers(dsn, *((one,) for one in statements.split(";")))
    assert await checked(dsn) == broken, because


async def delivered(dsn: str, at: datetime) -> None:
    """All events told at that time, and that in the chain."""
    async with database(dsn) as opened, opened.transaction() as connection:
        await connection.execute("insert into delivery (event, at) select id, $1 from event order by id", at)
        first, last = await connection.fetchrow("select min(number), max(number) from delivery")
        batch = await batch_of(connection, first, last)
        said = ("system", "losus relay", DELIVER, (batch.what,), "ok", batch.digest)
        covers = await append(connection, [Entry(at, *said, count=batch.count)])
        await connection.execute("insert into delivery_batch values ($1, $2)", last, covers.number)


CHAINED = [
    # when it was delivered, the case goes, because
    (over(10), True, "the audit of it goes first, then the delivery, then the case"),
    (just(10), False, "the audit has a hash of it, and stays"),
]


@pytest.mark.parametrize(("at", "goes", "because"), CHAINED)
async def test_a_case_stays_as_long_as_the_audit_of_its_deliveries(
    dsn: str, at: datetime, goes: bool, because: str
) -> None:
    await sent(dsn, 1)
    await close_through(dsn, "2019-12")
    await delivered(dsn, at)
    await made_old(dsn, 1, over(10))
    gone = await erased(dsn, audit_years=5)
    assert bool(gone[Kind.CASES].of) is goes, because
    found = await counted(dsn, "cases", "delivery")
    assert found == ({"cases": 0, "delivery": 0} if goes else {"cases": 1, "delivery": 14})
    assert await checked(dsn) is None
    if goes:
        await sent(dsn, 2)
        await delivered(dsn, now())
        assert await checked(dsn) is None, "and goes on with the delivery after those"
        await past_triggers(dsn, ("delete from delivery where number = (select min(number) from delivery)",))
        assert await checked(dsn) is not None


async def test_what_tells_of_deliveries_stays_ten_years(dsn: str) -> None:
    """PDL 3:11: it is of the patient's record. Whatever comes after it stays too: a chain has no holes."""
    await chain(dsn, ONE, replace(ONE, action="deliver"), ONE, replace(ONE, at=now()))
    await erased(dsn, Kind.AUDIT, audit_years=5)
    assert await left(dsn) == [2, 3, 4, 5]
    await past_triggers(dsn, ("update audit set at = $1 where number = 2", over(10)))
    await erased(dsn, Kind.AUDIT, audit_years=5)
    assert await left(dsn) == [4, 5, 6]


async def test_the_database_itself_refuses(dsn: str) -> None:
    await five(dsn)
    async with owner(dsn) as connection:
        for given, statement, because in (
            ("", "delete from audit where number = 1", "not by retention"),
            ("set local losus.retention = 'on';", "delete from audit where number = 1", "no anchor"),
            (
                """set local losus.retention = 'on';
                   insert into audit_anchor values (5, '', now());""",
                "delete from audit where number = 4",
                "too young, whatever the anchor says",
            ),
            ("", "truncate audit", "all at once"),
            ("", "delete from audit_anchor", "an anchor stays"),
        ):
            trial = connection.transaction()
            await trial.start()
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await _refused(connection, given + statement, because)
            await trial.rollback()


async def _refused(connection: asyncpg.Connection, statement: str, because: str) -> None:
    await connection.execute(statement)
    raise AssertionError(because)
