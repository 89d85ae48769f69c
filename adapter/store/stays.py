"""Cases read for settlement, a batch at a time and without a lock; and what was read of them, kept.

Owns the queries. What is kept is a cache: it may be emptied at any time.
"""

from collections.abc import Iterable, Mapping, Sequence

from adapter.store.database import Connection
from adapter.store.intake import CaseRow, case_of


async def read_cases(connection: Connection, after: str, most: int) -> dict[str, CaseRow]:
    """Up to `most` cases that something establishes, by id, those after `after`."""
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due, parked from cases
           where state is not null and id > $1 order by id limit $2""",
        after,
        most,
    )
    return {row["id"]: case_of(row) for row in rows}


async def read_named(connection: Connection, ids: Iterable[str]) -> dict[str, CaseRow]:
    """The cases of these ids; one that does not exist is left out."""
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due, parked from cases
           where id = any ($1::text[]) order by id""",
        sorted(set(ids)),
    )
    return {row["id"]: case_of(row) for row in rows}


async def read_parked(connection: Connection) -> list[tuple[str, str | None]]:
    """The cases of which something is held unread, by id, each with the municipality that is told of it."""
    rows = await connection.fetch("select id, municipality from cases where parked order by id")
    return [(row["id"], row["municipality"]) for row in rows]


async def read_prints(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """For each case a text that differs where any of its facts does: their number, and a sum of digests.

    A case with merged patient records, whose fold rests on other cases too, has none.
    """
    rows = await connection.fetch(
        """select link.case_id,
                  count(*) || '-' || sum(hashtextextended(concat_ws(' ', fact.source, fact.resource, fact.ord,
                    fact.version, fact.case_id, fact.void, fact.partial, fact.voids_stay,
                    fact.about, md5(fact.signals)), 0)::numeric)
                    as print
           from link join fact using (source, resource)
           where link.case_id = any ($1::text[]) and not exists (
             select from link as other join replacement on replacement.source = other.source
                                     and other.resource in (replacement.resource, replacement.by)
             where other.case_id = link.case_id)
           group by link.case_id""",
        sorted(set(ids)),
    )
    return {row["case_id"]: row["print"] for row in rows}


async def read_kept(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[str, bytes]]:
    """What is kept of these cases: by what it was folded, and what was read."""
    rows = await connection.fetch(
        "select case_id, print, said from stay where case_id = any ($1::text[])", sorted(set(ids))
    )
    return {row["case_id"]: (row["print"], row["said"]) for row in rows}


async def keep(connection: Connection, read: Mapping[str, tuple[str, bytes]]) -> None:
    """Keep what was read of cases; the caller holds the lock of settling (`statements.settle_alone`)."""
    names: Sequence[str] = sorted(read)
    await connection.execute(
        """insert into stay (case_id, print, said)
           select * from unnest($1::text[], $2::text[], $3::bytea[])
           on conflict (case_id) do update set print = excluded.print, said = excluded.said""",
        names,
        [read[name][0] for name in names],
        [read[name][1] for name in names],
    )


async def forget_gone(connection: Connection) -> None:
    """Let go of what is kept of cases that are no more."""
    await connection.execute(
        "delete from stay where not exists (select from cases where cases.id = stay.case_id)"
    )
