"""References that lead out of a delivery, looked up among what is stored of its source.

Owns that a delivery is read with the newest version of what it refers to, whichever came first; does not own
asking a source's server (`inbound.library`). Runs inside the caller's transaction. The names are locked: what
a delivery changes for itself alone, what it refers to shared with others; so whoever stores a newer version
at the same time knows who referred to it. What is found to be referred to later is shared without waiting;
where somebody changes it just then, the delivery is to be read once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

from adapter.errors import InputError
from adapter.fhir.references import identifiers_of, personnummer_of
from adapter.losus.days import local_day
from adapter.losus.signal import Signal
from adapter.losus.versions import is_newer, newest
from adapter.opening import hashed
from adapter.reading import Found, Outside, Prepared, Shelved, is_search, translate
from adapter.store import doors, intake, library
from adapter.store.database import Connection
from adapter.world import World

_DEPTH = 40  # of what refers to what refers to what …, a search and its target each

_Place = tuple[str, str]

#: What is stored only when it says something new: of these no one asks which version it was.
_COMMON = frozenset(
    {"CareTeam", "EpisodeOfCare", "Location", "Organization", "Practitioner", "PractitionerRole"}
)


async def lean_on_what_is_kept(
    connection: Connection, world: World, batch: Sequence[Prepared]
) -> list[Prepared]:
    """Each delivery of the batch, read with the newest that is stored of what it refers to."""
    done = await _without_known(connection, batch)
    leaned_on = {(one.source, name) for one in done for name in one.leans}
    changed = {place for one in done for place in _places(one)} - await _found_already(connection, done)
    await intake.lock_resources(connection, changed, leaned_on)
    asked: set[_Place] = set()
    changing: set[_Place] = set()
    for _ in range(_DEPTH):
        wanted = {(one.source, name) for one in done for name in one.leans}
        if not wanted - asked:
            break
        changing |= await intake.try_to_share(connection, wanted - asked - leaned_on)
        asked |= wanted
        found = await _find(connection, world, asked, max(local_day(one.received_at) for one in done))
        done = [_read_again(world, one, found) for one in done]
    return [
        replace(one, is_raced=True) if any((one.source, name) in changing for name in one.leans) else one
        for one in done
    ]


async def _without_known(connection: Connection, batch: Sequence[Prepared]) -> list[Prepared]:
    """Each delivery without the copies and names that it brings and that are stored already.

    Every message of a ward brings the same Organization and Location: they need no lock and no row.
    """
    brought = {(one.source, each.name) for one in batch for each in one.shelved}
    aliases = {(one.source, *alias) for one in batch for alias in one.aliases}
    stored = await library.stored_versions(connection, brought)
    known = await doors.known_aliases(connection, aliases)
    return [
        replace(
            one,
            shelved=tuple(
                each for each in one.shelved if not _is_known(each, stored.get((one.source, each.name)))
            ),
            aliases=frozenset(alias for alias in one.aliases if (one.source, *alias) not in known),
        )
        for one in batch
    ]


async def _found_already(connection: Connection, batch: Sequence[Prepared]) -> set[_Place]:
    """The identifiers of wards and organisations by which one is found already.

    Whoever refers to those finds them: another copy, under an id of its own, has nobody to be told to.
    """
    common = {
        (one.source, hash_)
        for one in batch
        for hash_, name in one.aliases
        if name.partition("/")[0] in _COMMON
    }
    if not common:
        return set()
    hits = await doors.named_all(connection, common)
    return {(source, f"?{hash_}") for (source, hash_), names in hits.items() if names}


def _is_known(brought: Shelved, stored: library.StoredVersion | None) -> bool:
    """Whether a copy says nothing new.

    One with a newer version of its own says that no version before it stands, though one comes later.
    """
    if stored is None or stored.order.digest != brought.order.digest:
        return False
    order = brought.order
    has_no_version = order.rank < 0 and order.at == order.sent
    is_common = brought.name.partition("/")[0] in _COMMON
    return (is_common and has_no_version) or not is_newer(order, stored.order)


def _places(one: Prepared) -> set[_Place]:
    """What a delivery may change: what it says, what it is about, what it brings, and by what it is found."""
    every = (*one.readings, *one.people)
    names = {reading.fact.resource for reading in every}
    names |= {name for reading in every for name in reading.about}
    names |= {by for reading in every for signal in reading.fact.signals if (by := _successor(signal))}
    names |= {each.name for each in one.shelved}
    names |= {f"?{hash_}" for hash_, _ in one.aliases}
    return {(one.source, name) for name in names}


def _successor(signal: Signal) -> str | None:
    """The patient record that another was merged into."""
    found: str | None = signal.fields.get("merged_into")
    return found


class _Stored:
    """What is stored of the names that were asked for."""

    def __init__(self, found: Mapping[_Place, library.Kept], names: Mapping[_Place, str]) -> None:
        self.found, self.names = found, names


async def named_now(
    connection: Connection, world: World, searches: set[tuple[str, str]], on: date
) -> dict[tuple[str, str], set[str]]:
    """The resources that go by each of these (source, hashed identifier), as their newest versions say.

    Of an identifier that was corrected the resource that has it now counts; one that was created on a
    condition and says no identifier at all goes by that condition. `on`: the day by which numbers of persons
    are read.
    """
    hits = await doors.named_all(connection, searches)
    places = {(source, name) for (source, _), names in hits.items() for name in names}
    kept = await library.find_kept(connection, places, world.seal) if places else {}

    def has(source: str, hash_: str, name: str) -> bool:
        known = kept.get((source, name))
        numbers = list(identifiers_of(known.resource, on)) if known is not None else []
        kinds = ("", name.partition("/")[0])
        return not numbers or any(
            hash_ == hashed(world, source, kind, one) for kind in kinds for one in numbers
        )

    return {
        (source, hash_): {name for name in names if has(source, hash_, name)}
        for (source, hash_), names in hits.items()
    }


async def _find(connection: Connection, world: World, asked: set[_Place], on: date) -> _Stored:
    searches = {(source, name[1:]) for source, name in asked if is_search(name)}
    hits = await named_now(connection, world, searches, on)
    names = {}
    for (source, hash_), candidates in hits.items():
        name = await _one_of(connection, world, source, candidates, on)
        if name is not None:
            names[source, f"?{hash_}"] = name
    places = {place for place in asked if not is_search(place[1])}
    places |= {(source, name) for (source, _), name in names.items()}
    return _Stored(await library.find_kept(connection, places, world.seal), names)


async def _one_of(
    connection: Connection, world: World, source: str, candidates: set[str], on: date
) -> str | None:
    """The resource that an identifier means; None where it means several.

    Several records of one person are that person: the one that was not replaced, and of such the newest.
    Those that bear another personnummer are of another person.
    """
    if len(candidates) <= 1 or not all(name.startswith("Patient/") for name in candidates):
        return next(iter(candidates)) if len(candidates) == 1 else None
    standing = await library.standing_records(connection, source, candidates)
    kept = await library.find_kept(connection, {(source, name) for name in standing}, world.seal)
    numbers = [found for one in kept.values() if (found := personnummer_of(one.resource, on))]
    if any(one.isdisjoint(other) for one, other in combinations(numbers, 2)):
        return None
    ranked = [(name, one.order) for (_, name), one in sorted(kept.items(), key=lambda pair: pair[0])]
    return newest(ranked, key=lambda pair: pair[1]._replace(rank=-1))[0] if ranked else min(standing)


def _read_again(world: World, one: Prepared, stored: _Stored) -> Prepared:
    """The delivery with what is stored, where that is newer than what it was read with."""
    if one.opened is None or not one.leans:
        return one
    before = one.outside
    names = {name: stored.names[one.source, name] for name in one.leans if (one.source, name) in stored.names}
    wanted = {*one.leans, *names.values()}
    newer = {
        name: Found(kept.resource, kept.order, kept.version)
        for name in wanted
        if (kept := stored.found.get((one.source, name))) is not None
        and (name not in before.found or is_newer(kept.order, before.found[name].order))
    }
    if not newer and names.items() <= before.names.items():
        known = {*before.found, *before.lost, *before.later, *before.names}
        return replace(one, asked=frozenset(), outside=replace(before, absent=one.leans - known))
    later = {name: why for name, why in before.later.items() if name not in newer}
    lost = {name: why for name, why in before.lost.items() if name not in newer}
    outside = Outside({**before.found, **newer}, lost, later, before.absent, {**before.names, **names})
    try:
        again = translate(world, one.opened, outside)
    except InputError as error:
        return replace(one, error=error, cause="invalid", readings=(), people=())
    return replace(again, shelved=_kept_back(again, one), aliases=one.aliases)


def _kept_back(again: Prepared, one: Prepared) -> tuple[Shelved, ...]:
    """What is to be stored after reading again: as before, and what was fetched meanwhile."""
    own, left = {each.path for each in one.brought}, {each.path for each in one.shelved}
    return tuple(each for each in again.shelved if each.path not in own or each.path in left)
