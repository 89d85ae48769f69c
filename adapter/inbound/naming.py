"""What a create, update or transaction is known by: ids that the server gives, and what conditions find.

Owns giving names and the rules on identities of R4 http#trules; does not own the interactions
(`fhir.interaction`). An id is made from what is asked, so that a request that is sent again is the same
request: of a create on a condition from the condition, of any other from the whole body.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from adapter.errors import ConflictError, IdentityError, MalformedError, Problem, ResourceError
from adapter.fhir.interaction import Interaction, Named, Resource, conditional_references
from adapter.fhir.references import identifiers_of, search_key
from adapter.leaning import named_now
from adapter.losus.days import local_day
from adapter.losus.identity import pseudonym
from adapter.mapping.version import version_tag
from adapter.opening import hashed
from adapter.store.database import Database
from adapter.store.library import stored_versions
from adapter.world import World

_SEVERAL = "the condition finds more than one"
_OTHER_ID = "the id of the resource is not that of what the condition finds"


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

    Raises ConflictError (412) where a condition finds more than one; MalformedError (400) or IdentityError
    (409) where the id in the body of a conditional update is another's; ResourceError where two entries act
    on one identity, or a conditional reference of a transaction finds nothing.
    """
    naming = _Naming(world, source, local_day(now), document, asked)
    references = naming.references()
    searches = {one.condition for one in asked if one.condition} | {text for text, _ in references}
    hashes = {text: hash_ for text in searches if (hash_ := naming.hash_of(text)) is not None}
    async with database.transaction() as connection:
        asked_for = {(source, hash_) for hash_ in hashes.values()}
        hits = await named_now(connection, world, asked_for, local_day(now))
        known = await stored_versions(connection, {(source, name) for name in naming.ids()})
    found = {text: hits.get((source, hash_), set()) for text, hash_ in hashes.items()}
    named = naming.entries(body, found, hashes, {name for _, name in known})
    _demand_distinct(asked, named)
    naming.demand_resolved(references, found, named)
    return named


