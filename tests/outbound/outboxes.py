"""Outboxes filled by hand, a relay in this process, and what is left: for tests of lanes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from adapter.cluster import Cluster
from adapter.commands.tail import read_topic
from adapter.outbound.events import CASE_CHANGED
from adapter.outbound.relay import run_relay
from adapter.outbound.session import RelaySettings
from adapter.outbound.topics import events_topic
from adapter.store.intake import EventRow, add_events
from adapter.store.migrate import migrate
from tests.topic import cluster_of

#: Two of one share, and one of another (see `records.share_of`).
BAD, NEIGHBOUR, STRANGER = "2380", "2361", "2305"
LEFT = "select count(*) from outbox where lane = $1"
LANES = (BAD, NEIGHBOUR, STRANGER)


def event(lane: str, case: str, revision: int, size: int = 100) -> EventRow:
    """An event whose payload tells case and revision, and has about `size` bytes."""
    payload = orjson.dumps({"case_id": case, "revision": revision, "filler": "x" * size})
    return EventRow(case, lane, revision, CASE_CHANGED, f"{lane}-{case}-{revision}", payload)


async def add(dsn: str, *events: EventRow) -> None:
    """Put events into the outbox, in the order given."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await add_events(connection, events, datetime.now(UTC))
    finally:
        await connection.close()


async def add_some(dsn: str, lane: str, revisions: range, cases: int = 2) -> None:
    """The same revisions of a few cases of a lane."""
    await add(dsn, *(event(lane, f"case-{lane}-{n}", one) for one in revisions for n in range(cases)))


@asynccontextmanager
async def outbox(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an outbox that has its tables."""
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def relaying(dsn: str, bootstrap: str | Cluster, **more: Any) -> AsyncIterator[None]:
    """A relay in this process, stopped orderly at the end."""
    stopping = asyncio.Event()
    task = asyncio.create_task(
        run_relay(
            RelaySettings(dsn, cluster_of(bootstrap), "urn:test", LANES, refuse_older=False, **more), stopping
        )
    )
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(60):
            await task


async def until(connection: asyncpg.Connection, query: str, holds: Callable[[Any], bool], *given: Any) -> Any:
    """Ask the database again and again until the answer holds; TimeoutError where it never does."""
    async with asyncio.timeout(120):
        while not holds(answer := await connection.fetchval(query, *given)):
            await asyncio.sleep(0.02)
    return answer


async def emptied(connection: asyncpg.Connection, lane: str) -> None:
    """Wait until nothing of the lane is left in the outbox."""
    await until(connection, LEFT, lambda left: left == 0, lane)


async def seen(bootstrap: str | Cluster, lane: str) -> dict[str, list[int]]:
    """The revisions of each case that a subscriber of the lane sees, in its order."""
    found = defaultdict(list)
    async for record in read_topic(events_topic(lane), cluster_of(bootstrap), follow=False):
        found[record.key.decode()].append(orjson.loads(record.value)["revision"])
    return dict(found)


def whole(lane: str, revisions: int, cases: int = 2) -> dict[str, list[int]]:
    """What a subscriber is to see of `add_some`."""
    return {f"case-{lane}-{n}": list(range(1, revisions + 1)) for n in range(cases)}
