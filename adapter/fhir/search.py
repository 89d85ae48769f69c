"""Parse the parameters of a search of settlement resources and disputes.

Owns the table of what each type is searched by, dates with their prefixes, and what is passed over: a
parameter that is not known is named in the answer, and refused where `Prefer: handling=strict` asks for that.
A modifier is always refused, as FHIR demands. Does not own the search itself (`adapter.store.issued`).
Source: R4 search: #errors, #prefix, #date, #token, #modifiers, #sort, #count, #summary.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from adapter.errors import MalformedError, Problem
from adapter.losus.days import DAY, Month, at_local

_ALL = {"_id": "token", "_lastUpdated": "date", "identifier": "token", "municipality": "string"}
_ISSUED = {**_ALL, "agreement": "string", "period": "date"}
#: Type → parameter → its FHIR type. `period` is the month of the statement.
SEARCHED: Mapping[str, Mapping[str, str]] = {
    "MeasureReport": {**_ISSUED, "date": "date", "measure": "reference"},
    "Invoice": {**_ISSUED, "date": "date"},
    "ChargeItem": {**_ISSUED, "occurrence": "date"},
    "Task": {**_ALL, "status": "token"},
}
#: What says how the answer is to look (R4 search#Summary). Of these `_total`, `_elements`, `_format` and
#: `_pretty` need nothing here: a total is always exact, resources are always whole.
OF_THE_ANSWER = ("_count", "_sort", "_summary", "_total", "_elements", "_format", "_pretty", "_after")
SUMMARIES = frozenset(("true", "false", "text", "data", "count"))

#: A page has so many resources where nothing is asked for, and at most.
COUNT, MOST = 100, 1_000
#: A search has so many values at most; PostgreSQL takes some 30 000.
_VALUES = 500
#: The largest number that a row can have (PostgreSQL: bigint).
_LAST = 2**63 - 1

_DATE = re.compile(
    r"(?:(?P<prefix>[a-z]{2}))?(?P<year>[12][0-9]{3})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>[0-3][0-9])"
    r"(?:T(?P<clock>[0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?)(?P<zone>Z|[+-][01][0-9]:[0-5][0-9])?)?)?)?",
    re.ASCII,
)
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9-]{0,39}", re.ASCII)
_ESCAPED = re.compile(r"\\(.)")

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]
_PREFIXES: Mapping[str, Prefix] = {
    "eq": "eq",
    "ne": "ne",
    "gt": "gt",
    "lt": "lt",
    "ge": "ge",
    "le": "le",
    "sa": "sa",
    "eb": "eb",
}


@dataclass(frozen=True, slots=True)
class Dated:
    """One value of a date parameter: how it compares, and the half-open range that its precision means."""

    prefix: Prefix
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """One value of a token parameter: None is any system, "" none at all; None is any value."""

    system: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """A search as it was understood.

    `texts` are the one value of each plain parameter; of `tokens` and `dates` all lists hold, of each list
    any one. `used` are the parameters that count, for the link `self`; `ignored` says which do not.
    """

    kind: str
    texts: Mapping[str, str] = field(default_factory=dict)
    tokens: tuple[tuple[str, tuple[Token, ...]], ...] = ()
    dates: tuple[tuple[str, tuple[Dated, ...]], ...] = ()
    sort: str | None = None
    descending: bool = False
    count: int = COUNT
    after: int = 0
    used: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Problem, ...] = ()


def read_search(kind: str, given: Iterable[tuple[str, str]], *, strict: bool) -> Search:
    """What the parameters `given` ask of resources of type `kind`.

    Raises MalformedError of a value or modifier that is not understood, and where `strict` of a parameter
    that is not known.
    """
    reading = _Reading(kind)
    for name, value in given:
        reading.take(name, value)
    if strict and reading.ignored:
        raise MalformedError(*reading.ignored)
    return reading.search()


class _Reading:
    """The parameters that were read so far."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known = SEARCHED[kind]
        self._texts: dict[str, str] = {}
        self._tokens: list[tuple[str, tuple[Token, ...]]] = []
        self._dates: list[tuple[str, tuple[Dated, ...]]] = []
        self._sort: str | None = None
        self._numbers = {"_count": COUNT, "_after": 0}
        self._is_count_only = False
        self._left = _VALUES
        self._used: list[tuple[str, str]] = []
        self.ignored: list[Problem] = []

    def take(self, name: str, value: str) -> None:
        """Take one parameter; an empty value asks for nothing, but of a text for what has none."""
        base, colon, _ = name.partition(":")
        is_known = base in self._known or base in OF_THE_ANSWER
        if is_known and colon:
            raise MalformedError(Problem("not-supported", f"{base}: no modifier is understood"))
        if not is_known:
            self._ignore(_told(base), "unknown")
        elif value or self._known.get(base) == "string":
            (self._answer if base in OF_THE_ANSWER else self._filter)(base, value)

    def search(self) -> Search:
        """All that was read."""
        sort = self._sort or ""
        return Search(
            self._kind,
            self._texts,
            tuple(self._tokens),
            tuple(self._dates),
            sort.removeprefix("-") or None,
            sort.startswith("-"),
            0 if self._is_count_only else self._numbers["_count"],
            self._numbers["_after"],
            tuple(self._used),
            tuple(self.ignored),
        )

    def _filter(self, name: str, value: str) -> None:
        kind = self._known[name]
        every = _split(value, ",")
        self._left -= len(every)
        if self._left < 0:
            raise MalformedError(Problem("too-costly", f"a search may have {_VALUES} values"))
        if kind == "date":
            self._dates.append((name, tuple(_dated(name, one) for one in every)))
        elif kind == "token":
            self._tokens.append((name, tuple(_token(one) for one in every)))
        else:
            text = _plain(value)
            if self._texts.setdefault(name, text) != text:
                raise MalformedError(Problem("not-supported", f"{name} is said once"))
        self._used.append((name, value))

    def _answer(self, name: str, value: str) -> None:
        if name in self._numbers:
            self._number(name, value)
        elif name == "_sort":
            self._order(value)
            return
        elif name == "_summary" and value not in SUMMARIES:
            self._ignore(name, f"must be one of {', '.join(sorted(SUMMARIES))}")
            return
        elif name == "_summary":
            self._is_count_only = value == "count"
        self._used.append((name, value))

    def _number(self, name: str, value: str) -> None:
        if not value.isascii() or not value.isdecimal() or len(value) > 19 or int(value) > _LAST:
            raise MalformedError(Problem("value", f"{name} is a whole number"))
        self._numbers[name] = min(int(value), MOST) if name == "_count" else int(value)

    def _order(self, value: str) -> None:
        """The first key decides; within it the order is that of issue."""
        first, *more = value.split(",")
        key = first.removeprefix("-")
        if key in sort_keys(self._kind):
            self._sort = first
            self._used.append(("_sort", first))
        if key not in sort_keys(self._kind) or more:
            self._ignore("_sort", f"must be one of {', '.join(sort_keys(self._kind))}")

    def _ignore(self, name: str, why: str) -> None:
        self.ignored.append(Problem("not-supported", f"parameter {name}: {why}; ignored"))


