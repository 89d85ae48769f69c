"""What is settled before a message comes: settings, mappings and agreements, as values.

Owns the shape; `wiring` makes it from the settings.
"""

from collections.abc import Callable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from datetime import datetime

from adapter.fhir.model import FhirVersion
from adapter.losus.process import ProcessTerms
from adapter.mapping.engine import Mapping
from adapter.outbound.events import Payload

#: The terms of the process: for a municipality (None: not known), at an instant, in a care form.
TermsFor = Callable[[str | None, datetime, str], ProcessTerms]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A source as the flow knows it: what it speaks."""

    mapping: Mapping
    fhir: FhirVersion


@dataclass(frozen=True, slots=True)
class World:
    """All that is settled before a message comes: settings, mappings, agreements, as values.

    `route` leads from an organisation identifier (`system|value`) to the subscribing municipality;
    `payloads` are the subscribers and what each may be sent; `limits` are bytes and depth of a body.
    """

    secret: bytes
    endpoint: str
    speakers: MappingType[str, Speaker]
    route: MappingType[str, str]
    payloads: MappingType[str, Payload]
    terms_for: TermsFor
    limits: tuple[int, int]
