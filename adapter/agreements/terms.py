"""The words of agreements, and the terms of one agreement for one care form over one span of days.

Owns the enums that agreement files use and `Terms`, the plain value that settlement reads. Does not own
how terms are written in a file (`agreement`) or resolved from it (`rules`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from fractions import Fraction

from adapter.losus.days import Hours, LongHoliday
from adapter.losus.process import INTERRUPTION_REASONS, NoticeFrom
from adapter.losus.terms import Criterion, InterruptionEffect

#: The clause that each day has the first payable day in force on it (`by: day`).
FIRST_PAYABLE_BY = "first_payable_day_by"


class CareForm(StrEnum):
    """Kind of closed care, by the discharging ward."""

    SOMATIC = "somatic"
    PSYCHIATRIC = "psychiatric"


class Kind(StrEnum):
    """What a file is: a statute binds all, an agreement its parties, a cooperation settles nothing."""

    STATUTE = "statute"
    AGREEMENT = "agreement"
    COOPERATION = "cooperation"


class Status(StrEnum):
    """`suspended`: computed and shown, never invoiced. `draft`: for `losus compare` alone."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DRAFT = "draft"


class Clock(StrEnum):
    """What starts the count: utskrivningsklar alone, or the later of it and hemgångsklar."""

    READY = "ready"
    HOME_READY = "home-ready"


class Unit(StrEnum):
    """What a day is; weekdays leave out Saturdays, helgdagar and the three eves (BAL 11 §)."""

    CALENDAR_DAYS = "calendar-days"
    WEEKDAYS = "weekdays"


class GateKind(StrEnum):
    """`none`: every month is liable. `mean`: months whose mean is over the threshold open it."""

    NONE = "none"
    MEAN = "mean"


class Compare(StrEnum):
    """How a mean is held against the threshold."""

    OVER = ">"
    AT_LEAST = ">="


class StartIn(StrEnum):
    """When liability begins once the gate opens; `same-month` has no memory."""

    NEXT_MONTH = "next-month"
    SAME_MONTH = "same-month"


class Retroactive(StrEnum):
    """Which activations of the gate bill the months that opened it as well."""

    NONE = "none"
    LATER_ACTIVATIONS = "later-activations"


class EmptyMonth(StrEnum):
    """What a month without stays means to the gate."""

    BELOW = "below"
    NEUTRAL = "neutral"


class Billing(StrEnum):
    """How the bill of a liable month is made."""

    INDIVIDUAL_DAYS = "individual-days"
    EXCESS_OVER_MEAN = "excess-over-mean"


class Condition(StrEnum):
    """What must be so for a stay to be billed."""

    ADMISSION_NOTICE = "admission-notice"
    SIP_CALL = "sip-call"
    OPEN_CARE = "open-care"
    NOT_OPPOSED = "not-opposed"


class Late(StrEnum):
    """What a notice or call past its deadline does."""

    FLAG = "flag"
    RELEASES = "releases"


class Compulsory(StrEnum):
    """Whether stays that end in ÖPT/ÖRV are in the mean and on the bill."""

    COUNTED = "counted"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Clause:
    """Where the value of one term comes from.

    `words` are the deciding words in Swedish. A term that rests on an assumption has its id in
    `assumption`; its `document`, `section` and `words` are then empty where no text is near.
    """

    term: str
    document: str = ""
    section: str = ""
    words: str = ""
    assumption: str | None = None

    def __str__(self) -> str:
        if self.document:
            return f"{self.document}, {self.section}"
        return f"antagande: {self.assumption}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All that settlement reads of an agreement, for one care form and span of days.

    `cutoff` None means that the hour of the notice does not matter. `threshold` is None exactly where
    the gate is `none`. `long_stays_over` None means that no stay is taken out of the mean, `payment_days`
    None that the agreement names no terms of payment. `clauses` holds the source of each term under the
    term's name in the file. `first_payable_from`: the values of `first_payable_day` with their first days,
    where each day has its own (`by: day`); else empty.
    A term that earlier releases did not know has a default: issued statements of theirs are read.
    """

    clock: Clock
    unit: Unit
    cutoff: time | None
    cutoff_inclusive: bool
    compulsory: Compulsory
    gate: GateKind
    threshold: Fraction | None
    compare: Compare
    round_mean: int | None
    pool_care_forms: bool
    measure_from: date | None
    start_after: int
    start_in: StartIn
    stop_after: int
    retroactive: Retroactive
    empty_month: EmptyMonth
    billing: Billing
    first_payable_day: int
    count_end_day: bool
    long_stays_over: int | None
    requires: tuple[Condition, ...]
    late: Late
    rate: str
    corrections_until_day: int | None
    zero_invoice: bool
    criteria: tuple[Criterion, ...]
    admission_notice_hours: int
    admission_notice_from: NoticeFrom = "need"
    planned_date_in_notice: bool = True
    sip_call_days: int
    sip_offered_first: bool = False
    coordinated_plan_first: bool = True
    coordinator: bool = False
    interruption_reasons: Mapping[str, InterruptionEffect] = field(
        default_factory=lambda: dict(INTERRUPTION_REASONS)
    )
    reception: Hours | None
    long_holiday: LongHoliday | None
    eves_are_free: bool
    discharge: Hours | None
    payment_days: int | None = None
    clauses: Mapping[str, Clause] = field(default_factory=dict, compare=False)
    first_payable_from: tuple[tuple[date, int], ...] = ()

    def first_payable_spans(self, first: date, last: date) -> tuple[tuple[date, int], ...]:
        """Give the values of `first_payable_day` for the days from `first` to `last`, each with its last day.

        One alone where no value changes within them; none where there is no day.
        """
        if last < first:
            return ()
        if not self.first_payable_from:
            return ((last, self.first_payable_day),)
        starts = [start for start, _ in self.first_payable_from if first < start <= last]
        values = dict(self.first_payable_from)
        earlier = next(value for start, value in reversed(self.first_payable_from) if start <= first)
        ends = [start - timedelta(days=1) for start in starts]
        return tuple(zip([*ends, last], [earlier, *(values[start] for start in starts)], strict=True))

    def cite(self, *names: str) -> tuple[Clause, ...]:
        """Give the clauses of these terms, in this order, without those that the file leaves out."""
        return tuple(self.clauses[name] for name in names if name in self.clauses)
