"""Reads anew, as time passes, what lacked something or leans on something that has changed.

Owns looking again and again; does not own what is due (`store.held`, `store.library`) nor reading anew
(`adapter.rereading`). Several replicas may work at once: what a message says does not depend on how often
it is read.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from adapter.errors import UnavailableError
from adapter.inbound.library import Library
from adapter.rereading import Reread, delivery_of, reread
from adapter.store import held, messages
from adapter.store.database import Connection, Database
from adapter.trace import Trace, read_traceparent
from adapter.tracing import Attributes, work
from adapter.watch import HELD_MESSAGES, ROUND_AT
from adapter.world import World

log = structlog.get_logger()

_MOST = 50  # messages a transaction
_POSTPONED = timedelta(minutes=1)


async def keep_rereading(
    world: World,
    database: Database,
    library: Library,
    clock: Callable[[], datetime],
    *,
    look_again_s: float = 5.0,
) -> None:
    """Read anew what is due, until cancelled; a database that is away is waited out."""
    while True:
        found = 0
        try:
            found = len(await reread_due(world, database, library, clock()))
            ROUND_AT.labels("rereader").set_to_current_time()
        except Exception as error:  # noqa: BLE001 - the outermost loop: it must go on
            log.warning("rereader.interrupted", error=type(error).__name__)
        if found < _MOST:
            await asyncio.sleep(look_again_s)


async def reread_due(world: World, database: Database, library: Library, now: datetime) -> list[Reread]:
    """Read anew what is due at `now`; what became of each."""
    async with database.transaction() as connection:
        await _count(connection)
        due = await held.due_again(connection, now, _MOST)
    if not due:
        return []
    try:
        return await reread_now(world, database, library, due, now)
    except UnavailableError:
        async with database.transaction() as connection:
            await held.postpone(connection, due, now, _POSTPONED)
        raise


async def reread_now(
    world: World, database: Database, library: Library, numbers: Iterable[int], now: datetime
) -> list[Reread]:
    """Read these messages anew, each in a transaction of its own, oldest first."""
    async with database.transaction() as connection:
        stored = await messages.load_messages(connection, numbers, world.seal)
    done: list[Reread] = []
    for one in stored:
        with reading_anew(one) as trace:
            prepared = await library.read(world, delivery_of(one, trace), one.received_at, is_kept=True)
            async with database.transaction() as connection:
                given = await reread(connection, world, one.number, prepared, now)
            log.info("message.reread", message=given.number, source=given.source, usable=not given.problems)
        done.append(given)
    return done


@contextmanager
def reading_anew(stored: messages.Stored) -> Iterator[Trace]:
    """The trace of a message that is read anew: its own, linked to that in which it came."""
    came = read_traceparent(stored.traceparent)
    attributes: Attributes = {"losus.source": stored.source, "losus.message": stored.number}
    with work("reread", None, attributes=attributes, links=[came] if came else []) as rereading:
        yield rereading.trace


async def _count(connection: Connection) -> None:
    HELD_MESSAGES.clear()
    for source, cause, number in await held.count_held(connection):
        HELD_MESSAGES.labels(source, cause).set(number)
