"""What one municipality owes: its stays as known now, less what was issued to it and what it disputes.

Owns which statements a municipality is to have, which it lacks, and what is posted on the next one. Does
not own the rules of what is owed (`adapter.settlement`) nor issuing (`run`, `issuing`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapter.agreements.load import Book
from adapter.fhir.sheet import statement_id
from adapter.losus.days import Month, local_day
from adapter.settlement.account import Law, Payer, collect
from adapter.settlement.causes import Context, with_reasons
from adapter.settlement.claim import documents_of
from adapter.settlement.difference import Beside, Issued, difference, issue, whose_of
from adapter.settlement.heard import ALL_KNOWN, Heard
from adapter.settlement.holding import Dispute, Held, hold
from adapter.settlement.inputs import Inputs, Moved, Recorded, Whose, inputs_of, record, recorded
from adapter.settlement.settle import open_in_force, settle_opened
from adapter.settlement.statement import Key, Statement
from adapter.settlement.stay import Stay, row_of
from adapter.settling.casebook import Casebook
from adapter.settling.due import payers
from adapter.store import disputes, statements
from adapter.store.closed import Closed
from adapter.store.database import Connection


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
    """One that owes: its stays, what was issued to it, what it disputes, and what that held off before.

    `moved`: of stays that came to it from another municipality, or went to one, what is known of it.
    `heard`: of which months it is known that there were no stays. `rows`: its stays by id as they are
    recorded, filled when first needed.
    """

    code: str
    stays: Sequence[Stay]
    closed: Closed
    history: list[Issued]
    disputed: Sequence[Dispute]
    held: Mapping[str, tuple[str, ...]]
    moved: Mapping[str, Moved] = field(default_factory=dict)
    heard: Heard = ALL_KNOWN
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def told(self, book: Book, month: Month, now: datetime) -> list[Told]:
        """Give the statements of a month: those issued, and drafts of the others.

        What is owed is settled again, as known now, for every month that was issued.
        """
        owing = self._owed(book, month)
        told = [
            Told(one, issued=True, held=self.held.get(one.id, ()))
            for one in self.history
            if one.statement.month == month
        ]
        fresh = issue(
            owing.owed,
            self.history,
            month,
            statement_id,
            now,
            closed=self.closed.through,
            beside=Beside(
                lambda adjustments: with_reasons(adjustments, self._context(book, owing)),
                self._records(owing),
            ),
        )
        for one in fresh:
            mine = tuple(name for name, key in owing.held if key == one.statement.key)
            documents = documents_of(one, self.history, book.invoicing, local_day(now))
            told.append(Told(replace(one, documents=documents), issued=False, held=mine))
        return told

    def open_months(self, book: Book, month: Month) -> Sequence[tuple[Month, str]]:
        """Give the months, settled up to `month`, that are still to be corrected or priced, and why."""
        owed = self._owed(book, month).owed
        corrected = difference(self.history, owed, self.closed.through)
        return [
            *((one.post.month, "has a correction to come") for one in corrected),
            *((one.month, "has days in a year without a rate") for one in owed if one.no_rate),
        ]

    def _owed(self, book: Book, month: Month) -> "_Owed":
        self._know_who_is_paid(book)
        again = sorted({month, *statements.settled_months(self.history)})
        again = [one for one in again if one not in self.closed]
        also = {payer for _, payer in payers(book, self.code, month)}
        also |= {Payer(*whose_of(one.statement)) for one in self.history}
        home, closed = book.regions.home, self.closed.counts
        opened = open_in_force(self.stays, book.rules, again, also, closed, self.heard, home)
        owed = settle_opened(opened, book.rates)
        kept, held = hold(_as_it_was(owed, self.history), self.disputed)
        if not self.rows:
            self.rows.update((one.stay, row_of(one)) for one in self.stays)
        payers_ = {payer for _, payer in opened.accounts} | also
        last = max(again)
        inputs: dict[Whose, Inputs] = {
            payer: inputs_of(opened.accounts, payer, self.rows, book.rates, self.disputed, last, self.moved)
            for payer in sorted(payers_)
        }
        return _Owed(kept, held, inputs, again)

    def _context(self, book: Book, owing: "_Owed") -> Context:
        return Context(owing.inputs, self.history, book.rules, self.disputed)

    def _records(self, owing: "_Owed") -> dict[Whose, Recorded]:
        """Give what is to be recorded of each payer with its next statement."""
        return {
            payer: record(
                recorded(one.recorded for one in self.history if whose_of(one.statement) == payer),
                inputs,
                owing.months,
            )
            for payer, inputs in owing.inputs.items()
        }

    def _know_who_is_paid(self, book: Book) -> None:
        """Refuse where it is not known which region treats; SetupError (settlement rules 3)."""
        for county in {book.regions.home, *(stay.region for stay in self.stays if stay.region)}:
            book.regions.get(county)

    def lacking(self, book: Book, asked: Sequence[Month]) -> list[Month]:
        """Give the months asked for that lack a statement which they are to have, in order."""
        there = {one.statement.key for one in self.history}
        return sorted({key.month for key in wanted_of(book, self.code, self.stays, asked) - there})


@dataclass(frozen=True, slots=True)
class _Owed:
    """What is owed of all months settled, the lines held off, and what it rests on, by payer."""

    owed: Sequence[Statement]
    held: Sequence[Held]
    inputs: Mapping[Whose, Inputs]
    months: Sequence[Month]


async def owing(connection: Connection, book: Casebook, municipality: str, home: str | None = None) -> Owing:
    """Gather what is known of a municipality; `home` is the region of the installation."""
    stays = book.stays.get(municipality, ())
    history = await statements.history_of(connection, municipality, home)
    return Owing(
        municipality,
        stays,
        book.closed,
        history,
        await disputes.disputes_of(connection, municipality),
        await statements.held_of(connection, municipality),
        await _moved(connection, book, municipality, stays, history),
        book.heard,
    )


async def _moved(
    connection: Connection,
    book: Casebook,
    municipality: str,
    stays: Sequence[Stay],
    history: Sequence[Issued],
) -> dict[str, Moved]:
    """Find the stays that another municipality is liable for now, or was when a statement recorded them."""
    forms = {one.statement.care_form for one in history}
    known = {
        name
        for form in forms
        if (inputs := recorded(one.recorded for one in history if one.statement.care_form == form))
        for name in inputs.stays
    }
    mine = {one.stay for one in stays}
    months = set(statements.settled_months(history))
    new = {
        one.stay
        for one in stays
        if one.stay not in known and one.ended_at is not None and Month.of(local_day(one.ended_at)) in months
    }
    came = await statements.recorded_elsewhere(connection, municipality, new)
    moves = book.moved() if came or known - mine else {}
    return {name: moves[name] for name in (*(known - mine), *came) if name in moves}


def wanted_of(book: Book, code: str, stays: Iterable[Stay], asked: Sequence[Month]) -> set[Key]:
    """Give the statements that a municipality is to have of the months asked for."""
    if not asked:
        return set()
    accounts = collect(stays, Law(book.rules, book.regions.home), max(asked).end)
    wanted = {
        _key(agreement, payer, Month.at(index))
        for (agreement, payer), account in accounts.items()
        for index in account.months
        if Month.at(index) in asked
    }
    return wanted | {
        _key(agreement.id, payer, month) for month in asked for agreement, payer in payers(book, code, month)
    }


def _as_it_was(owed: Iterable[Statement], history: Iterable[Issued]) -> tuple[Statement, ...]:
    """Leave an issued month suspended, or not, as it was: a later word of the file bills no month anew."""
    was = {one.statement.key: one.statement.suspended for one in history}
    return tuple(replace(one, suspended=was.get(one.key, one.suspended)) for one in owed)


def _key(agreement: str, payer: Payer, month: Month) -> Key:
    return Key(agreement, payer.municipality, payer.care_form, month, payer.region)
