"""One delivery read: from bytes to checked resources, and what the mapping makes of them. Pure.

Owns the order of reading, and what is asked for outside a delivery; does not own FHIR (`adapter.fhir`), the
mapping, nor where what lies outside is found (`inbound.library`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapter.delivery import Delivery, Door
from adapter.errors import (
    ForbiddenError,
    InputError,
    LosusError,
    MappingError,
    Problem,
    ResourceError,
    UnknownSourceError,
)
from adapter.fhir.document import read_document
from adapter.fhir.interaction import conditions_in, names_of, settled
from adapter.fhir.message import Entry, Message, References, read_entries, read_message
from adapter.fhir.model import FhirVersion
from adapter.losus.identity import pseudonym
from adapter.losus.instants import instant_text
from adapter.mapping.engine import Message as Surroundings
from adapter.mapping.engine import Reading
from adapter.mapping.fields import instant
from adapter.store.held import Cause
from adapter.world import Speaker, World

Resource = dict[str, Any]

#: What others point at, and so is kept to be found: what a message brings with it need not be.
POINTED_AT = frozenset(
    {
        "CareTeam",
        "Encounter",
        "EpisodeOfCare",
        "Location",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
    }
)


#: The doors that name what they take in, as a FHIR server does.
_NAMING = frozenset({Door.REST, Door.TRANSACTION})


@dataclass(frozen=True, slots=True)
class Outside:
    """What was found of what a delivery points at outside itself, by name (Type/id).

    `lost` is not to be had, `later` perhaps when asked again, each with its reason; `absent` came by no door
    so far, and there is nobody to ask.
    """

    found: Mapping[str, Resource] = field(default_factory=dict)
    lost: Mapping[str, Problem] = field(default_factory=dict)
    later: Mapping[str, Problem] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()


NOTHING = Outside()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that has been read: what it says, and what is needed to store and answer it.

    `message` is set where it is a FHIR message. `leans` are the names outside it that it asked for, `asked`
    those of them that nobody has looked for yet. `shelved` are resources that others may point at. Where it
    cannot be used, `error` and `cause` say why, and `keys` which cases it is about as far as can be told.
    `aliases` are the keyed hashes of conditions under which a resource is found, with its name.
    """

    delivery: Delivery
    received_at: datetime
    fhir: FhirVersion
    message: Message | None = None
    readings: tuple[Reading, ...] = ()
    shelved: tuple[Resource, ...] = ()
    leans: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    keys: tuple[str, ...] = ()
    error: LosusError | None = None
    cause: Cause | None = None
    is_passing: bool = False
    aliases: frozenset[tuple[str, str]] = frozenset()

    @property
    def source(self) -> str:
        """Who sent it."""
        return self.delivery.source

    @property
    def ids(self) -> tuple[str, str, str] | None:
        """What repeats of a message are known by: source, MessageHeader.id, Bundle.id."""
        return (self.source, self.message.header_id, self.message.bundle_id) if self.message else None


def read(
    world: World, delivery: Delivery, now: datetime, outside: Outside = NOTHING, *, is_kept: bool = False
) -> Prepared:
    """Read one delivery: checked whole, references resolved, the mapping carried out.

    Raises InputError where the sender has to mend something and waits for the answer: of an unknown source,
    no JSON or XML, no message, every fault of the FHIR model, or what it may not say. What nobody waits for
    is given with its error instead, and so is what `is_kept` already; and what the mapping has no answer for,
    whoever waits. `now` is when it came.
    """
    speaker = world.speakers.get(delivery.source)
    if speaker is None:
        raise UnknownSourceError(Problem("not-found", "no source of this name"))
    fhir = delivery.fhir or speaker.fhir
    try:
        document = read_document(delivery.body, delivery.media, fhir, world.limits)
        if delivery.door in _NAMING:
            document = _settled(world, delivery, document)
        message, entries, references = _entries(delivery.door, document, fhir)
        one = _Reader(speaker, delivery, fhir, document, references, outside, now).read(message, entries)
        return replace(one, aliases=_aliases(world, delivery, entries))
    except InputError as error:
        if delivery.door.is_answered and not is_kept:
            raise
        return Prepared(delivery, now, fhir, error=error, cause="invalid")


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
        raise ResourceError(Problem("not-found", rule))
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


