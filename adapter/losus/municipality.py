"""Which municipality a case concerns, and since when.

Owns the order: *folkbokföring*, overridden by a placing municipality (LUS 5:2), or else an
organisation that the settings know. Does not own the list of organisations (`route`, from the
settings), nor what is known of the person at a time (`record`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.losus import reading
from adapter.losus.identity import organization_keys


@dataclass(frozen=True, slots=True)
class Municipalities:
    """Kommunkod of *folkbokföring* (or of the routed receiver), and of a placement; None: not known.

    Both as of the end of the stay, or as of now while it goes on. `during`: the municipality that the case
    concerned in the course of the stay, each with the instant from which on it did, oldest first; more than
    one where the person moved, or a placement began or ended, between admission and end.
    """

    registered: str | None
    placing: str | None
    during: tuple[tuple[datetime, str | None], ...] = ()

    @property
    def liable(self) -> str | None:
        """The municipality that the case concerns: who decided the placement, wherever registered."""
        return self.placing or self.registered


def routed(fields: Mapping[str, Any], route: Mapping[str, str]) -> str | None:
    """Give the municipality of the first listed organisation that is known.

    `route`: kommunkod by `system|value`. Asked only where the person's own municipality is unknown.
    """
    for listed in reading.texts(fields, "organizations"):
        for key in organization_keys(listed):
            if key in route:
                return route[key]
    return None
