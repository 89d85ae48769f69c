"""Which municipality a case concerns.

Owns the order: *folkbokföring*, overridden by a placing municipality (LUS 5:2), or else an
organisation that the settings know. Does not own the list of organisations (`route`, from the
settings).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.losus import reading
from adapter.losus.facts import LiveSignal
from adapter.losus.identity import organization_keys


@dataclass(frozen=True, slots=True)
class Municipalities:
    """Kommunkod of *folkbokföring* (or of the routed receiver), and of a placement; None: not known."""

    registered: str | None
    placing: str | None

    @property
    def liable(self) -> str | None:
        """The municipality that the case concerns: who decided the placement, wherever registered."""
        return self.placing or self.registered


def concerned(
    patient: Sequence[Mapping[str, Any]], signals: Sequence[LiveSignal], route: Mapping[str, str]
) -> Municipalities:
    """Find the municipalities; `patient`: the fields of one person's signals, newest first.

    `route`: kommunkod by `system|value`, asked only where the person's own municipality is unknown.
    """
    registered = _first(patient, "municipality")
    if registered is None:
        registered = _routed(reversed(signals), route)
    return Municipalities(registered, _first(patient, "placing_municipality"))


def _first(said: Sequence[Mapping[str, Any]], name: str) -> str | None:
    for fields in said:
        if (code := reading.kommunkod(fields, name)) is not None:
            return code
    return None


def _routed(signals: Iterable[LiveSignal], route: Mapping[str, str]) -> str | None:
    """Give the municipality of the first listed organisation that is known, newest signal first."""
    for signal in signals:
        for listed in reading.texts(signal.fields, "organizations"):
            for key in organization_keys(listed):
                if key in route:
                    return route[key]
    return None