def sort_keys(kind: str) -> tuple[str, ...]:
    """What resources of a type can be sorted by: their id and all their dates."""
    return tuple(name for name, form in SEARCHED[kind].items() if name == "_id" or form == "date")


def holds(one: Dated, start: datetime, end: datetime) -> bool:
    """Whether what lies in the half-open range from `start` to `end` fits (R4 search#prefix)."""
    contained = one.start <= start and end <= one.end
    return {
        "eq": contained,
        "ne": not contained,
        "gt": end > one.end,
        "lt": start < one.start,
        "ge": end > one.end or contained,
        "le": start < one.start or contained,
        "sa": start >= one.end,
        "eb": end <= one.start,
    }[one.prefix]


def fits(asked: Search, resource: Mapping[str, Any], updated: datetime) -> bool:
    """Whether a resource that was last `updated` then is what the tokens and dates ask for."""
    return all(any(_has(resource, name, token) for token in every) for name, every in asked.tokens) and all(
        any(holds(one, updated, updated + timedelta(microseconds=1)) for one in every)
        for _, every in asked.dates
    )


def _has(resource: Mapping[str, Any], name: str, token: Token) -> bool:
    if name != "identifier":
        return token.system in {None, ""} and resource.get(name.removeprefix("_")) == token.value
    return any(
        (token.system is None or (one.get("system") or "") == token.system)
        and token.value in {None, one.get("value")}
        for one in resource.get("identifier", ())
    )


def _dated(name: str, text: str) -> Dated:
    """A date with its prefix, without a zone by Swedish clocks; MalformedError where it is none.

    The `+` of a zone that was not encoded in the URL has become a space.
    """
    found = _DATE.fullmatch(text.replace(" ", "+"))
    prefix = _PREFIXES.get(found["prefix"] or "eq") if found else None
    if found is None or prefix is None:
        rule = f"{name} is a date, YYYY to YYYY-MM-DDThh:mm:ss+zz:zz, after {', '.join(_PREFIXES)} or nothing"
        raise MalformedError(Problem("value", rule))
    try:
        return Dated(prefix, *_range(found))
    except ValueError:
        raise MalformedError(Problem("value", f"{name}: there is no such day or time")) from None


def _range(found: re.Match[str]) -> tuple[datetime, datetime]:
    year, month, day, clock, zone = found.group("year", "month", "day", "clock", "zone")
    if day is None:
        first = Month(int(year), int(month or 1))
        end = first.plus(1 if month else 12)
        return _midnight(first.first), _midnight(end.first)
    on = date(int(year), int(month), int(day))
    if clock is None:
        return _midnight(on), _midnight(on + DAY)
    if zone is None:
        start = at_local(on, time.fromisoformat(clock)).astimezone(UTC)
    else:
        start = datetime.fromisoformat(f"{on}T{clock}{zone}").astimezone(UTC)
    steps = (timedelta(minutes=1), timedelta(seconds=1), timedelta(milliseconds=1))
    return start, start + steps[clock.count(":") - 1 + clock.count(".")]


def _midnight(day: date) -> datetime:
    return at_local(day, time()).astimezone(UTC)


def _token(text: str) -> Token:
    """`value`, `system|value`, `|value` (no system), `system|`."""
    parts = [_plain(part) for part in _split(text, "|")]
    if len(parts) == 1:
        return Token(None, parts[0])
    return Token(parts[0], parts[1] or None)


def _split(text: str, by: str) -> list[str]:
    r"""The parts of a value between `,` or `|` that are not escaped (`\,`; R4 search#escaping)."""
    return re.split(rf"(?<!\\){re.escape(by)}", text)


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _told(name: str) -> str:
    """The name of a parameter as the answer may tell it: what looks like none may be anything."""
    return name if _NAME.fullmatch(name) else "(no name of FHIR's)"
