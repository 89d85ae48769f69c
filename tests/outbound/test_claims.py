"""Claims on the outbox: which events, of which lanes, in which order; what is put behind a parked case."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from adapter.outbound.parked import MESSAGE_PARKED
from adapter.outbound.records import DEAD_LETTER_LANE, UNROUTED_LANE, records, share_of
from adapter.outbound.topics import DEAD_LETTER, SHARES, UNROUTED, topics_of_lane
from adapter.store import outbox as store
from adapter.store import quarantine
from adapter.store.intake import EventRow
from adapter.store.outbox import Claim, Published
from adapter.store.quarantine import Refusal
from tests.outbound.outboxes import add, add_some, event, outbox


async def claimed(connection: asyncpg.Connection, *lanes: str, most: int = 100) -> Claim | None:
    return await store.claim(
        connection, "share-0", lanes, most=most, share=0, id="once", producer="p", since=0
    )


@pytest.mark.parametrize(
    ("waiting", "most", "expected", "because"),
    [
        ({"2380": 50}, 20, {"2380": 20}, "alone it takes all there is room for"),
        ({"2380": 50, "2309": 1}, 20, {"2380": 10, "2309": 1}, "no more than its half beside another"),
        ({"2380": 50, "2309": 50, "2305": 50, "2361": 1}, 20, {"2380": 5, "2309": 5, "2305": 5, "2361": 1},
         "a backlog holds up nobody"),
        ({f"{n}": 1 for n in range(1000, 1030)}, 20, {f"{n}": 1 for n in range(1000, 1020)}, "oldest first"),
    ],
)  # fmt: skip
async def test_no_lane_takes_more_than_its_part(
    dsn: str, waiting: dict[str, int], most: int, expected: dict[str, int], because: str
) -> None:
    async with outbox(dsn) as connection:
        for lane, events in waiting.items():
            await add_some(dsn, lane, range(1, events + 1), cases=1)
        assert await store.waiting_lanes(connection) == sorted(waiting)
        one = await claimed(connection, *waiting, most=most)
    assert one is not None
    assert Counter(found.lane for found in one.events) == expected, because
    assert one.ids == sorted(one.ids)


async def test_settled_they_are_gone_and_forgotten_they_wait_again(dsn: str) -> None:
    async with outbox(dsn) as connection:
        await add_some(dsn, "2380", range(1, 4), cases=1)
        first = await claimed(connection, "2380")
        assert first is not None
        assert await store.open_claims(connection, 0) == [first], "whoever comes next finds it"
        assert await store.open_claims(connection, 1) == []
        await store.forget(connection, "share-0")
        assert await store.open_claims(connection, 0) == []
        again = await claimed(connection, "2380")
        assert again == replace(first, number=2), "the same events, the next claim of the slot"
        await store.settle(connection, "share-0", Published(first.ids, datetime.now(UTC)))
        assert await claimed(connection, "2380") is None


async def test_what_comes_after_a_refused_event_waits_behind_it(dsn: str) -> None:
    async with outbox(dsn) as connection:
        await add(dsn, *(event("2380", case, n) for n in (1, 2, 3) for case in ("held", "free")))
        one = await claimed(connection, "2380")
        assert one is not None
        await quarantine.park(connection, [Refusal(one.ids[2], "2380", "held", "MessageSizeTooLargeError")])
        left = await claimed(connection, "2380")
        assert left is not None
        seen = [(found.event.case_id, found.event.revision) for found in left.events]
        assert seen == [("held", 1), ("free", 1), ("free", 2), ("free", 3)], "what came before it goes"
        [parked] = await quarantine.parked_cases(connection)
        assert parked.events == 2
        assert await quarantine.release(connection, "2380", "held")
        assert await quarantine.take_up(connection, ["2380"]) == ["2380"]
        whole = await claimed(connection, "2380")
        assert whole is not None
        assert whole.ids == one.ids, "all of it, in its old order"


@pytest.mark.parametrize(
    ("type_", "municipality", "lane", "topic"),
    [
        ("se.losus.case.changed.v1", "2380", "2380", "losus.2380.events"),
        ("se.losus.case.changed.v1", None, UNROUTED_LANE, UNROUTED),
        ("se.losus.settlement.issued.v1", "2380", "2380", "losus.2380.settlements"),
        ("se.losus.settlement.issued.v1", None, UNROUTED_LANE, UNROUTED),
        (MESSAGE_PARKED, None, DEAD_LETTER_LANE, DEAD_LETTER),
        ("se.losus.case.expired.v1", "2380", "2380", "losus.2380.cases"),
    ],
)
async def test_the_lane_of_an_event_and_its_first_topic(
    dsn: str, type_: str, municipality: str | None, lane: str, topic: str
) -> None:
    async with outbox(dsn) as connection:
        await add(dsn, EventRow("case", municipality, 1, type_, "id", b"{}"))
        await connection.execute("delete from outbox")
        await connection.execute("insert into outbox select id from event")  # as who knows of no lanes does
        one = await claimed(connection, lane)
    assert one is not None
    [found] = one.events
    told = [record[0] for record in records(found.event, found.lane, found.created_at, "urn:test")]
    assert (found.lane, told[0]) == (lane, topic)
    assert set(told) <= set(topics_of_lane(lane))


async def test_the_same_revision_may_stand_in_two_lanes_and_in_one_once(dsn: str) -> None:
    async with outbox(dsn):
        await add(dsn, EventRow("1", None, 1, "se.losus.case.changed.v1", "a", b"{}"))
        await add(dsn, EventRow("1", None, 1, MESSAGE_PARKED, "b", b"{}"))
        with pytest.raises(asyncpg.UniqueViolationError):
            await add(dsn, EventRow("1", None, 1, MESSAGE_PARKED, "c", b"{}"))


def test_every_lane_has_a_share_and_the_shares_are_all_used() -> None:
    """Recorded: another dealing out would let two relays of different versions publish one lane."""
    dealt = [share_of(f"{code}") for code in range(1000, 2600)]
    assert set(dealt) == set(range(SHARES))
    assert [share_of(lane) for lane in ("2380", "2361", "unrouted", "dead-letter")] == [0, 0, 2, 1]
