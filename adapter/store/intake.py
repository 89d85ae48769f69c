"""What follows from a message, inside one transaction: facts, cases, events and the outbox.

Owns the statements and their order; does not own what a case is (the fold), what is published, nor the
messages themselves (`messages`).

Order promise: `lock_cases` takes the case's row before `add_events` draws an event number, and
holds it until commit, so within a case the order of event numbers is the order of commits.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from adapter.losus.signal import Fact, Signal, Stretch
from adapter.losus.terms import SignalKind
from adapter.losus.versions import VersionOrder, newest
from adapter.store.database import Connection
from adapter.trace import Trace


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as stored.

    `revisions` is its last revision by stream ("" for none), of each kind the one that has it at the end
    (`adapter.streams`);
    `due` when a pending limit will be missed, or a fact on the person begin or end, if nothing more is heard.
    `parked`: something of it is held, so that nothing is told of it until that is mended.
    """

    id: str
    source: str
    key: str
    state: str | None
    municipality: str | None
    picture: bytes | None
    revisions: dict[str, int]
    due: datetime | None = None
    parked: bool = False


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event to be published; `closing` is the last word to a former municipality.

    `traceparent` names the span that decided it, as the record's header says it each time. `form` and
    `ground` are for the record of its delivery: how much of the case it tells, and by which clause.
    """

    case_id: str
    municipality: str | None
    revision: int
    type: str
    ce_id: str
    payload: bytes
    closing: bool = False
    traceparent: str | None = None
    form: str | None = None
    ground: str | None = None


async def lock_resources(
    connection: Connection, changed: Iterable[tuple[str, str]], leaned_on: Iterable[tuple[str, str]] = ()
) -> None:
    """Let nobody else link or change these shared resources (source, identity) until commit.

    Those that are only leaned on others may lean on at the same time: a ward is that of many patients.
    """
    alone = {f"{source} {resource}" for source, resource in changed}
    names = sorted(alone | {f"{source} {resource}" for source, resource in leaned_on})
    if names:
        await connection.execute(
            """select case when is_alone then pg_advisory_xact_lock(hashtextextended(name, 0))
                           else pg_advisory_xact_lock_shared(hashtextextended(name, 0)) end
               from unnest($1::text[], $2::bool[]) with ordinality as asked (name, is_alone, n) order by n""",
            names,
            [name in alone for name in names],
        )


async def try_to_share(connection: Connection, places: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Share these resources (source, identity) without waiting; those that somebody changes just now.

    For what turns out to be referred to only after the others are locked: to wait then could be for each
    other.
    """
    asked = sorted(set(places))
    if not asked:
        return set()
    rows = await connection.fetch(
        """select source, name,
                  pg_try_advisory_xact_lock_shared(hashtextextended(source || ' ' || name, 0)) as is_shared
           from unnest($1::text[], $2::text[]) as asked (source, name)""",
        *columns(asked, 2),
    )
    return {(row["source"], row["name"]) for row in rows if not row["is_shared"]}


async def cases_about(connection: Connection, resources: Iterable[tuple[str, str]]) -> set[str]:
    """The cases that are folded from any of these resources."""
    asked = sorted(set(resources))
    if not asked:
        return set()
    rows = await connection.fetch(
        """select distinct case_id from link
           join unnest($1::text[], $2::text[]) as asked (source, resource) using (source, resource)""",
        *columns(asked, 2),
    )
    return {row["case_id"] for row in rows}


async def lock_cases(
    connection: Connection, new: Iterable[tuple[str, str, str]], known: Iterable[str], now: datetime
) -> dict[str, CaseRow]:
    """The rows of the cases `new` (id, source, key; made where missing) and `known`, locked.

    One that subscribers know, though it was lost here, is made as they have it: its revisions go on.
    """
    wanted = sorted(set(new))
    await connection.execute(
        """insert into cases (id, source, key, changed_at, revisions, municipality, state, picture)
           select id, asked.source, asked.key, $4, coalesce(revisions, '{}'), municipality, state, picture
           from unnest($1::text[], $2::text[], $3::text[]) as asked (id, source, key)
           left join recovered_case on case_id = asked.id
           order by id on conflict do nothing""",
        *columns(wanted, 3),
        now,
    )
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due, parked from cases
           where id = any ($1::text[]) order by id for update""",
        sorted({case_id for case_id, _, _ in wanted} | set(known)),
    )
    return {row["id"]: case_of(row) for row in rows}


async def municipalities_of(connection: Connection, case_ids: Iterable[str]) -> dict[str, str | None]:
    """Whose each of these cases is, as far as they are known."""
    asked = sorted(set(case_ids))
    if not asked:
        return {}
    rows = await connection.fetch("select id, municipality from cases where id = any ($1::text[])", asked)
    return {row["id"]: row["municipality"] for row in rows}


async def cases_of_messages(connection: Connection, messages: Iterable[int]) -> set[str]:
    """The cases that are folded from what these messages said."""
    rows = await connection.fetch(
        """select distinct link.case_id from fact join link using (source, resource)
           where fact.message = any ($1::bigint[])""",
        sorted(set(messages)),
    )
    return {row["case_id"] for row in rows}


async def lock_due_cases(connection: Connection, now: datetime, most: int) -> dict[str, CaseRow]:
    """Up to `most` cases with a limit that `now` has passed, locked; those that others hold are left."""
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due, parked from cases
           where due <= $1 and not parked order by due limit $2 for update skip locked""",
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
        row["parked"],
    )


