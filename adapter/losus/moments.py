"""What a FHIR time means as a start or an end: where it has no clock, its first instant or its last.

Owns that reading for the bounds of a period (R4 datatypes#Period: both ends are inclusive, and "the high
value includes any matching date/time", so a period that ends 2012-02-03 holds all of that day). Does not own
local time (`days`). A year, month or day has no zone in FHIR; it is read as a Swedish one.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

from adapter.losus.days import DAY, Month, at_local

#: The resolution of instants.
TICK = timedelta(microseconds=1)

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)


def start_of(text: str) -> datetime:
    """Give the first instant of a FHIR date or dateTime, in UTC; ValueError where it names none."""
    return _first_and_last(text)[0]


def end_of(text: str) -> datetime:
    """Give the last instant of a FHIR date or dateTime, in UTC; ValueError where it names none."""
    return _first_and_last(text)[1]


def _first_and_last(text: str) -> tuple[datetime, datetime]:
    form = _DATE.fullmatch(text)
    if form is None:
        return _instant(text), _instant(text)
    year, month, day = form.groups()
    first = date(int(year), int(month or 1), int(day or 1))
    if day is not None:
        after = first + DAY
    elif month is not None:
        after = Month.of(first).end
    else:
        after = first.replace(year=first.year + 1)
    return _midnight(first), _midnight(after) - TICK


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time of day without a zone names no instant")
    return at.astimezone(UTC)


def _midnight(day: date) -> datetime:
    return at_local(day, time.min).astimezone(UTC)
