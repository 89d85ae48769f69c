"""The inbox: what came in, raw, and the answers that were given.

Owns the statements on `message` and `message_bundle`; does not own what a message says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from adapter.store.database import Connection
from adapter.store.intake import columns
from adapter.store.seal import Seal


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What is to be remembered, with the answer that was given.

    `header_id` and `bundle_id` are those of a message, None for anything else; `targets` as in `Delivery`;
    `traceparent` names the span that stored it.
    """

    source: str
    header_id: str | None
    bundle_id: str | None
    received_at: datetime
    body: bytes
    response: bytes | None
    door: str = "message"
    media: str = "json"
    targets: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    fhir: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it is kept: enough to read it anew."""

    number: int
    source: str
    door: str
    media: str
    received_at: datetime
    body: bytes
    targets: Mapping[str, str]
    fhir: str | None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a message's ids: the first answer, and whether its Bundle.id is known."""

    response: bytes | None
    bundle_seen: bool
    status: int = 200


async def seen(
    connection: Connection, ids: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], Seen]:
    """What is known of each (source, MessageHeader.id, Bundle.id)."""
    if not ids:
        return {}
    rows = await connection.fetch(
        """select asked.*, message.response, message.status,
                  message_bundle.message is not null as bundle_seen
           from unnest($1::text[], $2::text[], $3::text[]) as asked (source, header_id, bundle_id)
           left join message using (source, header_id)
           left join message_bundle on message_bundle.source = asked.source
                                    and message_bundle.bundle_id = asked.bundle_id""",
        *columns(ids, 3),
    )
    return {
        (r["source"], r["header_id"], r["bundle_id"]): Seen(r["response"], r["bundle_seen"], r["status"])
        for r in rows
    }


async def add_messages(connection: Connection, messages: Sequence[MessageRow], seal: Seal) -> list[int]:
    """Remember what is new; the numbers, in the order given."""
    rows = await connection.fetch(
        """with new as (
             select nextval(pg_get_serial_sequence('message', 'id')) as id, given.*
             from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[], $6::bytea[],
                         $7::text[], $8::text[], $9::text[], $10::text[], $11::smallint[], $12::text[],
                         $13::text[])
                  with ordinality as given (source, header_id, bundle_id, received_at, body, response,
                                            door, media, targets, sealed, status, fhir, traceparent, n)),
           added as (
             insert into message (id, source, header_id, bundle_id, received_at, body, response,
                                  door, media, targets, sealed, status, fhir, traceparent)
             overriding system value
             select id, source, header_id, bundle_id, received_at, body, response,
                    door, media, targets, sealed, status, fhir, traceparent from new),
           bundles as (
             insert into message_bundle (source, bundle_id, message)
             select source, bundle_id, id from new where bundle_id is not null)
           select id from new order by n""",
        *columns([_sealed(message, seal) for message in messages], 13),
    )
    return [row["id"] for row in rows]


def _sealed(m: MessageRow, seal: Seal) -> tuple[object, ...]:
    body, key = seal.close(m.body)
    targets = orjson.dumps(dict(m.targets)).decode() if m.targets else None
    ids = (m.source, m.header_id, m.bundle_id, m.received_at)
    return (*ids, body, m.response, m.door, m.media, targets, key, m.status, m.fhir, m.traceparent)


async def add_resends(connection: Connection, ids: Sequence[tuple[str, str, str]]) -> None:
    """Remember the new Bundle.id under which a known message came again."""
    await connection.execute(
        """insert into message_bundle (source, bundle_id, message)
           select message.source, asked.bundle_id, message.id
           from unnest($1::text[], $2::text[], $3::text[]) as asked (source, header_id, bundle_id)
           join message using (source, header_id) on conflict do nothing""",
        *columns(ids, 3),
    )


async def load_messages(connection: Connection, numbers: Iterable[int], seal: Seal) -> list[Stored]:
    """The messages of these numbers as they came, oldest first."""
    rows = await connection.fetch(
        """select id, source, door, media, received_at, body, sealed, targets, fhir, traceparent
           from message
           where id = any ($1::bigint[]) order by id""",
        sorted(set(numbers)),
    )
    return [
        Stored(
            row["id"],
            row["source"],
            row["door"],
            row["media"],
            row["received_at"],
            seal.open(row["body"], row["sealed"]),
            orjson.loads(row["targets"]) if row["targets"] else {},
            row["fhir"],
            row["traceparent"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Span:
    """Which messages are asked for; None: any. `to` is not in the span. `held`: those alone."""

    numbers: tuple[int, ...] | None = None
    source: str | None = None
    case_id: str | None = None
    since: datetime | None = None
    to: datetime | None = None
    held: bool = False


#: Asked for by what is there, and never by "or": else all messages of all years are looked at.
_OF_CASE = """select fact.message from link join fact using (source, resource) where link.case_id = $1
              union select held_case.message from held_case where held_case.case_id = $1"""
_ANY = """select message.id from message
          where ($1::text is null or message.source = $1)
            and ($2::timestamptz is null or received_at >= $2)
            and ($3::timestamptz is null or received_at < $3)"""


async def find_messages(connection: Connection, wanted: Span) -> list[int]:
    """The numbers of the messages that fit, oldest first."""
    among = None if wanted.numbers is None else set(wanted.numbers)
    if wanted.case_id is not None:
        said = {row["message"] for row in await connection.fetch(_OF_CASE, wanted.case_id)}
        among = said if among is None else said & among
    if wanted.held:
        held = {row["message"] for row in await connection.fetch("select message from held")}
        among = held if among is None else held & among
    rows = await connection.fetch(
        _ANY if among is None else f"{_ANY} and message.id = any ($4::bigint[])",
        wanted.source,
        wanted.since,
        wanted.to,
        *([] if among is None else [sorted(among)]),
    )
    return sorted(row["id"] for row in rows)
