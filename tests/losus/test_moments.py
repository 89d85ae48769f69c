"""What a time of FHIR means as a start, as an end and as a moment, by a Swedish clock."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapter.losus.days import DAY, TICK, Month, at_local, is_free_day, local_day
from adapter.losus.moments import (
    END_YEAR,
    FIRST_YEAR,
    ROLES,
    Precision,
    Role,
    TimeFault,
    YearFault,
    as_end,
    as_moment,
    as_start,
    earliest,
    is_reckoned,
    span,
)
from adapter.losus.terms import SignalKind

YEAR, MONTH, ON_DAY, CLOCK = Precision


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SPANS = [
    # what is given, its first instant, its last (UTC), how exactly it was given, because
    ("2024-03-04", "2024-03-03T23:00:00", "2024-03-04T22:59:59.999999", ON_DAY, "R4 datatypes#Period: winter"),
    ("2024-07-01", "2024-06-30T22:00:00", "2024-07-01T21:59:59.999999", ON_DAY, "summer"),
    ("2024-03-31", "2024-03-30T23:00:00", "2024-03-31T21:59:59.999999", ON_DAY, "a day of 23 hours"),
    ("2024-10-27", "2024-10-26T22:00:00", "2024-10-27T22:59:59.999999", ON_DAY, "a day of 25 hours"),
    ("2024-02-29", "2024-02-28T23:00:00", "2024-02-29T22:59:59.999999", ON_DAY, "a leap day"),
    ("2024-02", "2024-01-31T23:00:00", "2024-02-29T22:59:59.999999", MONTH, "a leap year"),
    ("2023-02", "2023-01-31T23:00:00", "2023-02-28T22:59:59.999999", MONTH, "no leap year"),
    ("2024-03", "2024-02-29T23:00:00", "2024-03-31T21:59:59.999999", MONTH, "begins in winter, ends in summer"),
    ("2024-10", "2024-09-30T22:00:00", "2024-10-31T22:59:59.999999", MONTH, "begins in summer, ends in winter"),
    ("2024-12", "2024-11-30T23:00:00", "2024-12-31T22:59:59.999999", MONTH, "the last month of a year"),
    ("2024", "2023-12-31T23:00:00", "2024-12-31T22:59:59.999999", YEAR, "a year"),
    ("1900", "1899-12-31T23:00:00", "1900-12-31T22:59:59.999999", YEAR, "the first year reckoned in"),
    ("2199", "2198-12-31T23:00:00", "2199-12-31T22:59:59.999999", YEAR, "the last year reckoned in"),
    ("2199-12-31", "2199-12-30T23:00:00", "2199-12-31T22:59:59.999999", ON_DAY, "its last day"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "first", "last", "precision", "because"), SPANS)
def test_a_partial_date_is_an_interval(
    text: str, first: str, last: str, precision: Precision, because: str
) -> None:
    given_ = span(text)
    assert (given_.first, given_.last, given_.precision) == (utc(first), utc(last), precision), because
    assert (as_start(text), as_end(text), as_moment(text)) == (utc(first), utc(last), utc(first)), because


MOMENTS = [
    # what is given, the instant (UTC), because
    ("2024-03-04T14:20:00+01:00", "2024-03-04T13:20:00", "R4 datatypes#dateTime: with its offset"),
    ("2024-03-04T13:20:00Z", "2024-03-04T13:20:00", "UTC"),
    ("2024-03-04T08:20:00-05:00", "2024-03-04T13:20:00", "west of Greenwich"),
    ("2024-03-04T23:59:59+01:00", "2024-03-04T22:59:59", "before midnight"),
    ("2024-03-05T00:00:00+01:00", "2024-03-04T23:00:00", "midnight"),
    ("2024-10-27T02:30:00+02:00", "2024-10-27T00:30:00", "the hour that comes twice, first"),
    ("2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00", "the hour that comes twice, then"),
    ("2024-03-31T02:30:00+01:00", "2024-03-31T01:30:00", "an hour that Swedish clocks skip"),
    ("2024-03-04T13:20:00.5Z", "2024-03-04T13:20:00.500000", "a part of a second"),
    ("2024-03-04T13:20:00.1234567899Z", "2024-03-04T13:20:00.123456", "finer than a microsecond"),
    ("2024-03-04T13:20Z", "2024-03-04T13:20:00", "FHIRPath leaves out seconds"),
    ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999", "R4 datatypes#instant: a leap second"),
    ("2017-01-01T00:59:60.7+01:00", "2016-12-31T23:59:59.999999", "a leap second, here and in parts"),
    ("2199-12-31T22:59:59.999Z", "2199-12-31T22:59:59.999000", "the last millisecond here"),
    ("2200-01-01T12:00:00+14:00", "2199-12-31T22:00:00", "of the next year where it was written"),
    ("1899-12-31T23:00:00Z", "1899-12-31T23:00:00", "1900 by a Swedish clock"),
]


@pytest.mark.parametrize(("text", "instant", "because"), MOMENTS)
def test_a_time_by_the_clock_is_one_instant(text: str, instant: str, because: str) -> None:
    given_ = span(text)
    assert (given_.first, given_.last, given_.precision) == (utc(instant), utc(instant), CLOCK), because
    assert given_.first.tzinfo is UTC


OUTSIDE = [
    # what is given, because
    ("0001", "not known"),
    ("0001-01-01T00:00:00Z", "what .NET says of a time that was never set"),
    ("0001-01-01T00:00:00+14:00", "in UTC before the first year"),
    ("1899", "the year before"),
    ("1899-12", "the month before"),
    ("1899-12-31", "the day before"),
    ("1899-12-31T22:59:59Z", "the second before"),
    ("2199-12-31T23:00:00Z", "the first second after, here"),
    ("2199-12-31T12:00:00-14:00", "the next year, here"),
    ("2200", "the year after"),
    ("2200-01-01", "the day after"),
    ("9999-12-31", "never"),
    ("9999-12-31T23:59:59+14:00", "never"),
    ("9999-12-31T23:59:59-14:00", "in UTC after the last year"),
]


@pytest.mark.parametrize(("text", "because"), OUTSIDE)
def test_a_year_that_is_not_reckoned_in(text: str, because: str) -> None:
    with pytest.raises(YearFault, match=r"^is outside the years 1900 to 2199$"):
        span(text)
    assert issubclass(YearFault, TimeFault), because


NONE = [
    # what is given, the rule, because
    (None, "no date", "nothing"),
    (20240304, "no date", "a number"),
    ({"start": "2024"}, "no date", "a Period"),
    ("", "no date", "empty"),
    ("Hemligsson", "no date", "a word"),
    ("24", "no date", "two digits"),
    ("20240304", "no date", "ISO 8601 without hyphens"),
    ("2024-W10-1", "no date", "a week"),
    ("2024-03-04 14:20:00Z", "no date", "no T"),
    ("2024-03-04T14Z", "no date", "no minutes"),
    ("2024-03-04T14:20:00+01", "no date", "half a zone"),
    ("2024-03-04\n", "no date", "a line end behind it"),
    ("２０２４", "no date", "digits of another script"),
    ("2024-03-04T14:20:00", "no time zone", "R4 datatypes#dateTime: a zone where there is a time"),
    ("2024-13", "no day", "a month too many"),
    ("2023-02-29", "no day", "no leap year"),
    ("0000", "no day", "there was no such year"),
    ("2024-03-04T24:00:00Z", "no day, or no time", "R4: 24:00 is not used"),
    ("2024-03-04T14:20:61Z", "no day, or no time", "two leap seconds"),
    ("2024-03-04T14:20:00+24:00", "no day, or no time", "no zone is so far away"),
]


@pytest.mark.parametrize(("value", "rule", "because"), NONE)
def test_what_is_no_time_says_why_and_not_what(value: object, rule: str, because: str) -> None:
    with pytest.raises(TimeFault, match=rule) as fault:
        as_moment(value)
    assert not isinstance(fault.value, YearFault), because
    assert "Hemligsson" not in str(fault.value)
    assert fault.value.__cause__ is None


@pytest.mark.parametrize("kind", SignalKind)
def test_as_what_the_time_of_a_signal_counts(kind: SignalKind) -> None:
    """R4 datatypes#Period: what ends then includes the day; all else begins with it."""
    ends = {"leave-ended", "discharged", "deceased", "transferred-out"}
    assert (ROLES[kind] is Role.END) is (kind.value in ends)
    given_ = span("2024-03-04")
    assert given_.at(ROLES[kind]) == (given_.last if kind.value in ends else given_.first)


