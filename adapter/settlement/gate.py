"""The mean of a month, and the gate that it opens and closes.

Owns settlement rules 3 (the mean) and 4 (follow-up, analysis, liable, liable-retroactive), for one
municipality and care form. Does not own which stays there are (`measure`) nor what a liable month costs
(`bill`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import NamedTuple

from adapter.agreements.terms import Compare, EmptyMonth, GateKind, Retroactive, StartIn, Terms
from adapter.losus.days import Month
from adapter.settlement.measure import Measured


class GateStatus(StrEnum):
    """What a month is to the payer."""

    FOLLOW_UP = "follow-up"
    ANALYSIS = "analysis"
    LIABLE = "liable"
    LIABLE_RETROACTIVE = "liable-retroactive"
    NO_DATA = "no-data"

    @property
    def billed(self) -> bool:
        """Whether the stays of the month are billed."""
        return self in (GateStatus.LIABLE, GateStatus.LIABLE_RETROACTIVE)


class Counts(NamedTuple):
    """The stays in the mean of a month, their days together, and how many went home on day zero.

    `no_data`: nothing is known of the month (`heard`).
    """

    stays: int
    days: int
    day_zero: int
    no_data: bool = False


@dataclass(frozen=True, slots=True)
class MonthMean:
    """The stays in the mean of a month: how many, their days together, how many went home on day zero.

    `terms` are those of the month's first day: threshold and gate are matters of the month. `no_data`:
    nothing is known of the month (`heard`); the counts are then 0 and mean nothing.
    """

    month: Month
    terms: Terms
    stays: int
    days: int
    day_zero: int
    no_data: bool = False

    @property
    def mean(self) -> Fraction | None:
        """Days by stays, exact; None in a month without stays."""
        return Fraction(self.days, self.stays) if self.stays else None

    @property
    def compared(self) -> Fraction | None:
        """The mean as it is held against the threshold: rounded half up where the agreement says so."""
        mean = self.mean
        if mean is None or self.terms.round_mean is None:
            return mean
        scale = 10**self.terms.round_mean
        return Fraction(floor(mean * scale + Fraction(1, 2)), scale)

    @property
    def over(self) -> bool:
        """Whether the mean is over the threshold; a month without stays is not."""
        compared, threshold = self.compared, self.terms.threshold
        if compared is None or threshold is None:
            return False
        return compared >= threshold if self.terms.compare is Compare.AT_LEAST else compared > threshold


def mean_of(month: Month, terms: Terms, measured: Iterable[Measured]) -> MonthMean:
    """Sum up the stays of a month that are in its mean: neither excluded nor long."""
    stays = days = zero = 0
    for one in measured:
        if one.out is None and not one.long:
            stays += 1
            days += one.days
            zero += one.days == 0
    return MonthMean(month, terms, stays, days, zero)


def run_gate(means: Sequence[MonthMean]) -> tuple[GateStatus, ...]:
    """Give the status of each month, of a run of months without gaps, as known at its last one.

    Start the run at or before `measure_from`: the gate remembers.
    """
    gate = _Gate()
    for mean in means:
        gate.step(mean)
    return tuple(gate.statuses)


class _Gate:
    """The memory of the gate while it walks through the months."""

    def __init__(self) -> None:
        self.statuses: list[GateStatus] = []
        self.liable = False
        self.activations = 0
        self.over: list[int] = []  # the months, by place, of the unbroken run over the threshold
        self.below = 0  # how many months not over in a row, while liable

    def step(self, mean: MonthMean) -> None:
        terms = mean.terms
        if mean.no_data:  # neither counts nor breaks
            self.statuses.append(GateStatus.NO_DATA)
        elif terms.gate is GateKind.NONE:
            self.statuses.append(GateStatus.LIABLE)
        elif terms.measure_from is not None and mean.month.first < terms.measure_from:
            self.statuses.append(GateStatus.FOLLOW_UP)
        elif terms.start_in is StartIn.SAME_MONTH:
            self.statuses.append(GateStatus.LIABLE if mean.over else GateStatus.FOLLOW_UP)
        elif self.liable:
            self.statuses.append(GateStatus.LIABLE)
            self._while_liable(mean)
        else:
            self._while_followed_up(mean)

    def _while_liable(self, mean: MonthMean) -> None:
        if mean.over:
            self.below = 0
        elif not _neutral(mean):
            self.below += 1
        if self.below >= mean.terms.stop_after:
            self.liable, self.over = False, []

    def _while_followed_up(self, mean: MonthMean) -> None:
        if not mean.over:
            self.statuses.append(GateStatus.FOLLOW_UP)
            if not _neutral(mean):
                self.over = []
            return
        self.over.append(len(self.statuses))
        self.statuses.append(GateStatus.ANALYSIS)
        if len(self.over) >= mean.terms.start_after:
            self._open(mean.terms)

    def _open(self, terms: Terms) -> None:
        self.liable, self.below = True, 0
        self.activations += 1
        if self.activations > 1 and terms.retroactive is Retroactive.LATER_ACTIVATIONS:
            for place in self.over[-terms.start_after :]:
                self.statuses[place] = GateStatus.LIABLE_RETROACTIVE


def _neutral(mean: MonthMean) -> bool:
    return mean.stays == 0 and mean.terms.empty_month is EmptyMonth.NEUTRAL
