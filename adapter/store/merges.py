"""Merged patient records: which belong together, and which cases are about them.

Owns the statements; does not own the rule (`losus.merge`).
"""

from collections.abc import Iterable, Mapping

from adapter.losus.signal import Fact
from adapter.losus.versions import is_newer
from adapter.store.database import Connection

#: (source, identity) of a resource.
Place = tuple[str, str]


async def add_replacements(connection: Connection, said: Iterable[tuple[str, str, str]]) -> None:
    """Remember that some version of a record said that it was replaced (source, record, by)."""
    rows = sorted(set(said))
    if rows:
        await connection.execute(
            """insert into replacement (source, resource, by)
               select * from unnest($1::text[], $2::text[], $3::text[]) on conflict do nothing""",
            *(list(column) for column in zip(*rows, strict=True)),
        )


async def kin(connection: Connection, resources: Iterable[Place], cases: Iterable[str]) -> set[Place]:
    """All records that are tied by replacements to these, or to those that these cases are about."""
    asked = sorted(set(resources))
    rows = await connection.fetch(
        """with recursive start as (
             select * from unnest($1::text[], $2::text[]) as asked (source, resource)
             union select source, resource from link where case_id = any ($3::text[])),
           reached (source, resource) as (
             select start.source, start.resource from start join replacement
               on replacement.source = start.source and start.resource in (replacement.resource, by)
             union
             select reached.source, case when by = reached.resource then replacement.resource else by end
             from reached join replacement
               on replacement.source = reached.source and reached.resource in (replacement.resource, by))
           select source, resource from reached""",
        [source for source, _ in asked],
        [resource for _, resource in asked],
        sorted(set(cases)),
    )
    return {(row["source"], row["resource"]) for row in rows}


async def records_of(connection: Connection, cases: Iterable[str], among: set[Place]) -> dict[str, Place]:
    """The patient record, among those, that each case is about."""
    rows = await connection.fetch(
        "select case_id, source, resource from link where case_id = any ($1::text[]) order by resource desc",
        sorted(set(cases)),
    )
    places = ((row["case_id"], (row["source"], row["resource"])) for row in rows)
    return {case_id: place for case_id, place in places if place in among}


def replaced_by(facts: Iterable[Fact]) -> Mapping[str, str]:
    """By which record each is replaced, as its newest version says."""
    newest: dict[str, Fact] = {}
    for fact in facts:
        known = newest.get(fact.resource)
        if known is None or is_newer(fact.order, known.order):
            newest[fact.resource] = fact
    said = (
        (fact.resource, signal.fields.get("merged_into"))
        for fact in newest.values()
        for signal in fact.signals
    )
    return {record: by for record, by in said if by is not None}
