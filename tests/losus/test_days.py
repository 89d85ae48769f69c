"""Local days, months, free days and reception hours: both sides of each edge."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.losus.days import (
    LOCAL,
    Hours,
    LongHoliday,
    Month,
    at_local,
    count_weekdays,
    free_run,
    is_eve,
    is_free_day,
    is_helgdag,
    is_reception_day,
    local,
    local_day,
    months,
    next_reception,
    reception_window,
    weekdays_after,
    within_hours,
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("instant", "clock", "on", "because"),
    [
        ("2018-01-31T22:59:59", "23:59:59", "2018-01-31", "winter: UTC+1, the day is not over"),
        ("2018-01-31T23:00:00", "00:00:00", "2018-02-01", "winter: UTC+1, midnight"),
        ("2018-07-31T21:59:59", "23:59:59", "2018-07-31", "summer: UTC+2"),
        ("2018-07-31T22:00:00", "00:00:00", "2018-08-01", "summer: UTC+2, midnight"),
        ("2018-03-25T00:59:59", "01:59:59", "2018-03-25", "the last second of winter time"),
        ("2018-03-25T01:00:00", "03:00:00", "2018-03-25", "02:00–03:00 does not exist"),
        ("2018-03-25T10:00:00", "12:00:00", "2018-03-25", "noon of the spring change"),
        ("2018-10-28T00:59:59", "02:59:59", "2018-10-28", "the first 02:59:59"),
        ("2018-10-28T01:00:00", "02:00:00", "2018-10-28", "02:00 for the second time"),
        ("2018-10-28T11:00:00", "12:00:00", "2018-10-28", "noon of the autumn change"),
        ("2018-12-31T23:00:00", "00:00:00", "2019-01-01", "the year turns by local time"),
    ],
)
def test_local_time(instant, clock, on, because):
    assert local(utc(instant)).time() == time.fromisoformat(clock), because
    assert local_day(utc(instant)) == day(on), because


def test_a_naive_datetime_names_no_instant():
    with pytest.raises(ValueError, match="naive"):
        local_day(datetime(2018, 1, 1, 12))  # noqa: DTZ001 - the fault that is looked for


@pytest.mark.parametrize(
    ("on", "clock", "instant", "because"),
    [
        ("2018-01-15", "12:00", "2018-01-15T11:00:00", "winter"),
        ("2018-07-15", "12:00", "2018-07-15T10:00:00", "summer"),
        ("2018-03-25", "12:00", "2018-03-25T10:00:00", "the day of the spring change has 23 hours"),
        ("2018-10-28", "12:00", "2018-10-28T11:00:00", "the day of the autumn change has 25 hours"),
        ("2018-10-28", "02:30", "2018-10-28T00:30:00", "the first of the two"),
    ],
)
def test_at_local(on, clock, instant, because):
    assert at_local(day(on), time.fromisoformat(clock)).astimezone(UTC) == utc(instant), because


# --- months -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "end", "because"),
    [
        ("2018-01", "2018-01-01", "2018-02-01", "an ordinary month"),
        ("2018-12", "2018-12-01", "2019-01-01", "the year turns"),
        ("2020-02", "2020-02-01", "2020-03-01", "a leap year"),
    ],
)
def test_month(text, first, end, because):
    month = Month.parse(text)
    assert (month.first, month.end, str(month)) == (day(first), day(end), text), because


@pytest.mark.parametrize(
    "text", ["2018", "2018-1", "2018-13", "2018-00", "18-01", "2018-01-01", "2018/01", "²018-01", ""]
)
def test_no_month(text):
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


def test_months_are_half_open():
    assert [str(m) for m in months(Month(2018, 11), Month(2019, 2))] == ["2018-11", "2018-12", "2019-01"]
    assert list(months(Month(2018, 11), Month(2018, 11))) == []
    assert list(months(Month(2018, 11), Month(2018, 10))) == []


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-500, 500))
def test_month_arithmetic(on, step):
    month = Month.of(on)
    assert month.first <= on < month.end
    assert month.plus(step).since(month) == step
    assert (month < month.plus(step)) == (step > 0)
    assert Month.parse(str(month)) == month


# --- free days ----------------------------------------------------------------------------------

HELGDAGAR_2026 = {
    "2026-01-01": "nyårsdagen",
    "2026-01-06": "trettondedag jul",
    "2026-04-03": "långfredagen",
    "2026-04-05": "påskdagen",
    "2026-04-06": "annandag påsk",
    "2026-05-01": "första maj",
    "2026-05-14": "Kristi himmelsfärdsdag",
    "2026-05-24": "pingstdagen",
    "2026-06-06": "nationaldagen",
    "2026-06-20": "midsommardagen",
    "2026-10-31": "alla helgons dag",
    "2026-12-25": "juldagen",
    "2026-12-26": "annandag jul",
}


def test_helgdagar_of_a_whole_year():
    """Lag (1989:253): Sundays and thirteen named days; Saturdays and eves are none."""
    year = [date(2026, 1, 1) + timedelta(days=i) for i in range(365)]
    assert {str(d) for d in year if is_helgdag(d) and d.weekday() != 6} == {
        text for text in HELGDAGAR_2026 if day(text).weekday() != 6
    }
    assert all(is_helgdag(day(text)) for text in HELGDAGAR_2026)
    assert sum(map(is_helgdag, year)) == 52 + 11


@pytest.mark.parametrize(
    ("on", "eve", "because"),
    [
        ("2026-06-18", False, "Thursday before midsommarafton"),
        ("2026-06-19", True, "midsommarafton, the earliest date it can have"),
        ("2027-06-25", True, "midsommarafton, the latest"),
        ("2026-06-26", False, "a Friday after it"),
        ("2026-12-23", False, "the day before"),
        ("2026-12-24", True, "julafton"),
        ("2026-12-31", True, "nyårsafton"),
        ("2026-12-30", False, "the day before"),
        ("2026-04-04", False, "påskafton is not one of the three"),
    ],
)
def test_eves(on, eve, because):
    assert is_eve(day(on)) is eve, because
    assert is_free_day(day(on), eves=True) is (eve or day(on).weekday() == 5), because
    assert is_free_day(day(on), eves=False) is (day(on).weekday() == 5), because


@pytest.mark.parametrize(
    ("after", "through", "eves", "number", "because"),
    [
        ("2017-06-19", "2017-06-26", True, 4, "Tue Wed Thu Mon: midsommarafton oräknad (BAL 11 §)"),
        ("2017-06-19", "2017-06-26", False, 5, "the eve is a weekday where eves do not count as free"),
        ("2017-10-06", "2017-10-09", True, 1, "over a weekend: Monday alone"),
        ("2017-10-06", "2017-10-08", True, 0, "Saturday and Sunday"),
        ("2017-10-06", "2017-10-06", True, 0, "the day itself is not counted"),
        ("2017-10-06", "2017-10-02", True, 0, "an empty range"),
        ("2017-12-22", "2018-01-02", True, 4, "27, 28, 29 December and 2 January"),
    ],
)
def test_count_weekdays(after, through, eves, number, because):
    assert count_weekdays(day(after), day(through), eves=eves) == number, because


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(1, 60), st.booleans())
def test_the_nth_weekday_has_number_n(start, number, eves):
    days = weekdays_after(start, eves=eves)
    nth = [next(days) for _ in range(number)][-1]
    assert count_weekdays(start, nth, eves=eves) == number
    assert not is_free_day(nth, eves=eves)


STRICT = ["2026-04-03/4", "2026-05-01/3", "2026-12-25/3", "2027-01-01/3", "2027-03-26/4"]
WITH_EVES = [
    "2026-04-03/4",
    "2026-05-01/3",
    "2026-06-19/3",
    "2026-12-24/4",
    "2026-12-31/4",
    "2027-03-26/4",
    "2027-06-25/3",
    "2027-12-24/3",
    "2027-12-31/3",
]


@pytest.mark.parametrize(("eves", "expected"), [(False, STRICT), (True, WITH_EVES)])
def test_runs_of_more_than_two_free_days(eves, expected):
    """The long holidays of 2026 and 2027, first day and length."""
    found = set()
    for i in range(730):
        start, end = free_run(date(2026, 1, 1) + timedelta(days=i), eves=eves)
        if start.year >= 2026 and (end - start).days > 2:
            found.add(f"{start}/{(end - start).days}")
    # 1 January 2026 is a Thursday: with eves the run 31 Dec–1 Jan is of two days, so no long one
    assert sorted(found) == expected


# --- reception ----------------------------------------------------------------------------------

RECEPTION = Hours("weekdays", time(8), time(17))
THIRD_DAY = LongHoliday(longer_than_days=2, act_on_day=3)


@pytest.mark.parametrize(
    ("at", "eves", "received", "because"),
    [
        ("2026-03-04T07:59:59", True, "2026-03-04T08:00", "before opening: the same morning"),
        ("2026-03-04T08:00:00", True, "2026-03-04T08:00", "the opening itself is inside"),
        ("2026-03-04T16:59:59", True, "2026-03-04T16:59:59", "the last second inside"),
        ("2026-03-04T17:00:00", True, "2026-03-05T08:00", "17:00 is outside: next morning"),
        (
            "2026-03-06T17:00:00",
            True,
            "2026-03-09T08:00",
            "Friday evening: an ordinary weekend has no third day",
        ),
        ("2026-04-02T16:59:00", True, "2026-04-02T16:59", "skärtorsdagen is a weekday"),
        ("2026-04-02T17:00:00", True, "2026-04-05T08:00", "easter is 4 days: received on the 3rd, Sunday"),
        ("2026-04-05T16:59:59", True, "2026-04-05T16:59:59", "inside the third day"),
        ("2026-04-05T17:00:00", True, "2026-04-07T08:00", "the 4th day is free again"),
        ("2026-06-18T18:00:00", True, "2026-06-21T08:00", "midsummer with its eve is 3 days"),
        ("2026-06-18T18:00:00", False, "2026-06-19T08:00", "without eves midsommarafton is a weekday"),
        ("2026-06-19T18:00:00", False, "2026-06-22T08:00", "… and then two free days, no third"),
        ("2026-12-23T18:00:00", True, "2026-12-26T08:00", "24, 25, 26: the third day"),
        ("2026-12-24T18:00:00", False, "2026-12-27T08:00", "25, 26, 27: the third day"),
        ("2026-12-30T17:00:00", True, "2027-01-02T08:00", "the run goes over the turn of the year"),
        ("2026-03-29T05:00:00", True, "2026-03-30T08:00", "a Sunday of the spring change"),
    ],
)
def test_next_reception(at, eves, received, because):
    instant = datetime.fromisoformat(at).replace(tzinfo=LOCAL)
    expected = datetime.fromisoformat(received).replace(tzinfo=LOCAL)
    assert next_reception(instant.astimezone(UTC), RECEPTION, THIRD_DAY, eves=eves) == expected, because


def test_reception_without_a_long_holiday_rule_waits_for_the_weekday():
    at = datetime(2026, 4, 2, 18, tzinfo=LOCAL)
    assert next_reception(at, RECEPTION, None, eves=True) == datetime(2026, 4, 7, 8, tzinfo=LOCAL)


def test_reception_on_all_days():
    at = datetime(2026, 4, 2, 18, tzinfo=LOCAL)
    every_day = Hours("all", time(7), time(17))
    opens, closes = reception_window(at, every_day, None, eves=True)
    assert (opens, closes) == (datetime(2026, 4, 3, 7, tzinfo=LOCAL), datetime(2026, 4, 3, 17, tzinfo=LOCAL))


def test_reception_day_on_another_day_of_the_run():
    assert is_reception_day(date(2026, 4, 6), RECEPTION, LongHoliday(3, 4), eves=True)
    assert not is_reception_day(date(2026, 4, 6), RECEPTION, LongHoliday(4, 4), eves=True)


@pytest.mark.parametrize(("start", "end"), [(17, 8), (8, 8)])
def test_hours_that_end_before_they_start(start, end):
    with pytest.raises(ValueError, match="hours"):
        Hours("all", time(start), time(end))


@pytest.mark.parametrize(
    ("instant", "inside", "because"),
    [
        ("2018-07-15T04:59:59", False, "06:59:59 summer time"),
        ("2018-07-15T05:00:00", True, "07:00 summer time"),
        ("2018-07-15T14:59:59", True, "16:59:59 summer time"),
        ("2018-07-15T15:00:00", False, "17:00 summer time"),
        ("2018-01-15T05:59:59", False, "06:59:59 winter time"),
        ("2018-01-15T06:00:00", True, "07:00 winter time"),
        ("2018-03-25T05:00:00", True, "07:00 on the day that summer time begins"),
        ("2018-10-28T05:59:59", False, "06:59:59 on the day that it ends"),
    ],
)
def test_within_hours(instant, inside, because):
    """Bilaga 9: «Planerad utskrivning … mellan klockan 07:00 – 17:00 veckans alla dagar»."""
    assert within_hours(utc(instant), time(7), time(17)) is inside, because
