"""Months closed for good, so that what they rest on may be taken out: as far as nothing is still owed.

Owns how far months may be closed: through none of which something is still to be settled. What is left of a
closed month are counts without persons, since liability follows from months in a row (`settlement.gate`); so
nothing that is settled later changes when its cases go. Does not own taking out (`adapter.retention`).
"""

from dataclasses import dataclass
from datetime import datetime

from adapter.agreements.terms import CareForm
from adapter.errors import SetupError
from adapter.losus.days import Month, local_day, months
from adapter.settlement.account import POOLED, Law, collect, know
from adapter.settlement.gate import Counts
from adapter.settling.casebook import Casebook, read_casebook
from adapter.settling.issuing import Ledger
from adapter.settling.owing import owing
from adapter.settling.run import everyone_of
from adapter.store import closed, disputes, statements
from adapter.store.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Closing:
    """Through which month the books are closed, or would be (None: no month is), and what keeps them open."""

    through: Month | None
    because: str | None = None


async def close_books(
    database: Database, ledger: Ledger, *, through: Month, first: Month | None, now: datetime, is_run: bool
) -> Closing:
    """Close the months through `through`, or as many of them as nothing is to be settled of any more.

    `first` is the month from which on the region settles by this adapter; None: it does not. Waits for
    whoever settles. `is_run` False says what would be.
    """
    opened = database.transaction if is_run else database.trial
    async with opened() as guard:
        await statements.settle_alone(guard)
        async with database.transaction() as connection:
            await statements.one_moment(connection)
            book = await read_casebook(connection, ledger.world, now, guard)
            last, because = await _settled_through(connection, ledger, book, through, first, now)
        if last is None or last in book.closed:
            return Closing(book.closed.through, because)
        await closed.close(guard, last, _counts(ledger, book, last), now)
        return Closing(last, because)


async def _settled_through(
    connection: Connection, ledger: Ledger, book: Casebook, through: Month, first: Month | None, now: datetime
) -> tuple[Month | None, str | None]:
    """Give the last month, up to `through`, before anything that is still to be settled, and what that is."""
    found: list[tuple[Month, str | None]] = [(through.plus(1), None)]
    found += [(one.month, "a case is parked") for one in book.by_hand if one.parked and one.month]
    asked = await disputes.list_disputes(connection, None)
    found += [(one.dispute.month, "a dispute is open") for one in asked if one.dispute.upheld is None]
    this = Month.of(local_day(now))
    for municipality in sorted(await everyone_of(connection, ledger, book)):
        payer = await owing(connection, book, municipality, ledger.book.regions.home)
        try:
            waiting = payer.open_months(ledger.book, this)
        except SetupError:  # agreements that contradict each other
            return None, f"{municipality} cannot be settled"
        found += [(month, f"{municipality} {words}") for month, words in waiting]
        if first is not None:
            asked_for = [one for one in months(first, through.plus(1)) if one not in book.closed]
            lacking = payer.lacking(ledger.book, asked_for)
            found += [(month, f"{municipality} lacks a statement of {month}") for month in lacking]
    stop, because = min(found, key=lambda one: one[0])
    return stop.plus(-1), because


def _counts(
    ledger: Ledger, book: Casebook, through: Month
) -> list[tuple[tuple[str, str, str], Month, Counts]]:
    """Give the means of the months that are closed now, by agreement, municipality and care form.

    Of a month without stays only where nothing is known of it: else it is one without stays for ever.
    """
    stays = [stay for mine in book.stays.values() for stay in mine]
    accounts = collect(stays, Law(ledger.book.rules, ledger.book.regions.home), through.end)
    know(accounts, book.heard)
    found: dict[tuple[tuple[str, str, str], Month], Counts] = {}
    for (agreement, payer), account in accounts.items():
        form = CareForm.SOMATIC if payer.care_form == POOLED else CareForm(payer.care_form)
        first = min(account.months, default=through.index + 1)
        for index in range(first, through.index + 1):
            mean = account.mean(Month.at(index), form)
            if index in account.months or (mean.no_data and mean.month not in book.closed):
                key = ((agreement, payer.municipality, payer.care_form), mean.month)
                counts = Counts(mean.stays, mean.days, mean.day_zero, mean.no_data)
                found[key] = _together(found[key], counts) if key in found else counts
    return [(*key, counts) for key, counts in sorted(found.items())]


def _together(one: Counts, more: Counts) -> Counts:
    """Add up what two regions treated of a municipality's, both settled by the statute."""
    return Counts(
        one.stays + more.stays,
        one.days + more.days,
        one.day_zero + more.day_zero,
        one.no_data and more.no_data,
    )
