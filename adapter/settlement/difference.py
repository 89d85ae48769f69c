"""What is owed less what was issued: adjustment lines on the next statement.

Owns settlement rules 8: a statement, once issued, is never changed; facts that arrive or change later are
settled again, and what differs is posted on the next statement, naming the statement and the stay that it
corrects. Does not own settling (`settle`) nor keeping what was issued (the store).

The one invariant: issued + difference = owed, for each payer, month, stay and basis.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal, NamedTuple

from adapter.agreements.invoicing import Vat
from adapter.agreements.terms import Clause
from adapter.losus.days import Month
from adapter.settlement.inputs import Recorded, Whose
from adapter.settlement.reasons import AdjustmentReason, clauses_of
from adapter.settlement.remeasured import Remeasured, figures
from adapter.settlement.statement import Basis, Key, Line, Statement


class Post(NamedTuple):
    """What an amount is posted on; the line of a mean's excess has `stay` None. `region` is the one paid."""

    agreement: str
    municipality: str
    care_form: str
    month: Month
    stay: str | None
    basis: Basis
    region: str = ""

    @property
    def key(self) -> Key:
        """What the statement is of that it stands on."""
        return Key(self.agreement, self.municipality, self.care_form, self.month, self.region)


class LineName(NamedTuple):
    """A line that was issued: the statement that it stands on, and what is charged there.

    `year`: of a charge; None for an adjustment, which stands on a later statement than the one it corrects.
    """

    statement: str
    year: int | None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A later correction of an issued statement: what was posted, what is owed, and why it differs.

    `corrects` is the id of the statement that `post` was issued on. `lines`: the lines that it corrects,
    oldest first; empty where nothing was charged. `reasons` in the order of `reasons.ORDER`; empty only where
    an earlier release issued it, which did not record them.
    """

    corrects: str
    post: Post
    days_posted: Fraction
    days_owed: Fraction
    amount_posted: Decimal
    amount_owed: Decimal
    lines: tuple[LineName, ...] = ()
    reasons: tuple[AdjustmentReason, ...] = ()

    @property
    def payable_days(self) -> Fraction:
        """The days added; negative where days are taken back."""
        return self.days_owed - self.days_posted

    @property
    def amount(self) -> Decimal:
        """SEK added to the municipality's debt; negative where it is credited."""
        return self.amount_owed - self.amount_posted

    @property
    def kind(self) -> Literal["debit", "credit"]:
        """A debit is owed by the municipality, a credit by the region; a change of days alone is a debit."""
        return "credit" if self.amount < 0 else "debit"

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses of all its reasons."""
        return clauses_of(self.reasons)


class DocumentKind(StrEnum):
    """What a document of a statement is; `legacy`: of a statement issued before documents had numbers."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit-note"
    LEGACY = "legacy"


class Reference(NamedTuple):
    """An invoice that a credit note takes something back of: its number and date; an old one has no date."""

    number: str
    dated: date | None


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or a credit note of a statement; `number` None: a draft.

    `has_lines`: whether the lines of the month stand on it. `adjustments`: those that do, by their position
    in the statement's. `references`: what a credit note takes back. A credit note falls due never.
    """

    kind: DocumentKind
    number: str | None
    dated: date | None
    due_on: date | None
    vat: Vat | None
    has_lines: bool
    adjustments: tuple[int, ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """A statement as it was issued, with the adjustments of earlier ones; never changed afterwards.

    `recorded`: what it and those before it rested on, for the reasons of later adjustments; None on what an
    earlier release issued, and on a second statement of its payer in the same run. `measures`: those of
    earlier months that are issued again with it. `documents` are its invoice and credit notes; None where it
    was issued before they had numbers.
    """

    id: str
    issued_at: datetime
    statement: Statement
    adjustments: tuple[Adjustment, ...]
    recorded: Recorded | None = None
    measures: tuple[Remeasured, ...] = ()
    documents: tuple[Document, ...] | None = None

    @property
    def due(self) -> Decimal:
        """SEK to be invoiced: what the month costs and what earlier months cost more or less."""
        return self.statement.due + sum((one.amount for one in self.adjustments), Decimal())


class Position(NamedTuple):
    """Days and SEK that stand on a post."""

    days: Fraction
    amount: Decimal


_NOTHING = Position(Fraction(), Decimal())


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes with the adjustments of a run.

    `explain`: gives them their reasons (`causes.with_reasons`). `records`: of each payer what is known
    now, by which the reasons of later adjustments are found.
    """

    explain: Callable[[tuple[Adjustment, ...]], tuple[Adjustment, ...]] = tuple
    records: Mapping[Whose, Recorded] = field(default_factory=dict)


_NOTHING_BESIDE = Beside()


