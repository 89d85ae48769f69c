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
from adapter.losus.identity import Identity, identify, preferred
from adapter.losus.municipality import Municipalities, concerned
from adapter.losus.terms import SignalKind


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person; None where it is not.

    `protected`: identity protected by any statement that holds. `unreadable`: numbers were given and
    none of them is right. `municipalities`: whom the case concerns.
    """

    protected: bool
    identity: Identity | None
    unreadable: bool
    name: str | None
    address: str | None
    municipalities: Municipalities


def person_of(signals: Sequence[LiveSignal], route: Mapping[str, str]) -> Person:
    """Gather the person from the signals, which stand in effective order; `route` as in `municipality`.

    The newest statement with a number tells who it is. An older one adds what the newer leave out
    only if it shares a number with it or has none, so that two persons are never mixed.
    """
    said = [signal for signal in reversed(signals) if signal.kind is SignalKind.PATIENT]
    numbers = [_numbers(signal) for signal in said]
    right = [[one for one in listed if one is not None] for listed in numbers]
    who = next((listed for listed in right if listed), [])
    same = [s.fields for s, listed in zip(said, right, strict=True) if not listed or set(listed) & set(who)]
    return Person(
        protected=any(bool(signal.fields.get("protected")) for signal in said),
        identity=preferred(who),
        unreadable=not who and any(numbers),
        name=_first(same, "name"),
        address=_first(same, "address"),
        municipalities=concerned(same, signals, route),
    )


def merged_into(signals: Sequence[LiveSignal]) -> tuple[str, ...]:
    """Give the keys that patient records of this case say they were merged into, sorted."""
    said = (signal.fields for signal in signals if signal.kind is SignalKind.PATIENT)
    keys = {reading.text(fields, "merged_into") for fields in said}
    return tuple(sorted(key for key in keys if key is not None))


def _numbers(signal: LiveSignal) -> list[Identity | None]:
    """Read the numbers of one statement; None stands for one that is wrong."""
    day = local_day(signal.at)
    found: list[Identity | None] = []
    for listed in reading.objects(signal.fields, "identifiers"):
        if (value := reading.text(listed, "value")) is not None:
            try:
                found.append(identify(reading.text(listed, "system") or "", value, on=day))
            except ResourceError:
                found.append(None)
    return found


def _first(said: Sequence[Mapping[str, Any]], name: str) -> str | None:
    return next((value for fields in said if (value := reading.text(fields, name)) is not None), None)
