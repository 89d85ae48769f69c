"""Instants of a stays file as whole numbers, thousands at once: what a million rows are read with.

Owns the shortcut from the text of an instant to its local day. Does not own what an instant is (`stay`)
nor local time (`adapter.losus.days`): text that is not written as nearly all is, and the days on which the
clocks change, are read by those two one by one; every other day is asked of them once.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapter.losus.days import local
from adapter.settlement.stay import read_instant

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Letters = npt.NDArray[np.uint8]

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_SECONDS = 86_400
#: Years that are read quickly; what lies before or after is read as any odd text.
_FIRST_YEAR, _END_YEAR = 1950, 2150

#: By the length of a text: digits of its fraction of a second, and whether `Z` stands at its end.
_SHAPES: Mapping[int, tuple[int, bool]] = {
    20 + digits + (1 if digits else 0) + (0 if is_utc else 5): (digits, is_utc)
    for digits in (0, 3, 6)
    for is_utc in (True, False)
}


class Instants(NamedTuple):
    """Of each instant: microseconds since 1970 (UTC), local day (`date.toordinal`), local clock in µs."""

    utc: Ints
    day: Ints
    clock: Ints


def instants(text: str, lengths: Letters) -> Instants:
    """Read RFC 3339 instants, one after the other in a text; ValueError where one is none."""
    found = Instants(*(np.zeros(len(lengths), np.int64) for _ in Instants._fields))
    letters = np.frombuffer(text.encode("ascii"), np.uint8)
    sizes = lengths.astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(lengths).tolist():
        places = np.flatnonzero(sizes == size)
        good = np.zeros(len(places), np.bool_)
        if size in _SHAPES:
            spelt = (
                letters if len(places) == len(sizes) else letters[starts[places][:, None] + np.arange(size)]
            )
            good = _read_alike(found, places, spelt.reshape(len(places), size).T, *_SHAPES[size])
        for place in places[~good].tolist():
            start = int(starts[place])
            numbers = instant_of(read_instant(text[start : start + size]))
            for column, number in zip(found, numbers, strict=True):
                column[place] = number
    return found


def instant_of(at: datetime) -> tuple[int, int, int]:
    """Give the whole numbers of an aware datetime."""
    here = local(at)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    clock = here.replace(tzinfo=None) - midnight
    return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND, here.toordinal(), clock // _MICROSECOND


def _read_alike(found: Instants, places: Ints, letters: Letters, digits: int, is_utc: bool) -> Bools:  # noqa: FBT001
    """Read texts of one shape into their places; False for those that `read_instant` has to be asked of.

    `letters` has a row for each place in the text.
    """
    letters = np.ascontiguousarray(letters)
    numbers = letters.astype(np.int32) - ord("0")
    year = 100 * _two(numbers, 0) + _two(numbers, 2)
    month, day = _two(numbers, 5), _two(numbers, 8)
    hour, minute, second = _two(numbers, 11), _two(numbers, 14), _two(numbers, 17)
    zone = 20 + digits if digits else 19
    good = _is_marked(letters, digits, zone, is_utc=is_utc)
    good &= (year >= _FIRST_YEAR) & (year < _END_YEAR) & (month >= 1) & (month <= 12)
    index = np.where(good, 12 * (year - _FIRST_YEAR) + month - 1, 0)
    good &= (day >= 1) & (day <= _LENGTHS[index]) & (hour < 24) & (minute < 60) & (second < 60)
    seconds = _SECONDS * (_FIRSTS[index] + day) + 3600 * hour + 60 * minute + second
    if not is_utc:
        hours, minutes = _two(numbers, zone + 1), _two(numbers, zone + 4)
        good &= (hours < 24) & (minutes < 60)
        seconds -= np.where(letters[zone] == ord("-"), -60, 60) * (60 * hours + minutes)
    past = np.zeros(len(places), np.int64)
    for digit in numbers[20 : 20 + digits]:
        past = 10 * past + digit
    past *= 10 ** (6 - digits)
    offset = _offsets(np.where(good, seconds // _SECONDS, 0))
    good &= offset != _UNEVEN
    here = seconds + offset
    found.utc[places] = 1_000_000 * seconds + past
    found.day[places] = here // _SECONDS + _EPOCH_DAY
    found.clock[places] = 1_000_000 * (here % _SECONDS) + past
    return good


def _is_marked(letters: Letters, digits: int, zone: int, *, is_utc: bool) -> Bools:
    """Tell where the marks stand as they should, and digits everywhere else."""
    marks = {4: "-", 7: "-", 10: "T", 13: ":", 16: ":", zone: "Z"}
    if not is_utc:
        marks |= {zone: "+", zone + 3: ":"}
    if digits:
        marks[19] = "."
    good = np.ones(letters.shape[1], np.bool_)
    for place, column in enumerate(letters):
        if place not in marks:
            good &= (column - ord("0")) <= 9  # below "0" wraps around to far above
        elif marks[place] == "+":
            good &= (column == ord("+")) | (column == ord("-"))
        else:
            good &= column == ord(marks[place])
    return good


def _two(numbers: npt.NDArray[np.int32], place: int) -> Ints:
    two: Ints = (10 * numbers[place] + numbers[place + 1]).astype(np.int64)
    return two


def _offsets(days: Ints) -> Ints:
    """Give the seconds that local time is ahead on days (UTC, since 1970); `_UNEVEN` where they change."""
    found: Ints = _AHEAD[days - _FIRST_DAY]
    if unknown := np.unique(days[found == _UNKNOWN]).tolist():
        for day in unknown:
            _AHEAD[day - _FIRST_DAY] = _ahead(day)
        return _offsets(days)
    return found


def _ahead(day: int) -> int:
    begins = _EPOCH + timedelta(days=day)
    first, last = (local(at).utcoffset() for at in (begins, begins + timedelta(days=1) - _MICROSECOND))
    return first // timedelta(seconds=1) if first is not None and first == last else _UNEVEN


def _month_starts() -> tuple[Ints, Ints]:
    """Give of each month the day before its first, since 1970, and how many days it has."""
    firsts = [
        date(year, month, 1).toordinal() for year in range(_FIRST_YEAR, _END_YEAR) for month in range(1, 13)
    ]
    firsts.append(date(_END_YEAR, 1, 1).toordinal())
    starts = np.array(firsts, np.int64)
    return starts[:-1] - _EPOCH_DAY - 1, np.diff(starts)


_FIRSTS, _LENGTHS = _month_starts()
_UNKNOWN, _UNEVEN = 1 << 30, 1 << 31
_FIRST_DAY = int(_FIRSTS[0]) - 1
#: By day (UTC): a day of another offset may begin a day before the first, or end a day after the last.
_AHEAD = np.full(int(_FIRSTS[-1]) + 31 + 3 - _FIRST_DAY, _UNKNOWN, np.int64)
