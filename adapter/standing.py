"""What is known of the versions that deliveries bring: whether they are new, repeated, or contradict.

The one place that tells a repeat from something new, for every channel: a resource is known by its own
versions and never by what was read along with it. Owns the answers to preconditions (`If-Match`), to a
repeated creation and to two contents under one version, and that a municipality's system speaks of its own
cases alone; does not own how versions rank (`losus.versions`), nor messages, whose resends are known by their
ids (`flow`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from adapter.delivery import Receipt, Version
from adapter.errors import ConflictError, LosusError, NotFoundError, Problem, VersionError
from adapter.losus.versions import VersionOrder, contradicts, in_order, is_newer, is_same, newest, repeats
from adapter.mapping.version import version_tag
from adapter.opening import NAMING
from adapter.reading import Prepared
from adapter.store import intake, library
from adapter.store.database import Connection
from adapter.world import World

_Place = tuple[str, str]

_CONTRADICTS = (
    "this version is known with another content: a changed resource has a newer meta.versionId, "
    "meta.lastUpdated or Bundle.timestamp"
)


#: What is told of a delivery that brings no version that is not known: a resend, or an edit that forgot them.
UNCHANGED = Problem("informational", "every version in this is known already: nothing has changed")
_OLDER = "an older version than the newest that is known, which stands"


def _order(version: tuple[VersionOrder, str]) -> VersionOrder:
    return version[0]


@dataclass(frozen=True, slots=True)
class _Brought:
    """One resource of a delivery: its name (Type/id), and which version it is; `path`: where it stands.

    `identity` is what its versions are known by; a mapping may find another than the name.
    """

    name: str
    identity: str
    order: VersionOrder
    version: str
    path: str


@dataclass(slots=True)
class Standing:
    """What is known of what a batch brings, and whose the cases are that it speaks of.

    `versions` by (source, name): all versions that were read, or the one that is stored of what no rule
    reads. What the batch itself brings is added as it is taken (`note`).
    """

    versions: dict[_Place, list[tuple[VersionOrder, str]]]
    homes: Mapping[str, str | None]

    def fault(self, world: World, one: Prepared) -> LosusError | None:
        """Why a delivery is not to be stored; None where nothing stands against it.

        Not theirs to speak of, another version expected, or another content under a version that is known.
        """
        municipality = world.speakers[one.source].municipality
        if municipality is not None and any(self.homes.get(key) != municipality for key in one.keys):
            return NotFoundError(Problem("not-found", "no such case of yours"))
        for name, expected in one.delivery.expected.items():
            if problem := expected.fault(next(reversed(self._tags(one, name)), None)):
                return ConflictError(problem)
        return self.contradiction(one)

    def contradiction(self, one: Prepared) -> VersionError | None:
        """The fault of a delivery that brings another content under a version that is known."""
        if one.error is not None:
            return None
        brought = _brought(one, with_copies=one.message is None)
        against = [
            each
            for each in brought
            if any(contradicts(each.order, known) for known, _ in self._known_of(one, each))
        ]
        against += [
            other
            for each, other in combinations(brought, 2)
            if each.identity == other.identity and contradicts(each.order, other.order)
        ]
        problems = [Problem("conflict", _CONTRADICTS, f"{each.path}.meta.versionId") for each in against]
        return VersionError(*dict.fromkeys(problems)) if problems else None

    def is_unchanged(self, one: Prepared) -> bool:
        """Whether all that a delivery brings is known already, by the versions of its own resources."""
        if one.error is not None:
            return False
        if one.delivery.once and any(self._known_of(one, each) for each in _brought(one)):
            return True  # the same creation again; its name is made from what is asked
        brought = _brought(one, with_copies=one.message is None)
        return bool(brought) and all(self._repeats(one, each) is not None for each in brought)

    def _repeats(self, one: Prepared, each: _Brought) -> VersionOrder | None:
        known = [order for order, _ in self._known_of(one, each)]
        is_stamped = one.delivery.door in NAMING and one.opened is not None and not one.opened.sent
        if is_stamped or one.message is not None:
            return repeats(known, each.order)
        return next((order for order in known if is_same(order, each.order)), None)

    def _known_of(self, one: Prepared, each: _Brought) -> list[tuple[VersionOrder, str]]:
        return self.versions.get((one.source, each.identity), [])

    def hints(self, one: Prepared, *, is_unchanged: bool) -> tuple[Problem, ...]:
        """What the sender is told of a delivery that is accepted and does not lead to what it may expect."""
        if is_unchanged:
            return (UNCHANGED,)
        older = (
            each
            for each in _brought(one, with_copies=one.message is None)
            if (known := self._known_of(one, each)) and is_newer(newest(known, _order)[0], each.order)
        )
        return tuple(Problem("informational", _OLDER, f"{each.path}.meta.versionId") for each in older)

    def known(self, one: Prepared) -> Receipt | None:
        """The receipt of what brings nothing new; of a message its ids tell, not this.

        An update that was done already is done, though `If-Match` names the version before it (RFC 9110
        13.1.1).
        """
        if one.message is not None or not self.is_unchanged(one):
            return None
        if not all(
            demand.allows_repeat(self._tags(one, name)) for name, demand in one.delivery.expected.items()
        ):
            return None
        return Receipt("known", versions=self._versions(one), is_unchanged=True, hints=(UNCHANGED,))

    def note(self, receipt: Receipt, one: Prepared, number: int) -> Receipt:
        """The receipt of what was stored under `number`."""
        return replace(
            receipt,
            state="held" if one.error else "taken",
            number=number,
            problems=one.error.problems if one.error else (),
            error=one.error,
        )

    def take(self, one: Prepared) -> tuple[Version, ...]:
        """Add the versions of a delivery that is stored; they as they are known then."""
        before = self._versions(one)
        for each in _brought(one) if one.error is None else ():
            self.versions.setdefault((one.source, each.identity), []).append((each.order, each.version))
        after = self._versions(one)
        return tuple(replace(now, is_new=then.is_new) for then, now in zip(before, after, strict=True))

    def _versions(self, one: Prepared) -> tuple[Version, ...]:
        """The newest version that is known of each resource that a delivery brings."""
        if one.message is not None:
            return ()
        return tuple(self._version(one, each) for each in _brought(one))

    def _version(self, one: Prepared, each: _Brought) -> Version:
        known = self._known_of(one, each)
        order, version = newest(known, _order) if known else (each.order, each.version)
        is_sent = order == each.order or is_same(order, each.order) or order.digest == each.order.digest
        return Version(each.name, version_tag(version), not known, order.at, is_sent)

    def _tags(self, one: Prepared, name: str) -> list[str]:
        """The tags of all known versions of a resource that the delivery names, the oldest first."""
        identity = next((each.identity for each in _brought(one) if each.name == name), name)
        known = self.versions.get((one.source, identity), ())
        return [version_tag(version) for _, version in in_order(known, _order)]


def _brought(one: Prepared, *, with_copies: bool = True) -> tuple[_Brought, ...]:
    """The resources that a delivery itself brings; without the copies that no rule of the mapping reads."""
    read = {reading.path: reading.fact for reading in one.readings}
    found = {
        each.path: _Brought(each.name, each.name, each.order, each.version, each.path) for each in one.brought
    }
    for path, fact in read.items():
        name = found[path].name if path in found else fact.resource
        found[path] = _Brought(name, fact.resource, fact.order, fact.version, path)
    return tuple(each for path, each in found.items() if with_copies or path in read)


async def standing_of(
    connection: Connection, world: World, batch: Sequence[Prepared], *, besides: int | None = None
) -> Standing:
    """Look up what is known of what a batch brings; `besides`: not by this message, which is read again."""
    read = {(one.source, reading.fact.resource) for one in batch for reading in one.readings}
    others = {(one.source, each.identity) for one in batch if one.message is None for each in _brought(one)}
    others |= {(one.source, name) for one in batch for name in one.delivery.expected}
    versions = await intake.known_versions(connection, read | others, besides=besides)
    # what was only fetched is stored and was never read: of what rules read the facts alone count
    stored = await library.stored_versions(connection, others - read - versions.keys())
    for place, known in stored.items():
        versions[place] = [(known.order, known.version)]
    keys = {key for one in batch if world.speakers[one.source].municipality for key in one.keys}
    return Standing(versions, await intake.municipalities_of(connection, keys))
