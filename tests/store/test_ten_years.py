"""What a region does all day reads as much after ten years as in the first week: by pages, never by time."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.delivery import Delivery, Door, Mark
from adapter.flow import commit
from adapter.outbound.expiry import expire
from adapter.reading import read
from adapter.refold import judge_due
from adapter.rereading import delivery_of, reread
from adapter.sandbox.database import Database as Server
from adapter.store import audit, doors, held, messages, outbox, quarantine, republish, stays
from adapter.store.audit import Entry, Selection
from adapter.store.cases import CaseFilter, case_facts, find_cases, messages_of
from adapter.store.database import Connection
from adapter.store.messages import Span
from adapter.wiring import world_of
from adapter.world import World
from tests.bench.ten_years import fill
from tests.databases import copy_of
from tests.service import settings
from tests.settling.hospital import corrected
from tests.settling.hospital import database as open_database
from tests.settling.hospital import messages as stay
from tests.store.explained import Explained, Seen


@pytest.fixture
async def dsn(database: Server, template: str) -> AsyncIterator[str]:
    """A new copy: statistics and dead rows of other tests would change what the planner does."""
    async with copy_of(database, template) as made:
        yield made


@pytest.fixture
async def other_dsn(database: Server, template: str) -> AsyncIterator[str]:
    """Another new copy."""
    async with copy_of(database, template) as made:
        yield made


#: So many cases, spread over ten years each time; the larger is what tells.
SMALL, LARGE = 25, 250
#: Pages that a statement may read more of: a level of each of its indexes, rows that lie further apart.
MORE = 20
NOW = datetime.now(UTC)
KEY = "stay-1-20"


async def take(connection: Connection, world: World) -> None:
    """A new patient's way home, two messages at a time; then the same again."""
    told = [json.dumps(one).encode() for one in stay(900_000, "2026-03", 20)]
    for _ in "ab":
        for first in range(0, len(told), 2):
            mark = Mark("topic/0", str(first))
            given = [Delivery("losus-r4", Door.MESSAGE, one, mark=mark) for one in told[first : first + 2]]
            await commit(connection, world, [read(world, one, NOW) for one in given], NOW)


async def correct(connection: Connection, world: World) -> None:
    """A message about a case of years ago; and its messages read anew."""
    body = json.dumps(corrected(20, "2026-03", 18, 9)).encode()
    await commit(connection, world, [read(world, Delivery("losus-r4", Door.MESSAGE, body), NOW)], NOW)
    found = await messages.find_messages(connection, Span(case_id=await case_of(connection)))
    for one in (await messages.load_messages(connection, found[-2:], world.seal))[:1]:
        again = read(world, delivery_of(one), one.received_at, is_kept=True)
        await reread(connection, world, one.number, again, NOW)


async def search(connection: Connection, _: World) -> None:
    """Each filter of `/cases`, a page; and one case."""
    for wanted in (
        {},
        {"source": "losus-r4"},
        {"source": "losus-r4", "key": KEY},
        {"municipality": "2303"},
        {"state": "home-ready"},
        {"municipality": "2380", "state": "home-ready"},
        {"municipality": "2303", "state": "home-ready"},
        {"source": "elsewhere"},
    ):
        await find_cases(connection, CaseFilter(**wanted, limit=5))
    facts = await case_facts(connection, await case_of(connection)) or ()
    await messages_of(connection, facts)


async def relay(connection: Connection, _: World) -> None:
    """What waits is claimed and settled, looked at, and told again."""
    case_id = await case_of(connection)
    lanes = await outbox.waiting_lanes(connection)
    claim = await outbox.claim(connection, "share-1", lanes, most=50, share=1, id="1", producer="p", since=0)
    assert claim is not None
    await quarantine.lags(connection)
    await quarantine.oldest_in_order(connection)
    await quarantine.parked_cases(connection)
    await outbox.settle(connection, "share-1", outbox.Published(claim.ids, NOW))
    await republish.is_waiting(connection, case_id, "2380")
    told = await republish.recorded(connection, case_id, "2380")
    await republish.put_again(connection, [one.id for one in told])
    await expire(connection, NOW, 365, ("discharged", "8"))


async def watch(connection: Connection, world: World) -> None:
    """Limits that have passed, what is held, how far the doors are."""
    await judge_due(connection, world, NOW + timedelta(days=3), 1)
    await held.find_held(connection)
    await held.count_held(connection)
    await held.due_again(connection, NOW, 50)
    await doors.read_marks(connection, "topic/")
    await doors.named(connection, "losus-r4", ["hash"])


async def look(connection: Connection, _: World) -> None:
    """The audit written to and asked."""
    await audit.append(connection, [Entry(NOW, "staff", "p", "read", ("case/x",), "ok", "auditor")])
    case_id = await case_of(connection)
    assert [one async for one in audit.read(connection, Selection(what=f"case/{case_id}"))]


async def settle(connection: Connection, _: World) -> None:
    """One page of cases, as settlement reads them."""
    names = await stays.read_cases(connection, "8", 5)
    await stays.read_prints(connection, names)
    await stays.read_kept(connection, names)


async def case_of(connection: Connection) -> str:
    found: str = await connection.fetchval("select id from cases where key = $1", KEY)
    return found


Work = Callable[[Connection, World], Awaitable[None]]
WORK: tuple[Work, ...] = (take, correct, search, relay, watch, look, settle)
#: Emptied all the time: what is in them is what is to be done, not what was.
SMALL_TABLES = {"outbox", "held", "held_case", "reread", "mark", "quarantine", "parked_case", "relay_claim"}


async def seen(dsn: str, cases: int) -> dict[str, Seen]:
    """What each statement of the work reads in a database with so many cases."""
    await fill(dsn, cases)
    found: dict[str, Seen] = {}
    async with open_database(dsn) as opened:
        for work in WORK:
            async with opened.transaction() as connection:
                explained: Any = Explained(connection)
                await work(explained, world_of(settings(dsn)))
                found |= {f"{work.__name__}: {text}": one for text, one in explained.seen.items()}
    return found


async def test_no_statement_reads_more_in_a_database_of_ten_years(
    dsn: str, other_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapter.outbound.expiry._PAGE", 5)  # one page, of cases that are there in both
    small, large = await seen(dsn, SMALL), await seen(other_dsn, LARGE)
    assert small.keys() == large.keys()
    grown = {text: (small[text].buffers, one.buffers) for text, one in large.items()}
    assert {text: both for text, both in grown.items() if both[1] > both[0] + MORE} == {}
    scanned = {text: one.scanned - SMALL_TABLES for text, one in large.items()}
    assert {text: tables for text, tables in scanned.items() if tables} == {}, "from end to end"


async def test_a_statement_that_looks_at_everything_is_seen(dsn: str) -> None:
    """The measure itself: what reads a whole table, or an index from end to end."""
    await fill(dsn, LARGE)
    async with open_database(dsn) as opened, opened.transaction() as connection:
        explained: Any = Explained(connection)
        await explained.fetchval("select count(*) from fact where void")
        await explained.fetchval("select max(id) from message")
    [whole, one] = explained.seen.values()
    assert (whole.scanned, one.scanned) == ({"fact"}, set())
    assert whole.buffers > 50 > one.buffers
