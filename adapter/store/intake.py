"""What comes in, inside one transaction: messages, facts, cases, events and the outbox.

Owns the statements and their order; does not own what a case is (the fold) or what is published.

Order promise: `lock_cases` takes the case's row before `add_events` draws an event number, and
holds it until commit, so within a case the order of event numbers is the order of commits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from adapter.losus.signal import Fact, Signal
from adapter.losus.terms import SignalKind
from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message to be remembered, with the answer that was given."""

    source: str
    header_id: str
    bundle_id: str
    received_at: datetime
    body: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a message's ids: the first answer, and whether its Bundle.id is known."""

    response: bytes | None
    bundle_seen: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as stored.

    `revisions` is its last revision by municipality ("" for none), the one told last at the end;
    `due` when a pending limit will be missed if nothing more is heard.
    """

    id: str
    source: str
    key: str
    state: str | None
    municipality: str | None
    picture: bytes | None
    revisions: dict[str, int]
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event to be published; `closing` is the last word to a former municipality."""

    case_id: str
    municipality: str | None
    revision: int
    type: str
    ce_id: str
    payload: bytes
    closing: bool = False


async def seen(
    connection: Connection, ids: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], Seen]:
    """What is known of each (source, MessageHeader.id, Bundle.id)."""
    rows = await connection.fetch(
        """select asked.*, message.response, message_bundle.message is not null as bundle_seen
           from unnest($1::text[], $2::text[], $3::text[]) as asked (source, header_id, bundle_id)
           left join message using (source, header_id)
           left join message_bundle on message_bundle.source = asked.source
                                    and message_bundle.bundle_id = asked.bundle_id""",
        *_columns(ids, 3),
    )
    return {
        (r["source"], r["header_id"], r["bundle_id"]): Seen(r["response"], r["bundle_seen"]) for r in rows
    }


async def add_messages(connection: Connection, messages: Sequence[MessageRow]) -> list[int]:
    """Remember new messages; their numbers, in the order given."""
    rows = await connection.fetch(
        """with added as (
             insert into message (source, header_id, bundle_id, received_at, body, response)
             select * from unnest(
               $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[], $6::bytea[])
             returning id, source, header_id, bundle_id),
           bundles as (
             insert into message_bundle (source, bundle_id, message) select source, bundle_id, id from added)
           select id, source, header_id from added""",
        *_columns(
            [(m.source, m.header_id, m.bundle_id, m.received_at, m.body, m.response) for m in messages], 6
        ),
    )
    numbers = {(row["source"], row["header_id"]): row["id"] for row in rows}
    return [numbers[message.source, message.header_id] for message in messages]


async def add_resends(connection: Connection, ids: Sequence[tuple[str, str, str]]) -> None:
    """Remember the new Bundle.id under which a known message came again."""
    await connection.execute(
        """insert into message_bundle (source, bundle_id, message)
           select message.source, asked.bundle_id, message.id
           from unnest($1::text[], $2::text[], $3::text[]) as asked (source, header_id, bundle_id)
           join message using (source, header_id) on conflict do nothing""",
        *_columns(ids, 3),
    )


async def lock_resources(connection: Connection, resources: Iterable[tuple[str, str]]) -> None:
    """Let nobody else link or change these shared resources (source, identity) until commit."""
    names = sorted({f"{source} {resource}" for source, resource in resources})
    if names:
        await connection.execute(
            """select pg_advisory_xact_lock(hashtextextended(name, 0))
               from unnest($1::text[]) with ordinality as asked (name, n) order by n""",
            names,
        )


async def cases_about(connection: Connection, resources: Iterable[tuple[str, str]]) -> set[str]:
    """The cases that are folded from any of these resources."""
    asked = sorted(set(resources))
    if not asked:
        return set()
    rows = await connection.fetch(
        """select distinct case_id from link
           join unnest($1::text[], $2::text[]) as asked (source, resource) using (source, resource)""",
        *_columns(asked, 2),
    )
    return {row["case_id"] for row in rows}


async def lock_cases(
    connection: Connection, new: Iterable[tuple[str, str, str]], known: Iterable[str], now: datetime
) -> dict[str, CaseRow]:
    """The rows of the cases `new` (id, source, key; made where missing) and `known`, locked."""
    wanted = sorted(set(new))
    await connection.execute(
        """insert into cases (id, source, key, changed_at)
           select id, source, key, $4
           from unnest($1::text[], $2::text[], $3::text[]) as asked (id, source, key)
           order by id on conflict do nothing""",
        *_columns(wanted, 3),
        now,
    )
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due from cases
           where id = any ($1::text[]) order by id for update""",
        sorted({case_id for case_id, _, _ in wanted} | set(known)),
    )
    return {row["id"]: case_of(row) for row in rows}


async def lock_due_cases(connection: Connection, now: datetime, most: int) -> dict[str, CaseRow]:
    """Up to `most` cases with a limit that `now` has passed, locked; those that others hold are left."""
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due from cases
           where due <= $1 order by due limit $2 for update skip locked""",
        now,
        most,
    )
    return {row["id"]: case_of(row) for row in rows}