RECKONED = [
    ("1899-12-31T22:59:59.999999", False, "1899 here"),
    ("1899-12-31T23:00:00", True, "1900 here"),
    ("2199-12-31T22:59:59.999999", True, "2199 here"),
    ("2199-12-31T23:00:00", False, "2200 here"),
    ("0001-01-01T00:00:00", False, "there is no day before"),
    ("9999-12-31T23:59:59.999999", False, "there is no hour after"),
]


@pytest.mark.parametrize(("instant", "reckoned", "because"), RECKONED)
def test_both_ends_of_what_is_reckoned(instant: str, reckoned: bool, because: str) -> None:
    assert is_reckoned(utc(instant)) is reckoned, because


EARLIEST = [
    # an end, how exactly it is known, the earliest that it may be, because
    ("2024-03-04T13:00:00", None, "2024-03-04T13:00:00", "by the clock"),
    ("2024-03-04T22:59:59.999999", None, "2024-03-03T23:00:00", "to the day"),
    ("2024-03-31T21:59:59.999999", None, "2024-03-30T23:00:00", "to the day, of 23 hours"),
    ("2024-03-31T21:59:59.999999", MONTH, "2024-02-29T23:00:00", "to the month"),
    ("2024-12-31T22:59:59.999999", YEAR, "2023-12-31T23:00:00", "to the year"),
]


