"""Instants of a stays file as whole numbers, an hour looked up once: what a million rows are read with.

Owns the shortcut from the text of an instant to its local day. Does not own what an instant is (`stay`)
nor local time (`adapter.losus.days`): each hour is read by both, and the answer kept for its minutes.
"""

from datetime import UTC, datetime, timedelta

from adapter.losus.days import DAY, local
from adapter.settlement.stay import read_instant

#: Microseconds since 1970 (UTC), the local day as `date.toordinal`, microseconds on the local clock.
Instant = tuple[int, int, int]

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
#: Hours kept at most; a hundred years of one offset are fewer.
_MOST = 1_000_000


class _Hours(dict[str, Instant]):
    """Date, hour and offset of a text, to the instant at which its clock would have shown 00:00."""

    def __missing__(self, key: str) -> Instant:
        """Look an hour up; ValueError where there is none, KeyError where it is not of one local date."""
        begins = read_instant(f"{key[:13]}:00:00{key[13:]}")
        if begins.microsecond or not _is_even(begins, begins + _HOUR):
            raise KeyError
        if len(self) >= _MOST:
            self.clear()
            DAYS.clear()
        utc, day, clock = instant_of(begins)
        past = begins.hour * 3_600_000_000
        self[key] = (utc - past, day, clock - past)
        midnight = begins.replace(hour=0)
        if _is_even(midnight, midnight + DAY):
            DAYS[key[:10] + key[13:]] = self[key]
        return self[key]


def _is_even(start: datetime, end: datetime) -> bool:
    """Whether all of the half-open span has one local date and one offset."""
    first, last = local(start), local(end - _MICROSECOND)
    return first.date() == last.date() and first.utcoffset() == last.utcoffset()


#: Date and offset of a text, where all hours of the date are alike: a small table, so a quick one.
DAYS: dict[str, Instant] = {}
HOURS = _Hours()
#: The hour of a text, with what divides it from the date, in microseconds.
CLOCK = {f"{mark}{hour:02d}": hour * 3_600_000_000 for mark in "T " for hour in range(24)}
#: Minutes and seconds of a text, in microseconds.
MINUTES = {
    f":{minute:02d}:{second:02d}": (60 * minute + second) * 1_000_000
    for minute in range(60)
    for second in range(60)
}


def instant(text: str) -> Instant:
    """Read an RFC 3339 instant; ValueError where it is none, TypeError where it is no text."""
    try:
        utc, day, clock = DAYS.get(text[:10] + text[19:]) or HOURS[text[:13] + text[19:]]
        rest = CLOCK[text[10:13]] + MINUTES[text[13:19]]
    except KeyError:
        return instant_of(read_instant(text))
    return utc + rest, day, clock + rest


def instant_of(at: datetime) -> Instant:
    """Give the whole numbers of an aware datetime."""
    here = local(at)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    clock = here.replace(tzinfo=None) - midnight
    return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND, here.toordinal(), clock // _MICROSECOND
