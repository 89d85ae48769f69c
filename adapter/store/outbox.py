"""The outbox as a relay sees it: shares of lanes, claims on the next events, taking out what Kafka has.

Owns the statements; does not own the protocol (`adapter.outbound.relay`), nor lanes in quarantine and
parked cases (`store.quarantine`). Whoever writes here for a share holds its advisory lock in the same
session: who lost the session has lost the lock, and can claim nothing any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from adapter.store.database import Connection, connect_once
from adapter.store.intake import EventRow

#: First keys of the advisory locks: one a share, one a relay that is there.
_SHARE, _MEMBER = 0x6C6F7301, 0x6C6F7302
#: Held, shared, by whoever is writing deliveries; alone, by whoever asks which of them are all there.
DELIVERING = 0x6C6F737573_03
_DEADLINE_S = 60.0
#: A relay that vanished with its machine is missed after some twenty seconds.
_SESSION = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
    "application_name": "losus relay",
    "enable_seqscan": "off",  # as in `store.database`: every statement finds its rows by an index
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is to be published, and the lane that it travels in."""

    id: int
    lane: str
    event: EventRow
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """Events written down as about to be published, in order.

    `id` is never used again; `producer` is the transactional id under which alone they are published
    ("" where the broker has no transactions); Kafka has `id` at or after the offset `since`, if at all.
    `number` counts the claims of the slot.
    """

    slot: str
    id: str
    producer: str
    since: int
    events: tuple[Waiting, ...]
    number: int

    @property
    def ids(self) -> list[int]:
        """The numbers of its events."""
        return [one.id for one in self.events]

    @property
    def lanes(self) -> list[str]:
        """The lanes it has events of."""
        return sorted({one.lane for one in self.events})


@dataclass(frozen=True, slots=True)
class Published:
    """What Kafka has of a claim: its events' numbers, and `at` which time that was known.

    `places`: by number, partition and offset of the first of its records, where the broker told them.
    """

    ids: Sequence[int]
    at: datetime
    places: Mapping[int, tuple[int, int]] = field(default_factory=dict)


async def open_session(dsn: str) -> asyncpg.Connection:
    """A session of a relay's own: its locks live and die with it. Not through a pooler of transactions."""
    return await connect_once(dsn, deadline_s=_DEADLINE_S, session=_SESSION)


async def join(connection: Connection, member: int) -> None:
    """Be there, as one of the relays that divide the shares."""
    await connection.execute("select pg_advisory_lock($1::int, $2::int)", _MEMBER, member)


async def members(connection: Connection) -> list[int]:
    """The relays that are there, in an order that all of them see alike."""
    return await _locks(connection, _MEMBER)


async def held(connection: Connection) -> list[int]:
    """The shares that some relay holds."""
    return await _locks(connection, _SHARE)


async def _locks(connection: Connection, kind: int) -> list[int]:
    rows = await connection.fetch(
        """select distinct objid::bigint as lock from pg_locks
           where locktype = 'advisory' and objsubid = 2 and granted and classid::bigint = $1
             and database = (select oid from pg_database where datname = current_database())
           order by 1""",
        kind,
    )
    return [row["lock"] for row in rows]


async def hold(connection: Connection, share: int) -> bool:
    """Whether this session is now the one that holds the share."""
    return bool(await connection.fetchval("select pg_try_advisory_lock($1::int, $2::int)", _SHARE, share))


async def let_go(connection: Connection, share: int) -> None:
    """Leave the share to others."""
    await connection.execute("select pg_advisory_unlock($1::int, $2::int)", _SHARE, share)


async def waiting_lanes(connection: Connection) -> list[str]:
    """The lanes that have events to publish."""
    rows = await connection.fetch(
        """with recursive found as (
             (select lane from outbox order by lane limit 1)
             union all
             select (select lane from outbox where lane > found.lane order by lane limit 1)
             from found where found.lane is not null)
           select lane from found where lane is not null"""
    )
    return [row["lane"] for row in rows]


