"""What is known already of the versions that deliveries bring: whether anything is new, and may be said.

Owns the answers to `If-Match`, to a repeated creation and to a version that came by another door, and that
a municipality's system speaks of its own cases alone; does not own messages, whose repeats are known by
their ids (`flow`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapter.delivery import Receipt, Version
from adapter.errors import ConflictError, LosusError, NotFoundError, Problem
from adapter.losus.instants import instant_text
from adapter.mapping.version import by_meta
from adapter.reading import Prepared
from adapter.store import intake, library
from adapter.store.database import Connection
from adapter.world import World


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the versions that a batch brings, and whose the cases are that it speaks of."""

    facts: set[tuple[str, str, str]]
    versions: Mapping[tuple[str, str], str]
    homes: Mapping[str, str | None]

    def fault(self, world: World, one: Prepared) -> LosusError | None:
        """Why a delivery is not to be stored: not theirs to speak of, or another version expected."""
        municipality = world.speakers[one.source].municipality
        if municipality is not None and any(self.homes.get(key) != municipality for key in one.keys):
            return NotFoundError(Problem("not-found", "no such case of yours"))
        for name, expected in one.delivery.expected.items():
            if problem := expected.fault(self._tag(one, name)):
                return ConflictError(problem)
        return None

    def _tag(self, one: Prepared, name: str) -> str | None:
        """The version of a resource that is known, as its ETag names it."""
        known = self.versions.get((one.source, name))
        return version_tag(known) if known is not None else None

    def known(self, one: Prepared) -> Receipt | None:
        """The receipt of what brings nothing new; of a message its ids tell, not this."""
        if one.message is not None or one.error is not None:
            return None
        if any(demand.repeated(self._tag(one, name)) for name, demand in one.delivery.expected.items()):
            return None
        brought = _brought(one)
        is_there = one.delivery.once and any((one.source, name) in self.versions for name, _ in brought)
        facts = [reading.fact for reading in one.readings]
        if is_there or (facts and all(intake.fact_key(fact) in self.facts for fact in facts)):
            return Receipt("known", versions=self._versions(one))
        return None

    def told(self, receipt: Receipt, one: Prepared, number: int) -> Receipt:
        """The receipt of what was stored under `number`."""
        problems = one.error.problems if one.error else ()
        return replace(
            receipt,
            state="held" if one.error else "taken",
            number=number,
            problems=problems,
            error=one.error,
            versions=self._versions(one),
        )

    def _versions(self, one: Prepared) -> tuple[Version, ...]:
        return tuple(
            Version(name, version_tag(version), (one.source, name) not in self.versions)
            for name, version in _brought(one)
        )


def version_tag(version: str) -> str:
    """A version as FHIR's `id` can say it, for ETag and `_history`."""
    return re.sub("[^A-Za-z0-9.-]", "-", version)[:64]


def _brought(one: Prepared) -> tuple[tuple[str, str], ...]:
    """The resources that a delivery brings, by name, and what their versions are called."""
    if one.message is not None:
        return ()
    read = {reading.fact.resource: reading.fact.version for reading in one.readings}
    stamp = instant_text(one.received_at)
    kept = {f"{r['resourceType']}/{r['id']}": by_meta(r, stamp)[1] for r in one.shelved}
    return tuple({**kept, **read}.items())


async def standing_of(connection: Connection, world: World, batch: Sequence[Prepared]) -> Standing:
    """Look up what is known of a batch; of messages alone, nothing has to be."""
    others = [one for one in batch if one.message is None]
    facts = [reading.fact for one in others for reading in one.readings]
    known = await intake.known_facts(connection, facts)
    places = {(one.source, name) for one in others for name, _ in _brought(one)}
    places |= {(one.source, name) for one in others for name in one.delivery.expected}
    kept = await library.kept_versions(connection, places)
    versions = {**kept, **await intake.newest_versions(connection, places)}
    keys = {key for one in batch if world.speakers[one.source].municipality for key in one.keys}
    return Standing(known, versions, await intake.municipalities_of(connection, keys))
