"""What a time means as FHIR writes it: as a start, as an end, as a moment.

Owns the reading of FHIR's date, dateTime and instant, the years in which the domain reckons, and which times
of a case are ends; nothing else in the project reads a time of a FHIR resource. Does not own local time
(`days`), nor the RFC 3339 instants of a stays file (`adapter.settlement.stay`).

A time that names no clock (YYYY, YYYY-MM, YYYY-MM-DD) is an interval (R4 datatypes#dateTime): as a start its
first instant counts, as an end its last (R4 datatypes#Period: "the high value includes any matching
date/time", so 2012-02-03T10:00:00 lies in a period that ends 2012-02-03), as a moment its beginning. FHIR
gives it no zone; it is read as a Swedish day, month or year. A leap second, which computers do not count, is
the last microsecond of its minute.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

from adapter.losus.days import DAY, TICK, Month, at_local, local
from adapter.losus.terms import SignalKind

#: The years in which the domain reckons, by local time and half-open. Beyond them a year stands for "not
#: known" or "never" (0001, 9999), and dates and hours could not be added to it.
FIRST_YEAR, END_YEAR = 1900, 2200

#: Seconds may be left out, as FHIRPath's literals may; FHIR itself demands them (held by `adapter.fhir`).
_FORM = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?P<clock>T(?P<hour>\d\d):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_LEAP = 60


class TimeFault(ValueError):
    """A value is no time that can be used; `str()` says which rule, never the value."""


class YearFault(TimeFault):
    """A time lies outside the years in which the domain reckons."""

    def __init__(self) -> None:
        super().__init__(f"is outside the years {FIRST_YEAR} to {END_YEAR - 1}")


class Precision(StrEnum):
    """How exactly a time was given."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    CLOCK = "clock"


class Role(StrEnum):
    """As what a time counts."""

    START = "start"
    END = "end"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Span:
    """The interval that a time names: its first and its last instant, in UTC, both within it.

    The two are the same where it was given by the clock.
    """

    first: datetime
    last: datetime
    precision: Precision

    def at(self, role: Role) -> datetime:
        """Give the instant that counts in that role."""
        return self.last if role is Role.END else self.first


#: Signals whose `at` ends something; that of all others starts something, or is a moment.
_ENDS = frozenset(
    {SignalKind.LEAVE_ENDED, SignalKind.DISCHARGED, SignalKind.DECEASED, SignalKind.TRANSFERRED_OUT}
)
_MOMENTS = frozenset({SignalKind.PATIENT, SignalKind.VOIDED})
#: As what the `at` of each signal counts.
ROLES = {
    kind: Role.END if kind in _ENDS else Role.MOMENT if kind in _MOMENTS else Role.START
    for kind in SignalKind
}


def span(value: object) -> Span:
    """Read a FHIR date, dateTime or instant.

    Raises TimeFault where it is none or has a time of day without a zone, and YearFault where it lies
    outside the years in which the domain reckons.
    """
    form = _FORM.fullmatch(value) if isinstance(value, str) else None
    if form is None:
        raise TimeFault("is no date (YYYY, YYYY-MM, YYYY-MM-DD) and no time with zone")
    try:
        return _interval(form) if form["clock"] is None else _instant(form)
    except TimeFault:
        raise
    except ValueError:
        raise TimeFault("names no day, or no time of a day") from None


def as_start(value: object) -> datetime:
    """Give the instant at which what starts then has started; raises as `span`."""
    return span(value).first


def as_end(value: object) -> datetime:
    """Give the last instant of what ends then; raises as `span`."""
    return span(value).last


def as_moment(value: object) -> datetime:
    """Give the one instant that stands for a time; raises as `span`."""
    return span(value).first


def is_reckoned(at: datetime) -> bool:
    """Whether an instant lies in the years in which the domain reckons."""
    return FIRST_YEAR - 1 <= at.year <= END_YEAR and FIRST_YEAR <= local(at).year < END_YEAR


def earliest(end: datetime, precision: Precision | None) -> datetime:
    """Give the earliest instant that an end may mean: the first of the interval whose last it is.

    `precision` is YEAR or MONTH where the end is known no better; None: to the day, which shows (no clock
    ticks at the last microsecond of a day), or by the clock, and then it is `end` itself.
    """
    after = local(end + TICK)
    if after.time() != time.min:
        return end
    last = after.date() - DAY
    if precision is Precision.YEAR:
        return _midnight(last.replace(month=1, day=1))
    return _midnight(last.replace(day=1) if precision is Precision.MONTH else last)


def _interval(form: re.Match[str]) -> Span:
    precision = Precision.DAY if form["day"] else Precision.MONTH if form["month"] else Precision.YEAR
    first = date(int(form["year"]), int(form["month"] or 1), int(form["day"] or 1))
    if not FIRST_YEAR <= first.year < END_YEAR:
        raise YearFault
    return Span(_midnight(first), _midnight(_NEXT[precision](first)) - TICK, precision)


#: The first day after the interval that begins with a day.
_NEXT: dict[Precision, Callable[[date], date]] = {
    Precision.DAY: lambda day: day + DAY,
    Precision.MONTH: lambda day: Month.of(day).end,
    Precision.YEAR: lambda day: day.replace(year=day.year + 1),
}


def _instant(form: re.Match[str]) -> Span:
    if form["zone"] is None:
        raise TimeFault("has no time zone")
    second, microsecond = int(form["second"] or 0), int((form["fraction"] or "0")[:6].ljust(6, "0"))
    if second == _LEAP:
        second, microsecond = _LEAP - 1, 999_999
    day = (int(form[name]) for name in ("year", "month", "day"))
    clock = time(int(form["hour"]), int(form["minute"]), second, microsecond, _zone(form["zone"]))
    at = datetime.combine(date(*day), clock)
    if not is_reckoned(at):
        raise YearFault
    return Span(at.astimezone(UTC), at.astimezone(UTC), Precision.CLOCK)


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-ahead if text[0] == "-" else ahead)


def _midnight(day: date) -> datetime:
    return at_local(day, time.min).astimezone(UTC)
