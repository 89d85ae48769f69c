"""What is owed less what was issued: adjustment lines on the next statement.

Owns settlement rules 8: a statement, once issued, is never changed; facts that arrive or change later are
settled again, and what differs is posted on the next statement, naming the statement and the stay that it
corrects. Does not own settling (`settle`) nor keeping what was issued (the store).

The one invariant: issued + difference = owed, for each payer, month, stay and basis.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from adapter.losus.days import Month
from adapter.settlement.statement import Basis, Statement


class Post(NamedTuple):
    """What an amount is posted on; the line of a mean's excess has `stay` None."""

    agreement: str
    municipality: str
    care_form: str
    month: Month
    stay: str | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A later correction of an issued statement, in its own words: what was posted and what is owed.

    `corrects` is the id of the statement that `post` was issued on.
    """

    corrects: str
    post: Post
    days_posted: Fraction
    days_owed: Fraction
    amount_posted: Decimal
    amount_owed: Decimal

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


@dataclass(frozen=True, slots=True)
class Issued:
    """A statement as it was issued, with the adjustments of earlier ones; never changed afterwards."""

    id: str
    issued_at: datetime
    statement: Statement
    adjustments: tuple[Adjustment, ...]

    @property
    def due(self) -> Decimal:
        """SEK to be invoiced: what the month costs and what earlier months cost more or less."""
        return self.statement.due + sum((one.amount for one in self.adjustments), Decimal())


class Position(NamedTuple):
    """Days and SEK that stand on a post."""

    days: Fraction
    amount: Decimal


_NOTHING = Position(Fraction(), Decimal())


def difference(
    issued: Iterable[Issued], owed: Iterable[Statement], closed: Month | None = None
) -> tuple[Adjustment, ...]:
    """Give what must be posted so that the issued months come to what is owed; empty where they do.

    Months that were never issued are none of this: they get statements of their own. Ordered by post.
    `closed`: through this month nothing is posted any more; what they rest on may be gone.
    """
    history = tuple(issued)
    named = {_key(one.statement): one.id for one in history}
    posted = posted_on(history)
    due = positions(statement for statement in owed if _key(statement) in named)
    return tuple(
        Adjustment(named[post[:4]], post, was.days, now.days, was.amount, now.amount)
        for post in sorted(posted.keys() | due.keys(), key=_order)
        if closed is None or post.month > closed
        if (was := posted.get(post, _NOTHING)) != (now := due.get(post, _NOTHING))
    )


def issue(
    owed: Sequence[Statement],
    history: Sequence[Issued],
    month: Month,
    name: Callable[[Statement], str],
    issued_at: datetime,
    *,
    closed: Month | None = None,
) -> tuple[Issued, ...]:
    """Issue the statements of `month` not issued yet, with what earlier months lack or have too much.

    `owed` holds every month settled again, to be made with `also` for the payers of the history, so that
    one who owes nothing any more gets the credit. `name` gives the id of a statement. The adjustments of
    a payer stand on its first new statement. `closed` as in `difference`.
    """
    done = {_key(one.statement) for one in history}
    fresh = [one for one in owed if one.month == month and _key(one) not in done]
    waiting: dict[tuple[str, str], list[Adjustment]] = {}
    for adjustment in difference(history, owed, closed):
        waiting.setdefault((adjustment.post.municipality, adjustment.post.care_form), []).append(adjustment)
    return tuple(
        Issued(name(one), issued_at, one, tuple(waiting.pop((one.municipality, one.care_form), ())))
        for one in fresh
    )


def positions(statements: Iterable[Statement]) -> dict[Post, Position]:
    """Give what each post of the statements comes to; nothing is due on a suspended one."""
    found: dict[Post, Position] = {}
    for statement in statements:
        if statement.suspended:
            continue
        for line in statement.lines:
            _add(found, Post(*_key(statement), line.stay, line.basis), line.payable_days, line.amount)
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


def _key(statement: Statement) -> tuple[str, str, str, Month]:
    return statement.agreement, statement.municipality, statement.care_form, statement.month


def _order(post: Post) -> tuple[str, str, Month, str, str, str]:
    return post.municipality, post.care_form, post.month, post.agreement, post.stay or "", post.basis.value


def adjustment_json(adjustment: Adjustment) -> dict[str, object]:
    """Give the JSON values of an adjustment line."""
    post = adjustment.post
    days = adjustment.payable_days
    return {
        "corrects": adjustment.corrects,
        "agreement": post.agreement,
        "month": str(post.month),
        "stay": post.stay,
        "basis": post.basis.value,
        "kind": adjustment.kind,
        "payable_days": days.numerator if days.denominator == 1 else str(days),
        "amount": adjustment.amount,
        "amount_before": adjustment.amount_posted,
        "amount_after": adjustment.amount_owed,
    }
