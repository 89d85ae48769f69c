"""The outbox as the relay sees it: claim the next events, and take them out once Kafka has them.

Owns the statements; does not own the protocol (`adapter.outbound.relay`). Only one relay of a name
works at a time: it holds an advisory lock of the session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.store.database import Connection
from adapter.store.intake import EventRow


@dataclass(frozen=True, slots=True)
class Claim:
    """Events written down as about to be published, in order, under a number that only grows."""

    number: int
    events: tuple[tuple[EventRow, datetime], ...]
    ids: tuple[int, ...]


async def hold(connection: Connection, relay: str) -> bool:
    """Whether this session is now the one relay of that name."""
    return bool(await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 1))", relay))


async def open_claim(connection: Connection, relay: str) -> Claim | None:
    """What was claimed before and is not taken out: a crash lies between."""
    row = await connection.fetchrow("select number, events from relay_batch where relay = $1", relay)
    if row is None or not row["events"]:
        return None
    return await _claim(connection, row["number"], row["events"])


async def claim(connection: Connection, relay: str, most: int, floor: int) -> Claim | None:
    """Claim up to `most` events, oldest first, and write the claim down; None where there is none.

    Its number is above `floor`, which is what Kafka has committed: a database that was restored to an
    earlier point must not take an old number for a new claim.
    """
    ids = [
        row["event"]
        for row in await connection.fetch("select event from outbox order by event limit $1", most)
    ]
    if not ids:
        return None
    number = await connection.fetchval(
        """insert into relay_batch (relay, number, events) values ($1, $3::bigint + 1, $2)
           on conflict (relay) do update
             set number = greatest(relay_batch.number, $3::bigint) + 1, events = $2
           returning number""",
        relay,
        ids,
        floor,
    )
    return await _claim(connection, number, ids)


async def settle(connection: Connection, relay: str, ids: Sequence[int]) -> None:
    """Take events out that Kafka has, and close the claim on them."""
    await connection.execute(
        """with gone as (delete from outbox where event = any ($2::bigint[]))
           update relay_batch set events = '{}' where relay = $1""",
        relay,
        list(ids),
    )


async def _claim(connection: Connection, number: int, ids: Sequence[int]) -> Claim:
    rows = await connection.fetch(
        """select id, case_id, municipality, revision, type, ce_id, payload, closing, created_at
           from event where id = any ($1::bigint[]) order by id""",
        list(ids),
    )
    events = tuple((EventRow(*list(row.values())[1:-1]), row["created_at"]) for row in rows)
    return Claim(number, events, tuple(row["id"] for row in rows))
