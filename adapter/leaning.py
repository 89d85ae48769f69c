"""What a delivery leans on outside itself, as it came by any door: looked up where it is stored.

Owns that what is read rests on the newest version that is kept, whichever came first; does not own asking a
source's server (`inbound.library`). Runs inside the caller's transaction: the names leaned on are locked,
so that whoever brings a newer version at the same time knows who leans on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from adapter.losus.signal import Signal
from adapter.mapping.version import by_meta
from adapter.reading import Outside, Prepared, Resource, translate
from adapter.store import intake, library
from adapter.store.database import Connection
from adapter.world import World

_DEPTH = 3  # of what points at what points at …

_Kept = Mapping[tuple[str, str], library.Kept]


async def lean_on_what_is_kept(
    connection: Connection, world: World, batch: Sequence[Prepared]
) -> list[Prepared]:
    """Each delivery of the batch, read with the newest that is kept of what it leans on."""
    done = list(batch)
    leaned_on = {(one.source, name) for one in batch for name in one.leans}
    await intake.lock_resources(connection, {place for one in batch for place in _places(one)}, leaned_on)
    asked: set[tuple[str, str]] = set()
    for _ in range(_DEPTH):
        wanted = {(one.source, name) for one in done for name in one.leans}
        if not wanted - asked:
            return done
        asked |= wanted
        kept = await library.find_kept(connection, asked, world.seal)
        done = [_anew(world, one, kept) for one in done]
    return done


def _places(one: Prepared) -> set[tuple[str, str]]:
    """What a delivery may change: what it says, what it is about, and what it brings."""
    names = {reading.fact.resource for reading in one.readings}
    names |= {name for reading in one.readings for name in reading.about}
    names |= {by for reading in one.readings for signal in reading.fact.signals if (by := _successor(signal))}
    names |= {f"{resource['resourceType']}/{resource['id']}" for resource in one.shelved}
    return {(one.source, name) for name in names}


def _successor(signal: Signal) -> str | None:
    """The patient record that another was merged into."""
    found: str | None = signal.fields.get("merged_into")
    return found


def _anew(world: World, one: Prepared, kept: _Kept) -> Prepared:
    """The delivery with what is kept, where that is newer than what it was read with."""
    if one.opened is None or not one.leans:
        return one
    mine = {name: found for (source, name), found in kept.items() if source == one.source}
    newer = {
        name: found.resource
        for name, found in mine.items()
        if name in one.leans and found.order > _order(one.outside.found.get(name))
    }
    if not newer:
        known = {*one.outside.found, *one.outside.lost, *one.outside.later}
        return replace(one, asked=frozenset(), outside=replace(one.outside, absent=one.leans - known))
    before = one.outside
    later = {name: why for name, why in before.later.items() if name not in newer}
    lost = {name: why for name, why in before.lost.items() if name not in newer}
    return translate(world, one.opened, Outside({**before.found, **newer}, lost, later, before.absent))


def _order(resource: Resource | None) -> tuple[object, ...]:
    return () if resource is None else by_meta(resource, "")[0]
