"""Which signals of a case hold: each resource counted in its newest version, ordered by effective time.

Owns versions, repeats and voiding; does not own what a signal means (`course`). The order in which
facts arrived is nowhere known here, so any permutation and duplication of them gives the same answer.

What is stated of a person is true from a time, and a newer version takes nothing from the time before it:
there all versions count (`record`), and which statements a case rests on is found with the case (`person`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from operator import attrgetter
from typing import Any

from adapter.errors import Problem, TooLargeError
from adapter.losus.moments import is_reckoned
from adapter.losus.record import PERSON_FIELDS, Record, Statement
from adapter.losus.record import corrected as corrected_statements
from adapter.losus.signal import Fact, Signal
from adapter.losus.terms import SignalKind
from adapter.losus.versions import VersionOrder, in_order, says_the_same

#: More live signals than this are no stay in hospital but a fault of the mapping's case key.
MAX_SIGNALS = 1_000

_RANK = {kind: rank for rank, kind in enumerate(SignalKind)}


@dataclass(frozen=True, slots=True)
class LiveSignal:
    """A signal that holds, `at` in UTC, with the resource that says it.

    `version` is the oldest version from which on every known version of the resource says the same;
    for a repeated signal the oldest that says it. A newer version that only repeats changes nothing.
    """

    kind: SignalKind
    at: datetime
    fields: Mapping[str, Any]
    source: str
    resource: str
    version: str


#: A signal that holds so far, and whether it stays when a newer version does not say it.
_Said = tuple[LiveSignal, bool]


@dataclass(frozen=True, slots=True)
class Selection:
    """`live`: what holds, by effective time, then by kind, then by resource.

    Of the statements on the person only those are there that say something of the case too. `people`: what is
    stated of the person, by record. `resources`: for each resource its known versions, oldest first, exact
    duplicates left out.
    """

    live: tuple[LiveSignal, ...]
    resources: tuple[tuple[Fact, ...], ...]
    people: tuple[Record, ...] = ()


def select(facts: Iterable[Fact]) -> Selection:
    """Choose what holds among all versions of all resources; TooLargeError beyond `MAX_SIGNALS`.

    A signal outside the years that the domain reckons in holds not. A mapping refuses it, but earlier
    releases did not, and no limit of time can be counted from it.
    """
    versions: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        versions.setdefault((fact.source, fact.resource), []).append(fact)
    resources = tuple(tuple(_oldest_first(versions[key])) for key in sorted(versions))
    live = [one for resource in resources for one in _live(resource) if is_reckoned(one.at)]
    if len(live) > MAX_SIGNALS:
        raise TooLargeError(Problem("too-costly", f"a case holds at most {MAX_SIGNALS} signals"))
    people = (Record(resource) for resource in resources if _states_a_person(resource))
    return Selection(by_time(live), resources, tuple(record for record in people if record))


def by_time(signals: Iterable[LiveSignal]) -> tuple[LiveSignal, ...]:
    """Give the signals by effective time, then by kind, else as they stand."""
    return tuple(sorted(signals, key=lambda signal: (signal.at, _RANK[signal.kind])))


def live_of(statement: Statement) -> LiveSignal:
    """Give a statement on the person as a signal that holds."""
    signal, fact = statement.signal, statement.fact
    at = signal.at.astimezone(UTC)
    return LiveSignal(signal.kind, at, signal.fields, fact.source, fact.resource, fact.version)


def _states_a_person(versions: Sequence[Fact]) -> bool:
    return any(signal.kind is SignalKind.PATIENT for fact in versions for signal in fact.signals)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A signal that was said and does not hold any more (PDL 3:14: what is corrected stays to be seen).

    `said` is the version that said it first, `by` the one that says otherwise, or with `by.void` takes it
    back with all else that the resource said.
    """

    was: LiveSignal
    said: Fact
    by: Fact


def corrected(selection: Selection) -> tuple[Corrected, ...]:
    """Give all that newer versions corrected, by effective time of what was said, then by kind.

    A statement on the person is corrected where it holds of no time any more.
    """
    found = [one for versions in selection.resources for one in _corrected(versions)]
    for versions in filter(_states_a_person, selection.resources):
        found += [
            Corrected(live_of(statement), statement.fact, by)
            for statement, by in corrected_statements(versions)
        ]
    return tuple(sorted(found, key=lambda one: (one.was.at, _RANK[one.was.kind])))


