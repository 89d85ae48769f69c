"""Local time: which Swedish day, month, holiday or opening hour an instant falls in.

Owns Europe/Stockholm, calendar months, helgdagar (lag 1989:253) and reception hours; nothing else in
the project may turn an instant into a date. Does not own what a day costs (`adapter.settlement`) nor
which hours an agreement sets (`adapter.agreements`).

An *instant* is an aware datetime, a *day* a local date, a range is half-open. Naive datetimes are a
fault of the caller and raise ValueError. Windows and instants given back carry Europe/Stockholm;
compare them with instants of another zone, or after `.astimezone(UTC)`, since Python compares two
datetimes of one zone by the clock on the wall.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, Self
from zoneinfo import ZoneInfo

import holidays

LOCAL = ZoneInfo("Europe/Stockholm")
DAY = timedelta(days=1)
#: The resolution of instants: the last of a day is this much before the next midnight.
TICK = timedelta(microseconds=1)
_SATURDAY, _SUNDAY = 5, 6


def local(instant: datetime) -> datetime:
    """Read the same instant by the clock on a Swedish wall, summer time included."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    return instant.astimezone(LOCAL)


def local_day(instant: datetime) -> date:
    """Give the Swedish date on which the instant falls."""
    return local(instant).date()


def at_local(day: date, clock: time) -> datetime:
    """Give the instant at which a Swedish clock shows `clock` on `day`.

    In the hour that autumn repeats it is the first of the two; a time that spring skips is taken as
    if summer time had not begun, thus one hour later by the clock.
    """
    return datetime.combine(day, clock, tzinfo=LOCAL)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; ordered, printed as `2018-07`."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= 12 and date.min.year <= self.year < date.max.year):
            raise ValueError("no such month")

    @classmethod
    def of(cls, day: date) -> Self:
        """Give the month that `day` lies in."""
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2018-07`; ValueError for anything else."""
        year, dash, month = text.partition("-")
        if not (
            len(year) == 4
            and dash
            and len(month) == 2
            and (year + month).isascii()
            and (year + month).isdigit()
        ):
            raise ValueError("a month is written YYYY-MM")
        return cls(int(year), int(month))

    @classmethod
    def at(cls, index: int) -> Self:
        """Give the month with that `index`."""
        return cls(index // 12, index % 12 + 1)

    @property
    def index(self) -> int:
        """Its number in an unbroken count of months: the next month has the next number."""
        return self.year * 12 + self.month - 1

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, self.month, 1)

    @property
    def end(self) -> date:
        """The day after the last: the first day of the next month."""
        return self.plus(1).first

    def plus(self, months: int) -> "Month":
        """Give the month so many months later; earlier where negative."""
        return Month.at(self.index + months)

    def since(self, earlier: "Month") -> int:
        """How many months after `earlier` this one is."""
        return self.index - earlier.index

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def months(start: Month, end: Month) -> Iterator[Month]:
    """Each month from `start` up to, but not with, `end`."""
    for index in range(end.since(start)):
        yield start.plus(index)


@lru_cache(maxsize=256)
def _named_helgdagar(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("SE", years=year))


def is_helgdag(day: date) -> bool:
    """Whether the day is an *allmän helgdag*: a Sunday or one that lag (1989:253) names.

    Saturdays and the eves are no helgdagar.
    """
    return day.weekday() == _SUNDAY or day in _named_helgdagar(day.year)


def is_eve(day: date) -> bool:
    """Midsommarafton (Friday 19–25 June), julafton or nyårsafton."""
    if day.month == 6:
        return day.weekday() == 4 and 19 <= day.day <= 25
    return day.month == 12 and day.day in (24, 31)


def is_free_day(day: date, *, eves: bool) -> bool:
    """Saturday or helgdag, and with `eves` one of the three eves as well.

    BAL 11 §: «lördag, midsommarafton, julafton och nyårsafton oräknade» (`eves=True`).
    """
    return day.weekday() == _SATURDAY or is_helgdag(day) or (eves and is_eve(day))


def weekdays_after(day: date, *, eves: bool) -> Iterator[date]:
    """Give the weekdays that follow `day`, first first, without end."""
    while True:
        day += DAY
        if not is_free_day(day, eves=eves):
            yield day


def count_weekdays(after: date, through: date, *, eves: bool) -> int:
    """Count the weekdays `x` with `after < x <= through`; 0 where the range is empty."""
    length = (through - after).days
    return sum(not is_free_day(after + timedelta(days=i), eves=eves) for i in range(1, length + 1))


def free_run(day: date, *, eves: bool) -> tuple[date, date]:
    """Give the unbroken run of free days that `day` lies in, half-open; empty (`day`, `day`) on a weekday."""
    if not is_free_day(day, eves=eves):
        return day, day
    start = end = day
    while is_free_day(start - DAY, eves=eves):
        start -= DAY
    while is_free_day(end, eves=eves):
        end += DAY
    return start, end


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours by local time, half-open: on `weekdays` or on `all` days."""

    days: Literal["weekdays", "all"]
    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("opening hours end after they start, on the same day")


@dataclass(frozen=True, slots=True)
class LongHoliday:
    """In a run of more than `longer_than_days` free days, day number `act_on_day` is one of reception.

    Bilaga 9: «När helger sträcker sig över mer än 2 dagar ska inskrivningsmeddelade tas emot och
    planering påbörjas den 3:e dagen.»
    """

    longer_than_days: int
    act_on_day: int


def is_reception_day(day: date, hours: Hours, rule: LongHoliday | None, *, eves: bool) -> bool:
    """Whether messages are received on that day at all, by the hours and the long-holiday rule."""
    if hours.days == "all" or not is_free_day(day, eves=eves):
        return True
    if rule is None:
        return False
    start, end = free_run(day, eves=eves)
    return (end - start).days > rule.longer_than_days and (day - start).days + 1 == rule.act_on_day


def reception_window(
    instant: datetime, hours: Hours, rule: LongHoliday | None, *, eves: bool
) -> tuple[datetime, datetime]:
    """Give the first opening that is not over at `instant`, half-open; it may have begun already."""
    day = local_day(instant)
    while True:
        opens, closes = at_local(day, hours.start), at_local(day, hours.end)
        if is_reception_day(day, hours, rule, eves=eves) and instant.astimezone(UTC) < closes.astimezone(UTC):
            return opens, closes
        day += DAY


def next_reception(instant: datetime, hours: Hours, rule: LongHoliday | None, *, eves: bool) -> datetime:
    """Give the first instant at or after `instant` at which messages are received."""
    opens, _ = reception_window(instant, hours, rule, eves=eves)
    return max(local(instant), opens, key=lambda at: at.astimezone(UTC))


def within_hours(instant: datetime, start: time, end: time) -> bool:
    """Whether a local clock at `instant` shows `start` or later, and before `end`."""
    return start <= local(instant).time() < end
