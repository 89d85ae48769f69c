"""What the doors remember: how far each has come, by what names things go, which sources are stopped.

Owns the statements; does not own the doors.
"""

from collections.abc import Iterable
from datetime import datetime

from adapter.store.database import Connection
from adapter.store.intake import columns


async def save_marks(connection: Connection, marks: Iterable[tuple[str, str]], now: datetime) -> None:
    """Write down how far the doors have come (name, value); of one name the last holds."""
    rows = sorted(dict(marks).items())
    if rows:
        await connection.execute(
            """insert into mark (name, value, changed_at)
               select *, $3 from unnest($1::text[], $2::text[])
               on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at""",
            *columns(rows, 2),
            now,
        )


async def read_marks(connection: Connection, prefix: str) -> dict[str, str]:
    """The marks whose names begin so."""
    rows = await connection.fetch("select name, value from mark where starts_with(name, $1)", prefix)
    return {row["name"]: row["value"] for row in rows}


async def alone(connection: Connection, name: str) -> bool:
    """Whether nobody else is at this work; until the transaction ends nobody else will be."""
    held = await connection.fetchval("select pg_try_advisory_xact_lock(hashtextextended($1, 3))", name)
    return bool(held)


async def add_aliases(connection: Connection, aliases: Iterable[tuple[str, str, str]], now: datetime) -> None:
    """Remember by which identifiers resources go (source, hash, name).

    Messages that looked in vain for one of them are to be read again.
    """
    rows = sorted(set(aliases))
    if rows:
        await connection.execute(
            """with added as (
                 insert into alias (source, hash, name)
                 select * from unnest($1::text[], $2::text[], $3::text[]) on conflict do nothing
                 returning source, hash)
               insert into reread (message, since)
               select distinct leaning.message, $4::timestamptz
               from added join leaning on leaning.source = added.source and leaning.name = '?' || added.hash
               on conflict do nothing""",
            *columns(rows, 3),
            now,
        )


async def known_aliases(
    connection: Connection, aliases: Iterable[tuple[str, str, str]]
) -> set[tuple[str, str, str]]:
    """Which of these (source, hash, name) are remembered already."""
    asked = sorted(set(aliases))
    if not asked:
        return set()
    rows = await connection.fetch(
        """select source, hash, name from alias
           join unnest($1::text[], $2::text[], $3::text[]) as asked (source, hash, name)
             using (source, hash, name)""",
        *columns(asked, 3),
    )
    return {(row["source"], row["hash"], row["name"]) for row in rows}


async def named_all(
    connection: Connection, hashes: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], set[str]]:
    """The resources (Type/id) that go by each of these (source, hashed identifier)."""
    asked = sorted(set(hashes))
    if not asked:
        return {}
    rows = await connection.fetch(
        """select source, hash, name from alias
           join unnest($1::text[], $2::text[]) as asked (source, hash) using (source, hash)""",
        *columns(asked, 2),
    )
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        found.setdefault((row["source"], row["hash"]), set()).add(row["name"])
    return found


async def named(connection: Connection, source: str, hashes: Iterable[str]) -> dict[str, set[str]]:
    """The resources (Type/id) that go by each of these hashed identifiers."""
    rows = await connection.fetch(
        "select hash, name from alias where source = $1 and hash = any ($2::text[])",
        source,
        sorted(set(hashes)),
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["hash"], set()).add(row["name"])
    return found


async def stop_source(connection: Connection, source: str, now: datetime, why: str) -> None:
    """Take nothing more from the source until an operator lets it go on."""
    await connection.execute(
        "insert into stopped_source (source, at, why) values ($1, $2, $3) on conflict do nothing",
        source,
        now,
        why,
    )


async def stopped_sources(connection: Connection) -> dict[str, tuple[datetime, str]]:
    """The sources that are stopped: since when, and why."""
    rows = await connection.fetch("select source, at, why from stopped_source")
    return {row["source"]: (row["at"], row["why"]) for row in rows}


async def let_go_on(connection: Connection, source: str) -> bool:
    """Take from the source again; False where it was not stopped."""
    done = await connection.fetchval("delete from stopped_source where source = $1 returning true", source)
    return bool(done)
