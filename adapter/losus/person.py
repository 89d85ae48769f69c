"""The person of a case: name, number, address, and whether they must be kept back.

Owns which of several records of the person counts, and protected identity. Does not own what one record says
at a time (`record`), number formats (`identity`) nor what an event shows (`picture`).

All but protection is read as of an instant: the end of the stay, or now while it goes on (settlement rules
1a).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from adapter.errors import ResourceError
from adapter.losus import reading
from adapter.losus.days import local_day
from adapter.losus.facts import LiveSignal, by_time, live_of
from adapter.losus.identity import Identity, IdentityKind, identify, preferred
from adapter.losus.municipality import Municipalities, routed
from adapter.losus.record import Record, Said, Statement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person; None where it is not.

    `protected`: identity protected by the newest version of any record. `uncertain`: numbers were given,
    and none of them is right or several contradict. `municipalities`: whom the case concerns. `changes_at`:
    when something else will hold if nothing more is heard; None where nothing will. `rests_on`: the
    statements that all this is taken from. `open_care_units`: identifiers (`system|value`) of the unit of
    open care where the person is listed; empty where that is not stated. `hidden_registration`: at that
    instant the registered municipality may be a former one (*skyddad folkbokföring*).
    """

    protected: bool
    identity: Identity | None
    uncertain: bool
    name: str | None
    address: str | None
    municipalities: Municipalities
    changes_at: datetime | None = None
    rests_on: tuple[LiveSignal, ...] = ()
    open_care_units: tuple[str, ...] = ()
    hidden_registration: bool = False