@pytest.mark.parametrize(("end", "precision", "first", "because"), EARLIEST)
def test_the_earliest_that_an_end_may_mean(
    end: str, precision: Precision | None, first: str, because: str
) -> None:
    assert earliest(utc(end), precision) == utc(first), because


DAYS = st.dates(date(FIRST_YEAR, 1, 1), date(END_YEAR - 1, 12, 31))
PARTIAL = st.builds(lambda day, length: day.isoformat()[:length], DAYS, st.sampled_from([4, 7, 10]))


@given(PARTIAL)
@example("2024-03-31")
@example("2024-10-27")
@example("1916-05-01")  # when summer time was new, clocks changed at midnight
@example("1916-09-30")
@example("2199")
def test_every_partial_date_is_a_whole_interval(text: str) -> None:
    begins, moment, ends = as_start(text), as_moment(text), as_end(text)
    assert begins <= moment <= ends
    assert local_day(begins).isoformat().startswith(text)
    assert local_day(ends).isoformat().startswith(text)
    assert not local_day(ends + TICK).isoformat().startswith(text)
    precision = span(text).precision
    assert earliest(ends, None if precision is ON_DAY else precision) == begins
    if (following := _next(text)) is not None:
        assert as_start(following) - ends == TICK


def _next(text: str) -> str | None:
    if text.startswith("2199"):
        return None
    if len(text) == 4:
        return str(int(text) + 1)
    if len(text) == 7:
        return str(Month.parse(text).plus(1))
    return (date.fromisoformat(text) + DAY).isoformat()


@given(st.datetimes(datetime(FIRST_YEAR, 1, 2), datetime(END_YEAR - 1, 12, 30)), st.integers(-840, 840))  # noqa: DTZ001
def test_the_same_instant_in_any_zone(clock: datetime, offset_min: int) -> None:
    sign, (hours, minutes) = "-" if offset_min < 0 else "+", divmod(abs(offset_min), 60)
    told = f"{clock.isoformat(timespec='microseconds')}{sign}{hours:02}:{minutes:02}"
    assert as_moment(told) == clock.replace(tzinfo=UTC) - timedelta(minutes=offset_min)


@given(st.datetimes(datetime(FIRST_YEAR, 1, 1, 12), datetime(END_YEAR - 1, 12, 31, 12)))  # noqa: DTZ001
def test_what_is_reckoned_can_be_reckoned_with(clock: datetime) -> None:
    """Whatever a limit of time adds, and the days around it, are days that there are."""
    at = clock.replace(tzinfo=UTC)
    assert is_reckoned(at)
    for later in (at + timedelta(hours=24), at - 60 * DAY, at + 60 * DAY):
        assert at_local(local_day(later), time.min) <= later
        assert is_free_day(local_day(later), eves=True) in (True, False)
    assert Month.of(local_day(at)).plus(13).end > local_day(at)