def difference(
    issued: Iterable[Issued], owed: Iterable[Statement], closed: Month | None = None
) -> tuple[Adjustment, ...]:
    """Give what must be posted so that the issued months come to what is owed; empty where they do.

    Months that were never issued are none of this: they get statements of their own. Ordered by post.
    `closed`: through this month nothing is posted any more; what they rest on may be gone. A month that needs
    a rate which is missing is left as it was issued until the rate is there.
    """
    history, owed = tuple(issued), tuple(owed)
    waiting = {statement.key for statement in owed if statement.no_rate}
    named = {one.statement.key: one.id for one in history}
    posted = posted_on(history)
    due = positions(statement for statement in owed if statement.key in named)
    lines = _lines(history)
    return tuple(
        Adjustment(
            named[post.key], post, was.days, now.days, was.amount, now.amount, tuple(lines.get(post, ()))
        )
        for post in sorted(posted.keys() | due.keys(), key=_order)
        if (closed is None or post.month > closed) and post.key not in waiting
        if (was := posted.get(post, _NOTHING)) != (now := due.get(post, _NOTHING))
    )


def remeasured(
    issued: Iterable[Issued], owed: Iterable[Statement], closed: Month | None = None
) -> tuple[Remeasured, ...]:
    """Give the measures of issued months that differ from the last ones issued, in the order of `owed`."""
    last: dict[Key, Remeasured] = {}
    for one in issued:
        last[one.statement.key] = Remeasured(one.id, 1, one.statement)
        last.update((each.statement.key, each) for each in one.measures)
    return tuple(
        Remeasured(known.corrects, known.number + 1, now)
        for now in owed
        if closed is None or now.month > closed
        if (known := last.get(now.key)) is not None and figures(known.statement) != figures(now)
    )


def _lines(history: Iterable[Issued]) -> dict[Post, list[LineName]]:
    """Name the lines that were issued on each post, oldest first."""
    found: dict[Post, list[LineName]] = {}
    for one in history:
        for line in () if one.statement.suspended else one.statement.lines:
            names = (LineName(one.id, charge.rate.year) for charge in line.charges)
            found.setdefault(_post(one.statement, line), []).extend(names)
        for adjustment in one.adjustments:
            found.setdefault(adjustment.post, []).append(LineName(one.id, None))
    return found


def issue(
    owed: Sequence[Statement],
    history: Sequence[Issued],
    month: Month,
    name: Callable[[Statement], str],
    issued_at: datetime,
    *,
    closed: Month | None = None,
    beside: Beside = _NOTHING_BESIDE,
) -> tuple[Issued, ...]:
    """Issue the statements of `month` not issued yet, with what earlier months lack or have too much.

    `owed` holds every month settled again, to be made with `also` for the payers of the history, so that
    one who owes nothing any more gets the credit. `name` gives the id of a statement. The adjustments of
    a payer stand on its first new statement that can be issued, not on one with `no_rate`, which is there to
    be shown; and so does what goes `beside` them. `closed` as in `difference`.
    """
    done = {one.statement.key for one in history}
    fresh = [one for one in owed if one.month == month and one.key not in done]
    waiting: dict[Whose, list[Adjustment]] = {}
    for adjustment in beside.explain(difference(history, owed, closed)) if fresh else ():
        waiting.setdefault(whose_of(adjustment.post), []).append(adjustment)
    left = dict(beside.records)
    measures: dict[Whose, list[Remeasured]] = {}
    for again in remeasured(history, [one for one in owed if not one.no_rate], closed):
        measures.setdefault(whose_of(again.statement), []).append(again)
    return tuple(
        Issued(name(one), issued_at, one, ())
        if one.no_rate
        else Issued(
            name(one),
            issued_at,
            one,
            tuple(waiting.pop(payer, ())),
            left.pop(payer, None),
            tuple(measures.pop(payer, ())),
        )
        for one in fresh
        for payer in (whose_of(one),)
    )


def positions(statements: Iterable[Statement]) -> dict[Post, Position]:
    """Give what each post of the statements comes to; nothing is due on a suspended one."""
    found: dict[Post, Position] = {}
    for statement in statements:
        if statement.suspended or statement.no_rate:
            continue
        for line in statement.lines:
            _add(found, _post(statement, line), line.payable_days, line.amount)
    return found


def posted_on(history: Iterable[Issued]) -> dict[Post, Position]:
    """Give what stands on each post after all that was issued, adjustments included; zeros are dropped."""
    found: dict[Post, Position] = {}
    for one in history:
        for post, (days, amount) in positions([one.statement]).items():
            _add(found, post, days, amount)
        for adjustment in one.adjustments:
            _add(found, adjustment.post, adjustment.payable_days, adjustment.amount)
    return {post: position for post, position in found.items() if position != _NOTHING}


def _add(found: dict[Post, Position], post: Post, days: Fraction, amount: Decimal) -> None:
    before = found.get(post, _NOTHING)
    found[post] = Position(before.days + days, before.amount + amount)


def _post(one: Statement, line: Line) -> Post:
    return Post(one.agreement, one.municipality, one.care_form, one.month, line.stay, line.basis, one.region)


def whose_of(one: Statement | Post) -> Whose:
    """Whose statement corrects: that of the municipality and care form, made out by the same region."""
    return one.municipality, one.care_form, one.region


def _order(post: Post) -> tuple[str, str, Month, str, str, str, str]:
    return (*post[1:4], post.agreement, post.stay or "", post.basis.value, post.region)
