"""Many rows of a stays file at once, field by field: the way of a file that is good.

Owns the columns. Rows that are not all plainly good are refused together; `plain` then takes them one by
one. What a row comes to is said by `plain.plain_of`.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, cast

from adapter.settlement.instant import CLOCK, DAYS, HOURS, MINUTES, Instant, instant
from adapter.settlement.stay import Stay, read_municipality

#: Days waited for a call that nobody has to make: fewer than any limit.
NO_CALL_NEEDED = -1_000_000

#: Day and clock of the episode that stands, and its day of *hemgångsklar*.
Effective = tuple[int | None, int, int | None]

_ABSENT: dict[str, Any] = dict.fromkeys(
    ("placing_municipality", "notice_sent_at", "sip_called_at", "open_care_available", "ended_at")
)
_fields = itemgetter(*Stay._fields)
_COUNT = len(Stay._fields)
_FORMS = frozenset(("somatic", "psychiatric"))
_BOOL, _BOOL_OR_NULL = frozenset((bool,)), frozenset((bool, type(None)))


def columns_of(rows: Sequence[dict[str, Any]], codes: set[str]) -> list[tuple[Any, ...]]:
    """Read rows; ValueError, KeyError, TypeError or AttributeError where one may not be good.

    `codes` are the kommunkoder that are known to be such; new ones are added.
    """
    whole = [row if len(row) == _COUNT else _completed(row) for row in rows]
    fields = dict(zip(Stay._fields, zip(*map(_fields, whole), strict=True), strict=True))
    _check(fields, codes)
    admitted = [day[0] + clock for day, clock in _instants(fields["admitted_at"])]
    ends = _ends(fields["ended_at"], admitted)
    standing = [_standing(ready) for ready in fields["ready"]]
    sent, clocks, homes = zip(*standing, strict=True)
    return list(
        zip(
            fields["stay"],
            map(_liable, fields["placing_municipality"], fields["municipality"]),
            fields["care_form"],
            fields["compulsory"],
            [
                instant(text)[1] if end is None else 0
                for text, end in zip(fields["admitted_at"], ends, strict=True)
            ],
            ends,
            sent,
            clocks,
            homes,
            _notices(fields["notice_sent_at"], admitted),
            _calls(fields["sip_called_at"], fields["sip_required"], sent),
            [available is True for available in fields["open_care_available"]],
            fields["opposed"],
            strict=True,
        )
    )


def effective(ready: Sequence[dict[str, Any]]) -> Effective:
    """Give day and clock of the last episode that stands, and its day of *hemgångsklar*."""
    found: Effective = (None, 0, None)
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


def _completed(row: dict[str, Any]) -> dict[str, Any]:
    whole = {**_ABSENT, **row}
    if len(whole) != _COUNT:
        raise ValueError
    return whole


def _check(fields: dict[str, tuple[Any, ...]], codes: set[str]) -> None:
    """Check what is no instant."""
    if set(map(type, fields["stay"])) != {str} or "" in fields["stay"]:
        raise ValueError
    for code in {*fields["municipality"], *fields["placing_municipality"]} - codes - {None}:
        codes.add(read_municipality(code))
    if None in fields["municipality"] or not _FORMS.issuperset(fields["care_form"]):
        raise ValueError
    for name in ("compulsory", "sip_required", "opposed"):
        if not _BOOL.issuperset(map(type, fields[name])):
            raise ValueError
    if not _BOOL_OR_NULL.issuperset(map(type, fields["open_care_available"])):
        raise ValueError
    if set(map(type, fields["ready"])) != {list}:
        raise ValueError


def _liable(placing: str | None, municipality: str) -> str:
    return placing or municipality


def _instants(texts: Sequence[str]) -> Iterator[tuple[Instant, int]]:
    """Give of each instant what its date begins with, and its clock."""
    days = [DAYS.get(text[:10] + text[19:]) or HOURS[text[:13] + text[19:]] for text in texts]
    return zip(days, [CLOCK[text[10:13]] + MINUTES[text[13:19]] for text in texts], strict=True)


def _instants_or_none(texts: Sequence[str | None]) -> Iterator[tuple[Instant, int] | None]:
    """Give the same, and None where there is no text."""
    if None not in texts:
        return _instants(cast("Sequence[str]", texts))
    said = _instants([text for text in texts if text is not None])
    return (None if text is None else next(said) for text in texts)


def _ends(texts: Sequence[str | None], admitted: Sequence[int]) -> list[int | None]:
    """Give the days of the ends; ValueError where one is before its admission."""
    ends = list(_instants_or_none(texts))
    both = zip(ends, admitted, strict=True)
    if True in [end is not None and end[0][0] + end[1] < begins for end, begins in both]:
        raise ValueError
    return [None if end is None else end[0][1] for end in ends]


def _notices(texts: Sequence[str | None], admitted: Sequence[int]) -> list[int | None]:
    return [
        None if sent is None else sent[0][0] + sent[1] - begins
        for sent, begins in zip(_instants_or_none(texts), admitted, strict=True)
    ]


def _calls(
    texts: Sequence[str | None], required: Sequence[bool], sent: Sequence[int | None]
) -> list[int | None]:
    days = [None if call is None else call[0][1] for call in _instants_or_none(texts)]
    return [
        NO_CALL_NEEDED if zero is None or not must else None if day is None else day - zero
        for day, must, zero in zip(days, required, sent, strict=True)
    ]


def _standing(ready: Sequence[dict[str, Any]]) -> Effective:
    """Read the episodes; nearly always there is one, and all its fields are said."""
    if len(ready) != 1 or len(ready[0]) != 3 or ready[0]["withdrawn_at"] is not None:
        return effective(ready)
    sent, home = ready[0]["sent_at"], ready[0]["home_ready_at"]
    _, day, clock = DAYS.get(sent[:10] + sent[19:]) or HOURS[sent[:13] + sent[19:]]
    clock += CLOCK[sent[10:13]] + MINUTES[sent[13:19]]
    return day, clock, None if home is None else day if home == sent else instant(home)[1]
