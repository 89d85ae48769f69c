"""What a create, update or transaction is known by: ids that the server gives, and what conditions find.

Owns giving names and the rules on identities of R4 http#trules; does not own the interactions
(`fhir.interaction`). An id is made from what is asked, so that a request that is sent again is the same
request: of a create on a condition from the condition, of any other from the whole body.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from adapter.errors import ConflictError, Problem, ResourceError
from adapter.fhir.interaction import Interaction, Named, Resource, conditional_references
from adapter.fhir.references import Entry, References, search_key
from adapter.losus.days import local_day
from adapter.losus.identity import pseudonym
from adapter.opening import hashed
from adapter.store.database import Database
from adapter.store.doors import named_all
from adapter.world import World

_SEVERAL = "the condition finds more than one"


async def name_all(
    world: World,
    database: Database,
    source: str,
    body: bytes,
    document: Resource,
    asked: Sequence[Interaction],
    now: datetime,
) -> Named:
    """Name the resources that a delivery creates and updates.

    Raises ConflictError (412) where a condition finds more than one; ResourceError where two entries act on
    one identity, or a conditional reference of a transaction finds nothing.
    """
    naming = _Naming(world, source, local_day(now))
    references = naming.references(document)
    searches = {one.condition for one in asked if one.condition} | {text for text, _ in references}
    hashes = {text: hash_ for text in searches if (hash_ := naming.hash_of(text)) is not None}
    async with database.transaction() as connection:
        hits = await named_all(connection, {(source, hash_) for hash_ in hashes.values()})
    found = {text: hits.get((source, hash_), set()) for text, hash_ in hashes.items()}
    named = naming.entries(body, asked, found, hashes)
    _demand_distinct(asked, named)
    naming.demand_resolved(document, references, found)
    return named


class _Naming:
    """The naming of one delivery of a source; `on`: the day by which numbers of persons are read."""

    def __init__(self, world: World, source: str, on: date) -> None:
        self._world, self._source, self._on = world, source, on

    def hash_of(self, search: str) -> str | None:
        """How a search by identifier is known; None of any other search."""
        key = search_key(search, self._on)
        return None if key is None else hashed(self._world, self._source, *key)

    def references(self, document: Resource) -> list[tuple[str, str]]:
        """The conditional references of a transaction, with their FHIRPath; it fails with any of them."""
        if document.get("type") != "transaction":
            return []
        return [
            found
            for index, entry in enumerate(document.get("entry", ()))
            for found in conditional_references(entry["resource"], f"Bundle.entry[{index}].resource")
            if self.hash_of(found[0]) is not None
        ]

    def entries(
        self,
        body: bytes,
        asked: Sequence[Interaction],
        found: Mapping[str, set[str]],
        hashes: Mapping[str, str],
    ) -> Named:
        """Name each entry; of two creates on one condition the second finds what the first creates."""
        targets: dict[str, str] = {}
        created, matched = set(), set()
        conditions: dict[str, str] = {}
        for index, one in enumerate(asked):
            place, names = str(index), found.get(one.condition or "", set())
            if len(names) > 1:
                raise ConflictError(Problem("multiple-matches", _SEVERAL, one.condition_at))
            again = conditions.get(hashes.get(one.condition or "", ""))
            name = next(iter(names), None) or (again if one.is_create else None)
            if one.is_create and name is not None:
                matched.add(place)
            elif one.is_create:
                created.add(place)
            targets[place] = name or self._new_name(one, body, index)
            if one.is_create and one.condition is not None and place in created:
                conditions[hashes[one.condition]] = targets[place]
        return Named(targets, frozenset(created), frozenset(matched), conditions)

    def _new_name(self, one: Interaction, body: bytes, index: int) -> str:
        if one.id is not None:
            return f"{one.kind}/{one.id}"
        seed = one.condition or f"{hashlib.sha256(body).hexdigest()} {index}"
        return f"{one.kind}/{UUID(hex=pseudonym(self._world.secret, self._source, seed)[:32])}"

    def demand_resolved(
        self, document: Resource, references: Sequence[tuple[str, str]], found: Mapping[str, set[str]]
    ) -> None:
        """Fail where a conditional reference finds nothing, here or in what is stored (R4 http#trules)."""
        inside = References(_entries(document) if references else (), self._on)
        missing = []
        for text, where in references:
            if inside.resolve(text) is not None:
                continue
            if len(found[text]) > 1:
                raise ConflictError(Problem("multiple-matches", _SEVERAL, where))
            if not found[text]:
                missing.append(Problem("not-found", "a conditional reference finds nothing", where))
        if missing:
            raise ResourceError(*missing)


def _entries(document: Resource) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            f"Bundle.entry[{index}].resource",
            entry.get("fullUrl") or "",
            {"id": str(index), **entry["resource"]},
        )
        for index, entry in enumerate(document["entry"])
    )


def _demand_distinct(asked: Sequence[Interaction], named: Named) -> None:
    """Fail where two entries act on one identity (R4 http#trules, overlapping identities)."""
    seen: set[str] = set()
    problems = []
    for index, one in enumerate(asked):
        place = str(index)
        if place in named.matched:
            continue
        if named.targets[place] in seen:
            problems.append(Problem("invalid", "an entry before it acts on the same resource", one.at))
        seen.add(named.targets[place])
    if problems:
        raise ResourceError(*problems)
