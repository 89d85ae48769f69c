"""Instants of a stays file as whole numbers, an hour looked up once: what a million rows are read with.

Owns the shortcut from the text of an instant to its local day. Does not own what an instant is (`stay`)
nor local time (`adapter.losus.days`): each hour is read by both, and the answer kept for its minutes.
"""

from datetime import UTC, datetime, timedelta

from adapter.losus.days import local
from adapter.settlement.stay import read_instant

#: Microseconds since 1970 (UTC), the local day as `date.toordinal`, microseconds on the local clock.
Instant = tuple[int, int, int]

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
#: Hours kept at most; a hundred years of one offset are fewer.
_MOST = 1_000_000

#: Date, hour and offset of a text, to the instant that such an hour begins with.
_hours: dict[str, Instant] = {}
_MINUTES = {
    f":{minute:02d}:{second:02d}": (60 * minute + second) * 1_000_000
    for minute in range(60)
    for second in range(60)
}


def instant(text: str) -> Instant:
    """Read an RFC 3339 instant; ValueError where it is none, TypeError where it is no text."""
    try:
        utc, day, clock = _hours[text[:13] + text[19:]]
        rest = _MINUTES[text[13:19]]
    except KeyError:
        return _looked_up(text)
    return utc + rest, day, clock + rest


def instant_of(at: datetime) -> Instant:
    """Give the whole numbers of an aware datetime."""
    here = local(at)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    clock = here.replace(tzinfo=None) - midnight
    return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND, here.toordinal(), clock // _MICROSECOND


def _looked_up(text: str) -> Instant:
    """Read the instant itself, and keep its hour where all of it has one local date and offset."""
    at = read_instant(text)
    begins = at.replace(minute=0, second=0, microsecond=0)
    last = begins + _HOUR - _MICROSECOND
    here, there = local(begins), local(last)
    if at.microsecond == 0 and here.date() == there.date() and here.utcoffset() == there.utcoffset():
        if len(_hours) >= _MOST:
            _hours.clear()
        _hours[text[:13] + text[19:]] = instant_of(begins)
    return instant_of(at)
