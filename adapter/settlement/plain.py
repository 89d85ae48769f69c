"""Rows of a stays file that are plainly good, read without making a `Stay` of each.

Owns the quick way through a row. A row that is not plainly good in every field goes to the reader (`stay`),
which alone tells faults; so a fault costs time and never its line. Does not own counting (`ledger`).
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import orjson

from adapter.settlement.columns import NO_CALL_NEEDED, columns_of
from adapter.settlement.instant import instant_of
from adapter.settlement.length import effective_episode
from adapter.settlement.stay import BadRow, Stay, read_line

#: What settlement asks of a stay, whatever the agreement, days as `date.toordinal`:
#: id; liable municipality; care form; compulsory; day of admission, 0 once it has ended; day of the end,
#: None while open; day and clock (microseconds) of the effective *utskrivningsklar*, None without one; day
#: of *hemgångsklar*; microseconds from admission to its notice, None without one; days from
#: *utskrivningsklar* to the call to SIP, None without one, `NO_CALL_NEEDED`; open care is available;
#: opposed.
Plain = tuple[
    str, str, str, bool, int, int | None, int | None, int, int | None, int | None, int | None, bool, bool
]

#: Rows that are read at once: few enough to stay in the processor's cache.
_AT_ONCE = 64
_DOUBTFUL = (ValueError, KeyError, TypeError, AttributeError)


def read_plain(lines: Iterable[bytes], bad: list[BadRow]) -> Iterator[Plain]:
    """Read one JSON object a line; faults are added to `bad`, the same and in the order of `read_ndjson`."""
    seen: set[str] = set()
    codes: set[str] = set()
    left, number = iter(lines), 1
    while some := list(islice(left, _AT_ONCE)):
        try:
            plains = columns_of(list(map(orjson.loads, some)), codes)
        except _DOUBTFUL:
            plains = []
        names = {plain[0] for plain in plains}
        if len(names) == len(some) and seen.isdisjoint(names):
            seen |= names
            yield from plains
        else:
            yield from _one_by_one(number, some, seen, codes, bad)
        number += len(some)


def _one_by_one(
    number: int, lines: Iterable[bytes], seen: set[str], codes: set[str], bad: list[BadRow]
) -> Iterator[Plain]:
    """Read rows of which one may not be good; that one is read by the reader."""
    for place, line in enumerate(lines, number):
        try:
            (plain,) = columns_of((orjson.loads(line),), codes)
        except _DOUBTFUL:
            plain = None
        if plain is None or plain[0] in seen:
            yield from plains_of(read_line(place, line, seen), bad)
        else:
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
        admitted_day if stay.ended_at is None else 0,
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
