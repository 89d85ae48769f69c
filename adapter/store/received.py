"""What was taken in, as the audit tells it: who sent what about which case, when, by which door.

Owns the statements on the inbox that tell this; no content is read. Does not own taking in.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from adapter.store.audit import ALL, Selection
from adapter.store.database import Connection

_PAGE = 1000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)
_SELECT = """select message.id, received_at, source, door, status,
                    exists (select from held where held.message = message.id) as is_held from message"""

_OF_CASE = """
    where message.id in (
            select fact.message from link join fact using (source, resource) where link.case_id = $1
            union select held_case.message from held_case where held_case.case_id = $1)
      and ($2::timestamptz is null or received_at >= $2)
      and ($3::timestamptz is null or received_at < $3) and ($4::text is null or source = $4)
    order by message.id"""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was taken in, by its number.

    `case` is the one that was asked about, None where none was; `status` the HTTP status that was answered;
    `is_held`: it cannot be used yet.
    """

    message: int
    at: datetime
    source: str
    door: str
    status: int
    is_held: bool
    case: str | None = None


async def sources(connection: Connection) -> list[str]:
    """The names of all that ever sent something."""
    rows = await connection.fetch(
        """with recursive found as (
             (select source from message order by source limit 1)
             union all
             select (select source from message where source > found.source order by source limit 1)
             from found where found.source is not null)
           select source from found where source is not null"""
    )
    return [row["source"] for row in rows]


async def of_case(connection: Connection, case: str, wanted: Selection = ALL) -> list[Received]:
    """What was taken in about a case, oldest first: what it is folded from, and what is held."""
    rows = await connection.fetch(
        _SELECT + _OF_CASE,
        case,
        wanted.since,
        wanted.until,
        wanted.who,
    )
    return [_received(row, case) for row in rows]


async def one_message(connection: Connection, number: int) -> list[Received]:
    """One message; nothing where there is none of that number."""
    rows = await connection.fetch(f"{_SELECT} where id = $1", number)
    return [_received(row, None) for row in rows]


async def from_source(
    connection: Connection, source: str, wanted: Selection = ALL
) -> AsyncIterator[Received]:
    """What a source sent, oldest first, a page at a time."""
    after: tuple[datetime, int] = (wanted.since or _BEGINNING, 0)
    while True:
        rows = await connection.fetch(
            f"""{_SELECT}
                where source = $1 and received_at >= $2 and (received_at, id) > ($2, $3) and received_at < $4
                order by received_at, id limit $5""",
            source,
            *after,
            wanted.until or _END,
            _PAGE,
        )
        for row in rows:
            yield _received(row, None)
        if len(rows) < _PAGE:
            return
        after = (rows[-1]["received_at"], rows[-1]["id"])


def _received(row: asyncpg.Record, case: str | None) -> Received:
    return Received(
        row["id"], row["received_at"], row["source"], row["door"], row["status"], row["is_held"], case
    )