class _Reader:
    """One reading of a delivery, with what is known outside it."""

    def __init__(
        self,
        speaker: Speaker,
        delivery: Delivery,
        fhir: FhirVersion,
        document: Resource,
        references: References,
        outside: Outside,
        now: datetime,
    ) -> None:
        self._speaker, self._delivery, self._fhir, self._now = speaker, delivery, fhir, now
        self._references, self._outside = references, outside
        self._wanted: set[str] = set()
        is_bundle = document.get("resourceType") == "Bundle"
        stamp = document.get("timestamp") if is_bundle else None
        sent = instant(stamp).isoformat() if stamp else ""
        if not sent and delivery.door in {Door.REST, Door.TRANSACTION}:
            sent = instant(instant_text(now)).isoformat()  # as a server stamps what bears no version
        self._surroundings = Surroundings(
            document if is_bundle else None, self._resolve, sent, instant_text(now)
        )

    def read(self, message: Message | None, entries: tuple[Entry, ...]) -> Prepared:
        readings: list[Reading] = []
        failed: list[tuple[Entry, MappingError]] = []
        for entry in entries:
            try:
                found = self._read(entry.resource, entry.path)
            except MappingError as error:
                failed.append((entry, error))
                continue
            if found is not None:
                readings.append(found)
        readings += self._people(readings)
        self._demand_allowed(readings)
        fault, cause = self._fault([error for _, error in failed])
        keys = {reading.key for reading in readings if reading.key}
        if fault is not None:
            keys |= {key for entry, _ in failed if (key := self._key(entry))}
        shelved = () if message else tuple(e.resource for e in entries if _may_be_pointed_at(e.resource))
        fetched = () if self._speaker.base_url is None else self._fetched()
        outside = self._outside
        looked_for = {*outside.found, *outside.lost, *outside.later, *outside.absent}
        return Prepared(
            self._delivery,
            self._now,
            self._fhir,
            message,
            tuple(readings),
            (*shelved, *fetched),
            frozenset(self._wanted),
            frozenset(self._wanted - looked_for),
            tuple(sorted(keys)),
            fault,
            cause,
            is_passing=cause == "unresolved" and not (self._wanted & set(self._outside.lost)),
        )

    def _fetched(self) -> tuple[Resource, ...]:
        found = self._outside.found
        return tuple(found[name] for name in sorted(self._wanted & set(found)))

    def _read(self, resource: Resource, path: str) -> Reading | None:
        mapping, source = self._speaker.mapping, self._delivery.source
        return mapping.read(source, resource, path, self._surroundings, fhir=self._fhir)

    def _key(self, entry: Entry) -> str | None:
        return self._speaker.mapping.key_of(entry.resource, entry.path, self._surroundings, self._fhir)

    def _people(self, readings: list[Reading]) -> Iterator[Reading]:
        """Read those whom the resources are about and who are outside the delivery, as far as found."""
        for name in sorted({name for reading in readings for name in reading.about}):
            if self._references.resolve(name) is not None:
                continue
            if self._speaker.base_url is not None:
                self._wanted.add(name)
            resource = self._outside.found.get(name)
            found = self._read(resource, name) if resource is not None else None
            if found is not None:
                yield found

    def _fault(self, failed: list[MappingError]) -> tuple[LosusError | None, Cause | None]:
        """What keeps this from being used; what is not to be had comes before what follows from it."""
        missing = {**self._outside.later, **self._outside.lost}
        unresolved = [missing[name] for name in sorted(self._wanted) if name in missing]
        if unresolved:
            return MappingError(*unresolved), "unresolved"
        if failed:
            return MappingError(*(problem for error in failed for problem in error.problems)), "untranslated"
        return None, None

    def _demand_allowed(self, readings: list[Reading]) -> None:
        allowed = self._speaker.allowed
        if allowed is None:
            return
        problems = [
            Problem("forbidden", "this is not for a municipality's system to say", reading.path)
            for reading in readings
            if not {signal.kind for signal in reading.fact.signals} <= allowed
        ]
        if problems:
            raise ForbiddenError(*problems)

    def _resolve(self, reference: str) -> Resource | None:
        found = self._references.resolve(reference)
        if found is not None:
            return found
        name = local_name(reference, self._speaker.base_url)
        if name is None:
            return None
        self._wanted.add(name)
        return self._outside.found.get(name)


def local_name(reference: str, base_url: str | None) -> str | None:
    """Type/id of a reference to the source's own server, or None where it points elsewhere."""
    if base_url is not None and reference.startswith(base_url + "/"):
        reference = reference[len(base_url) + 1 :]
    kind, _, name = reference.partition("/_history/")[0].partition("/")
    is_plain = kind.isalpha() and kind.isascii() and kind[:1].isupper()
    return f"{kind}/{name}" if is_plain and name and not set(name) & set("/?#:|") else None


def _may_be_pointed_at(resource: Resource) -> bool:
    return resource.get("resourceType") in POINTED_AT and bool(resource.get("id"))
