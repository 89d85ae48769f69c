"""Dates, dateTimes and times of partial precision: reading, order and arithmetic.

Owns FHIRPath's Date, DateTime and Time (N1, 2.1.6-2.1.8, 5.1 "Date/Time equality", 6.6.7
"Date/Time arithmetic"). A value keeps the text it was read from. It reads no clock.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

_DATE = r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?"
_CLOCK = r"(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?"
_ZONE = r"(Z|[+-]\d{2}:\d{2})?"
_DATETIME = re.compile(rf"{_DATE}(?:(T)(?:{_CLOCK}{_ZONE})?)?", re.ASCII)
_TIME = re.compile(rf"T?{_CLOCK}", re.ASCII)

_WIDEST_OFFSET_MIN = 14 * 60
_SECONDS = {
    "week": Decimal(604_800),
    "day": Decimal(86_400),
    "hour": Decimal(3_600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}
_STEP_S = {3: 86_400, 4: 3_600, 5: 60}
_LEAP, _LAST = 60, Decimal("59.999999")
_MILLI = Decimal("0.001")  # as it is written; cut off, for 59.9999 is no leap second
_DAYS_A_YEAR = 365
_DAYS_A_MONTH = 30
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Temporal:
    """A Date, DateTime or Time (`kind`) to the precision that `fields` has.

    `fields`: year, month, day, hour, minute, second (a Time begins at hour); seconds and their
    fraction are one precision. `offset` is the minutes east of UTC, None where not written.
    """

    kind: str
    text: str
    fields: tuple[int | Decimal, ...]
    offset: int | None = None


def parse_temporal(text: str) -> Temporal | None:
    """`text` as FHIR writes it (or a literal without its @); None where it is no date or time."""
    if text.startswith("T") or text[2:3] == ":":
        return parse_time(text)
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    *numbers, zone = match.group(1, 2, 3, 5, 6, 7, 8)
    fields = _fields(numbers)
    if not _exists(fields):
        return None
    return Temporal("DateTime" if match.group(4) else "Date", text, fields, _offset(zone))


def parse_time(text: str) -> Temporal | None:
    """Read a time of day, `T` before it or not; None where `text` is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    fields = _fields(match.groups())
    return Temporal("Time", text.removeprefix("T"), fields) if _clock_exists(fields) else None


