"""One delivery read: what the mapping makes of its resources, and of what they point at. Pure.

Owns the order of reading, and what is asked for outside a delivery; does not own opening it (`opening`), the
mapping, nor where what lies outside is found (`flow`, `inbound.library`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from adapter.delivery import Delivery
from adapter.errors import ForbiddenError, InputError, LosusError, MappingError, Problem, UnresolvedError
from adapter.fhir.interaction import TAKEN
from adapter.fhir.message import Message
from adapter.fhir.model import FhirVersion
from adapter.fhir.references import Entry, base_of, own_name, search_key
from adapter.losus.instants import instant_text
from adapter.losus.versions import VersionOrder, is_newer
from adapter.mapping.engine import Known, Reading
from adapter.mapping.engine import Message as Surroundings
from adapter.mapping.version import Stamp, by_meta, digest_of, refuse_stamps
from adapter.opening import Opened, fhir_of, hashed, open_delivery
from adapter.store.held import Cause
from adapter.world import World

Resource = dict[str, Any]

#: What is always read in its newest version, though a message brings an older copy: the person, and the stay
#: that others are part of. Of anything else (a ward's name) the copy that came along is what the message
#: means.
_NEWEST = frozenset({"Patient", "Encounter"})


@dataclass(frozen=True, slots=True)
class Found:
    """A resource from outside a delivery, and its version.

    `is_fetched`: just now, from the source's server.
    """

    resource: Resource
    order: VersionOrder
    version: str
    is_fetched: bool = False


@dataclass(frozen=True, slots=True)
class Outside:
    """What was found of what a delivery points at outside itself, by name (Type/id).

    `lost` is not to be had, `later` perhaps when asked again, each with its reason; `absent` came by no
    channel so far, and there is nobody to ask. `names` lead from a search by identifier (`search_name`) to
    the name of the one resource that it finds.
    """

    found: Mapping[str, Found] = field(default_factory=dict)
    lost: Mapping[str, Problem] = field(default_factory=dict)
    later: Mapping[str, Problem] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)


NOTHING = Outside()


@dataclass(frozen=True, slots=True)
class Shelved:
    """A resource that others may point at: its name (Type/id), and its version; `path`: where it stands."""

    name: str
    order: VersionOrder
    version: str
    resource: Resource
    path: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that has been read: what it says, and what is needed to store and answer it.

    `message` is set where it is a FHIR message. `readings` are what its own resources say, `people` what
    those say whom they are about and who came from elsewhere. `leans` are the names that it rests on
    (Type/id, or those of `search_name`), `asked` those of them that nobody has looked for yet. `shelved` are
    resources that others may point at, `aliases` as in `Opened`: both without what is stored already;
    `brought` are all of its own. Where it cannot be used, `error` and `cause` say why, and `keys` which cases
    it is about as far as can be told. `is_raced`: something that it refers to was being changed as it was
    read, so that it is to be read again. `opened` and `outside` are what it was made of, None of what could
    not be opened.
    """

    delivery: Delivery
    received_at: datetime
    fhir: FhirVersion
    message: Message | None = None
    readings: tuple[Reading, ...] = ()
    people: tuple[Reading, ...] = ()
    brought: tuple[Shelved, ...] = ()
    shelved: tuple[Shelved, ...] = ()
    aliases: frozenset[tuple[str, str]] = frozenset()
    leans: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    keys: tuple[str, ...] = ()
    error: LosusError | None = None
    cause: Cause | None = None
    is_passing: bool = False
    is_raced: bool = False
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
    return _Reader(world, opened, outside).read()


def search_name(world: World, source: str, kind: str, identifier: str) -> str:
    """The name under which a delivery rests on a search by identifier; it holds no value of the message."""
    return f"?{hashed(world, source, kind, identifier)}"


def is_search(name: str) -> bool:
    """Whether a name is one of `search_name`."""
    return name.startswith("?")


