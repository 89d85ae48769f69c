"""What is known already of the versions that deliveries bring: whether anything is new, and may be said.

Owns the answers to `If-Match`, to a repeated creation and to a version that came by another door, and that
a municipality's system speaks of its own cases alone; does not own messages, whose repeats are known by
their ids (`flow`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapter.delivery import Receipt, Version
from adapter.errors import ConflictError, LosusError, NotFoundError, Problem
from adapter.reading import Prepared
from adapter.store import intake
from adapter.store.database import Connection
from adapter.world import World


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the versions that a batch brings, and whose the cases are that it speaks of."""

    facts: set[tuple[str, str, str]]
    versions: Mapping[tuple[str, str], str]
    homes: Mapping[str, str | None]

    def receipt(self, world: World, one: Prepared) -> Receipt | None:
        """The receipt of what is not to be stored: nothing new, another version expected, not theirs."""
        municipality = world.speakers[one.source].municipality
        if municipality is not None and any(self.homes.get(key) != municipality for key in one.keys):
            return refusal(NotFoundError(Problem("not-found", "no such case of yours")))
        facts = [reading.fact for reading in one.readings]
        places = [(fact.source, fact.resource) for fact in facts]
        newest = next((self.versions[place] for place in places if place in self.versions), None)
        delivery = one.delivery
        if delivery.expected is not None and newest != delivery.expected:
            rule = "If-Match names another version than the newest that is known"
            return refusal(ConflictError(Problem("conflict", rule)))
        if one.message is not None or one.error is not None or not facts:
            return None
        if (delivery.once and newest) or all(intake.fact_key(fact) in self.facts for fact in facts):
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
        facts = (reading.fact for reading in one.readings)
        return tuple(
            Version(f.resource, f.version, (f.source, f.resource) not in self.versions) for f in facts
        )


def refusal(error: LosusError, response: bytes = b"") -> Receipt:
    """The receipt of what is not stored."""
    return Receipt("refused", None, error.status, response, error.problems, error)


async def standing_of(connection: Connection, world: World, batch: Sequence[Prepared]) -> Standing:
    """Look up what is known of a batch; of messages alone, nothing has to be."""
    facts = [reading.fact for one in batch if one.message is None for reading in one.readings]
    known = await intake.known_facts(connection, facts)
    versions = await intake.newest_versions(connection, {(f.source, f.resource) for f in facts})
    keys = {key for one in batch if world.speakers[one.source].municipality for key in one.keys}
    return Standing(known, versions, await intake.municipalities_of(connection, keys))
