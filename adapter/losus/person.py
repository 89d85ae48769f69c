"""The person of a case: name, number, address, and whether they must be kept back.

Owns which of several statements on the person counts, and protected identity. Does not own number
formats (`identity`) nor what an event shows (`picture`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.errors import ResourceError
from adapter.losus import reading
from adapter.losus.days import local_day
from adapter.losus.facts import LiveSignal
from adapter.losus.identity import Identity, IdentityKind, identify, preferred
from adapter.losus.municipality import Municipalities, concerned
from adapter.losus.terms import SignalKind


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person; None where it is not.

    `protected`: identity protected by any statement that holds. `uncertain`: numbers were given, and
    none of them is right or several contradict. `municipalities`: whom the case concerns.
    """

    protected: bool
    identity: Identity | None
    uncertain: bool
    name: str | None
    address: str | None
    municipalities: Municipalities


@dataclass(frozen=True, slots=True)
class _Statement:
    """One patient signal: its numbers that are right, which of them are current, and whether any is wrong."""

    fields: Mapping[str, Any]
    numbers: frozenset[Identity]
    current: frozenset[Identity]
    flawed: bool


#: Of these a person has one; of the others as many as the hospitals give.
_SINGLE = frozenset({IdentityKind.PERSONNUMMER, IdentityKind.SAMORDNINGSNUMMER})


def person_of(signals: Sequence[LiveSignal], route: Mapping[str, str]) -> Person:
    """Gather the person from the signals, which stand in effective order; `route` as in `municipality`.

    The newest statement with a number tells who it is. An older one adds what the newer leave out
    only if it shares a number with it or has none, so that two persons are never mixed.
    """
    said = [_read(signal) for signal in reversed(signals) if signal.kind is SignalKind.PATIENT]
    who = next((statement for statement in said if statement.numbers), None)
    same = [one.fields for one in said if who is None or not one.numbers or one.numbers & who.numbers]
    chosen = preferred(who.current or who.numbers) if who is not None else ()
    contradicting = len(chosen) > 1 and chosen[0].kind in _SINGLE
    return Person(
        protected=any(bool(one.fields.get("protected")) for one in said),
        identity=chosen[0] if chosen and not contradicting else None,
        uncertain=contradicting or (who is None and any(one.flawed for one in said)),
        name=_first(same, "name"),
        address=_first(same, "address"),
        municipalities=concerned(same, signals, route),
    )


def merged_into(signals: Sequence[LiveSignal]) -> tuple[str, ...]:
    """Give the keys that patient records of this case say they were merged into, sorted."""
    said = (signal.fields for signal in signals if signal.kind is SignalKind.PATIENT)
    keys = {reading.text(fields, "merged_into") for fields in said}
    return tuple(sorted(key for key in keys if key is not None))


def _read(signal: LiveSignal) -> _Statement:
    """Read the numbers of one statement; those of `use` «old» tell who it is, but are not shown."""
    day = local_day(signal.at)
    numbers, old, flawed = set(), set(), False
    for listed in reading.objects(signal.fields, "identifiers"):
        if (value := reading.text(listed, "value")) is not None:
            try:
                number = identify(reading.text(listed, "system") or "", value, on=day)
            except ResourceError:
                flawed = True
                continue
            numbers.add(number)
            if listed.get("use") == "old":
                old.add(number)
    return _Statement(signal.fields, frozenset(numbers), frozenset(numbers - old), flawed)


def _first(said: Sequence[Mapping[str, Any]], name: str) -> str | None:
    return next((value for fields in said if (value := reading.text(fields, name)) is not None), None)
