"""The amount of a year announced to the municipalities: once for each amount, through the outbox.

Owns whether a municipality was notified of an amount. Does not own the amounts of a municipality's year
(`adapter.agreements.amounts`) nor the event (`adapter.outbound.announced`).
Bilaga 9, footnote 5: «Regionen ansvarar för att meddela kommunerna beloppet i december inför kommande år».

An amount that was announced is announced again, as a new version, when it changes or is verified later; the
same amount never is. A municipality that subscribes later is notified by the next run.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from adapter.agreements.amounts import Amount, amounts_of
from adapter.agreements.load import Book
from adapter.agreements.rates import Rate
from adapter.errors import LosusError, Problem, UnavailableError
from adapter.outbound.announced import announcement_event
from adapter.store.database import Connection
from adapter.store.intake import add_events
from adapter.store.rates import AnnouncementRow, add_announcement, announce_alone, announcements
from adapter.store.recovery import is_behind
from adapter.trace import Trace


class UnknownAmountError(LosusError):
    """A year whose amount is not known cannot be announced."""

    status = 409


@dataclass(frozen=True, slots=True)
class Announced:
    """An amount that a municipality is notified of; `fresh`: by this run, else by an earlier one."""

    row: AnnouncementRow
    fresh: bool


async def announce(
    connection: Connection,
    book: Book,
    municipalities: Collection[str],
    year: int,
    now: datetime,
    trace: Trace | None = None,
) -> list[Announced]:
    """Announce the year's amounts to these subscribers, and return how each is notified now.

    UnknownAmountError, before anything is written, where the amount of any of them is not known;
    UnavailableError where the database is older than what Kafka has.
    """
    await announce_alone(connection)
    if await is_behind(connection):
        rule = "the database is older than what Kafka has: losus recover"
        raise UnavailableError(Problem("transient", rule))
    amounts = {code: amounts_of(book, code, year) for code in sorted(municipalities)}
    lacking = [code for code, known in amounts.items() if not known]
    if lacking:
        rule = f"no amount is known for {year} ({', '.join(lacking)}): add it to the rates, with its source"
        raise UnknownAmountError(Problem("business-rule", rule))
    last = {_key(row): row for row in await announcements(connection, [year], amounts)}
    told: list[Announced] = []
    for code, known in amounts.items():
        for one in known:
            before = last.get((code, one.care_form or ""))
            if before is not None and not _differs(before, one.rate):
                told.append(Announced(before, fresh=False))
                continue
            row = _row(code, one, before, now)
            await add_announcement(connection, row)
            await add_events(connection, [announcement_event(row, before)], now, trace)
            told.append(Announced(row, fresh=True))
    return told


def stale(book: Book, rows: Iterable[AnnouncementRow]) -> set[str]:
    """Return the municipalities whose last announcement is not the amount that is known now."""
    last = {(row.year, *_key(row)): row for row in rows}
    return {
        row.municipality
        for row in last.values()
        for one in amounts_of(book, row.municipality, row.year)
        if (one.care_form or "") == row.care_form and _differs(row, one.rate)
    }


async def unannounced(connection: Connection, municipalities: Collection[str], year: int) -> set[str]:
    """Return the municipalities that were notified of no amount of the year."""
    there = await announcements(connection, [year], municipalities)
    return set(municipalities) - {row.municipality for row in there}


def _row(code: str, one: Amount, before: AnnouncementRow | None, now: datetime) -> AnnouncementRow:
    version = 1 if before is None else before.version + 1
    rate = one.rate
    form = one.care_form.value if one.care_form else ""
    return AnnouncementRow(rate.year, code, form, version, rate.amount, rate.verified, rate.source, now)


def _differs(before: AnnouncementRow, rate: Rate) -> bool:
    return (before.amount, before.verified) != (rate.amount, rate.verified)


def _key(row: AnnouncementRow) -> tuple[str, str]:
    return row.municipality, row.care_form
