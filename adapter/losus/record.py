"""What the record of a person says over time: what holds of a field at an instant, and by which statement.

A *record* is a resource that states something of a person, in all its known versions. What is true of a
person is true from a time (settlement rules 1a), and a version that comes later takes nothing from earlier
times:

| at time `t` | the value is |
| --- | --- |
| of a version, from its effective time on | what it says of `t`; nothing where it is silent: it is whole |
| of a version before that, where the resource gives a period | what holds by the periods: a correction |
| of a version that says nothing of `t` | that of the version before it |
| where no statement of the field is that old | that of the earliest: what is known first holds backwards |
| of a placement, where no version is that old | what the earliest version says: none, where it is silent |

The effective time of a field is the time at which it was said *first*: a version that says the same again
makes it no younger. Where what a version says of a field has ended, the next that it says holds already.

Owns this table; does not own whose record it is, nor which of several records counts (`person`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from adapter.losus.signal import Fact, Signal
from adapter.losus.terms import SignalKind

#: What the person of a case is made of.
PERSON_FIELDS = frozenset(
    {
        "identifiers",
        "name",
        "address",
        "municipality",
        "placing_municipality",
        "organizations",
        "open_care_units",
        "protected",
        "protected_registration",
        "merged_into",
    }
)

#: A version without it says that it is not so; one without a name or municipality, that it is not known.
_SILENCE_SAYS_NO = frozenset({"placing_municipality"})

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statement:
    """A patient signal and the version that says it; `made` ranks versions, those of other records too.

    `key` tells the statements of one record apart.
    """

    signal: Signal = field(compare=False)
    fact: Fact = field(compare=False)
    made: datetime
    key: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Said:
    """A value of a field that holds at an instant, since when, and the statement that it rests on.

    `backwards`: nothing is known of so early a time, and this is what is known first.
    """

    value: Any
    since: datetime
    statement: Statement
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class _Version:
    """One version that says something new; `since`: from when on what it does not say is not so any more."""

    fact: Fact
    statements: tuple[Statement, ...]
    since: datetime | None
    made: datetime


#: A value that holds from an instant to the next piece; and whether it is so by a period of its own.
_Piece = tuple[datetime, Any, bool]


class Record:
    """All that is known of one record; `versions` stand oldest first, and all are of one resource."""

    def __init__(self, versions: Sequence[Fact]) -> None:
        self._versions: tuple[_Version, ...] = ()
        for place, fact in enumerate(versions):
            self._versions = () if fact.void else _with(self._versions, fact, place)
        self._origins: dict[tuple[int, int, str], tuple[datetime, Statement]] = {}

    def __bool__(self) -> bool:
        """Whether it states anything of a person."""
        return bool(self._versions)

    def at(self, name: str, at: datetime) -> list[Said]:
        """Give what holds of a field at an instant, the best first; empty where nothing is known to."""
        return self._known(name, at, len(self._versions))

    def first_by(self, name: str, at: datetime, value: object) -> Statement:
        """Give the statement by which what holds at an instant was known first, without a break since.

        A newer version that says the same of that time, be it by a period, is no other source of it.
        """
        *_, known = self._firsts(name, at)
        return next(statement for said, statement in known if said == value)

    def newest(self, name: str) -> list[Said]:
        """Give what the newest version says of a field that holds whatever the time."""
        last = len(self._versions) - 1
        statements = self._versions[-1].statements if self._versions else ()
        return [
            Said(one.signal.fields[name], *self._origin(last, one, name))
            for one in reversed(statements)
            if _is_said(one.signal.fields.get(name))
        ]

    def boundaries(self) -> set[datetime]:
        """Give the instants from which something else may hold than before."""
        found: set[datetime] = set()
        for version in self._versions:
            found |= {version.since} if version.since is not None else set()
            for one in version.statements:
                found.add(one.signal.at.astimezone(UTC))
                found |= {s.start.astimezone(UTC) for s in one.signal.stretches if s.start is not None}
        return found - {_EVER}

    def holding(self) -> list[Statement]:
        """Give the statements that hold at some time, oldest version first, each once."""
        *_, found = self.holding_by_version() or [set[Statement]()]
        names = {name for version in self._versions for name in _names(version)}
        found |= {said.statement for name in names for said in self.newest(name)}
        found |= {one for version in self._versions[-1:] for one in version.statements if not _fields(one)}
        return sorted(found, key=lambda one: one.key)

    def holding_by_version(self) -> list[set[Statement]]:
        """Give the statements that held at some time when each version was the newest, oldest first."""
        found: list[set[Statement]] = [set() for _ in self._versions]
        names = {name for version in self._versions for name in _names(version)}
        for name in names:
            for at in (_EVER, *self.boundaries()):
                for held, known in zip(found, self._firsts(name, at), strict=True):
                    held |= {statement for _, statement in known}
        return found

    @property
    def facts(self) -> list[Fact]:
        """The versions that say something new, oldest first."""
        return [version.fact for version in self._versions]

    def _firsts(self, name: str, at: datetime) -> list[list[tuple[Any, Statement]]]:
        """For each version as the newest: what is known to hold at an instant, and by what it was first."""
        found: list[list[tuple[Any, Statement]]] = []
        for upto in range(1, len(self._versions) + 1):
            before = found[-1] if found else []
            found.append(
                [
                    next((known for known in before if known[0] == said.value), (said.value, said.statement))
                    for said in self._known(name, at, upto)
                ]
            )
        return found

    def _known(self, name: str, at: datetime, upto: int) -> list[Said]:
        """What holds of a field at an instant, as far as the first `upto` versions tell."""
        if name in _SILENCE_SAYS_NO:
            at = max([at, *(v.since for v in self._versions[:1] if v.since)])
            return self._explicit(name, at, upto)
        return self._explicit(name, at, upto) or self._first(name, at, upto)

    def _explicit(self, name: str, at: datetime, upto: int) -> list[Said]:
        """What the newest version says that says anything of that time."""
        for index in reversed(range(upto)):
            if (found := self._of_version(index, name, at)) is not None:
                return found
        return []

    def _first(self, name: str, at: datetime, upto: int) -> list[Said]:
        """What is known first of a field, where no statement of it that stands is as old as `at`."""
        for since in sorted({one for index in range(upto) for one in self._begins(index, name)}):
            if found := self._explicit(name, since, upto):
                return [] if since <= at else [replace(said, backwards=True) for said in found]
        return []

    def _begins(self, index: int, name: str) -> Iterator[datetime]:
        """From when on one version says something of a field."""
        for statement in self._versions[index].statements:
            said = [piece for piece in _pieces(statement.signal, name) if _is_said(piece[1])]
            if said:
                since, _ = self._origin(index, statement, name)
                yield min([since, *(start for start, _, dated in said if dated)])

    def _of_version(self, index: int, name: str, at: datetime) -> list[Said] | None:
        """What one version says of a field at an instant: empty if nothing holds, None if it is silent."""
        version = self._versions[index]
        found: list[Said] = []
        is_told = version.since is not None and version.since <= at
        for statement in version.statements:
            pieces = _pieces(statement.signal, name)
            if not any(_is_said(value) for _, value, _ in pieces):
                continue
            since, origin = self._origin(index, statement, name)
            place = _place(pieces, at)
            start, value, is_dated = pieces[place]
            begun = any(dated and _is_said(value) for _, value, dated in pieces[: place + 1])
            if not begun and since > at:
                continue
            is_told = True
            if not _is_said(value):
                start, value, is_dated = next((p for p in pieces[place:] if _is_said(p[1])), pieces[place])
            if _is_said(value):
                found.append(Said(value, start if is_dated else since, origin))
        found.sort(key=lambda said: said.since)
        return found[::-1] if is_told else None

    def _origin(self, index: int, statement: Statement, name: str) -> tuple[datetime, Statement]:
        """Find when and by which statement a field was said first, of those that say it without a break."""
        place = (index, statement.key[1], name)
        if place not in self._origins:
            since, origin = statement.signal.at.astimezone(UTC), statement
            if index > 0 and (before := self._same_before(index, statement, name)) is not None:
                earlier, origin = self._origin(index - 1, before, name)
                since = min(since, earlier)
            self._origins[place] = since, origin
        return self._origins[place]

    def _same_before(self, index: int, said: Statement, name: str) -> Statement | None:
        """The statement of the version before that says the same of a field.

        Where versions make several statements each, what is said first of one of them may not make another
        older: then the time is to be the same too.
        """
        now, before = self._versions[index].statements, self._versions[index - 1].statements
        pieces, at = _pieces(said.signal, name), said.signal.at
        alone = len(now) == len(before) == 1
        same = (one for one in before if alone or one.signal.at == at)
        return next((one for one in same if _pieces(one.signal, name) == pieces), None)


def corrected(versions: Sequence[Fact]) -> Iterator[tuple[Statement, Fact]]:
    """Give the statements of a record that hold of no time any more, each with what says otherwise.

    A version that is true from a later time on corrects nothing: what was said before holds until then.
    """
    start = 0
    for end, fact in enumerate((*versions, None)):
        if fact is not None and not fact.void:
            continue
        record = Record(versions[start:end])
        held = record.holding_by_version()
        for before, after, by in zip(held, held[1:], record.facts[1:], strict=False):
            yield from ((one, by) for one in sorted(before - after, key=lambda one: one.key))
        if fact is not None:
            yield from ((one, fact) for one in record.holding())
        start = end + 1


def _with(versions: tuple[_Version, ...], fact: Fact, place: int) -> tuple[_Version, ...]:
    """Add a version; the same tuple where it says nothing that the last one does not say."""
    signals = [signal for signal in fact.signals if signal.kind is SignalKind.PATIENT]
    if not signals and (not versions or fact.partial):
        return versions
    at = _instant(fact.order.at)
    if versions and _is_repeated(versions[-1].statements, signals):
        return versions
    made = at or max((signal.at.astimezone(UTC) for signal in signals), default=_EVER)
    made = max(made, versions[-1].made) if versions else made
    since = min((s.at.astimezone(UTC) for s in signals if not s.repeats), default=None)
    statements = tuple(Statement(s, fact, made, (place, number)) for number, s in enumerate(signals))
    return (*versions, _Version(fact, statements, since if signals else at or _EVER, made))


def _is_repeated(before: Sequence[Statement], signals: Sequence[Signal]) -> bool:
    """Whether a version says what the one before it says, of no earlier time."""
    if len(before) != len(signals):
        return False
    alone = len(signals) == 1
    return all(
        (_whole(one.signal), one.signal.repeats) == (_whole(signal), signal.repeats)
        and (one.signal.at <= signal.at if alone else one.signal.at == signal.at)
        for one, signal in zip(before, signals, strict=True)
    )


def _whole(signal: Signal) -> object:
    """All that a signal says, of any time; where it has stretches, its fields are one of them."""
    return signal.stretches or signal.fields


def _pieces(signal: Signal, name: str) -> tuple[_Piece, ...]:
    """What a signal says of one field over time, oldest first; the first piece begins at no time."""
    if not signal.stretches:
        return ((_EVER, signal.fields.get(name), False),)
    pieces: list[_Piece] = []
    for stretch in signal.stretches:
        start = _EVER if stretch.start is None else stretch.start.astimezone(UTC)
        value, dated = stretch.fields.get(name), name in stretch.dated
        if not pieces or pieces[-1][1:] != (value, dated):
            pieces.append((start, value, dated))
    return tuple(pieces)


def _place(pieces: Sequence[_Piece], at: datetime) -> int:
    """Which of the pieces an instant lies in."""
    return max(index for index, (start, *_) in enumerate(pieces) if index == 0 or start <= at)


def _names(version: _Version) -> set[str]:
    return {name for one in version.statements for name in _fields(one)}


def _fields(one: Statement) -> set[str]:
    """The fields that a statement says, at whatever time."""
    parts = (one.signal.fields, *(stretch.fields for stretch in one.signal.stretches))
    return {name for part in parts for name, value in part.items() if _is_said(value)}


def _is_said(value: object) -> bool:
    """Whether a value says anything: null, an empty text and an empty list do not."""
    return value is not None and value not in ("", [])


def _instant(text: str) -> datetime | None:
    """Read the time of a version as its order has it."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None
