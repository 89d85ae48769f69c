"""Facts of a case told in lines of text, and a case read back in local time, for tables of tests.

    [source:]Encounter/1@2  admitted  02 08:00  care_form=somatic unit={"id":"a"}

is the second version of a resource that says `admitted` since 8 o'clock Swedish time on 2 March 2026;
`ready*` repeats; `2026-10-25 02:30+01:00` names any other instant; lines of one version are one fact.
`@2/2026-03-03T08:00:00Z` gives the time of the version; `over=[["05",{"name":"A"}],…]` says what the fields
are from the 5th on (null: since ever), each by a period of its own.
`void` stands for entered-in-error, `nothing` for a version that says nothing, and `all-criteria` for
the six criteria that the notice of *utskrivningsklar* does not imply.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from adapter.losus.case import Case, fold
from adapter.losus.days import LOCAL, Hours, LongHoliday
from adapter.losus.process import STATUTE, ProcessTerms
from adapter.losus.signal import Fact, Signal, Stretch
from adapter.losus.terms import Criterion, SignalKind
from adapter.losus.versions import VersionOrder

#: Bilaga 9 of Jämtland Härjedalen: every limit is set.
JAMTLAND = ProcessTerms(
    admission_notice_from="admission",
    sip_offered_first=True,
    coordinator=True,
    reception=Hours("weekdays", time(8), time(17)),
    long_holiday=LongHoliday(longer_than_days=2, act_on_day=3),
    eves_are_free=True,
    discharge=Hours("all", time(7), time(17)),
    cutoff=time(12),
    cutoff_inclusive=False,
    clock="home-ready",
    unit="calendar-days",
)
TERMS = {"jamtland": JAMTLAND, "statute": STATUTE}
ROUTE = {"urn:oid:1.2.752.29.4.19|SE2321000016-2380": "2380", "urn:x|berg": "2326"}


@dataclass(frozen=True)
class Row:
    """One line of a table: the facts, what the case shows by path, and because of what."""

    name: str
    facts: str
    shows: Mapping[str, Any]
    because: str
    terms: str = "jamtland"
    now: str = "31 12:00"


@dataclass
class _Version:
    signals: list[Signal] = field(default_factory=list)
    void: bool = False
    voids_stay: bool = False


def at(text: str) -> datetime:
    """Read `02 08:00` (March 2026) or `2026-10-25 02:30[+01:00]`, local where no offset is given."""
    full = text if text[4:5] == "-" else f"2026-03-{text}"
    read = datetime.fromisoformat(full)
    return (read if read.tzinfo else read.replace(tzinfo=LOCAL)).astimezone(UTC)


def facts(text: str) -> list[Fact]:
    """Read the facts in the order in which they are told."""
    versions: dict[tuple[str, str], _Version] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, kind, *rest = line.split()
        resource, version = name.rsplit("@", 1)
        said = versions.setdefault((resource, version), _Version())
        if kind == "void":
            said.void = True
        elif kind == "void-stay":
            said.void = said.voids_stay = True
        elif kind != "nothing":
            said.signals += _signals(kind, rest)
    return [_fact(resource, version, said) for (resource, version), said in versions.items()]


def _signals(kind: str, rest: list[str]) -> Iterable[Signal]:
    instant, pairs = at(" ".join(rest[:2])), dict(pair.split("=", 1) for pair in rest[2:])
    if kind == "all-criteria":
        for one in list(Criterion)[1:]:
            yield Signal(SignalKind.CRITERION_MET, instant, {"criterion": one.value})
        return
    over = json.loads(pairs.pop("over", "[]"))
    fields = {name: _value(value) for name, value in pairs.items()}
    always = {name: value for name, value in fields.items() if not any(name in dated for _, dated in over)}
    stretches = tuple(_stretch(always, *one) for one in over)
    yield Signal(SignalKind(kind.rstrip("*")), instant, fields, kind.endswith("*"), stretches)


def _stretch(fields: Mapping[str, Any], start: str | None, dated: Mapping[str, Any]) -> Stretch:
    begins = None if start is None else at(f"{start} 00:00")
    return Stretch(begins, {**fields, **dated}, frozenset(dated))


def _value(text: str) -> Any:
    if text[0] in '{["' or text in ("true", "false", "null"):
        return json.loads(text)
    return text


def _fact(name: str, version: str, said: _Version) -> Fact:
    source, _, resource = name.rpartition(":")
    number, _, changed = version.partition("/")
    order = VersionOrder(int(number), changed)
    return Fact(
        source or "h", resource, order, number, tuple(said.signals), said.void, voids_stay=said.voids_stay
    )


def tell(
    text: str, terms: str | ProcessTerms = "jamtland", now: str = "31 12:00", route: Mapping[str, str] = ROUTE
) -> Case:
    """Fold the facts that the text tells."""
    limits = TERMS[terms] if isinstance(terms, str) else terms
    return fold("c", facts(text), terms=limits, route=route, now=at(now))


def look(case: Case, path: str) -> Any:
    """Give what the picture shows at a dotted path, instants by the local clock.

    `deadlines.sip-call` gives `status due`, and None where it is not judged, `met.sip-call` when it was
    done; `criteria` the met ones;
    `ready_episodes` one text for each: `sent - withdrawn home home-ready`.
    """
    picture = case.picture
    if path.startswith("deadlines."):
        found = [d for d in picture.deadlines if d.name == path.partition(".")[2]]
        return f"{found[0].status} {shown(found[0].due)}" if found else None
    if path.startswith("met."):
        return next((shown(d.met_at) for d in picture.deadlines if d.name == path.partition(".")[2]), None)
    if path == "criteria":
        return [one.criterion.value for one in picture.criteria if one.met_at]
    if path == "ready_episodes":
        return [
            f"{shown(e.sent_at)} - {shown(e.withdrawn_at)} home {shown(e.home_ready_at)}"
            for e in picture.ready_episodes
        ]
    value: Any = picture
    for name in path.split("."):
        if value is None:
            return None
        value = _inside(value, name)
    return _plain(value)


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, tuple):
        return value[int(name)] if int(name) < len(value) else None
    return getattr(value, name)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return shown(value) if isinstance(value, date) else value


def shown(value: date | None) -> str | None:
    """Write an instant or date as `telling` reads it."""
    if isinstance(value, datetime):
        clock = value.astimezone(LOCAL)
        form = "%H:%M" if clock.second == 0 else "%H:%M:%S"
        day = f"{clock:%d}" if (clock.year, clock.month) == (2026, 3) else f"{clock:%Y-%m-%d}"
        return f"{day} {clock:{form}}"
    return None if value is None else value.isoformat()


def failures(row: Row) -> dict[str, tuple[Any, Any]]:
    """Give what the row's case shows and what it should, for each path where they differ."""
    case = tell(row.facts, row.terms, row.now)
    seen = {path: look(case, path) for path in row.shows}
    return {path: (seen[path], wanted) for path, wanted in row.shows.items() if seen[path] != wanted}