#: Of these a person has one; of the others as many as the hospitals give.
_SINGLE = frozenset({IdentityKind.PERSONNUMMER, IdentityKind.SAMORDNINGSNUMMER})


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of one statement that are right, which of them are current, and whether any is wrong."""

    record: Record
    said: Said
    right: frozenset[Identity]
    current: frozenset[Identity]
    flawed: bool


@dataclass(slots=True)
class _Known:
    """What some records say at one instant; notes the statements that are made use of."""

    records: Sequence[Record]
    at: datetime
    used: list[Statement] = field(default_factory=list)

    def first(self, name: str, read: Callable[[Mapping[str, Any], str], T | None]) -> T | None:
        """Give the best value of a field, read and checked by `read`; None where there is none."""
        for record, said in ranked(self.records, name, self.at):
            if (value := read({name: said.value}, name)) is not None:
                self.used.append(record.first_by(name, self.at, said.value))
                return value
        return None


def person_of(
    records: Sequence[Record],
    signals: Sequence[LiveSignal],
    route: Mapping[str, str],
    *,
    as_of: datetime,
    since: datetime | None,
    is_open: bool,
) -> Person:
    """Gather the person from their records, as of an instant; `route` as in `municipality`.

    The newest statement with a number tells who it is. Another record adds what is not known of it only if it
    shares a number with it or has none, so that two persons are never mixed. `signals`, in effective order,
    may say whom a message is for. `since`: when the stay began, None where that is not known; `is_open`:
    whether it goes on, so that what holds later is to come.
    """
    numbers = [_numbers(record, said) for record, said in ranked(records, "identifiers", as_of)]
    who = next((one for one in numbers if one.right), None)
    same = [record for record in records if who is None or _is_same(record, who, numbers)]
    chosen = preferred(who.current or who.right) if who is not None else ()
    contradicting = len(chosen) > 1 and chosen[0].kind in _SINGLE
    read = numbers if who is None else [who]
    known = _Known(same, as_of, [n.record.first_by("identifiers", as_of, n.said.value) for n in read])
    protecting = _protecting(records)
    merging = [said for record in records for said in record.newest("merged_into")]
    name, address = known.first("name", reading.text), known.first("address", reading.text)
    units = known.first("open_care_units", _listed)
    municipalities = _municipalities(known, records, signals, route, since)
    return Person(
        protected=bool(protecting),
        identity=chosen[0] if chosen and not contradicting else None,
        uncertain=contradicting or (who is None and any(one.flawed for one in numbers)),
        name=name,
        address=address,
        municipalities=municipalities,
        changes_at=min((at for at in _boundaries(records) if at > as_of), default=None) if is_open else None,
        open_care_units=units or (),
        hidden_registration=any(_hides_registration(record, as_of) for record in records),
        rests_on=_live([*known.used, *(said.statement for said in (*protecting, *merging))]),
    )


def _listed(fields: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    return tuple(reading.texts(fields, name)) or None


def protects(records: Iterable[Record]) -> bool:
    """Whether the newest version of any record says that the identity is protected."""
    return bool(_protecting(records))


def _protecting(records: Iterable[Record]) -> list[Said]:
    return [said for record in records for said in record.newest("protected") if said.value]


def _hides_registration(record: Record, at: datetime) -> bool:
    """Whether a record tells at an instant that where the person is registered may be a former place.

    *Skyddad folkbokföring*; protection of which nobody says that it is another is taken to be that.
    """
    protected = any(said.value for said in record.at("protected", at))
    told = [said.value for said in record.at("protected_registration", at)]
    return any(told) or (protected and not told)


def merged_into(records: Iterable[Record]) -> tuple[str, ...]:
    """Give the keys that patient records of this case say they were merged into, sorted."""
    said = (one.value for record in records for one in record.newest("merged_into"))
    keys = {reading.text({"merged_into": value}, "merged_into") for value in said}
    return tuple(sorted(key for key in keys if key is not None))


def ranked(records: Sequence[Record], name: str, at: datetime) -> list[tuple[Record, Said]]:
    """Give what holds of a field at an instant by all records, the best first.

    What is known of that time comes before what is known first of a later one. Of the former the newest
    version counts most, wherever it stands; of the latter what holds earliest.
    """
    found = [(record, said) for record in records for said in reversed(record.at(name, at))]
    known = [one for one in found if not one[1].backwards]
    known.sort(key=lambda one: (one[1].statement.made, one[1].since))
    later = [one for one in reversed(found) if one[1].backwards]
    later.sort(key=lambda one: one[1].since)
    return [*reversed(known), *later]


def _is_same(record: Record, who: _Numbers, numbers: Sequence[_Numbers]) -> bool:
    """Whether a record is of the person that `who` tells of, as far as can be told."""
    own = frozenset(number for one in numbers if one.record is record for number in one.right)
    return record is who.record or not own or bool(own & who.right)


def _municipalities(
    known: _Known,
    records: Sequence[Record],
    signals: Sequence[LiveSignal],
    route: Mapping[str, str],
    since: datetime | None,
) -> Municipalities:
    """Find whom the case concerns, and concerned in the course of the stay; notes what that rests on."""
    home = known.first("municipality", reading.kommunkod)
    placing = known.first("placing_municipality", reading.kommunkod)
    receiver = None
    if home is None:
        receiver, said = _receiver(records, signals, route)
        known.used += said
    if since is None:
        return Municipalities(home or receiver, placing)
    course: list[tuple[datetime, str | None]] = []
    for at in (since, *sorted(at for at in _boundaries(known.records) if since < at <= known.at)):
        then = _Known(known.records, at)
        registered = then.first("municipality", reading.kommunkod) or receiver
        liable = then.first("placing_municipality", reading.kommunkod) or registered
        if not course or course[-1][1] != liable:
            course.append((at, liable))
    return Municipalities(home or receiver, placing, tuple(course))


def _receiver(
    records: Sequence[Record], signals: Sequence[LiveSignal], route: Mapping[str, str]
) -> tuple[str | None, list[Statement]]:
    """The municipality that the newest message is for, and the statement on the person that says so."""
    told = [said for record in records for said in record.newest("organizations")]
    said_at: list[tuple[datetime, Any, Said | None]] = [
        *((said.statement.signal.at, said.value, said) for said in told),
        *((signal.at, signal.fields.get("organizations"), None) for signal in signals),
    ]
    said_at.sort(key=lambda one: one[0])
    for _, organizations, said in reversed(said_at):
        if (found := routed({"organizations": organizations}, route)) is not None:
            return found, [] if said is None else [said.statement]
    return None, []


def _boundaries(records: Iterable[Record]) -> set[datetime]:
    return {at for record in records for at in record.boundaries()}


def _live(statements: Iterable[Statement]) -> tuple[LiveSignal, ...]:
    """Give statements as signals that hold, each once."""
    found = {(one.fact.source, one.fact.resource, *one.key): one for one in statements}
    return by_time(live_of(found[key]) for key in sorted(found))


def _numbers(record: Record, said: Said) -> _Numbers:
    """Read the numbers of one statement; those of `use` «old» tell who it is, but are not shown."""
    day = local_day(said.statement.signal.at)
    right, old, flawed = set(), set(), False
    for listed in reading.objects({"identifiers": said.value}, "identifiers"):
        if (value := reading.text(listed, "value")) is not None:
            try:
                number = identify(reading.text(listed, "system") or "", value, on=day)
            except ResourceError:
                flawed = True
                continue
            right.add(number)
            if listed.get("use") == "old":
                old.add(number)
    return _Numbers(record, said, frozenset(right), frozenset(right - old), flawed)
