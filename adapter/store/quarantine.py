"""Lanes in quarantine, parked cases, and how far the outbox lags: what an operator looks at.

Owns the statements; does not own when a lane is taken apart (`adapter.outbound.quarantine`). Only the relay
that holds a lane's share moves its events; an operator marks, and the relay does it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A lane that is published apart; `failures` attempts in a row, the next one in `wait_s` seconds."""

    lane: str
    reason: str
    since: datetime
    failures: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class ParkedCase:
    """A case with an event that the broker refuses; `events` of it wait, the refused one among them."""

    lane: str
    case_id: str
    reason: str
    parked_at: datetime
    events: int
    released: bool


@dataclass(frozen=True, slots=True)
class Lag:
    """What of a lane waits in the outbox: how many events, and since when the oldest."""

    lane: str
    events: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that the broker will never take, and the kind of its error."""

    event: int
    lane: str
    case_id: str
    reason: str


async def quarantined(connection: Connection) -> list[Quarantine]:
    """All lanes in quarantine, by name."""
    rows = await connection.fetch(
        """select lane, reason, since, failures,
                  greatest(extract(epoch from retry_at - clock_timestamp()), 0)::float8 as wait_s
           from quarantine order by lane"""
    )
    return [Quarantine(**dict(row)) for row in rows]


async def enter(connection: Connection, reasons: Mapping[str, str]) -> None:
    """Put lanes into quarantine, each for its reason; the first attempt is due at once."""
    await connection.executemany(
        """insert into quarantine (lane, reason, since, failures, retry_at)
           values ($1, $2, clock_timestamp(), 0, clock_timestamp())
           on conflict (lane) do update set reason = excluded.reason""",
        list(reasons.items()),
    )


async def put_off(connection: Connection, lane: str, reason: str, failures: int, wait_s: float) -> None:
    """Note an attempt that failed, and when the next one is due."""
    await connection.execute(
        """update quarantine set reason = $2, failures = $3,
                                 retry_at = clock_timestamp() + $4 * interval '1 second'
           where lane = $1""",
        lane,
        reason,
        failures,
        wait_s,
    )


async def leave(connection: Connection, lane: str) -> None:
    """Let a lane go back among the others."""
    await connection.execute("delete from quarantine where lane = $1", lane)


async def park(connection: Connection, refused: Sequence[Refusal]) -> None:
    """Park the cases of events that the broker refuses.

    What comes after in a case is put behind when it is claimed (`store.outbox`).
    """
    for one in refused:
        await connection.execute(
            """insert into parked_case (lane, case_id, event, reason, parked_at)
               values ($1, $2, $3, $4, clock_timestamp())
               on conflict (lane, case_id) do update set event = least(parked_case.event, excluded.event)""",
            one.lane,
            one.case_id,
            one.event,
            one.reason,
        )
        await connection.execute(
            """with behind as (delete from outbox where event = $1 returning asked)
               insert into parked_event (event, lane, case_id, asked)
               values ($1, $2, $3, (select asked from behind)) on conflict do nothing""",
            one.event,
            one.lane,
            one.case_id,
        )


async def take_up(connection: Connection, lanes: Sequence[str]) -> list[str]:
    """Put events of released cases back into the outbox, in their old order; the lanes that got some."""
    rows = await connection.fetch(
        "select lane, case_id from parked_case where lane = any ($1::text[]) and released_at is not null",
        list(lanes),
    )
    for row in rows:
        case = (row["lane"], row["case_id"])
        await connection.execute(
            """with back as (
                 delete from parked_event where lane = $1 and case_id = $2 returning event, lane, asked)
               insert into outbox (event, lane, asked)
               select event, lane, coalesce(released.asked, back.asked)
               from back cross join (select asked from parked_case
                                     where lane = $1 and case_id = $2) as released
               on conflict do nothing""",
            *case,
        )
        await connection.execute("delete from parked_case where lane = $1 and case_id = $2", *case)
    return sorted({row["lane"] for row in rows})


async def parked_lanes(connection: Connection) -> list[str]:
    """The lanes that have released cases to be taken up."""
    rows = await connection.fetch("select distinct lane from parked_case where released_at is not null")
    return [row["lane"] for row in rows]


async def parked_cases(connection: Connection, lane: str | None = None) -> list[ParkedCase]:
    """The parked cases, of one lane or of all, by lane and oldest first."""
    rows = await connection.fetch(
        """select lane, case_id, reason, parked_at, released_at is not null as released,
                  (select count(*) from parked_event
                   where parked_event.lane = parked_case.lane and parked_event.case_id = parked_case.case_id
                  ) as events
           from parked_case where $1::text is null or lane = $1 order by lane, parked_at, case_id""",
        lane,
    )
    return [ParkedCase(**dict(row)) for row in rows]


async def release(connection: Connection, lane: str, case_id: str) -> bool:
    """Let a parked case go on, its refused event first; False where no such case is parked.

    The relay takes it up within a second. Where the broker refuses the event again, it is parked again.
    """
    done = await connection.fetchval(
        """update parked_case set released_at = coalesce(released_at, clock_timestamp()),
                                  asked = nullif(current_setting('losus.asked', true), '')::bigint
           where lane = $1 and case_id = $2 returning true""",
        lane,
        case_id,
    )
    await connection.execute("notify losus_outbox")
    return bool(done)


async def lags(connection: Connection) -> list[Lag]:
    """What waits in each lane; a lane without waiting events is not among them."""
    rows = await connection.fetch(
        """select lane, events, created_at as oldest_at
           from (select lane, count(*) as events, min(event) as oldest from outbox group by lane) as waiting
           join event on event.id = oldest order by lane"""
    )
    return [Lag(**dict(row)) for row in rows]


async def oldest_in_order(connection: Connection) -> datetime | None:
    """Since when the oldest event waits of the lanes that are not in quarantine; None: none waits."""
    found: datetime | None = await connection.fetchval(
        """with recursive found as (
             (select lane from outbox order by lane limit 1)
             union all
             select (select lane from outbox where lane > found.lane order by lane limit 1)
             from found where found.lane is not null)
           select min(created_at) from found
           cross join lateral (select event from outbox where outbox.lane = found.lane
                               order by event limit 1) as one
           join event on event.id = one.event
           where found.lane not in (select lane from quarantine)"""
    )
    return found
