"""Joint follow-ups in the database: what they are of, their entries, and each version as it was published.

Owns the statements of SQL; all of it is only ever added to. Does not own what entries come to
(`adapter.settlement.joint`) nor what may be entered (`adapter.settling.joint_follow_ups`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from adapter.losus.days import Month
from adapter.settlement.joint import Entry, Head
from adapter.settlement.joint_entries import CONTENT, Content, Party
from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version as it was published: its Bundle as FHIR JSON, and its resources, each (type, id, JSON)."""

    follow_up: str
    version: int
    at: datetime
    bundle: bytes
    resources: tuple[tuple[str, str, bytes], ...]


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure's Task as it stands (FHIR JSON), whose it is, and when it was published."""

    id: str
    municipality: str
    at: datetime
    resource: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which follow-ups are asked for; None: any. A page begins behind the follow-up with the id `after`."""

    municipality: str | None = None
    agreement: str | None = None
    care_form: str | None = None
    month: Month | None = None
    since: Month | None = None
    after: str | None = None
    limit: int | None = None


async def write_alone(connection: Connection, series: tuple[str, str, str]) -> None:
    """Let nobody else write in the follow-ups of a payer until the transaction ends."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('joint follow-up ' || $1, 0))", "/".join(series)
    )


async def add_head(connection: Connection, head: Head) -> bool:
    """Add what a follow-up is of; False where it is there."""
    done = await connection.execute(
        """insert into joint_follow_up (id, agreement, municipality, care_form, month)
           values ($1, $2, $3, $4, $5) on conflict do nothing""",
        head.id,
        head.agreement,
        head.municipality,
        head.care_form,
        str(head.month),
    )
    return bool(done == "INSERT 0 1")


async def add_entry(connection: Connection, entry: Entry, key: str | None = None) -> bool:
    """Add an entry; `key` is its writer's own name for it. False where its number is taken."""
    done = await connection.execute(
        """insert into joint_follow_up_entry (follow_up, entry, at, party, author, key, content)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict (follow_up, entry) do nothing""",
        entry.follow_up,
        entry.number,
        entry.at,
        None if entry.party is None else entry.party.value,
        entry.author,
        key,
        CONTENT.dump_json(entry.content),
    )
    return bool(done == "INSERT 0 1")


async def add_version(connection: Connection, row: VersionRow) -> None:
    """Keep a version as it is published, and its resources."""
    await connection.execute(
        """insert into joint_follow_up_version (follow_up, version, at, bundle) values ($1, $2, $3, $4)
           on conflict do nothing""",
        row.follow_up,
        row.version,
        row.at,
        row.bundle,
    )
    await connection.execute(
        """insert into joint_follow_up_resource (type, id, follow_up, version, resource)
           select type, id, $4, $5, resource
           from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as new (type, id, resource, n)
           order by n on conflict do nothing""",
        *(list(column) for column in zip(*row.resources, strict=True)),
        row.follow_up,
        row.version,
    )


async def find_head(connection: Connection, name: str) -> Head | None:
    """Return what a follow-up is of, by its id; None: there is none such."""
    row = await connection.fetchrow("select * from joint_follow_up where id = $1", name)
    return None if row is None else _head(row)


async def find_heads(connection: Connection, wanted: Wanted) -> list[Head]:
    """Return the follow-ups that are asked for: newest month first, then by municipality and id."""
    rows = await connection.fetch(
        """select one.* from joint_follow_up as one left join joint_follow_up as last on last.id = $6
           where ($1::text is null or one.municipality = $1) and ($2::text is null or one.agreement = $2)
             and ($3::text is null or one.care_form = $3) and ($4::text is null or one.month = $4)
             and ($5::text is null or one.month >= $5)
             and ($6::text is null or one.month < last.month
                  or (one.month = last.month
                      and (one.municipality, one.id) > (last.municipality, last.id)))
           order by one.month desc, one.municipality, one.id limit $7""",
        wanted.municipality,
        wanted.agreement,
        wanted.care_form,
        None if wanted.month is None else str(wanted.month),
        None if wanted.since is None else str(wanted.since),
        wanted.after,
        wanted.limit,
    )
    return [_head(row) for row in rows]


async def series_heads(connection: Connection, series: tuple[str, str, str]) -> list[Head]:
    """Return the follow-ups of a payer, of all months."""
    agreement, municipality, care_form = series
    return await find_heads(connection, Wanted(municipality, agreement, care_form))


async def entries_of(connection: Connection, follow_ups: Iterable[str]) -> list[Entry]:
    """Return the entries of these follow-ups, in the order in which they were added."""
    rows = await connection.fetch(
        """select follow_up, entry, at, party, author, content from joint_follow_up_entry
           where follow_up = any ($1::text[]) order by number""",
        sorted(set(follow_ups)),
    )
    return [
        Entry(
            row["follow_up"],
            row["entry"],
            row["at"],
            None if row["party"] is None else Party(row["party"]),
            row["author"],
            CONTENT.validate_json(row["content"]),
        )
        for row in rows
    ]


async def entry_of_key(connection: Connection, follow_up: str, party: Party, key: str) -> Content | None:
    """Return what a party entered under a name of its own; None: nothing."""
    content = await connection.fetchval(
        "select content from joint_follow_up_entry where follow_up = $1 and party = $2 and key = $3",
        follow_up,
        party.value,
        key,
    )
    return None if content is None else CONTENT.validate_json(content)


async def versions_of(connection: Connection, follow_ups: Iterable[str]) -> dict[str, int]:
    """Return the newest version of each of these follow-ups."""
    rows = await connection.fetch(
        """select follow_up, max(version) as version from joint_follow_up_version
           where follow_up = any ($1::text[]) group by 1""",
        sorted(set(follow_ups)),
    )
    return {row["follow_up"]: row["version"] for row in rows}


async def newest_bundle(connection: Connection, follow_up: str) -> bytes | None:
    """Return the newest version as it was published; None: there is none."""
    found: bytes | None = await connection.fetchval(
        """select bundle from joint_follow_up_version where follow_up = $1
           order by version desc limit 1""",
        follow_up,
    )
    return found


async def is_own_stay(connection: Connection, stay: str, municipality: str) -> bool:
    """Whether a case is that municipality's."""
    return bool(
        await connection.fetchval(
            "select true from cases where id = $1 and municipality = $2", stay, municipality
        )
    )


async def measure_tasks(
    connection: Connection, municipality: str | None, name: str | None = None
) -> list[MeasureRow]:
    """Return the measures' Tasks as they stand, oldest first; `name`: the one of this id."""
    rows = await connection.fetch(
        """select one.id, municipality, at, resource
           from joint_resource as one
           join joint_follow_up_version on joint_follow_up_version.follow_up = one.follow_up
                                       and joint_follow_up_version.version = one.version
           where type = 'Task' and ($1::text is null or municipality = $1)
             and ($2::text is null or one.id = $2) order by one.number""",
        municipality,
        name,
    )
    return [MeasureRow(*row.values()) for row in rows]


def _head(row: asyncpg.Record) -> Head:
    return Head(row["id"], row["agreement"], row["municipality"], row["care_form"], Month.parse(row["month"]))
