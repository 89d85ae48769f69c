"""Rows of a stays file that are plainly good, read without making a `Stay` of each.

Owns the quick way through a row. A row that is not plainly good in every field goes to the reader (`stay`),
which alone tells faults; so a fault costs time and never its line. Does not own counting (`ledger`).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

import orjson

from adapter.settlement.instant import instant, instant_of
from adapter.settlement.length import effective_episode
from adapter.settlement.stay import BadRow, Stay, read_line, read_municipality

#: What settlement asks of a stay, whatever the agreement, days as `date.toordinal`:
#: id; liable municipality; care form; compulsory; day of admission; day of the end, None while open; day
#: and clock (microseconds) of the effective *utskrivningsklar*, None without one; day of *hemgångsklar*;
#: microseconds from admission to its notice, None without one; days from *utskrivningsklar* to the call
#: to SIP, None without one, `NO_CALL_NEEDED`; open care is available; opposed.
Plain = tuple[
    str, str, str, bool, int, int | None, int | None, int, int | None, int | None, int | None, bool, bool
]

#: Days waited for a call that nobody has to make: fewer than any limit.
NO_CALL_NEEDED = -1_000_000

_ABSENT: dict[str, Any] = dict.fromkeys(
    ("placing_municipality", "notice_sent_at", "sip_called_at", "open_care_available", "ended_at")
)
_fields = itemgetter(*Stay._fields)
_COUNT = len(Stay._fields)
_MICROSECOND = timedelta(microseconds=1)


def read_plain(lines: Iterable[bytes], bad: list[BadRow]) -> Iterator[Plain]:
    """Read one JSON object a line; faults are added to `bad`, the same and in the order of `read_ndjson`."""
    seen: set[str] = set()
    codes: set[str] = set()
    for number, line in enumerate(lines, 1):
        try:
            plain = _plain(orjson.loads(line), codes)
        except (ValueError, KeyError, TypeError, AttributeError):
            yield from plains_of(read_line(number, line, seen), bad)
            continue
        if plain[0] in seen:
            yield from plains_of(read_line(number, line, seen), bad)
            continue
        seen.add(plain[0])
        yield plain


def plains_of(rows: Iterable[Stay | BadRow], bad: list[BadRow]) -> Iterator[Plain]:
    """Take what the reader gave; faults are added to `bad`."""
    for row in rows:
        if isinstance(row, Stay):
            yield plain_of(row)
        else:
            bad.append(row)


def plain_of(stay: Stay) -> Plain:
    """Give what settlement asks of a stay."""
    admitted, admitted_day, _ = instant_of(stay.admitted_at)
    episode = effective_episode(stay)
    sent, clock, home, sip = None, 0, None, NO_CALL_NEEDED
    if episode is not None:
        _, sent, clock = instant_of(episode.sent_at)
        home = None if episode.home_ready_at is None else instant_of(episode.home_ready_at)[1]
    return (
        stay.stay,
        stay.liable,
        stay.care_form.value,
        stay.compulsory,
        admitted_day,
        None if stay.ended_at is None else instant_of(stay.ended_at)[1],
        sent,
        clock,
        home,
        None if stay.notice_sent_at is None else instant_of(stay.notice_sent_at)[0] - admitted,
        _waited(stay, sent) if stay.sip_required and sent is not None else sip,
        stay.open_care_available is True,
        stay.opposed,
    )


def _waited(stay: Stay, sent: int) -> int | None:
    return None if stay.sip_called_at is None else instant_of(stay.sip_called_at)[1] - sent


def _plain(row: dict[str, Any], codes: set[str]) -> Plain:
    """Take a row that is good in every field; ValueError, KeyError or TypeError where it may not be."""
    if len(row) != _COUNT:
        row = {**_ABSENT, **row}
        if len(row) != _COUNT:
            raise ValueError
    (
        stay,
        municipality,
        placing,
        form,
        compulsory,
        admitted_at,
        notice_at,
        ready,
        sip_required,
        called_at,
        available,
        opposed,
        ended_at,
    ) = _fields(row)
    liable = municipality
    if municipality not in codes:
        codes.add(read_municipality(municipality))
    if placing is not None:
        liable = placing
        if placing not in codes:
            codes.add(read_municipality(placing))
    if not (
        type(stay) is str
        and stay
        and (form == "somatic" or form == "psychiatric")  # noqa: PLR1714 - `in` would hash a list
        and type(compulsory) is type(sip_required) is type(opposed) is bool
        and (available is None or type(available) is bool)
        and type(ready) is list
    ):
        raise ValueError
    admitted, admitted_day, _ = instant(admitted_at)
    notice = None if notice_at is None else instant(notice_at)[0] - admitted
    end = None
    if ended_at is not None:
        ended, end, _ = instant(ended_at)
        if ended < admitted:
            raise ValueError
    sent, clock, home = _effective(ready)
    called = None if called_at is None else instant(called_at)[1]
    sip: int | None = NO_CALL_NEEDED
    if sip_required and sent is not None:
        sip = None if called is None else called - sent
    return (
        stay,
        liable,
        form,
        compulsory,
        admitted_day,
        end,
        sent,
        clock,
        home,
        notice,
        sip,
        available is True,
        opposed,
    )


def _effective(ready: Sequence[dict[str, Any]]) -> tuple[int | None, int, int | None]:
    """Give day and clock of the last episode that stands, and its day of *hemgångsklar*."""
    found: tuple[int | None, int, int | None] = (None, 0, None)
    before = None
    for episode in ready:
        withdrawn_at, home_at = episode.get("withdrawn_at"), episode.get("home_ready_at")
        if len(episode) != 1 + ("withdrawn_at" in episode) + ("home_ready_at" in episode):
            raise ValueError
        sent, day, clock = instant(episode["sent_at"])
        home = None if home_at is None else instant(home_at)[1]
        if before is not None and sent < before:
            raise ValueError
        before = sent
        if withdrawn_at is None:
            found = (day, clock, home)
        elif instant(withdrawn_at)[0] < sent:
            raise ValueError
    return found
