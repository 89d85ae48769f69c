"""The surveyor: what the database says of the whole, looked at every half minute and told as metrics.

Owns looking again and again, and which figure is set from what; does not own the queries (`store.survey`)
nor the figures' names (`watch`). Every replica that surveys tells the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from adapter import watch
from adapter.agreements.amounts import years_due
from adapter.agreements.load import Book
from adapter.losus.days import Month, local_day
from adapter.outbound.missed import UNKNOWN
from adapter.settling.announcing import unannounced
from adapter.settling.overdue import overdue
from adapter.store import audit, migrate, outbox, quarantine, survey
from adapter.store.cases import waiting_events
from adapter.store.database import Connection, Database

log = structlog.get_logger()

_Figure = Callable[[Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is known beside the database: names of sources, subscribers, what is agreed.

    `settle_from` None: nothing is settled on schedule. `certificates`: until when each of the settings'
    certificates is valid, by its place there.
    """

    sources: tuple[str, ...]
    subscribers: tuple[str, ...]
    book: Book
    settle_from: Month | None
    certificates: Callable[[], Mapping[str, datetime]]


async def keep_surveying(
    known: Surveyed, database: Database, clock: Callable[[], datetime], *, look_again_s: float = 30.0
) -> None:
    """Tell the figures until cancelled; what cannot be had now is left as it was."""
    while True:
        await survey_once(known, database, clock())
        await asyncio.sleep(look_again_s)


async def survey_once(known: Surveyed, database: Database, now: datetime) -> bool:
    """Set every figure, each by itself; whether all could be had."""
    figures: dict[str, _Figure] = {
        "cases": _cases,
        "doors": partial(_doors, known=known),
        "publishing": partial(_publishing, now=now),
        "settlement": partial(_settlement, known=known, now=now),
        "disputes": _disputes,
        "rates": partial(_rates, known=known, now=now),
        "audit": _audit,
        "migrations": _migrations,
    }
    is_whole = all([await _told(name, figure, database) for name, figure in figures.items()])
    for setting, ends_at in known.certificates().items():
        watch.CERTIFICATE_ENDS.labels(setting).set(ends_at.timestamp())
    if is_whole:
        watch.ROUND_AT.labels("surveyor").set_to_current_time()
    return is_whole


async def _told(name: str, figure: _Figure, database: Database) -> bool:
    try:
        async with database.transaction() as connection:
            await figure(connection)
    except Exception as error:  # noqa: BLE001 - the outermost loop: the other figures are told all the same
        log.warning("surveyor.interrupted", figures=name, error=type(error).__name__)
        return False
    return True


async def _cases(connection: Connection) -> None:
    found = await survey.open_cases(connection)
    watch.CASES.clear()
    watch.MANUAL_HANDLING.clear()
    for one in found:
        municipality = one.municipality or UNKNOWN
        watch.CASES.labels(one.state, municipality).set(one.cases)
        if one.by_hand:
            watch.MANUAL_HANDLING.labels(municipality).inc(one.by_hand)


async def _doors(connection: Connection, known: Surveyed) -> None:
    for source, door, at in await survey.heard(connection, known.sources):
        watch.HEARD_AT.labels(source, door).set(at.timestamp())
    for source, at in (await survey.polled(connection)).items():
        watch.POLLED_AT.labels(source).set(at.timestamp())


async def _publishing(connection: Connection, now: datetime) -> None:
    watch.OUTBOX_EVENTS.set(await waiting_events(connection))
    oldest_at = await quarantine.oldest_in_order(connection)
    watch.OLDEST_SECONDS.set(max((now - oldest_at).total_seconds(), 0.0) if oldest_at is not None else 0.0)
    watch.RELAYS.set(len(await outbox.members(connection)))
    watch.SHARES_HELD.set(len(await outbox.held(connection)))


async def _settlement(connection: Connection, known: Surveyed, now: datetime) -> None:
    issued_at = await survey.last_issued(connection)
    if issued_at is not None:
        watch.ISSUED_AT.set(issued_at.timestamp())
    if known.settle_from is None:
        return
    lacking = await overdue(connection, known.book, known.subscribers, known.settle_from, local_day(now))
    for code in known.subscribers:
        watch.STATEMENTS_DUE.labels(code).set(sum(one == code for _, one, *_ in lacking))


async def _disputes(connection: Connection) -> None:
    found = await survey.open_disputes(connection)
    watch.DISPUTES_OPEN.clear()
    watch.DISPUTED_AT.clear()
    for one in found:
        watch.DISPUTES_OPEN.labels(one.municipality).set(one.disputes)
        watch.DISPUTED_AT.labels(one.municipality).set(one.oldest_at.timestamp())


async def _rates(connection: Connection, known: Surveyed, now: datetime) -> None:
    """Count who was not notified of a year's amount; 0 where nothing is settled on schedule."""
    due = years_due(local_day(now)) if known.settle_from is not None else {}
    for name in ("current", "next"):
        lacking = await unannounced(connection, known.subscribers, due[name]) if name in due else ()
        watch.RATE_UNANNOUNCED.labels(name).set(len(lacking))


async def _audit(connection: Connection) -> None:
    watch.AUDIT_NUMBER.set((await audit.head(connection)).number)


async def _migrations(connection: Connection) -> None:
    watch.MIGRATIONS_MISSING.set(len(await migrate.missing(connection)))
