"""What one municipality owes: its stays as known now, less what was issued to it and what it disputes.

Owns which statements a municipality is to have, which it lacks, and what is posted on the next one. Does
not own the rules of what is owed (`adapter.settlement`) nor issuing (`run`, `issuing`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from adapter.agreements.load import Book
from adapter.fhir.sheet import statement_id
from adapter.losus.days import Month
from adapter.settlement.account import Law, collect
from adapter.settlement.difference import Adjustment, Issued, difference, issue
from adapter.settlement.holding import Dispute, hold
from adapter.settlement.settle import settle_in_force
from adapter.settlement.statement import Statement
from adapter.settlement.stay import Stay
from adapter.settling.casebook import Casebook
from adapter.settling.due import payers
from adapter.store import disputes, statements
from adapter.store.closed import Closed
from adapter.store.database import Connection
from adapter.store.statistics import Key


@dataclass(frozen=True, slots=True)
class Told:
    """A statement of the month: as it was issued before, as it is issued now (`fresh`), or a draft.

    `held`: the lines that are off the invoice because of a dispute (`holding.Held`).
    """

    statement: Issued
    issued: bool
    fresh: bool = False
    held: tuple[str, ...] = ()


@dataclass(slots=True)
class Owing:
    """One that owes: its stays, what was issued to it, what it disputes, and what that held off before."""

    code: str
    stays: Sequence[Stay]
    closed: Closed
    history: list[Issued]
    disputed: Sequence[Dispute]
    held: Mapping[str, tuple[str, ...]]

    def told(self, book: Book, month: Month, now: datetime) -> list[Told]:
        """Give the statements of a month: those issued, and drafts of the others.

        What is owed is settled again, as known now, for every month that was issued.
        """
        owed, held = self._owed(book, month)
        told = [
            Told(one, issued=True, held=self.held.get(one.id, ()))
            for one in self.history
            if one.statement.month == month
        ]
        for one in issue(owed, self.history, month, statement_id, now, closed=self.closed.through):
            mine = tuple(name for name, key in held if key == key_of(one.statement))
            told.append(Told(one, issued=False, held=mine))
        return told

    def unposted(self, book: Book, month: Month) -> Sequence[Adjustment]:
        """Give what the next statements will post on the months that were issued, settled up to `month`."""
        return difference(self.history, self._owed(book, month)[0], self.closed.through)

    def _owed(self, book: Book, month: Month) -> tuple[Sequence[Statement], Sequence[tuple[str, Key]]]:
        again = sorted({month, *statements.settled_months(self.history)})
        again = [one for one in again if one not in self.closed]
        also = {payer for _, payer in payers(book, self.code, month)}
        also |= {(self.code, one.statement.care_form) for one in self.history}
        owed = settle_in_force(self.stays, book.rules, book.rates, again, also, self.closed.counts)
        return hold(_as_it_was(owed, self.history), self.disputed)

    def lacking(self, book: Book, asked: Sequence[Month]) -> list[Month]:
        """Give the months asked for that lack a statement which they are to have, in order."""
        there = {key_of(one.statement) for one in self.history}
        return sorted({key[-1] for key in wanted_of(book, self.code, self.stays, asked) - there})


async def owing(connection: Connection, book: Casebook, municipality: str) -> Owing:
    """Gather what is known of a municipality."""
    return Owing(
        municipality,
        book.stays.get(municipality, ()),
        book.closed,
        await statements.history_of(connection, municipality),
        await disputes.disputes_of(connection, municipality),
        await statements.held_of(connection, municipality),
    )


def wanted_of(book: Book, code: str, stays: Iterable[Stay], asked: Sequence[Month]) -> set[Key]:
    """Give the statements that a municipality is to have of the months asked for."""
    if not asked:
        return set()
    accounts = collect(stays, Law(book.rules).choose, max(asked).end)
    wanted: set[Key] = {
        (agreement, *payer, Month.at(index))
        for (agreement, payer), account in accounts.items()
        for index in account.months
        if Month.at(index) in asked
    }
    return wanted | {
        (agreement.id, *payer, month) for month in asked for agreement, payer in payers(book, code, month)
    }


def _as_it_was(owed: Iterable[Statement], history: Iterable[Issued]) -> tuple[Statement, ...]:
    """Leave an issued month suspended, or not, as it was: a later word of the file bills no month anew."""
    was = {key_of(one.statement): one.statement.suspended for one in history}
    return tuple(replace(one, suspended=was.get(key_of(one), one.suspended)) for one in owed)


def key_of(statement: Statement) -> Key:
    """Give what a statement is of."""
    return statement.agreement, statement.municipality, statement.care_form, statement.month
