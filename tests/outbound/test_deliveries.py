"""Deliveries: written once, with the settling of a claim; chained in order, none passed over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from adapter.outbound.parked import MESSAGE_PARKED
from adapter.store import audit, deliveries, quarantine, republish
from adapter.store import outbox as store
from adapter.store.database import asked_by
from adapter.store.intake import EventRow
from adapter.store.outbox import Published
from adapter.store.quarantine import Refusal
from tests.outbound.outboxes import add, event, outbox

THEN = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
WRITTEN = """select case_id, revision, municipality, at, partition, "offset", asked
             from delivery join event on event.id = event order by number"""


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """An outbox with two events of a case, and one of another."""
    async with outbox(dsn) as opened:
        await add(dsn, event("2380", "a", 1), event("2380", "a", 2), event("2309", "b", 1))
        yield opened


async def settle(connection: asyncpg.Connection, *ids: int, **more: Any) -> None:
    async with connection.transaction():
        await store.settle(connection, "share-0", Published(ids, THEN, **more))


async def chain(connection: asyncpg.Connection, most: int = deliveries.BATCH) -> list[int]:
    """What a relay does now and then: the size of each batch."""
    sizes: list[int] = []
    async with connection.transaction():
        to = await deliveries.written_to(connection)
    while True:
        async with connection.transaction():
            done = await deliveries.chain(connection, to, most)
        if not done:
            return sizes
        sizes.append(done)


async def test_what_kafka_has_is_written_down_with_the_settling(connection: asyncpg.Connection) -> None:
    await settle(connection, 1, 2, places={1: (2, 17)})
    rows = [tuple(row) for row in await connection.fetch(WRITTEN)]
    assert rows == [
        ("a", 1, "2380", THEN, 2, 17, None),
        ("a", 2, "2380", THEN, None, None, None),  # known from the relay's progress alone
    ]
    assert await connection.fetchval("select array_agg(event) from outbox") == [3]


async def test_settled_twice_it_is_written_once(connection: asyncpg.Connection) -> None:
    """Whoever mends a claim after a crash need not know whether the one before had come so far."""
    await settle(connection, 1, 2)
    await settle(connection, 1, 2, 3)
    assert [row["case_id"] for row in await connection.fetch(WRITTEN)] == ["a", "a", "b"]


async def test_not_settled_it_is_not_written(connection: asyncpg.Connection) -> None:
    """One transaction: a crash before its end leaves neither."""
    crashed = connection.transaction()
    await crashed.start()
    await store.settle(connection, "share-0", Published([1], THEN))
    await crashed.rollback()
    assert await connection.fetch(WRITTEN) == []
    assert await connection.fetchval("select count(*) from outbox") == 3


async def test_what_the_region_keeps_to_itself_was_delivered_to_nobody(
    dsn: str, connection: asyncpg.Connection
) -> None:
    await add(dsn, EventRow("c", None, 1, "se.losus.case.changed.v1", "c", b"{}"))
    await add(dsn, EventRow("c", None, 1, MESSAGE_PARKED, "d", b"{}"))
    await settle(connection, 4, 5)
    assert await connection.fetch(WRITTEN) == []
    assert await connection.fetchval("select count(*) from outbox") == 3


async def test_who_asked_is_borne_to_the_delivery(connection: asyncpg.Connection) -> None:
    await settle(connection, 1, 2, 3)
    async with connection.transaction():
        await asked_by(connection, 41)
        await republish.put_again(connection, [1, 2])
    async with connection.transaction():  # the next one in the same session
        await republish.put_again(connection, [3])
    await settle(connection, 1, 2, 3)
    asked = [row["asked"] for row in await connection.fetch(WRITTEN)]
    assert asked == [None, None, None, 41, 41, None]


@pytest.mark.parametrize(
    ("asks", "releases", "asked", "because"),
    [
        (41, None, 41, "put behind and taken up again it is still what was asked for"),
        (None, 42, 42, "who released it let it go"),
        (41, 42, 42, "the last word"),
        (None, None, None, "nobody"),
    ],
)
async def test_who_asked_is_not_lost_where_a_case_is_refused(
    connection: asyncpg.Connection, asks: int | None, releases: int | None, asked: int | None, because: str
) -> None:
    await connection.execute("delete from outbox")
    async with connection.transaction():
        await asked_by(connection, asks)
        await republish.put_again(connection, [1, 2])
    await quarantine.park(connection, [Refusal(1, "2380", "a", "MessageSizeTooLargeError")])
    one = await store.claim(
        connection, "share-0", ["2380"], most=9, share=0, id="once", producer="p", since=0
    )
    assert one is None, "what comes after it is put behind it"
    async with connection.transaction():
        await asked_by(connection, releases)
        assert await quarantine.release(connection, "2380", "a")
    await quarantine.take_up(connection, ["2380"])
    await settle(connection, 1, 2)
    assert [row["asked"] for row in await connection.fetch(WRITTEN)] == [asked, asked], because


@pytest.mark.parametrize(
    "statement", ["update delivery set at = now()", "delete from delivery", "truncate delivery"]
)
async def test_the_database_refuses_to_change_it(connection: asyncpg.Connection, statement: str) -> None:
    await settle(connection, 1)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=r"only ever added to|is kept"):
        await connection.execute(statement)


async def test_batches_are_chained_in_order_and_once(connection: asyncpg.Connection) -> None:
    assert await chain(connection) == []
    await settle(connection, 1, 2, 3)
    assert await deliveries.unchained(connection) == deliveries.Unchained(3, THEN)
    assert await chain(connection, 2) == [2, 1]
    assert await chain(connection) == []
    entries = [one.entry async for one in audit.read(connection)]
    assert [(one.action, one.what, one.count) for one in entries] == [
        ("deliver", ("deliveries/1-2",), 2),
        ("deliver", ("deliveries/3-3",), 1),
    ]
    assert await deliveries.unchained(connection) == deliveries.Unchained(0, None)
    assert await audit.verify(connection) is None


async def test_a_number_that_was_never_used_is_no_gap(connection: asyncpg.Connection) -> None:
    await connection.execute("select nextval(pg_get_serial_sequence('delivery', 'number'))")
    await settle(connection, 1)
    await connection.execute("select nextval(pg_get_serial_sequence('delivery', 'number'))")
    await settle(connection, 2)
    assert await chain(connection, 1) == [1, 1]
    assert await audit.verify(connection) is None


async def test_none_is_passed_over_that_commits_late(dsn: str, connection: asyncpg.Connection) -> None:
    """A relay that drew its numbers first and commits last: the scribe waits for it."""
    other = await asyncpg.connect(dsn)
    slow = connection.transaction()
    await slow.start()
    await store.settle(connection, "share-0", Published([1], THEN))
    await settle(other, 2)

    async def scribe() -> list[int]:
        third = await asyncpg.connect(dsn)
        try:
            return await chain(third)
        finally:
            await third.close()

    waiting = asyncio.create_task(scribe())
    while not await other.fetchval(
        """select count(*) from pg_locks where locktype = 'advisory' and not granted
             and database = (select oid from pg_database where datname = current_database())"""
    ):
        assert not waiting.done(), "it took what was there, and would never have looked back"
    await slow.commit()
    assert await waiting == [2]
    assert await audit.verify(other) is None
    await other.close()


async def test_two_scribes_chain_each_delivery_once(dsn: str, connection: asyncpg.Connection) -> None:
    await settle(connection, 1, 2, 3)
    others = [await asyncpg.connect(dsn) for _ in range(3)]
    await asyncio.gather(*(chain(one, 1) for one in others))
    await chain(connection, 1)
    assert [one.entry.what async for one in audit.read(connection)] == [
        ("deliveries/1-1",),
        ("deliveries/2-2",),
        ("deliveries/3-3",),
    ]
    for one in others:
        await one.close()


TAMPERINGS = [
    # what somebody does who may do all, row of the audit that is told, because
    ("update delivery set at = at + interval '1 microsecond' where number = 2", 1, "when"),
    ("update delivery set event = 3 where number = 2", 1, "what"),
    ("update delivery set partition = 1 where number = 2", 1, "where"),
    ('update delivery set "offset" = 1 where number = 2', 1, "where exactly"),
    ("update delivery set asked = 1 where number = 3", 2, "who asked for it"),
    ("update event set municipality = '2361' where id = 2", 1, "to whom"),
    ("update event set case_id = 'z' where id = 3", 2, "of which case"),
    ("update event set revision = 9 where id = 3", 2, "which revision"),
    ("update event set type = 'x' where id = 1", 1, "what sort"),
    ("update event set ce_id = 'x' where id = 1", 1, "what it said, of which this is the hash"),
    ("update event set closing = true where id = 1", 1, "a last word"),
    ("update event set form = 'statutory' where id = 1", 1, "under which payload"),
    ("update event set ground = 'LUS 3:1' where id = 1", 1, "why"),
    ("delete from delivery where number = 1", 1, "one taken out"),
    ("delete from delivery where number = 3", 2, "the last one taken out"),
    (
        "insert into delivery (number, event, at) overriding system value values (4, 1, now())",
        2,
        "one put in where a number was not used",
    ),
    ("update delivery set event = 3 - event where number < 3", 1, "two in each other's place"),
    ("update audit set why = repeat('0', 64) where number = 2", 2, "the digest"),
    ("update audit set count = 3 where number = 1", 1, "how many"),
    ("update audit set what = '{deliveries/1-1}' where number = 1", 1, "which of them"),
    ("delete from audit where number = 1", 1, "a batch taken out of the chain"),
]


async def test_tampering_shows(connection: asyncpg.Connection) -> None:
    await settle(connection, 1, 2)
    await chain(connection)
    await settle(connection, 3)
    await connection.execute("select setval(pg_get_serial_sequence('delivery', 'number'), 4)")
    await republish.put_again(connection, [3])
    await settle(connection, 3)
    assert await chain(connection) == [2]
    assert await audit.verify(connection) is None
    for statement, broken, because in TAMPERINGS:
        somebody = connection.transaction()
        await somebody.start()
        for table in ("audit", "delivery", "event"):
            await connection.execute(f"alter table {table} disable trigger all")
        await connection.execute(statement)
        assert await audit.verify(connection) == broken, because
        await somebody.rollback()
    assert await audit.verify(connection) is None
