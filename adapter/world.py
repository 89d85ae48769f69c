"""What is settled before a message comes: settings, mappings and agreements, as values.

Owns the shape; `wiring` makes it from the settings.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from datetime import datetime

from adapter.fhir.document import Limits
from adapter.fhir.model import FhirVersion
from adapter.losus.identity import organization_keys
from adapter.losus.process import ProcessTerms
from adapter.losus.terms import SignalKind
from adapter.mapping.engine import Mapping
from adapter.outbound.events import Payload
from adapter.store.seal import Seal

#: The terms of the process: for a municipality (None: not known), at an instant, in a care form, in a region
#: that treats (None: not known).
TermsFor = Callable[[str | None, datetime, str, str | None], ProcessTerms]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A source as the flow knows it: what it speaks.

    `base_url` is its own FHIR server, where it has one that may be asked. `municipality` is set for a
    municipality's system, `allowed` to the signals that it may give; None: any. `flood` is the share of
    failing deliveries at which it is stopped. `region`: länskod of the region whose hospitals it is of.
    """

    mapping: Mapping
    fhir: FhirVersion
    base_url: str | None = None
    municipality: str | None = None
    allowed: frozenset[SignalKind] | None = None
    flood: float = 0.5
    region: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """All that is settled before a message comes: settings, mappings, agreements, as values.

    `route` leads from an organisation identifier (`system|value`) to the subscribing municipality;
    `payloads` are the subscribing municipalities and what each may be sent, `units` those of the region's
    open care by stream, `care_route` leads to their streams from the identifiers of the units. `limits` are
    those of a body. `seal` encrypts what is kept raw. `calendar` are the versions of what local days are
    reckoned by. `region` is the länskod of the installation's region, `hospitals` leads from an organisation
    identifier to one. `municipalities` are the kommunkoder that there are (None: whatever has the form of
    one).
    """

    secret: bytes
    endpoint: str
    speakers: MappingType[str, Speaker]
    route: MappingType[str, str]
    payloads: MappingType[str, Payload]
    terms_for: TermsFor
    limits: Limits
    seal: Seal
    calendar: MappingType[str, str]
    units: MappingType[str, Payload] = field(default_factory=dict)
    care_route: MappingType[str, str] = field(default_factory=dict)
    region: str | None = None
    hospitals: MappingType[str, str] = field(default_factory=dict)
    municipalities: frozenset[str] | None = None

    def unit_of(self, listed: Sequence[str], named: Sequence[str]) -> str | None:
        """Return the stream of the unit of open care whose case it is, by identifiers (`system|value`).

        `listed`: of the unit where the person is listed; "" where that does not subscribe. Where nobody is
        stated to be, the first of those that steps have `named` counts that subscribes; None where none does.
        """
        found = (self._unit(one) for one in (listed or named))
        return next((stream for stream in found if stream), "" if listed else None)

    def _unit(self, identifier: str) -> str | None:
        known = (self.care_route.get(key) for key in organization_keys(identifier))
        return next((stream for stream in known if stream), None)

    def treating(self, source: str, hospital: Iterable[str] = ()) -> str | None:
        """Give the region that treats: the hospital's, else the source's, else the installation's.

        `hospital` as in `Case`. None where the settings name no region.
        """
        keys = (key for one in hospital for key in organization_keys(one))
        by_hospital = next((self.hospitals[key] for key in keys if key in self.hospitals), None)
        speaker = self.speakers.get(source)
        return by_hospital or (speaker.region if speaker is not None else None) or self.region