class _Reader:
    """One reading of a delivery, with what is known outside it."""

    def __init__(self, world: World, opened: Opened, outside: Outside) -> None:
        self._world, self._opened, self._outside = world, opened, outside
        self._speaker = world.speakers[opened.delivery.source]
        self._stamp = Stamp(opened.sent, opened.received)
        self._wanted: set[str] = set()
        self._asked: set[str] = set()

    def read(self) -> Prepared:
        """Read every entry, and what they need that was found outside."""
        opened, message, outside = self._opened, self._opened.message, self._outside
        refuse_stamps((entry.resource, entry.path) for entry in opened.entries if self._is_stamped(entry))
        readings: list[Reading] = []
        failed: list[tuple[Entry, MappingError]] = []
        for entry in opened.entries:
            try:
                found = self._read(entry)
            except MappingError as error:
                failed.append((entry, error))
                continue
            if found is not None:
                readings.append(found)
        people = self._allowed(list(self._people(readings)))
        readings = self._allowed(readings)
        fault, cause = self._fault([error for _, error in failed])
        keys = {reading.key for reading in readings if reading.key}
        if fault is not None:
            keys |= {key for entry, _ in failed if (key := self._key(entry))}
        brought = tuple(self._brought())
        looked_for = {*outside.found, *outside.lost, *outside.later, *outside.absent, *outside.names}
        return Prepared(
            opened.delivery,
            opened.received_at,
            opened.fhir,
            message,
            tuple(readings),
            tuple(people),
            brought,
            (*brought, *self._fetched()),
            opened.aliases,
            frozenset(self._wanted),
            frozenset(self._asked - looked_for),
            tuple(sorted(keys)),
            fault,
            cause,
            is_passing=cause == "unresolved" and not (self._wanted & set(outside.lost)),
            opened=opened,
            outside=outside,
        )

    def _is_stamped(self, entry: Entry) -> bool:
        """Whether it counts when the resource says that it was changed: it is read, or kept to be found."""
        kind = entry.resource["resourceType"]
        is_kept = self._opened.message is None and kind in TAKEN and bool(entry.resource.get("id"))
        return is_kept or self._speaker.mapping.ranks_by_meta(kind)

    def _brought(self) -> Iterator[Shelved]:
        """The delivery's own resources that others may point at."""
        for entry in self._opened.entries:
            resource = entry.resource
            if resource["resourceType"] in TAKEN and resource.get("id"):
                order, version = self._version(resource, entry.full_url)
                name = f"{resource['resourceType']}/{resource['id']}"
                yield Shelved(name, order, version, resource, entry.path)

    def _fetched(self) -> Iterator[Shelved]:
        """What was fetched from the source's server: others need not ask for it again."""
        for name in sorted(self._wanted & self._outside.found.keys()):
            found = self._outside.found[name]
            if found.is_fetched:
                yield Shelved(name, found.order, found.version, found.resource, name)

    def _version(self, resource: Resource, full_url: str = "") -> tuple[VersionOrder, str]:
        order, version = by_meta(resource, self._stamp)
        return order._replace(digest=digest_of(resource, partial(self._name_of, full_url))), version

    def _name_of(self, full_url: str, reference: str) -> str | None:
        """The name (Type/id) of what a literal reference means; None where it names nothing here."""
        found = self._opened.references.resolve(reference) if reference.startswith("urn:") else None
        name = f"{found['resourceType']}/{found['id']}" if found is not None and found.get("id") else None
        return name or own_name(reference, self._bases(full_url))

    def _around(self, full_url: str) -> Surroundings:
        """The message as one of its entries sees it."""
        opened = self._opened
        bundle = opened.document if opened.document.get("resourceType") == "Bundle" else None
        return Surroundings(
            bundle,
            partial(self._resolve, full_url),
            opened.sent,
            instant_text(opened.received_at),
            opened.received,
            looks_up=self._speaker.municipality is None,
            own_name=partial(own_name, bases=self._bases(full_url)),
        )

    def _bases(self, full_url: str) -> tuple[str, ...]:
        """By what URLs the server of who refers goes, as far as that is known.

        That of its entry's fullUrl, the source's own, and the one at which what it wrote is known here.
        """
        known = tuple(filter(None, (base_of(full_url), self._speaker.base_url)))
        here = f"{self._world.endpoint.rstrip('/')}/fhir/{self._opened.delivery.source}"
        return (*known, here) if known else ()

    def _read(self, entry: Entry) -> Reading | None:
        mapping, opened = self._speaker.mapping, self._opened
        around = self._around(entry.full_url)
        return mapping.read(opened.delivery.source, entry.resource, entry.path, around, fhir=opened.fhir)

    def _key(self, entry: Entry) -> str | None:
        around = self._around(entry.full_url)
        return self._speaker.mapping.key_of(entry.resource, entry.path, around, self._opened.fhir)

    def _people(self, readings: list[Reading]) -> Iterator[Reading]:
        """Read those whom the resources are about and who are no entry: contained, or just fetched."""
        mapping, opened = self._speaker.mapping, self._opened
        for reading in readings:
            for name, resource in reading.contained:
                known = Known(name, reading.fact.order._replace(finality=""), reading.fact.version)
                found = mapping.read(
                    reading.fact.source,
                    resource,
                    reading.path,
                    self._around(""),
                    fhir=opened.fhir,
                    known=known,
                )
                if found is not None:
                    yield found
        for name in sorted({name for reading in readings for name in reading.about}):
            if "#" in name or opened.references.resolve(name) is not None:
                continue
            if self._speaker.base_url is not None:
                self._want(name)
            outside = self._outside.found.get(name)
            if outside is None or not outside.is_fetched:
                continue
            known = Known(name, outside.order, outside.version)
            source = opened.delivery.source
            found = mapping.read(
                source, outside.resource, name, self._around(""), fhir=opened.fhir, known=known
            )
            if found is not None:
                yield found

    def _fault(self, failed: list[MappingError]) -> tuple[LosusError | None, Cause | None]:
        """What keeps this from being used; what is not to be had comes before what follows from it."""
        missing = {**self._outside.later, **self._outside.lost}
        unresolved = [missing[name] for name in sorted(self._wanted) if name in missing]
        if unresolved:
            return MappingError(*unresolved), "unresolved"
        if any(isinstance(error, UnresolvedError) for error in failed):
            waiting = [error for error in failed if isinstance(error, UnresolvedError)]
            return UnresolvedError(
                *(problem for error in waiting for problem in error.problems)
            ), "unresolved"
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

    def _want(self, name: str) -> None:
        """Note that the delivery rests on a resource outside it, which the source's server may have."""
        self._wanted.add(name)
        self._asked.add(name)

    def _resolve(self, full_url: str, reference: str) -> Resource | None:
        """Find what a reference means: in the delivery, then among what is known of the source."""
        owner, mark, inside = reference.partition("#")
        if mark and owner:  # contained in a resource that was found outside
            return _contained(self._resolve(full_url, owner), inside)
        found = self._opened.references.resolve(reference, full_url)
        if found is not None:
            return self._newest(found)
        if "?" in reference:
            return self._search(reference)
        name = own_name(reference, self._bases(full_url))
        if name is None:
            return None
        self._want(name)
        return self._known(name)

    def _known(self, name: str) -> Resource | None:
        found = self._outside.found.get(name)
        return None if found is None else _with_own_references(found.resource, name)

    def _newest(self, resource: Resource) -> Resource:
        """The newest version that is known of a person or a stay that came along."""
        kind, id_ = resource["resourceType"], resource.get("id")
        if kind not in _NEWEST or not id_:
            return resource
        name = f"{kind}/{id_}"
        self._wanted.add(name)
        known = self._outside.found.get(name)
        is_older = known is not None and is_newer(known.order, self._version(resource)[0])
        return known.resource if known is not None and is_older else resource

    def _search(self, reference: str) -> Resource | None:
        """Find the one resource that goes by an identifier, of the type that is said or of any."""
        key = search_key(reference, self._opened.references.on)
        if key is None or self._speaker.municipality is not None:
            return None
        kind, identifier = key
        source = self._opened.delivery.source
        searches = {search_name(self._world, source, one, identifier) for one in ([kind] if kind else TAKEN)}
        self._wanted |= searches
        self._asked |= searches
        names = {self._outside.names[one] for one in searches if one in self._outside.names}
        if len(names) != 1:
            return None
        [name] = names
        self._want(name)
        return self._known(name)


def _contained(owner: Resource | None, name: str) -> Resource | None:
    inside = owner.get("contained", ()) if owner is not None else ()
    return next((one for one in inside if one.get("id") == name), None)


def _with_own_references(resource: Resource, name: str) -> Resource:
    """A resource from outside, whose references to what it contains say in what they are contained."""
    return _qualified(resource, name) if "contained" in resource else resource


def _qualified(value: Any, name: str) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_qualified(one, name) for one in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _qualified(inner, name) for key, inner in value.items()}
    reference = copy.get("reference")
    if isinstance(reference, str) and reference.startswith("#"):
        copy["reference"] = f"{name}{reference}"
    return copy