@dataclass(frozen=True, slots=True)
class Said:
    """A fact with its case, the message that it came in, and whom it is about (shared resources, by name)."""

    fact: Fact
    case_id: str | None
    message: int
    about: tuple[str, ...] = ()


async def add_facts(
    connection: Connection,
    facts: Sequence[Said],
    links: Iterable[tuple[str, str, str]],
    *,
    anew: Sequence[int] = (),
    own: Iterable[str] = (),
) -> None:
    """Add facts and links (case, source, resource).

    A version that is known stays as it is. Of messages that are read `anew`, what they said before goes,
    and what they say now holds; but what was said of people whom they only point at stays, for it is of an
    earlier version of another resource. `own`: the resources that the messages themselves bring.
    """
    if anew:
        await connection.execute(
            """delete from fact where message = any ($1::bigint[])
                 and (case_id is not null or resource = any ($2::text[]))""",
            list(anew),
            sorted(set(own)),
        )
    rows = [
        (
            *fact_key(said.fact),
            said.fact.version,
            said.case_id,
            _signals(said.fact.signals),
            said.fact.void,
            said.fact.partial,
            said.fact.voids_stay,
            said.message,
            orjson.dumps(said.about).decode(),
        )
        for said in facts
    ]
    await connection.execute(
        """with linked as (
             insert into link (case_id, source, resource)
             select distinct * from unnest($12::text[], $13::text[], $14::text[]) on conflict do nothing)
           insert into fact (source, resource, ord, version, case_id, signals, void, partial, voids_stay,
                             message, about)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[],
                                $7::boolean[], $8::boolean[], $9::boolean[], $10::bigint[], $11::text[])
           on conflict (source, resource, ord) do update
             set case_id = excluded.case_id, signals = excluded.signals, void = excluded.void,
                 partial = excluded.partial, voids_stay = excluded.voids_stay,
                 about = excluded.about
             where $15::boolean""",
        *columns(_last(rows), 11),
        *columns(sorted(set(links)), 3),
        bool(anew),
    )


def _last(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Of rows with the same key the last one: a statement may not update one row twice."""
    return list({row[:3]: row for row in rows}.values())


def fact_key(fact: Fact) -> tuple[str, str, str]:
    """What a version is known by: (source, resource, order)."""
    return fact.source, fact.resource, write_order(fact.order)


async def known_versions(
    connection: Connection, resources: Iterable[tuple[str, str]], *, besides: int | None = None
) -> dict[tuple[str, str], list[tuple[VersionOrder, str]]]:
    """The known versions of each of these resources (source, identity): how each ranks, and its name.

    `besides`: those alone that other messages than this brought.
    """
    asked = sorted(set(resources))
    if not asked:
        return {}
    rows = await connection.fetch(
        """select source, resource, ord, version from fact
           join unnest($1::text[], $2::text[]) as asked (source, resource) using (source, resource)
           where message is distinct from $3""",
        *columns(asked, 2),
        besides,
    )
    found: dict[tuple[str, str], list[tuple[VersionOrder, str]]] = {}
    for row in rows:
        place = (row["source"], row["resource"])
        found.setdefault(place, []).append((read_order(row["ord"]), row["version"]))
    return found


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What cases are folded from. `moved`: the cases to which resources of a case belong now instead."""

    facts: dict[str, list[Fact]]
    moved: dict[str, set[str]]


async def facts_of(
    connection: Connection, case_ids: Iterable[str], also: Sequence[tuple[str, str, str]] = ()
) -> CaseFacts:
    """All facts that each case is folded from; `also`: more resources of a case (case, source, resource).

    A resource whose newest version belongs to another case says nothing here any more; nor does a person
    whom the case's own resources name in older versions alone.
    """
    rows = await connection.fetch(
        """select link.case_id as of_case, fact.source, fact.resource, fact.ord, fact.version,
                  fact.case_id, fact.signals, fact.void, fact.partial, fact.voids_stay,
                  fact.about
           from (select case_id, source, resource from link where case_id = any ($1::text[])
                 union select * from unnest($2::text[], $3::text[], $4::text[])) as link
           join fact using (source, resource)""",
        sorted(set(case_ids)),
        *columns(also, 3),
    )
    versions: dict[tuple[str, str, str], list[Said]] = {}
    named: dict[tuple[str, str], _Named] = {}
    for row in rows:
        fact = Fact(
            row["source"],
            row["resource"],
            read_order(row["ord"]),
            row["version"],
            tuple(_read_signals(row["signals"])),
            row["void"],
            row["partial"],
            row["voids_stay"],
        )
        place = (row["of_case"], fact.source, fact.resource)
        about = tuple(orjson.loads(row["about"])) if row["about"] is not None else ()
        versions.setdefault(place, []).append(Said(fact, row["case_id"], 0, about))
    last = {at: newest(said, lambda one: one.fact.order) for at, said in versions.items()}
    for (case_id, source, _), one in last.items():
        if one.case_id == case_id:
            named.setdefault((case_id, source), _Named()).add(
                one, versions[case_id, source, one.fact.resource]
            )
    found, kept = CaseFacts({}, {}), set(also)
    for at, said in versions.items():
        case_id, source, resource = at
        owner = last[at].case_id
        facts = found.facts.setdefault(case_id, [])
        if owner not in {None, case_id}:
            found.moved.setdefault(case_id, set()).add(str(owner))
        elif owner or at in kept or not _is_left_behind(resource, named.get((case_id, source))):
            facts.extend(one.fact for one in said)
    return found


@dataclass(slots=True)
class _Named:
    """Whom a case's own resources name: in their newest versions (those that are void apart), and in any."""

    now: set[str] = field(default_factory=set)
    void: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)

    def add(self, last: Said, versions: Iterable[Said]) -> None:
        (self.void if last.fact.void else self.now).update(last.about)
        self.ever.update(name for one in versions for name in one.about)