class _Naming:
    """The naming of one delivery of a source; `on`: the day by which numbers of persons are read."""

    def __init__(
        self, world: World, source: str, on: date, document: Resource, asked: Sequence[Interaction]
    ) -> None:
        self._world, self._source, self._on, self._asked = world, source, on, asked
        self._is_transaction = document.get("type") == "transaction"
        is_bundle = document["resourceType"] == "Bundle"
        self._entries = document.get("entry", ()) if is_bundle else ({"resource": document},)

    def hash_of(self, search: str) -> str | None:
        """How a search by identifier is known; None of any other search."""
        key = search_key(search, self._on)
        return None if key is None else hashed(self._world, self._source, *key)

    def references(self) -> list[tuple[str, str]]:
        """The conditional references of a transaction, with their FHIRPath; it fails with any of them."""
        return [
            found
            for index, entry in enumerate(self._entries if self._is_transaction else ())
            for found in conditional_references(entry["resource"], f"Bundle.entry[{index}].resource")
            if self.hash_of(found[0]) is not None
        ]

    def ids(self) -> set[str]:
        """The names that the bodies of conditional updates bear."""
        return {
            f"{one.kind}/{id_}"
            for index, one in enumerate(self._asked)
            if one.is_on_condition and isinstance(id_ := self._entries[index]["resource"].get("id"), str)
        }

    def entries(
        self, body: bytes, found: Mapping[str, set[str]], hashes: Mapping[str, str], known: set[str]
    ) -> Named:
        """Name each entry; `known`: which of `ids` are stored.

        Of two creates on one condition the second finds what the first creates.
        """
        targets: dict[str, str] = {}
        created, matched, sent_back = set[str](), set[str](), set[str]()
        conditions: dict[str, str] = {}
        for index, one in enumerate(self._asked):
            place, names = str(index), found.get(one.condition or "", set())
            if len(names) > 1:
                raise ConflictError(Problem("multiple-matches", _SEVERAL, one.condition_at))
            again = conditions.get(hashes.get(one.condition or "", ""))
            name = next(iter(names), None) or (again if one.is_create else None)
            if one.is_create:
                (created if name is None else matched).add(place)
            elif self._is_sent_back(one, index):
                sent_back.add(place)
            if one.is_on_condition:
                name = self._demand_own_id(one, index, name, known)
            targets[place] = name or self._new_name(one, body, index)
            if one.is_create and one.condition is not None and place in created:
                conditions[hashes[one.condition]] = targets[place]
        self._find_each_other(targets, found, hashes)
        return Named(targets, frozenset(created), frozenset(matched), frozenset(sent_back), conditions)

    def _is_sent_back(self, one: Interaction, index: int) -> bool:
        """Whether the body has the version that it is to replace: a client changed what it was given."""
        meta = self._entries[index]["resource"].get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        match = one.expected.match if one.expected is not None else None
        return match is not None and isinstance(version, str) and version_tag(version) in match.versions

    def _demand_own_id(self, one: Interaction, index: int, name: str | None, known: set[str]) -> str | None:
        """The name that a conditional update acts on (R4 http#cond-update); None where it has to be made."""
        id_ = self._entries[index]["resource"].get("id")
        if not isinstance(id_, str):
            return name
        own = f"{one.kind}/{id_}"
        if name is not None and name != own:
            raise MalformedError(Problem("invalid", _OTHER_ID, f"{one.at}.id"))
        if name is None and own in known:
            raise IdentityError(Problem("conflict", _OTHER_ID, f"{one.at}.id"))
        return own

    def _find_each_other(
        self, targets: dict[str, str], found: Mapping[str, set[str]], hashes: Mapping[str, str]
    ) -> None:
        """Let a conditional update of a transaction find what another entry brings: they are one identity."""
        if not self._is_transaction:
            return
        for index, one in enumerate(self._asked):
            if not one.is_on_condition or found.get(one.condition or ""):
                continue
            for other, entry in enumerate(self._entries):
                brings = identifiers_of(entry["resource"], self._on)
                keys = {hashed(self._world, self._source, self._asked[other].kind, each) for each in brings}
                if other != index and hashes[one.condition or ""] in keys:
                    targets[str(index)] = targets[str(other)]

    def _new_name(self, one: Interaction, body: bytes, index: int) -> str:
        if one.id is not None:
            return f"{one.kind}/{one.id}"
        seed = one.condition or f"{hashlib.sha256(body).hexdigest()} {index}"
        return f"{one.kind}/{UUID(hex=pseudonym(self._world.secret, self._source, seed)[:32])}"

    def demand_resolved(
        self, references: Sequence[tuple[str, str]], found: Mapping[str, set[str]], named: Named
    ) -> None:
        """Fail where a conditional reference finds nothing or several, after all else (R4 http#trules).

        What the transaction itself brings is meant before what is stored, as by every other reference.
        """
        brought = self._brought(named) if references else {}
        missing = []
        for text, where in references:
            names = brought.get(self.hash_of(text) or "") or found[text]
            if len(names) > 1:
                raise ConflictError(Problem("multiple-matches", _SEVERAL, where))
            if not names:
                missing.append(Problem("not-found", "a conditional reference finds nothing", where))
        if missing:
            raise ResourceError(*missing)

    def _brought(self, named: Named) -> dict[str, set[str]]:
        """The hash of each identifier that the transaction brings, with the names of those that have it."""
        brought: dict[str, set[str]] = {}
        for index, one in enumerate(self._asked):
            if str(index) not in named.matched:
                for each in identifiers_of(self._entries[index]["resource"], self._on):
                    hash_ = hashed(self._world, self._source, one.kind, each)
                    brought.setdefault(hash_, set()).add(named.targets[str(index)])
        for hash_, name in named.conditions.items():
            brought.setdefault(hash_, set()).add(name)
        return brought


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
