"""One delivery opened: bytes to resources that have been checked, and references between them. Pure.

Owns what is held against FHIR before a mapping is asked, and the names that a door gave; does not own what
the resources say (`reading`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.delivery import Delivery, Door
from adapter.errors import Problem, ResourceError, UnknownSourceError
from adapter.fhir.document import read_document
from adapter.fhir.interaction import conditions_in, names_of, settled
from adapter.fhir.message import Entry, Message, References, read_entries, read_message
from adapter.fhir.model import FhirVersion
from adapter.fhir.places import reference_place
from adapter.losus.identity import pseudonym
from adapter.losus.instants import instant_text
from adapter.mapping.fields import instant
from adapter.world import World

Resource = dict[str, Any]

#: The doors that name what they take in, as a FHIR server does.
_NAMING = frozenset({Door.REST, Door.TRANSACTION})


@dataclass(frozen=True, slots=True)
class Opened:
    """A delivery whose resources have been checked.

    `message` is set where it is a FHIR message. `sent` is the Bundle's own timestamp (UTC text, "" where it
    has none); of what bears no version a server stamps when it came. `aliases` are the keyed hashes of
    conditions under which a resource is found, with its name.
    """

    delivery: Delivery
    received_at: datetime
    fhir: FhirVersion
    document: Resource
    message: Message | None
    entries: tuple[Entry, ...]
    references: References
    sent: str
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
    if delivery.door in _NAMING:
        document = _settled(world, delivery, document)
    message, entries, references = _entries(delivery.door, document, fhir)
    sent = _sent(delivery.door, document, now)
    aliases = _aliases(world, delivery, entries)
    return Opened(delivery, now, fhir, document, message, entries, references, sent, aliases)


def hashed(world: World, source: str, condition: str) -> str:
    """How a condition is known that may hold a person's number: by its keyed hash."""
    return pseudonym(world.secret, source, condition)


def _settled(world: World, delivery: Delivery, document: Resource) -> Resource:
    """The document with the names that its door gave, as `interaction.settled`."""
    conditions = set(conditions_in(document, document.get("resourceType", "")))
    found = {one: delivery.targets.get(hashed(world, delivery.source, one)) for one in conditions}
    missing = [one for one, name in found.items() if name is None]
    if missing:
        rule = "a conditional reference finds nothing, or more than one"
        raise ResourceError(
            *(Problem("not-found", rule, reference_place(document, one)) for one in sorted(missing))
        )
    return settled(document, delivery.targets, {one: name for one, name in found.items() if name})


def _aliases(world: World, delivery: Delivery, entries: tuple[Entry, ...]) -> frozenset[tuple[str, str]]:
    if delivery.door not in _NAMING:
        return frozenset()
    return frozenset(
        (hashed(world, delivery.source, one), f"{e.resource['resourceType']}/{e.resource['id']}")
        for e in entries
        for one in names_of(e.resource)
    )


def _entries(
    door: Door, document: Resource, fhir: FhirVersion
) -> tuple[Message | None, tuple[Entry, ...], References]:
    if door is Door.MESSAGE or (
        door in {Door.STREAM, Door.IMPORT}
        and document.get("resourceType") == "Bundle"
        and document.get("type") == "message"
    ):
        message = read_message(document, fhir)
        return message, message.entries, message.references
    return None, *read_entries(document, fhir)


def _sent(door: Door, document: Resource, now: datetime) -> str:
    stamp = document.get("timestamp") if document.get("resourceType") == "Bundle" else None
    if stamp:
        return instant(stamp).isoformat()
    return instant(instant_text(now)).isoformat() if door in _NAMING else ""
