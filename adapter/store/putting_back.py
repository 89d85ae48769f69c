"""What Kafka has, put back into a database that was restored to an earlier point.

Owns the statements of SQL and the tables of one run (temporary: they go with the session). Does not own which
events are put back, nor what a case is then (`adapter.recovery`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

import asyncpg
import orjson

from adapter.store.database import Connection
from adapter.store.intake import CaseRow, EventRow, case_of, columns
from adapter.store.outbox import DELIVERING
from adapter.store.recovery import ToldStatement

_LONG_S = 3600.0  # every event of months is looked at


@dataclass(frozen=True, slots=True)
class Staged:
    """An event as Kafka has it; `revision` 0 where the record does not say it (a case off `.cases`).

    `partition`, `offset` and `delivered_at` are of the record; None of an event of ours.
    """

    lane: str
    case_id: str
    revision: int
    type: str
    ce_id: str
    payload: bytes
    closing: bool
    at: datetime
    traceparent: str | None = None
    partition: int | None = None
    offset: int | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """An event of this database, and whether it is superseded."""

    id: int
    event: Staged
    gone: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """Events of a lane that were published by what is known here, and that Kafka has not: since when."""

    lane: str
    events: int
    since: datetime


async def begin(connection: Connection) -> None:
    """Make the tables of a run: what Kafka has that is not known here, and what of ours it has."""
    await connection.execute(
        """create temporary table staged (
             lane text not null, case_id text not null, revision integer not null, type text not null,
             ce_id text not null, payload bytea not null, closing boolean not null, at timestamptz not null,
             traceparent text, partition integer, "offset" bigint, delivered_at timestamptz not null,
             primary key (case_id, lane, ce_id));
           create temporary table on_kafka (
             event bigint primary key, partition integer, "offset" bigint,
             delivered_at timestamptz not null)"""
    )


async def match(connection: Connection, page: Sequence[Staged], unkept: str) -> None:
    """Sort records of a page: events of ours that Kafka has, and events that are not known here.

    What is `unkept`, a lane, is never put back: there the same id may tell of something else.
    """
    rows = list({(one.case_id, one.lane, one.ce_id): astuple(one) for one in reversed(page)}.values())
    if not rows:
        return
    await connection.execute(
        """with given as materialized (
             select * from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::bytea[],
                                  $7::boolean[], $8::timestamptz[], $9::text[], $10::integer[], $11::bigint[],
                                  $12::timestamptz[])
               as one (lane, case_id, revision, type, ce_id, payload, closing, at, traceparent, partition,
                       "offset", delivered_at)),
           ours as materialized (
             select given.*, event.id from given
             join event on event.case_id = given.case_id and event.ce_id = given.ce_id
                       and lane_of(event.type, event.municipality) = given.lane
                       and (given.lane <> $13 or event.payload = given.payload)),
           there as (insert into on_kafka select id, partition, "offset", delivered_at from ours
                     on conflict do nothing)
           insert into staged select given.* from given
           where given.lane <> $13
             and not exists (select from ours where ours.case_id = given.case_id and ours.lane = given.lane
                             and ours.ce_id = given.ce_id)
             and not exists (select from superseded where superseded.by = given.ce_id)
           on conflict do nothing""",
        *columns(rows, 12),
        unkept,
    )


async def take_out(connection: Connection) -> int:
    """Take out of the outbox, and of what is parked, the events that Kafka has; how many those were.

    Their delivery is written down as the relay would have (PDL 3:11).
    """
    await connection.execute("select pg_advisory_xact_lock_shared($1)", DELIVERING)
    await connection.execute(
        """insert into delivery (event, at, partition, "offset", asked)
           select event, delivered_at, partition, "offset", asked from outbox join on_kafka using (event)
           where lane not in ('unrouted', 'dead-letter')
             and not exists (select from delivery where delivery.event = outbox.event) order by event"""
    )
    gone = await connection.execute("delete from outbox using on_kafka where outbox.event = on_kafka.event")
    parked = await connection.execute(
        "delete from parked_event using on_kafka where parked_event.event = on_kafka.event"
    )
    await connection.execute(
        """delete from parked_case using on_kafka where parked_case.event = on_kafka.event
           and not exists (select from parked_event where parked_event.lane = parked_case.lane
                           and parked_event.case_id = parked_case.case_id)"""
    )
    return int(gone.split()[1]) + int(parked.split()[1])


async def missing_on_kafka(connection: Connection, since: Mapping[str, datetime]) -> list[Missing]:
    """Events that are not in the outbox and that Kafka has not, by lane; `since`: from when on it should."""
    rows = await connection.fetch(
        """select lane, count(*) as events, min(created_at) as since from
             (select lane_of(type, municipality) as lane, id, created_at, revision, type from event) as told
           join unnest($1::text[], $2::timestamptz[]) as kept (lane, from_then_on) using (lane)
           where created_at >= from_then_on and revision > 0
             and not exists (select from on_kafka where on_kafka.event = told.id)
             and not exists (select from outbox where outbox.event = told.id)
             and not exists (select from parked_event where parked_event.event = told.id)
             and not exists (select from superseded where superseded.event = told.id)
           group by lane order by lane""",
        *columns(list(since.items()), 2),
        timeout=_LONG_S,
    )
    return [Missing(**dict(row)) for row in rows]


async def staged_cases(connection: Connection, issued: Collection[str]) -> list[str]:
    """The cases of which Kafka has what is not known here; `issued`: the types of what is no case's."""
    rows = await connection.fetch(
        "select distinct case_id from staged where type <> all ($1::text[]) order by case_id", sorted(issued)
    )
    return [row["case_id"] for row in rows]


