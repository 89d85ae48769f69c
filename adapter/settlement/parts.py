"""What the amount of a month is due to, where long stays are billed beside the mean: two parts that add up.

Owns the sentences. Does not own any figure (`statement`).
Settlement rules 5: `long_stays` are billed each in its month, whatever the gate; `payable_days` and `amount`
of the month hold both.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from adapter.agreements.terms import Billing
from adapter.settlement.gate import GateStatus
from adapter.settlement.statement import Statement


class PartOf(StrEnum):
    """What a part of a month's amount is due to: the mean and its gate, or stays billed one by one."""

    MEAN = "mean"
    LONG_STAYS = "long-stays"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a month: how many stays, and what is paid for them; `words` in Swedish and English."""

    of: PartOf
    stays: int
    payable_days: Fraction
    amount: Decimal
    words: tuple[str, str]


#: Swedish words for what a month is that pays nothing by its mean.
_STATUS = {GateStatus.FOLLOW_UP: "Uppföljning", GateStatus.ANALYSIS: "Analys"}


def parts_of(statement: Statement) -> tuple[Part, ...]:
    """Give the two parts of a month; none where no stay can be long, or where a rate is missing."""
    over = statement.mean.terms.long_stays_over
    if statement.no_rate or (over is None and not statement.long_stays):
        return ()
    days, amount = statement.long_paid
    return (
        Part(
            PartOf.MEAN,
            statement.mean.stays,
            statement.payable_days - days,
            statement.amount - amount,
            _of_mean(statement),
        ),
        Part(PartOf.LONG_STAYS, statement.long_stays, days, amount, _of_long(statement.long_stays, over)),
    )


def _of_mean(statement: Statement) -> tuple[str, str]:
    stays, status = statement.mean.stays, statement.status
    if not status.billed:
        return (
            f"{_STATUS[status]}: ingenting betalas för de {stays} vårdtillfällena i genomsnittet.",
            f"{status.value.capitalize()}: nothing is paid for the {stays} stays in the mean.",
        )
    if statement.mean.terms.billing is Billing.EXCESS_OVER_MEAN:
        return (
            f"Genomsnittets överskott betalas, för {stays} vårdtillfällen.",
            f"The excess of the mean is paid, for {stays} stays.",
        )
    return (
        f"Vart och ett av de {stays} vårdtillfällena i genomsnittet betalas efter sina dygn.",
        f"Each of the {stays} stays in the mean is paid by its own days.",
    )


def _of_long(stays: int, over: int | None) -> tuple[str, str]:
    swedish, english = ("", "") if over is None else (f" på över {over} dygn", f" of over {over} days")
    return (
        f"{stays} vårdtillfällen{swedish} ingår inte i genomsnittet; de betalas ett och ett, alla månader.",
        f"{stays} stays{english} are out of the mean; they are paid one by one, in any month.",
    )
