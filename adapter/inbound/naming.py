"""What a create, update or transaction is known by: ids that the server gives, and what conditions find.

Owns giving names; does not own the interactions (`fhir.interaction`). An id is made from what is asked, so
that a request that is sent again is the same request: of a create on a condition from the condition, of any
other from the whole body.
"""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

from adapter.errors import ConflictError, Problem, ResourceError
from adapter.fhir.interaction import Interaction
from adapter.losus.identity import pseudonym
from adapter.opening import hashed
from adapter.store.database import Database
from adapter.store.doors import named
from adapter.world import World


async def name_all(
    world: World,
    database: Database,
    source: str,
    body: bytes,
    asked: Sequence[Interaction],
    conditions: Mapping[str, str | None],
) -> tuple[dict[str, str], frozenset[str]]:
    """The `targets` of a delivery, and which of its places are creations of what is there already.

    `conditions` are those of its references, each with the path of the first of them. Raises ConflictError
    where a condition finds more than one, ResourceError where a reference's finds none, not even in the
    delivery.
    """
    given = {one.condition for one in asked if one.condition}
    wanted = {one: hashed(world, source, one) for one in {*given, *conditions}}
    found = await _found(database, source, wanted, {**conditions, **_places(asked)})
    targets: dict[str, str] = {}
    there: set[str] = set()
    for index, one in enumerate(asked):
        name = found.get(one.condition or "")
        if one.is_create and name is not None:
            there.add(str(index))
        targets[str(index)] = name or _name(world, source, one, body, index)
    own = {one.condition: targets[str(index)] for index, one in enumerate(asked) if one.condition}
    for condition in sorted(set(conditions)):
        name = found.get(condition) or own.get(condition)
        if name is None:
            place = conditions[condition]
            raise ResourceError(Problem("not-found", "a conditional reference finds nothing", place))
        targets[wanted[condition]] = name
    return targets, frozenset(there)


async def _found(
    database: Database, source: str, wanted: Mapping[str, str], places: Mapping[str, str | None]
) -> dict[str, str]:
    """The one resource that each condition finds; those that find none are left out."""
    if not wanted:
        return {}
    async with database.transaction() as connection:
        hits = await named(connection, source, wanted.values())
    found: dict[str, str] = {}
    for condition, hash_ in wanted.items():
        names = hits.get(hash_, set())
        if len(names) > 1:
            rule = "the condition finds more than one"
            raise ConflictError(Problem("multiple-matches", rule, places.get(condition)))
        if names:
            found[condition] = next(iter(names))
    return found


def _places(asked: Sequence[Interaction]) -> dict[str, str | None]:
    return {one.condition: one.at for one in asked if one.condition}


def _name(world: World, source: str, one: Interaction, body: bytes, index: int) -> str:
    if one.id is not None:
        return f"{one.kind}/{one.id}"
    seed = one.condition or f"{hashlib.sha256(body).hexdigest()} {index}"
    return f"{one.kind}/{UUID(hex=pseudonym(world.secret, source, seed)[:32])}"
