"""`losus recover` on one page: the topics read, what Kafka has put back, cases and statements mended.

    every topic ─▶ known here? ─yes─▶ out of the outbox
                        └─no──▶ put back: events ─▶ cases (revisions, picture as told) ─▶ statements

Owns the order of the steps. Each case is mended in a transaction of its own, so a run that is killed is run
again and goes on; a second run finds nothing. Publishes nothing by itself but the last word to a
municipality that a case had left, and the picture of a case that nobody has any more. What subscribers were
told and is not known here stands until its messages come again: `heal` tells the rest as it is known.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson

from adapter.cluster import Cluster
from adapter.errors import Problem, SetupError, UnavailableError
from adapter.outbound.behind import behind, published_claims
from adapter.outbound.events import OF_SETTLEMENTS
from adapter.outbound.parked import MESSAGE_PARKED
from adapter.outbound.records import DEAD_LETTER_LANE
from adapter.outbound.topics import SHARES
from adapter.recovery.issued import IssuedAgain, keep_again
from adapter.recovery.reading import Page, decided, lanes_on, read_all
from adapter.recovery.told import as_recorded, mend, row_after
from adapter.refold import refold
from adapter.store import audit, outbox, putting_back, recovery
from adapter.store.database import Connection
from adapter.store.intake import CaseRow, add_events, lock_cases, save_cases
from adapter.store.migrate import may_apply
from adapter.store.putting_back import Missing
from adapter.world import World

#: Of the records that the broker should still have: it drops what is old a whole segment at a time.
_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MendedCase:
    """A case of which subscribers were told more than was known here.

    `municipality` has it (None: nobody; `unrouted`). `known`: it is a case here. `put_back` events that were
    lost, `superseded` events of ours that never go out, `owed` last words that go out now.
    """

    case_id: str
    municipality: str | None
    known: bool
    put_back: int
    superseded: int
    owed: int


@dataclass(slots=True)
class Recovered:
    """What a run found and did.

    `lost_from`: when the first event was decided that is not known here (None: all are). `known_until`: by
    source, when the newest message that is known here came. `behind`: how many slots Kafka knew more of.
    `missing`: what was published and Kafka has not. `newest_letter`: the greatest number of a message that a
    dead letter names.
    """

    read: int = 0
    taken_out: int = 0
    lost_from: datetime | None = None
    known_until: dict[str, datetime] = field(default_factory=dict)
    cases: list[MendedCase] = field(default_factory=list)
    issued: list[IssuedAgain] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    behind: int = 0
    newest_letter: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the topics are, whose they are to be, and for how many days they keep a record."""

    cluster: Cluster
    retention_days: int
    municipalities: tuple[str, ...]


async def recover(
    dsn: str, kept: Kept, world: World, *, run: bool, told: Callable[[Page], None] = lambda _: None
) -> Recovered:
    """Tell the database what Kafka has; without `run` nothing is changed.

    `told` hears of each page that was read. UnavailableError where a relay runs, or no broker
    answers; SetupError where this login does not own the database.
    """
    connection = await outbox.open_session(dsn)
    try:
        if run and not await may_apply(connection):
            raise SetupError(
                Problem("forbidden", "to be run with the login that owns the database, as migrate")
            )
        if run:
            await _hold_all(connection)
        await putting_back.begin(connection)
        done = Recovered(known_until=await putting_back.known_until(connection))
        await _read(connection, kept, done, told)
        async with _step(connection, run=run):
            done.taken_out = await putting_back.take_out(connection)
        now = datetime.now(UTC)
        for case_id in await putting_back.staged_cases(connection, OF_SETTLEMENTS):
            async with _step(connection, run=run):
                done.cases.append(await _mend_case(connection, world, case_id, now))
        for name in await putting_back.staged_statements(connection, OF_SETTLEMENTS):
            async with _step(connection, run=run):
                for one in await putting_back.staged_of(connection, name):
                    done.issued.append(await keep_again(connection, one, now))
        async with _step(connection, run=run):
            await _go_on(connection, kept, done, now)
        return done
    finally:
        await connection.close()