def case_of(row: asyncpg.Record) -> CaseRow:
    """The case of a row that has all its columns."""
    return CaseRow(
        row["id"],
        row["source"],
        row["key"],
        row["state"],
        row["municipality"],
        row["picture"],
        orjson.loads(row["revisions"]),
        row["due"],
    )


async def add_facts(
    connection: Connection,
    facts: Sequence[tuple[Fact, str | None, int]],
    links: Iterable[tuple[str, str, str]],
) -> None:
    """Add facts (with their case, and the message they came in) and links (case, source, resource)."""
    rows = [
        (f.source, f.resource, _order(f), f.version, case_id, _signals(f.signals), f.void, message)
        for f, case_id, message in facts
    ]
    await connection.execute(
        """with linked as (
             insert into link (case_id, source, resource)
             select distinct * from unnest($9::text[], $10::text[], $11::text[]) on conflict do nothing)
           insert into fact (source, resource, ord, version, case_id, signals, void, message)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[],
                                $7::boolean[], $8::bigint[])
           on conflict do nothing""",
        *_columns(rows, 8),
        *_columns(sorted(set(links)), 3),
    )


async def facts_of(
    connection: Connection, case_ids: Iterable[str], also: Sequence[tuple[str, str, str]] = ()
) -> dict[str, list[Fact]]:
    """All facts that each case is folded from; `also`: more resources of a case (case, source, resource).

    A resource whose newest version belongs to another case says nothing here any more.
    """
    rows = await connection.fetch(
        """select link.case_id as of_case, fact.source, fact.resource, fact.ord, fact.version,
                  fact.case_id, fact.signals, fact.void
           from (select case_id, source, resource from link where case_id = any ($1::text[])
                 union select * from unnest($2::text[], $3::text[], $4::text[])) as link
           join fact using (source, resource)""",
        sorted(set(case_ids)),
        *_columns(also, 3),
    )
    facts: dict[str, list[Fact]] = {}
    owners: dict[tuple[str, str, str], tuple[Any, str | None]] = {}
    for row in rows:
        fact = Fact(
            row["source"],
            row["resource"],
            tuple(orjson.loads(row["ord"])),
            row["version"],
            tuple(_read_signals(row["signals"])),
            row["void"],
        )
        facts.setdefault(row["of_case"], []).append(fact)
        place = (row["of_case"], fact.source, fact.resource)
        owners[place] = max(owners.get(place, (fact.order, row["case_id"])), (fact.order, row["case_id"]))
    return {
        case_id: [f for f in said if owners[case_id, f.source, f.resource][1] in (None, case_id)]
        for case_id, said in facts.items()
    }


async def save_cases(connection: Connection, cases: Sequence[CaseRow], now: datetime) -> None:
    """Write back what changed of locked cases."""
    rows = [
        (c.id, c.state, c.municipality, c.picture, orjson.dumps(c.revisions).decode(), c.due) for c in cases
    ]
    await connection.execute(
        """update cases set state = new.state, municipality = new.municipality, picture = new.picture,
                            revisions = new.revisions, due = new.due, changed_at = $7
           from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::timestamptz[])
                as new (id, state, municipality, picture, revisions, due)
           where cases.id = new.id""",
        *_columns(rows, 6),
        now,
    )


async def add_events(connection: Connection, events: Sequence[EventRow], now: datetime) -> None:
    """Add events to the record and the outbox, in the order given, and wake the relay."""
    rows = [(e.case_id, e.municipality, e.revision, e.type, e.ce_id, e.payload, e.closing) for e in events]
    await connection.execute(
        """with added as (
             insert into event (case_id, municipality, revision, type, ce_id, payload, closing, created_at)
             select case_id, municipality, revision, type, ce_id, payload, closing, $8
             from unnest(
               $1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::bytea[], $7::boolean[])
                  with ordinality as new (case_id, municipality, revision, type, ce_id, payload, closing, n)
             order by n returning id)
           insert into outbox (event) select id from added""",
        *_columns(rows, 7),
        now,
    )
    await connection.execute("notify losus_outbox")


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _order(fact: Fact) -> str:
    return orjson.dumps(fact.order).decode()


def _signals(signals: tuple[Signal, ...]) -> bytes:
    return orjson.dumps([[s.kind.value, s.at, s.fields, s.repeats] for s in signals])


def _read_signals(stored: bytes) -> Iterable[Signal]:
    for kind, at, fields, repeats in orjson.loads(stored):
        yield Signal(SignalKind(kind), datetime.fromisoformat(at), fields, repeats)