def _is_left_behind(resource: str, named: _Named | None) -> bool:
    """Whether a person was named by older versions alone; not where the newest name nobody."""
    if named is None or resource not in named.ever:
        return False
    current = named.now or named.void
    return bool(current) and resource not in current


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
        *columns(rows, 6),
        now,
    )


async def add_events(
    connection: Connection, events: Sequence[EventRow], now: datetime, trace: Trace | None = None
) -> None:
    """Add events to the record and the outbox, in the order given, and wake the relay.

    `trace` is that of all of them that name none.
    """
    other = trace.traceparent if trace is not None else None
    rows = [
        (
            e.case_id,
            e.municipality,
            e.revision,
            e.type,
            e.ce_id,
            e.payload,
            e.closing,
            e.traceparent or other,
            e.form,
            e.ground,
        )
        for e in events
    ]
    await connection.execute(
        """with added as (
             insert into event (case_id, municipality, revision, type, ce_id, payload, closing, traceparent,
                                form, ground, created_at)
             select case_id, municipality, revision, type, ce_id, payload, closing, traceparent, form, ground,
                    $11
             from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::bytea[],
                         $7::boolean[], $8::text[], $9::text[], $10::text[])
                  with ordinality as new (case_id, municipality, revision, type, ce_id, payload, closing,
                                          traceparent, form, ground, n)
             order by n returning id, type, municipality)
           insert into outbox (event, lane) select id, lane_of(type, municipality) from added""",
        *columns(rows, 10),
        now,
    )
    await connection.execute("notify losus_outbox")


def columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as the `width` columns that `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def write_order(order: VersionOrder) -> str:
    """Write how a version ranks as it is stored; a number of it may be as long as a FHIR id."""
    return json.dumps(list(order), ensure_ascii=False, separators=(",", ":"))


def read_order(stored: str) -> VersionOrder:
    """Read how a version ranks; of releases before 0.2 number and time are known, and not the content."""
    parts = json.loads(stored)
    return VersionOrder(*parts) if len(parts) == len(VersionOrder._fields) else VersionOrder(*parts[:2])


def _signals(signals: tuple[Signal, ...]) -> bytes:
    return orjson.dumps([_signal(signal) for signal in signals])


def _signal(signal: Signal) -> list[Any]:
    """A signal as a list; the stretches of time, which hardly any has, stand last or not at all."""
    stored = [signal.kind.value, signal.at, signal.fields, signal.repeats]
    stretches = [[one.start, one.fields, sorted(one.dated)] for one in signal.stretches]
    return [*stored, stretches] if stretches else stored


def _read_signals(stored: bytes) -> Iterable[Signal]:
    for kind, at, fields, repeats, *rest in orjson.loads(stored):
        stretches = tuple(_read_stretch(*one) for one in (rest[0] if rest else ()))
        yield Signal(SignalKind(kind), datetime.fromisoformat(at), fields, repeats, stretches)


def _read_stretch(start: str | None, fields: dict[str, Any], dated: list[str]) -> Stretch:
    return Stretch(None if start is None else datetime.fromisoformat(start), fields, frozenset(dated))