def _corrected(versions: Sequence[Fact]) -> Iterator[Corrected]:
    said: list[_Said] = []
    first: dict[str, Fact] = {}
    for fact in versions:
        first.setdefault(fact.version, fact)
        before, said = said, [] if fact.void else _next(said, fact)
        for was, _ in before:
            if not any(was is still for still, _ in said):
                yield Corrected(was, first[was.version], fact)


def _oldest_first(versions: list[Fact]) -> Sequence[Fact]:
    """Order the versions; of neighbours with the same content the oldest alone is a version."""
    if len(versions) == 1:
        return versions
    ordered = in_order(versions, attrgetter("order"))
    if any(older.order == newer.order for older, newer in pairwise(ordered)):
        # Duplicates, or one order with two contents: then the content decides, voiding last, so that
        # the choice does not hang on which came first.
        distinct = {_content(fact): fact for fact in versions}
        ordered = in_order([distinct[key] for key in sorted(distinct)], attrgetter("order"))
    return [
        fact
        for older, fact in zip((None, *ordered), ordered, strict=False)
        if older is None or not _repeats(older, fact)
    ]


def _repeats(older: Fact, fact: Fact) -> bool:
    """Whether a version only says again what the one before it said, with a younger time of its own.

    What it says may rest on other resources too (a Patient who has died), so its signals are compared as
    well.
    """
    known = fact.order.digest and older.order.digest
    if not known or not says_the_same(older.order.digest, fact.order.digest):
        return False
    if len(fact.signals) != len(older.signals):
        return False
    pairs = zip(older.signals, fact.signals, strict=True)
    return all(one.kind is other.kind and one.fields == other.fields for one, other in pairs)


def _content(fact: Fact) -> tuple[VersionOrder, bool, bool, str, str]:
    said = [
        [
            signal.kind,
            signal.at.astimezone(UTC).isoformat(),
            dict(signal.fields),
            signal.repeats,
            [[str(one.start), dict(one.fields), sorted(one.dated)] for one in signal.stretches],
        ]
        for signal in fact.signals
    ]
    return fact.order, fact.void, fact.voids_stay, json.dumps(said, sort_keys=True), fact.version


def _live(versions: Sequence[Fact]) -> list[LiveSignal]:
    """Carry what is said from version to version; a void one clears all that was said before it."""
    said: list[_Said] = []
    for fact in versions:
        said = [] if fact.void else _next(said, fact)
    return [signal for signal, _ in said]


def _next(said: list[_Said], fact: Fact) -> list[_Said]:
    """Give what holds once `fact` is known too: what it says, and the repeated signals before it.

    A partial version takes nothing back, and adds kinds of signals that were not said before it.
    """
    kept = [entry for entry in said if entry[1] or fact.partial]
    known = {entry[0].kind for entry in said}
    for signal in filter(_says_something_of_the_case, fact.signals):
        if fact.partial and signal.kind in known:
            continue
        at = signal.at.astimezone(UTC)
        if (again := _find(kept, signal, at)) is not None:
            kept[again] = (kept[again][0], kept[again][1] or signal.repeats)
        elif (before := _find(said, signal, at)) is not None:
            kept.append((said[before][0], signal.repeats))
        else:
            fresh = LiveSignal(signal.kind, at, signal.fields, fact.source, fact.resource, fact.version)
            kept.append((fresh, signal.repeats))
    return kept


def _says_something_of_the_case(signal: Signal) -> bool:
    """Whether a signal is no statement on the person alone."""
    return signal.kind is not SignalKind.PATIENT or not signal.fields.keys() <= PERSON_FIELDS


def _find(said: list[_Said], signal: Signal, at: datetime) -> int | None:
    """Find what is said already; a statement on the person may say it of a later time, which is no news."""
    is_person = signal.kind is SignalKind.PATIENT
    for index, (known, _) in enumerate(said):
        same = known.kind is signal.kind and known.fields == signal.fields
        if same and (known.at == at or (is_person and known.at < at)):
            return index
    return None
