"""One delivery opened: bytes to resources that have been checked, and references between them. Pure.

Owns what is held against FHIR before a mapping is asked, and the names that a channel gave; does not own what
the resources say (`reading`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from adapter.delivery import Delivery, Door
from adapter.errors import Problem, ResourceError, UnknownSourceError
from adapter.fhir.document import read_document
from adapter.fhir.interaction import TAKEN, Named, named_of, settled
from adapter.fhir.message import Message, read_entries, read_message
from adapter.fhir.model import FhirVersion
from adapter.fhir.references import Entry, References, base_of, identifiers_of
from adapter.losus.days import local_day
from adapter.losus.identity import pseudonym
from adapter.mapping.version import sent_at
from adapter.world import World

Resource = dict[str, Any]

#: The channels that name what they take in and stamp what bears no version, as a FHIR server does.
NAMING = frozenset({Door.REST, Door.TRANSACTION})


@dataclass(frozen=True, slots=True)
class Opened:
    """A delivery whose resources have been checked.

    `message` is set where it is a FHIR message. `sent` is the Bundle's own timestamp (UTC text, "" where it
    has none); `received` stands in for the version of what bears none where a server would stamp it, else "".
    `aliases` are the keyed hashes of searches by identifier that find a resource, with its name.
    """

    delivery: Delivery
    received_at: datetime
    fhir: FhirVersion
    document: Resource
    message: Message | None
    entries: tuple[Entry, ...]
    references: References
    sent: str
    received: str
    aliases: frozenset[tuple[str, str]]


def fhir_of(world: World, delivery: Delivery) -> FhirVersion:
    """The version that a delivery is written in; UnknownSourceError where there is no such source."""
    speaker = world.speakers.get(delivery.source)
    if speaker is None:
        raise UnknownSourceError(Problem("not-found", "no source of this name"))
    return delivery.fhir or speaker.fhir


def open_delivery(world: World, delivery: Delivery, now: datetime) -> Opened:
    """Open a delivery that came at `now`, checked whole.

    Raises InputError: of an unknown source, no JSON or XML, no message where one is asked for, or every fault
    of the FHIR model.
    """
    fhir = fhir_of(world, delivery)
    document = read_document(delivery.body, delivery.media, fhir, world.limits)
    named = named_of(delivery.targets) if delivery.door in NAMING else Named()
    if delivery.door in NAMING:
        document = settled(document, named)
    message, entries = _entries(delivery.door, document, fhir)
    _demand_one_server(entries)
    kept = tuple(one for index, one in enumerate(entries) if str(index) not in named.matched)
    on = local_day(now)
    stamp = now.astimezone(UTC).isoformat() if delivery.door in NAMING else ""
    aliases = {*_aliases(world, delivery.source, kept, on), *named.conditions.items()}
    references = References(kept, on)
    sent = sent_at(document)
    return Opened(delivery, now, fhir, document, message, kept, references, sent, stamp, frozenset(aliases))


def hashed(world: World, source: str, kind: str, identifier: str) -> str:
    """How a search by identifier is known, which may hold a person's number: by its keyed hash."""
    return pseudonym(world.secret, source, f"{kind}?identifier={identifier}")


def _aliases(world: World, source: str, entries: tuple[Entry, ...], on: date) -> Iterator[tuple[str, str]]:
    for entry in entries:
        kind, name = entry.resource["resourceType"], entry.resource.get("id")
        if kind in TAKEN and name:
            for identifier in identifiers_of(entry.resource, on):
                yield hashed(world, source, kind, identifier), f"{kind}/{name}"


def _entries(door: Door, document: Resource, fhir: FhirVersion) -> tuple[Message | None, tuple[Entry, ...]]:
    if door is Door.MESSAGE or (
        door in {Door.STREAM, Door.IMPORT}
        and document.get("resourceType") == "Bundle"
        and document.get("type") == "message"
    ):
        message = read_message(document, fhir)
        return message, message.entries
    return None, read_entries(document, fhir)[0]


def _demand_one_server(entries: tuple[Entry, ...]) -> None:
    """Refuse two resources of one type and id from two servers: a source's resources go by type and id."""
    bases: dict[str, str] = {}
    for entry in entries:
        base, name = base_of(entry.full_url), f"{entry.resource['resourceType']}/{entry.resource.get('id')}"
        if base and bases.setdefault(name, base) != base:
            rule = "two servers have a resource of this type and id: a source speaks of those of one server"
            raise ResourceError(Problem("not-supported", rule, entry.path))
