"""Resources that others point at, in their newest version, and who leans on them.

Owns the statements; does not own asking a source's server for what is not here (`adapter.client`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from adapter.losus.versions import VersionOrder, contradicts, is_newer
from adapter.store.database import Connection
from adapter.store.intake import columns, read_order, write_order
from adapter.store.seal import Seal

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shelved:
    """A resource to be kept: `name` is Type/id, `order` ranks its version, `message` brought it."""

    source: str
    name: str
    order: VersionOrder
    version: str
    resource: Resource
    message: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource that is kept, and how its version ranks."""

    resource: Resource
    order: VersionOrder
    version: str


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """The version of a resource that is kept: how it ranks, what it is called, and when it was stored."""

    order: VersionOrder
    version: str
    stored_at: datetime


async def find_kept(
    connection: Connection, places: Iterable[tuple[str, str]], seal: Seal
) -> dict[tuple[str, str], Kept]:
    """What is kept under these names (source, Type/id), each in its newest version."""
    rows = await connection.fetch(
        """select source, name, ord, version, body, sealed from resource
           join unnest($1::text[], $2::text[]) as asked (source, name) using (source, name)""",
        *columns(sorted(set(places)), 2),
    )
    return {
        (row["source"], row["name"]): Kept(
            orjson.loads(seal.open(row["body"], row["sealed"])), read_order(row["ord"]), row["version"]
        )
        for row in rows
    }


async def shelve(connection: Connection, given: Sequence[Shelved], seal: Seal, now: datetime) -> bool:
    """Keep each resource where it is newer than what is kept, and have read anew whatever leans on it.

    Gives whether anything was new. Only what a resource says counts: a new version that says the same is
    no reason to read anything anew.
    """
    latest: dict[tuple[str, str], Shelved] = {}
    for one in given:
        place = (one.source, one.name)
        if place not in latest or _takes_the_place(one.order, latest[place].order):
            latest[place] = one
    known = await _orders(connection, latest)
    fresh = {
        at: one for at, one in latest.items() if at not in known or _takes_the_place(one.order, known[at][0])
    }
    if not fresh:
        return False
    digests = {at: _digest(one.resource) for at, one in fresh.items()}
    await connection.execute(
        """insert into resource (source, name, ord, version, digest, body, sealed, got_at)
           select *, $8 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[],
                                    $7::text[])
           on conflict (source, name) do update
             set ord = excluded.ord, version = excluded.version, digest = excluded.digest,
                 body = excluded.body, sealed = excluded.sealed, got_at = excluded.got_at""",
        *columns(
            [
                (*at, _ord(one), one.version, digests[at], *seal.close(orjson.dumps(one.resource)))
                for at, one in sorted(fresh.items())
            ],
            7,
        ),
        now,
    )
    changed = [
        (*at, one.message)
        for at, one in sorted(fresh.items())
        if at not in known or known[at][1] != digests[at]
    ]
    await connection.execute(
        """insert into reread (message, since)
           select distinct leaning.message, $4::timestamptz from leaning
           join unnest($1::text[], $2::text[], $3::bigint[]) as asked (source, name, message)
             on asked.source = leaning.source and asked.name = leaning.name
                and asked.message <> leaning.message
           on conflict do nothing""",
        *columns(changed, 3),
        now,
    )
    return True


def _takes_the_place(new: VersionOrder, known: VersionOrder) -> bool:
    """Whether a version is kept instead of another; of two that contradict each other the first stays."""
    return is_newer(new, known) and not contradicts(new, known)


async def _orders(
    connection: Connection, places: Iterable[tuple[str, str]]
) -> Mapping[tuple[str, str], tuple[VersionOrder, str]]:
    rows = await connection.fetch(
        """select source, name, ord, digest from resource
           join unnest($1::text[], $2::text[]) as asked (source, name) using (source, name)
           order by source, name for update of resource""",
        *columns(sorted(set(places)), 2),
    )
    return {(r["source"], r["name"]): (read_order(r["ord"]), r["digest"]) for r in rows}


def _ord(one: Shelved) -> str:
    return write_order(one.order)


async def stored_versions(
    connection: Connection, places: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], StoredVersion]:
    """The kept version of each of these (source, Type/id), as far as they are known."""
    asked = sorted(set(places))
    if not asked:
        return {}
    rows = await connection.fetch(
        """select source, name, ord, version, got_at from resource
           join unnest($1::text[], $2::text[]) as asked (source, name) using (source, name)""",
        *columns(asked, 2),
    )
    return {
        (row["source"], row["name"]): StoredVersion(read_order(row["ord"]), row["version"], row["got_at"])
        for row in rows
    }


async def standing_records(connection: Connection, source: str, names: Iterable[str]) -> set[str]:
    """Of several patient records those that none of the others replaced."""
    asked = sorted(set(names))
    replaced = await connection.fetch(
        """select resource from replacement where source = $1 and resource = any ($2::text[])
             and by = any ($2::text[])""",
        source,
        asked,
    )
    return set(asked) - {row["resource"] for row in replaced} or set(asked)


def _digest(resource: Resource) -> str:
    said = {name: value for name, value in resource.items() if name != "meta"}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def lean(connection: Connection, leanings: Iterable[tuple[str, str, int]]) -> None:
    """Remember that messages were read with the help of resources outside them (source, name, message)."""
    rows = sorted(set(leanings))
    if rows:
        await connection.execute(
            """insert into leaning (source, name, message)
               select * from unnest($1::text[], $2::text[], $3::bigint[]) on conflict do nothing""",
            *columns(rows, 3),
        )


async def read_again(connection: Connection, messages: Iterable[int], now: datetime) -> None:
    """These messages are to be read again."""
    asked = sorted(set(messages))
    if asked:
        await connection.execute(
            "insert into reread (message, since) select unnest($1::bigint[]), $2 on conflict do nothing",
            asked,
            now,
        )


async def reread_done(connection: Connection, messages: Iterable[int]) -> None:
    """These messages have been read anew."""
    await connection.execute("delete from reread where message = any ($1::bigint[])", sorted(set(messages)))