async def claim(  # noqa: PLR0913 - a claim has as many parts
    connection: Connection,
    slot: str,
    lanes: Sequence[str],
    *,
    most: int,
    share: int,
    id: str,  # noqa: A002 - the column's name
    producer: str,
    since: int,
) -> Claim | None:
    """Claim up to `most` events of these lanes, oldest first, and write the claim down; None: none waits.

    No lane takes more than its part while others wait, so that a backlog does not hold them up. Events of
    parked cases are put to the others of their case.
    """
    while rows := await _next(connection, lanes, most):
        behind = [row for row in rows if row["parked"]]
        if behind:
            await _put_behind(connection, behind)
        events = tuple(_waiting(row) for row in rows if not row["parked"])
        if not events:
            continue
        number = await connection.fetchval(
            """insert into relay_claim (slot, share, id, producer, since, events)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (slot) do update
                 set share = $2, id = $3, producer = $4, since = $5, events = $6
               returning number""",
            slot,
            share,
            id,
            producer,
            since,
            [one.id for one in events],
        )
        return Claim(slot, id, producer, since, events, number)
    return None


async def _next(connection: Connection, lanes: Sequence[str], most: int) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(
        """with waiting as materialized (
             select lane from unnest($1::text[]) as known (lane)
             where exists (select from outbox where outbox.lane = known.lane)),
           chosen as materialized (
             select lane, one.event from waiting cross join lateral
               (select event from outbox where outbox.lane = waiting.lane order by event
                limit (select greatest($2 / greatest(count(*), 1), $2 / 4, 1) from waiting)) as one
             order by one.event limit $2)
           select chosen.lane, event.id, event.case_id, municipality, revision, type, ce_id, payload, closing,
                  traceparent, created_at, parked_case.case_id is not null as parked
           from chosen join event on event.id = chosen.event
           left join parked_case on parked_case.lane = chosen.lane and parked_case.case_id = event.case_id
                                and parked_case.event <= event.id
           order by event.id""",
        list(lanes),
        most,
    )
    return rows


async def _put_behind(connection: Connection, rows: Iterable[asyncpg.Record]) -> None:
    await connection.executemany(
        """with behind as (delete from outbox where event = $1 returning event, lane, asked)
           insert into parked_event (event, lane, case_id, asked)
           select event, lane, $2, asked from behind on conflict do nothing""",
        [(row["id"], row["case_id"]) for row in rows],
    )


async def open_claims(connection: Connection, share: int) -> list[Claim]:
    """What was claimed in a share and is neither settled nor given up: a crash lies between."""
    rows = await connection.fetch(
        """select slot, id, producer, since, events, number from relay_claim
           where share = $1 and events <> '{}'""",
        share,
    )
    return [
        Claim(
            row["slot"],
            row["id"],
            row["producer"],
            row["since"],
            await _events(connection, row["events"]),
            row["number"],
        )
        for row in rows
    ]


async def _events(connection: Connection, ids: Sequence[int]) -> tuple[Waiting, ...]:
    rows = await connection.fetch(
        """select id, lane_of(type, municipality) as lane, case_id, municipality, revision, type, ce_id,
                  payload, closing, traceparent, created_at
           from event where id = any ($1::bigint[]) order by id""",
        list(ids),
    )
    return tuple(_waiting(row) for row in rows)


def _waiting(row: asyncpg.Record) -> Waiting:
    event = EventRow(
        row["case_id"],
        row["municipality"],
        row["revision"],
        row["type"],
        row["ce_id"],
        row["payload"],
        row["closing"],
        row["traceparent"],
    )
    return Waiting(row["id"], row["lane"], event, row["created_at"])


async def settle(connection: Connection, slot: str, done: Published) -> None:
    """Take events out that Kafka has, write down their delivery (PDL 3:11), and close the claim on them.

    An event that is out already was written down then, so that it is once, however often this is done.
    What goes to the region's own topics was given to nobody else.
    """
    await connection.execute("select pg_advisory_xact_lock_shared($1)", DELIVERING)
    places = [done.places.get(number, (None, None)) for number in done.ids]
    await connection.execute(
        """with gone as (
             delete from outbox using unnest($1::bigint[], $2::integer[], $3::bigint[])
                                      as told (event, partition, "offset")
             where outbox.event = told.event
             returning told.event, outbox.lane, told.partition, told."offset", outbox.asked)
           insert into delivery (event, at, partition, "offset", asked)
           select event, $4, partition, "offset", asked from gone
           where lane not in ('unrouted', 'dead-letter') order by event""",
        list(done.ids),
        [partition for partition, _ in places],
        [offset for _, offset in places],
        done.at,
    )
    await forget(connection, slot)


async def forget(connection: Connection, slot: str) -> None:
    """Close a claim on what Kafka has not, and never will have by this claim: it waits again."""
    await connection.execute("update relay_claim set events = '{}' where slot = $1", slot)
