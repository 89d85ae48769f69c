"""One delivery read: what the mapping makes of its resources, and of what they point at. Pure.

Owns the order of reading, and what is asked for outside a delivery; does not own opening it (`opening`), the
mapping, nor where what lies outside is found (`flow`, `inbound.library`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapter.delivery import Delivery
from adapter.errors import ForbiddenError, InputError, LosusError, MappingError, Problem
from adapter.fhir.message import Entry, Message
from adapter.fhir.model import FhirVersion
from adapter.losus.instants import instant_text
from adapter.mapping.engine import Message as Surroundings
from adapter.mapping.engine import Reading
from adapter.mapping.version import refuse_stamps
from adapter.opening import Opened, fhir_of, open_delivery
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
    `opened` and `outside` are what it was made of, None of what could not be opened.
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
    opened: Opened | None = None
    outside: Outside = NOTHING

    @property
    def source(self) -> str:
        """Who sent it."""
        return self.delivery.source

    @property
    def ids(self) -> tuple[str, str, str] | None:
        """What repeats of a message are known by: source, MessageHeader.id, Bundle.id."""
        return (self.source, self.message.header_id, self.message.bundle_id) if self.message else None


def read(world: World, delivery: Delivery, now: datetime, *, is_kept: bool = False) -> Prepared:
    """Read one delivery that came at `now`, with nothing known outside it.

    Raises InputError where the sender has to mend something and waits for the answer (`open_delivery`), and
    ForbiddenError of what it may not say. What nobody waits for is given with its error instead, and so is
    what `is_kept` already; and what the mapping has no answer for, whoever waits.
    """
    try:
        return translate(world, open_delivery(world, delivery, now))
    except (InputError, ForbiddenError) as error:
        if delivery.door.is_answered and not is_kept:
            raise
        return Prepared(delivery, now, fhir_of(world, delivery), error=error, cause="invalid")


def translate(world: World, opened: Opened, outside: Outside = NOTHING) -> Prepared:
    """What the mapping makes of a delivery, with what is known outside it; ForbiddenError as in `read`."""
    return _Reader(world.speakers[opened.delivery.source], opened, outside).read()


class _Reader:
    """One reading of a delivery, with what is known outside it."""

    def __init__(self, speaker: Speaker, opened: Opened, outside: Outside) -> None:
        self._speaker, self._opened, self._outside = speaker, opened, outside
        self._references = opened.references
        self._wanted: set[str] = set()
        bundle = opened.document if opened.document.get("resourceType") == "Bundle" else None
        now = instant_text(opened.received_at)
        self._surroundings = Surroundings(bundle, self._resolve, opened.sent, now)

    def read(self) -> Prepared:
        """Read every entry, and what they need that was found outside."""
        opened, message = self._opened, self._opened.message
        refuse_stamps((entry.resource, entry.path) for entry in opened.entries if self._is_stamped(entry))
        readings: list[Reading] = []
        failed: list[tuple[Entry, MappingError]] = []
        for entry in opened.entries:
            try:
                found = self._read(entry.resource, entry.path)
            except MappingError as error:
                failed.append((entry, error))
                continue
            if found is not None:
                readings.append(found)
        readings += self._people(readings)
        readings = self._allowed(readings)
        fault, cause = self._fault([error for _, error in failed])
        keys = {reading.key for reading in readings if reading.key}
        if fault is not None:
            keys |= {key for entry, _ in failed if (key := self._key(entry))}
        shelved = (
            () if message else tuple(e.resource for e in opened.entries if _may_be_pointed_at(e.resource))
        )
        fetched = () if self._speaker.base_url is None else self._fetched()
        outside = self._outside
        looked_for = {*outside.found, *outside.lost, *outside.later, *outside.absent}
        return Prepared(
            opened.delivery,
            opened.received_at,
            opened.fhir,
            message,
            tuple(readings),
            (*shelved, *fetched),
            frozenset(self._wanted),
            frozenset(self._wanted - looked_for),
            tuple(sorted(keys)),
            fault,
            cause,
            is_passing=cause == "unresolved" and not (self._wanted & set(self._outside.lost)),
            opened=opened,
            outside=self._outside,
        )

    def _is_stamped(self, entry: Entry) -> bool:
        """Whether it counts when the resource says that it was changed: it is read, or kept to be found."""
        is_kept = self._opened.message is None and _may_be_pointed_at(entry.resource)
        return is_kept or self._speaker.mapping.ranks_by_meta(entry.resource["resourceType"])

    def _fetched(self) -> tuple[Resource, ...]:
        found = self._outside.found
        return tuple(found[name] for name in sorted(self._wanted & set(found)))

    def _read(self, resource: Resource, path: str) -> Reading | None:
        mapping, opened = self._speaker.mapping, self._opened
        return mapping.read(opened.delivery.source, resource, path, self._surroundings, fhir=opened.fhir)

    def _key(self, entry: Entry) -> str | None:
        return self._speaker.mapping.key_of(entry.resource, entry.path, self._surroundings, self._opened.fhir)

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

    def _allowed(self, readings: list[Reading]) -> list[Reading]:
        """What the source may say of that: of a municipality's system, what is a municipality's to say.

        ForbiddenError where nothing is left of a resource that said something.
        """
        allowed = self._speaker.allowed
        if allowed is None:
            return readings
        cut: list[Reading] = []
        problems: list[Problem] = []
        for reading in readings:
            left = tuple(signal for signal in reading.fact.signals if signal.kind in allowed)
            if reading.fact.signals and not left:
                rule = "this is not for a municipality's system to say"
                problems.append(Problem("forbidden", rule, reading.path))
            cut.append(replace(reading, fact=replace(reading.fact, signals=left)))
        if problems:
            raise ForbiddenError(*problems)
        return cut

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