async def staged_statements(connection: Connection, issued: Collection[str]) -> list[str]:
    """The statements, and what else is issued, that Kafka has and that are not known here, oldest first."""
    rows = await connection.fetch(
        """select case_id from staged where type = any ($1::text[]) group by case_id
           order by min(at), case_id""",
        sorted(issued),
    )
    return [row["case_id"] for row in rows]


async def staged_of(connection: Connection, case_id: str) -> list[Staged]:
    """What Kafka has of it and is not known here, in the order of revisions."""
    rows = await connection.fetch("select * from staged where case_id = $1 order by lane, revision", case_id)
    return [Staged(*row.values()) for row in rows]


async def earliest_staged(connection: Connection) -> datetime | None:
    """When the first event was decided that is not known here; None: all are."""
    found: datetime | None = await connection.fetchval("select min(at) from staged")
    return found


async def ours(connection: Connection, case_id: str) -> list[Ours]:
    """Every event of it that is recorded here."""
    rows = await connection.fetch(
        """select id, lane_of(type, municipality) as lane, case_id, revision, type, ce_id, payload, closing,
                  created_at, exists (select from superseded where superseded.event = event.id) as gone
           from event where case_id = $1 order by id""",
        case_id,
    )
    return [Ours(row["id"], Staged(*list(row.values())[1:-1]), row["gone"]) for row in rows]


async def lock_case(connection: Connection, case_id: str) -> CaseRow | None:
    """The case's row, locked; where there is none, nobody can make one until the transaction ends."""
    query = """select id, source, key, state, municipality, picture, revisions, due, parked
               from cases where id = $1 for update"""
    row = await connection.fetchrow(query, case_id)
    if row is None:
        await connection.execute("lock table cases in share row exclusive mode")
        row = await connection.fetchrow(query, case_id)
    return case_of(row) if row is not None else None


async def put_back(connection: Connection, events: Iterable[tuple[Staged, EventRow]]) -> None:
    """Record events that Kafka has, and their delivery; they are not to be published."""
    await connection.execute("select pg_advisory_xact_lock_shared($1)", DELIVERING)
    for one, event in events:
        await connection.execute(
            """with kept as (
                 insert into event (case_id, municipality, revision, type, ce_id, payload, closing,
                                    traceparent, form, ground, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing
                 returning id, municipality)
               insert into delivery (event, at, partition, "offset")
               select id, $12, $13, $14 from kept where municipality is not null""",
            *astuple(event),
            one.at,
            one.delivered_at,
            one.partition,
            one.offset,
        )


async def supersede(connection: Connection, events: Mapping[int, str], now: datetime) -> None:
    """Never publish these events of ours; each with the id of what Kafka has in its place."""
    await connection.executemany(
        "insert into superseded (event, by, at) values ($1, $2, $3) on conflict do nothing",
        [(number, by, now) for number, by in events.items()],
    )
    await connection.execute("delete from outbox where event = any ($1::bigint[])", list(events))
    await connection.execute("delete from parked_event where event = any ($1::bigint[])", list(events))


async def wait_for(connection: Connection, row: CaseRow, now: datetime) -> None:
    """Write down what subscribers have of a case, until it is told as it is known."""
    await connection.execute(
        """insert into recovered_case (case_id, at, revisions, municipality, state, picture)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (case_id) do update set at = excluded.at, revisions = excluded.revisions,
             municipality = excluded.municipality, state = excluded.state, picture = excluded.picture""",
        row.id,
        now,
        orjson.dumps(row.revisions).decode(),
        row.municipality,
        row.state,
        row.picture,
    )


async def add_told_statement(connection: Connection, one: ToldStatement) -> None:
    """Keep that a statement was published, so that none is issued for the same payer and month."""
    await connection.execute(
        """insert into told_statement
             (id, agreement, municipality, care_form, month, issued_at, bundle, region)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing""",
        *astuple(one),
    )


async def statement_here(
    connection: Connection, agreement: str, municipality: str, care_form: str, month: str, region: str
) -> asyncpg.Record | None:
    """Id of the statement that is kept for a payer and month, and the number of its event in the outbox.

    `region`: whom it makes creditor; `''`, here or there, is the region of the installation.
    """
    return await connection.fetchrow(
        """select statement.id, outbox.event from statement
           left join event on event.case_id = statement.id left join outbox on outbox.event = event.id
           where (agreement, statement.municipality, care_form, month) = ($1, $2, $3, $4)
             and (region = $5 or '' in (region, $5))""",
        agreement,
        municipality,
        care_form,
        month,
        region,
    )


async def raise_claims(connection: Connection, newest: Iterable[tuple[str, int, str, int, int]]) -> None:
    """Go on after the claims that Kafka has (slot, share, id, offset, number); relays may publish again."""
    await connection.executemany(
        """insert into relay_claim (slot, share, id, producer, since, events, number)
           values ($1, $2, $3, '', $4, '{}', $5)
           on conflict (slot) do update set id = $3, producer = '', since = $4, events = '{}',
                                            number = greatest(relay_claim.number, $5)""",
        list(newest),
    )
    await connection.execute("delete from behind")


async def raise_messages(connection: Connection, above: int) -> None:
    """Number the messages to come above those that dead letters on Kafka name."""
    await connection.execute(
        """select setval(pg_get_serial_sequence('message', 'id'), $1)
           where $1 > (select coalesce(max(id), 0) from message)
             and $1 > (select last_value from message_id_seq)""",
        above,
    )


async def known_until(connection: Connection) -> dict[str, datetime]:
    """When each source's newest message was taken in."""
    rows = await connection.fetch("select source, max(received_at) as at from message group by source")
    return {row["source"]: row["at"] for row in rows}