@asynccontextmanager
async def _step(connection: asyncpg.Connection, *, run: bool) -> AsyncIterator[None]:
    """One transaction; of a dry run nothing stays."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.commit() if run else transaction.rollback())


async def _hold_all(connection: Connection) -> None:
    """Hold every share until the session ends, so that no relay publishes."""
    for share in range(SHARES):
        if not await outbox.hold(connection, share):
            raise UnavailableError(Problem("transient", "a relay runs: stop it first", "losus relay"))


async def _read(connection: Connection, kept: Kept, done: Recovered, told: Callable[[Page], None]) -> None:
    """Read all topics, and sort each record: known here, or not."""
    lanes = await lanes_on(kept.cluster)
    topics = [name for names in lanes.values() for name in names]
    claims = [one for share in range(SHARES) for one in await outbox.open_claims(connection, share)]
    if topics:
        await decided(kept.cluster, topics, [one.producer for one in claims if one.producer])
    async for page in read_all(kept.cluster, topics):
        async with connection.transaction():
            await putting_back.match(connection, page.events, DEAD_LETTER_LANE)
        for one in page.events:
            if one.type == MESSAGE_PARKED:
                done.newest_letter = max(done.newest_letter, orjson.loads(one.payload)["message"])
        done.read += len(page.events)
        told(page)
    since = datetime.now(UTC) - timedelta(days=kept.retention_days) + _MARGIN
    everyone = {*kept.municipalities, *lanes} - {DEAD_LETTER_LANE}
    done.missing = await putting_back.missing_on_kafka(connection, dict.fromkeys(everyone, since))
    done.lost_from = await putting_back.earliest_staged(connection)


async def _mend_case(connection: Connection, world: World, case_id: str, now: datetime) -> MendedCase:
    row = await putting_back.lock_case(connection, case_id)
    on_kafka = await putting_back.staged_of(connection, case_id)
    mended = mend(on_kafka, await putting_back.ours(connection, case_id))
    await putting_back.supersede(connection, mended.superseded, now)
    await putting_back.put_back(connection, [(one, as_recorded(one)) for one in mended.put_back])
    if mended.closings:
        await add_events(connection, mended.closings, now)
    after = row_after(row or CaseRow(case_id, "", "", None, None, None, {}), mended)
    await putting_back.wait_for(connection, after, now)
    if row is not None:
        await save_cases(connection, [after], now)
        # nobody has the case, or what was decided since will not go out: it is told as it is known
        if (mended.has_it is None or mended.superseded) and not after.parked:
            await refold(connection, world, {case_id: after}, now)
    counts = len(mended.put_back), len(mended.superseded), len(mended.closings)
    return MendedCase(case_id, _named(mended.has_it), row is not None, *counts)


def _named(lane: str | None) -> str | None:
    return "unrouted" if lane == "" else lane


async def _go_on(connection: Connection, kept: Kept, done: Recovered, now: datetime) -> None:
    """Let claims, and the numbers of messages, go on after those that Kafka has; and write it down."""
    known = await recovery.known_claims(connection)
    published = await published_claims(kept.cluster, known)
    older = behind(published, known)
    newest = [published[one.slot] for one in older]
    done.behind = len(older)
    await putting_back.raise_claims(
        connection, [(one.slot, one.share, one.id, one.offset, one.number) for one in newest]
    )
    await putting_back.raise_messages(connection, done.newest_letter)
    await audit.append(connection, [_entry(done, now)])


def _entry(done: Recovered, now: datetime) -> audit.Entry:
    """What stands in the audit: which cases and statements were mended."""
    what = (*(f"case/{one.case_id}" for one in done.cases), *(f"statement/{one.id}" for one in done.issued))
    return audit.Entry(now, "system", "losus recover", "recover", what, "ok", "restored to an earlier point")


async def heal(dsn: str, world: World, *, run: bool) -> list[tuple[str, int]]:
    """Tell subscribers of each mended case as it is known now: the case, and how many events that takes.

    One that is parked waits on. A relay may run meanwhile.
    """
    connection = await outbox.open_session(dsn)
    done: list[tuple[str, int]] = []
    try:
        for case_id in await recovery.waiting_cases(connection, known=True):
            async with _step(connection, run=run):
                now = datetime.now(UTC)
                rows = await lock_cases(connection, (), [case_id], now)
                if rows[case_id].parked:
                    continue
                events = await refold(connection, world, rows, now)
                await recovery.no_longer_waits(connection, case_id)
                done.append((case_id, len(events)))
    finally:
        await connection.close()
    return done
