"""What the database says of the whole, for those who watch it: open cases, doors, settlement, audit.

Owns the queries; changes nothing. Each looks at no more than what is open, or at the newest rows, so that
ten years of cases cost as much as a month of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from adapter.losus.terms import State
from adapter.store.database import Connection

#: States of a case that is not at its end.
OPEN = (State.ADMITTED, State.NOTIFIED, State.PLANNING, State.READY, State.HOME_READY)
_LAST = 200  # messages of a source that are looked back on
_MANUAL = b'"manual_handling":{'


@dataclass(frozen=True, slots=True)
class OpenCases:
    """How many cases of a municipality (None: not known) are in a state; `by_hand` of them for people."""

    state: str
    municipality: str | None
    cases: int
    by_hand: int


@dataclass(frozen=True, slots=True)
class OpenDisputes:
    """How many questions of a municipality wait for the region's answer, and since when the oldest does."""

    municipality: str
    disputes: int
    oldest_at: datetime


async def open_cases(connection: Connection) -> list[OpenCases]:
    """The cases that are not at their end, by state and municipality."""
    rows = await connection.fetch(
        """select state, municipality, count(*) as cases,
                  count(*) filter (where position($2::bytea in picture) > 0) as by_hand
           from cases where state = any ($1::text[]) group by 1, 2""",
        [state.value for state in OPEN],
        _MANUAL,
    )
    return [OpenCases(**dict(row)) for row in rows]


async def heard(connection: Connection, sources: Iterable[str]) -> list[tuple[str, str, datetime]]:
    """When each source was last heard at each door, as far as its newest messages tell (source, door, at)."""
    rows = await connection.fetch(
        """select asked.source, newest.door, max(newest.received_at) as at
           from unnest($1::text[]) as asked (source) cross join lateral
             (select door, received_at from message where message.source = asked.source
              order by received_at desc limit $2) as newest
           group by 1, 2""",
        sorted(set(sources)),
        _LAST,
    )
    return [(row["source"], row["door"], row["at"]) for row in rows]


async def polled(connection: Connection) -> dict[str, datetime]:
    """When each source's server was last asked to the end, of all the types that are asked for."""
    rows = await connection.fetch(
        """select split_part(name, ' ', 2) as source, min(changed_at) as at
           from mark where starts_with(name, 'poll ') group by 1"""
    )
    return {row["source"]: row["at"] for row in rows}


async def last_issued(connection: Connection) -> datetime | None:
    """When a statement was last issued; None: none was."""
    found: datetime | None = await connection.fetchval(
        "select issued_at from statement order by number desc limit 1"
    )
    return found


async def open_disputes(connection: Connection) -> list[OpenDisputes]:
    """The disputes that nobody answered or took back."""
    rows = await connection.fetch(
        """select municipality, count(*) as disputes, min(asked_at) as oldest_at
           from dispute where not exists (select from dispute_answer where dispute = dispute.id)
           group by 1"""
    )
    return [OpenDisputes(**dict(row)) for row in rows]