def _fields(numbers: tuple[str | None, ...] | list[str | None]) -> tuple[int | Decimal, ...]:
    """Numbers of a text; a leap second, which no arithmetic knows, is the last microsecond of its minute."""
    read = [Decimal(n) if "." in n else int(n) for n in numbers if n is not None]
    if len(read) == len(numbers) and _LEAP <= read[-1] < _LEAP + 1:
        read[-1] = _LAST
    return tuple(read)


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def _exists(fields: tuple[int | Decimal, ...]) -> bool:
    year, month, day = (*map(int, fields[:3]), *(1, 1)[len(fields[:3]) - 1 :])
    if not (year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return False
    return _clock_exists(fields[3:])


def _clock_exists(clock: tuple[int | Decimal, ...]) -> bool:
    return all(value < limit for value, limit in zip(clock, (24, 60, 60), strict=False))


def comparable(a: Temporal, b: Temporal) -> bool:
    """Whether the two have an order at all: a Time has none with a Date or DateTime."""
    return (a.kind == "Time") == (b.kind == "Time")


def compare(a: Temporal, b: Temporal) -> int | None:
    """-1, 0 or 1; None where precision or a missing offset leaves it open. Only for comparable values.

    Precision by precision from the left (N1, 6.2.1): the first difference decides; where one has a
    precision that the other lacks, the answer is open.
    """
    left, right = a.fields, b.fields
    if a.offset != b.offset:
        if a.offset is not None and b.offset is not None:
            left, right = _in_utc(a), _in_utc(b)
        elif len(left) > 3 and len(right) > 3:
            return _compare_half_known(a, b)
    for x, y in zip(left, right, strict=False):
        if x != y:
            return -1 if x < y else 1
    return 0 if len(left) == len(right) else None


def _in_utc(value: Temporal) -> tuple[int | Decimal, ...]:
    try:
        shifted = _minute(value) - timedelta(minutes=value.offset or 0)
    except OverflowError:
        return value.fields
    whole = (shifted.year, shifted.month, shifted.day, shifted.hour, shifted.minute)
    return (*whole[: len(value.fields)], *value.fields[5:])


def _compare_half_known(a: Temporal, b: Temporal) -> int | None:
    """One of the two tells no offset: decided only if no offset of the world could turn it round."""
    apart_min = (_minute(a) - _minute(b)) / timedelta(minutes=1) - (a.offset or 0) + (b.offset or 0)
    if abs(apart_min) <= _WIDEST_OFFSET_MIN:
        return None
    return -1 if apart_min < 0 else 1


def _minute(value: Temporal) -> datetime:
    year, month, day, hour, minute = (*map(int, value.fields[:5]), *(1, 1, 0, 0)[len(value.fields) - 1 :])
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001 -- offsets are kept beside it


def add(value: Temporal, amount: int, unit: str) -> Temporal | None:
    """`value` moved by `amount` of the calendar `unit` (year … millisecond), to its own precision.

    Whole units only, as HL7's suite has it even for seconds (testPlusDate19). A Time goes round at
    midnight. None where the result leaves the years 1-9999, or a Time is moved by months.
    """
    try:
        if unit in {"year", "month"}:
            return (
                None if value.kind == "Time" else _add_months(value, amount * (12 if unit == "year" else 1))
            )
        if value.kind != "Time":
            return _add_seconds(value, amount * _SECONDS[unit])
    except (OverflowError, ValueError):
        return None
    on_some_day = Temporal("DateTime", "", (2000, 1, 15, *value.fields))
    moved = _add_seconds(on_some_day, amount * _SECONDS[unit] % _DAY_S)
    return _written("Time", moved.fields[3:], None)


def _add_months(value: Temporal, months: int) -> Temporal:
    year, *rest = value.fields
    if not rest:
        return _written(value.kind, (int(year) + int(months / 12),), value.offset)
    total = int(year) * 12 + int(rest[0]) - 1 + months
    year, month = total // 12, total % 12 + 1
    days = [min(int(rest[1]), monthrange(year, month)[1])] if len(rest) > 1 else []
    return _written(value.kind, (year, month, *days, *rest[2:]), value.offset)


def _add_seconds(value: Temporal, seconds: Decimal) -> Temporal:
    precision = len(value.fields)
    if precision < 3:
        days = int(seconds / _DAY_S)
        return _add_months(
            value, int(days / _DAYS_A_YEAR) * 12 if precision == 1 else int(days / _DAYS_A_MONTH)
        )
    if precision < 6:
        step = _STEP_S[precision]
        seconds = Decimal(int(seconds / step) * step)
    second = Decimal(value.fields[5]) if precision == 6 else Decimal(0)
    minutes, second = divmod(second + seconds, 60)
    if second < 0:
        minutes, second = minutes - 1, second + 60
    moved = _minute(value) + timedelta(minutes=int(minutes))
    whole = (moved.year, moved.month, moved.day, moved.hour, moved.minute)[:precision]
    last = (second if second % 1 or isinstance(value.fields[-1], Decimal) else int(second),)
    return _written(value.kind, (*whole, *(last if precision == 6 else ())), value.offset)


def _written(kind: str, fields: tuple[int | Decimal, ...], offset: int | None) -> Temporal:
    if kind != "Time" and not 1 <= fields[0] <= 9999:
        raise ValueError("year")
    date = () if kind == "Time" else fields[:3]
    clock = fields if kind == "Time" else fields[3:]
    text = "-".join((f"{date[0]:04}", *(f"{part:02}" for part in date[1:]))) if date else ""
    if kind == "DateTime":
        text += "T"
    text += ":".join(
        f"{part:02}" if isinstance(part, int) else f"{part.quantize(_MILLI, ROUND_DOWN):06}" for part in clock
    )
    if offset is not None:
        sign = "-" if offset < 0 else "+"
        text += "Z" if offset == 0 else f"{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    return Temporal(kind, text, fields, offset)
