"""Recorded events put into the outbox again, for one municipality.

Owns the statements; does not own which events of a case go out again (`adapter.outbound.republish`), nor how
they are published: they are the same rows as the first time, so the relay's guarantees hold for them too.

Order. The case's row is locked, so nothing is added to the case meanwhile; and nothing of it may still
wait (`is_waiting`), or what is newest might be taken out of the outbox before what is older has gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was recorded; `payload` is JSON, empty where the event has none."""

    id: int
    type: str
    payload: bytes
    closing: bool
    created_at: datetime


async def told_of(
    connection: Connection, municipality: str, case_id: str | None, since: datetime | None
) -> list[str]:
    """The cases and statements that the municipality was told of, since then if given, oldest first."""
    rows = await connection.fetch(
        """select case_id from event
           where municipality = $1 and ($2::text is null or case_id = $2)
             and ($3::timestamptz is null or created_at >= $3)
           group by case_id order by min(id)""",
        municipality,
        case_id,
        since,
    )
    return [row["case_id"] for row in rows]


async def lock_picture(connection: Connection, case_id: str) -> bytes | None:
    """The case's picture as it is now, its row locked; None for a statement, which has no case."""
    found: bytes | None = await connection.fetchval(
        "select picture from cases where id = $1 for update", case_id
    )
    return found


async def is_waiting(connection: Connection, case_id: str, municipality: str) -> bool:
    """Whether anything of it has still to be published to the municipality, or is parked there."""
    return bool(
        await connection.fetchval(
            """select exists (select from outbox join event on event.id = outbox.event
                              where outbox.lane = $2 and event.case_id = $1)
                   or exists (select from parked_event where lane = $2 and case_id = $1)
                   or exists (select from parked_case where lane = $2 and case_id = $1)""",
            case_id,
            municipality,
        )
    )


async def recorded(connection: Connection, case_id: str, municipality: str) -> list[Recorded]:
    """All events of it for the municipality, in their order, but for those that are never published."""
    rows = await connection.fetch(
        """select id, type, payload, closing, created_at from event
           where case_id = $1 and municipality = $2
             and not exists (select from superseded where superseded.event = event.id) order by id""",
        case_id,
        municipality,
    )
    return [Recorded(*row.values()) for row in rows]


async def put_again(connection: Connection, ids: Sequence[int]) -> None:
    """Put events into the outbox again, and wake the relay when this is committed."""
    await connection.execute(
        """insert into outbox (event, lane)
           select id, lane_of(type, municipality) from event where id = any ($1::bigint[]) order by id""",
        list(ids),
    )
    await connection.execute("notify losus_outbox")
