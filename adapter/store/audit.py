"""The audit: who saw, received or tried what about whom, when and why. Only ever added to, chained by hash.

Owns the statements of SQL, the chain, and what of a row the hash is made of. Does not own what is audited.
A chain shows what was changed within it, and not that its end was cut off or all of it made anew: for that
its head (`Head`) is kept elsewhere (the log has it, `losus audit verify` prints it), and given to `verify`.
What has been kept long enough goes from the front; an anchor stays, and a later row of the chain names it.
Sources: PDL (2008:355) 4:3, 3:11; HSLF-FS 2016:40 4:9 (what was done, at which unit, when, by whom, on whom).
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from adapter.store.database import Connection
from adapter.store.delivery_batch import DELIVER, Batch, batch_of, range_of

#: All adding to one chain is done one after the other.
_LOCK = 0x6175646974  # "audit"
_PAGE = 2000
_FIRST = bytes(32)
#: What retention is called in the chain.
ERASE = "erase"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done, or tried.

    `kind` is what sort of actor `who` is (source, staff, anybody, attempt, system). `what` names what was
    concerned, each as `kind/id`, never by a personnummer: `case/…`, `statement/…`, `message/…`, `door/…`.
    `why` is the role or scope that allowed it, or the reason of a refusal. `municipality` (kommunkod) is
    whose persons they were, None: of several or none. `address` is empty where it came from within; `count`
    how many attempts of the same kind.
    """

    at: datetime
    kind: str
    who: str
    action: str
    what: tuple[str, ...]
    outcome: str
    why: str
    municipality: str | None = None
    address: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain: its number and hash. Number 0: nothing yet."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it stands in the chain."""

    number: int
    entry: Entry
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are wanted, None: any: from `since` on, before `until`, of what (`kind/id`), by whom."""

    since: datetime | None = None
    until: datetime | None = None
    what: str | None = None
    who: str | None = None


#: Every entry.
ALL = Selection()


async def append(connection: Connection, entries: Sequence[Entry]) -> Head:
    """Add entries, in order, inside the caller's transaction; the chain's new head.

    Whoever adds waits for whoever adds before until that transaction ends: keep it short.
    """
    await lock(connection)
    last = await head(connection)
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        hashed = link(last, entry)
        rows.append((last.number + 1, *astuple(entry), last.hash, hashed))
        last = Head(last.number + 1, hashed)
    await connection.executemany(
        """insert into audit (number, at, kind, who, action, what, outcome, why, municipality, address, count,
                              previous, hash)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        rows,
    )
    return last


async def lock(connection: Connection) -> None:
    """Wait until nobody else adds, and let nobody else add, until the caller's transaction ends."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)


async def head(connection: Connection) -> Head:
    """The chain's last row."""
    row = await connection.fetchrow("select number, hash from audit order by number desc limit 1")
    return await anchor(connection) if row is None else Head(row["number"], row["hash"])


async def anchor(connection: Connection) -> Head:
    """The row that the chain's first one follows: the last that was taken out; number 0 where none was."""
    row = await connection.fetchrow("select number, hash from audit_anchor order by number desc limit 1")
    return Head(0, _FIRST) if row is None else Head(row["number"], row["hash"])


def link(before: Head, entry: Entry) -> bytes:
    """The hash of the row that comes after `before`: of its number, that row's hash, and all that it says."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [before.number + 1, at, *astuple(entry)[1:]]
    return hashlib.sha256(before.hash + orjson.dumps(said)).digest()


async def verify(connection: Connection, kept: Head | None = None) -> int | None:
    """The number of the first row that is not as it was written; None where all is.

    `kept` is a head that was noted elsewhere: where the chain has another row at that number, or none,
    that number is broken too; of one from before the anchor nothing can be said. An anchor that no row of the
    chain names, with the deliveries that were covered before it, is broken: nobody but retention takes rows
    out, and it says so. A row that covers deliveries is broken where any of them, or the event that was
    delivered, is not as it was.
    """
    first = last = await anchor(connection)
    if kept is not None and kept.number == first.number and kept.hash != first.hash:
        return first.number
    said: tuple[str, ...] | None = None
    begin: int | None = None if first.number else 0
    covered = 0
    async for one in read(connection):
        as_kept = kept is None or kept.number != one.number or kept.hash == one.hash
        if not as_kept or not _follows(last, one):
            return last.number + 1
        if one.entry.action == DELIVER:
            if begin is None:
                begin = covered = _before(one.entry)
            batch = await _batch(connection, one.entry, covered)
            if batch is None:
                return one.number
            covered = batch.last
        if one.entry.action == ERASE and name_of(first) in one.entry.what:
            said = one.entry.what
        last = Head(one.number, one.hash)
    if first.number and (said is None or (begin is not None and covered_before(begin) not in said)):
        return first.number
    return last.number + 1 if kept is not None and kept.number > last.number else None


async def _batch(connection: Connection, entry: Entry, covered: int) -> Batch | None:
    """The deliveries that an entry covers, from the one after `covered`; None where they are others."""
    named = range_of(entry.what[0])
    if named is None or named[0] != covered + 1:
        return None
    batch = await batch_of(connection, *named)
    return batch if (batch.digest, batch.count) == (entry.why, entry.count) else None


async def verify_last(connection: Connection, rows: int) -> int | None:
    """The number of the first of the last `rows` rows that is not as it was written; None: all are.

    Quick, however long the chain: the first of them is held against the row before it, and no further.
    """
    newest = await connection.fetch("select * from audit order by number desc limit $1", rows + 1)
    chain = [_kept(row) for row in reversed(newest)]
    last = await anchor(connection)
    if chain and chain[0].number > last.number + 1:
        before = chain.pop(0)
        last = Head(before.number, before.hash)
    for one in chain:
        if not _follows(last, one):
            return last.number + 1
        last = Head(one.number, one.hash)
    return None


def _follows(last: Head, one: Kept) -> bool:
    return one.number == last.number + 1 and one.previous == last.hash and one.hash == link(last, one.entry)


def _before(entry: Entry) -> int:
    """The number of the delivery before those that an entry covers."""
    named = range_of(entry.what[0])
    return 0 if named is None else named[0] - 1


def name_of(anchor: Head) -> str:
    """An anchor as a row of the chain names it, among `what`."""
    return f"audit/{anchor.number}:{anchor.hash.hex()}"


def covered_before(delivery: int) -> str:
    """Deliveries that were covered by rows before an anchor, as the row that names the anchor says it."""
    return f"deliveries/1-{delivery}"


async def read(connection: Connection, wanted: Selection = ALL) -> AsyncIterator[Kept]:
    """The rows that are wanted, in order, a page at a time."""
    after = 0
    while True:
        rows = await connection.fetch(
            """select * from audit where number > $1
               and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
               and ($4::text is null or what @> array[$4::text]) and ($5::text is null or who = $5)
               order by number limit $6""",
            after,
            wanted.since,
            wanted.until,
            wanted.what,
            wanted.who,
            _PAGE,
        )
        for row in rows:
            yield _kept(row)
        if len(rows) < _PAGE:
            return
        after = rows[-1]["number"]


def _kept(row: asyncpg.Record) -> Kept:
    entry = Entry(
        at=row["at"],
        kind=row["kind"],
        who=row["who"],
        action=row["action"],
        what=tuple(row["what"]),
        outcome=row["outcome"],
        why=row["why"],
        municipality=row["municipality"],
        address=row["address"],
        count=row["count"],
    )
    return Kept(row["number"], entry, row["previous"], row["hash"])
