"""Cases folded anew from all their facts, inside the caller's transaction.

Owns which facts a case is folded from, merged patients among them, and by which terms; does not own
the fold (`losus.case`), the rule of merging (`losus.merge`) nor what is told of a change
(`outbound.events`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapter.losus.case import Case, fold
from adapter.losus.merge import Stay, absorbed
from adapter.losus.moments import is_reckoned
from adapter.losus.process import ProcessTerms
from adapter.losus.signal import Fact
from adapter.losus.terms import SignalKind
from adapter.outbound.events import decide
from adapter.outbound.missed import note_missed
from adapter.outbound.open_care import decide_open_care
from adapter.store import intake, merges
from adapter.store.database import Connection
from adapter.trace import UNKNOWN, Causes, Trace
from adapter.world import World

_SOMATIC = "somatic"

Cases = Mapping[str, intake.CaseRow]


async def judge_due(
    connection: Connection, world: World, now: datetime, most: int, causes: Causes = UNKNOWN
) -> int:
    """Fold the cases again that time alone has changed; how many there were, `most` at the most.

    A limit has passed, or a fact on the person has begun or ended (a move that was told before its day).
    """
    cases = await intake.lock_due_cases(connection, now, most)
    if cases:
        await refold(connection, world, cases, now, causes)
    return len(cases)


async def refold(
    connection: Connection, world: World, cases: Cases, now: datetime, causes: Causes = UNKNOWN
) -> list[intake.EventRow]:
    """Fold locked cases anew from all their facts, and write what has changed; the events that tell of it.

    Where patient records were merged, the cases of the other records are locked and folded too. Nothing is
    told of a case that is parked: something of it could not be read, so what it would say may be wrong.
    Each event bears the trace of what it is put down to (`causes`).
    """
    kin = await merges.kin(connection, (), cases)
    if kin:
        others = await intake.cases_about(connection, kin) - set(cases)
        cases = {**cases, **await intake.lock_cases(connection, (), others, now)}
    folded = await fold_all(connection, world, cases, kin, now)
    rows: list[intake.CaseRow] = []
    events: list[intake.EventRow] = []
    for case_id, row in cases.items():
        if row.parked:
            continue
        case = folded[case_id]
        picture = case.picture
        new, told = decide(row, picture, case.municipality, world.payloads)
        unit = world.unit_of(case.person.open_care_units, case.standing.open_care_units)
        new, also = decide_open_care(row, new, picture, unit, world.units)
        new = replace(new, due=case.next_change)
        if new != row:
            rows.append(new)
        if new.picture != row.picture:
            note_missed(row.picture, picture, case.municipality)
        events += _traced((*told, *also), causes.of(row.id, row.source))
    if rows:
        await intake.save_cases(connection, rows, now)
    if events:
        await intake.add_events(connection, events, now)
    return events


def _traced(told: Sequence[intake.EventRow], trace: Trace | None) -> Iterable[intake.EventRow]:
    if trace is None or not told:
        return told
    said = trace.traceparent
    return [replace(one, traceparent=said) for one in told]


async def fold_all(
    connection: Connection, world: World, cases: Cases, kin: set[merges.Place], now: datetime
) -> dict[str, Case]:
    """Fold cases from all their facts; `kin`: the merged records that any of them is about."""
    records = await merges.records_of(connection, cases, kin) if kin else {}
    also = [(name, *place) for name in records for place in kin]
    found = await intake.facts_of(connection, cases, also)
    facts = found.facts
    if not kin:
        return {name: _fold_or_move(world, row, found, now) for name, row in cases.items()}
    apart = {name: _fold_or_move(world, row, found, now) for name, row in cases.items()}
    by = merges.replaced_by(fact for said in facts.values() for fact in said)
    taken = absorbed(_stays(apart, records), by)
    joined = {name: [*facts.get(name, ()), *_taken_in(name, taken, facts)] for name in cases}
    return {
        name: _fold(world, row, joined[name], now, taken.get(name))
        if name in taken or name in taken.values()
        else apart[name]
        for name, row in cases.items()
    }


def _fold_or_move(world: World, row: intake.CaseRow, found: intake.CaseFacts, now: datetime) -> Case:
    """Fold a case; one that was published and of which nothing is left went up in the case that has it now.

    A stay that turned out to be part of another, or a Task that was corrected to point at another stay.
    """
    facts = found.facts.get(row.id, ())
    case = _fold(world, row, facts, now)
    if case.state is not None or row.picture is None or row.id not in found.moved:
        return case
    return _fold(world, row, facts, now, min(found.moved[row.id]))


def _stays(cases: Mapping[str, Case], records: Mapping[str, merges.Place]) -> Iterable[Stay]:
    for name, (source, record) in records.items():
        standing = cases[name].standing
        if standing.admitted_at is not None:
            ended_at = standing.end.earliest if standing.end is not None else None
            yield Stay(name, source, record, standing.admitted_at, ended_at)


def _taken_in(case_id: str, taken: Mapping[str, str], facts: Mapping[str, Sequence[Fact]]) -> Iterable[Fact]:
    return (fact for name, by in taken.items() if by == case_id for fact in facts.get(name, ()))


def _fold(
    world: World, row: intake.CaseRow, facts: Sequence[Fact], now: datetime, absorbed_by: str | None = None
) -> Case:
    """Fold a case by the terms in force for it: its municipality, admission and care form decide.

    They come from the facts and not from the terms, so folding twice is enough; and once where a
    guess leads to the same terms: the municipality it had before or that a fact names, and a time at
    which one says that the person was admitted.
    """

    def by(terms: ProcessTerms) -> Case:
        return fold(row.id, facts, terms=terms, route=world.route, now=now, absorbed_by=absorbed_by)

    said = {signal.kind: signal for fact in facts for signal in fact.signals}
    named = said[SignalKind.PATIENT].fields.get("municipality") if SignalKind.PATIENT in said else None
    admitted = said.get(SignalKind.ADMITTED)
    around = admitted.at if admitted is not None and is_reckoned(admitted.at) else now
    guess = world.terms_for(row.municipality or named, around, _SOMATIC, world.treating(row.source))
    case = by(guess)
    region = world.treating(row.source, case.hospital)
    admitted_at, care_form = case.standing.admitted_at, case.standing.care_form
    in_force = world.terms_for(case.municipality, admitted_at or now, care_form or _SOMATIC, region)
    return case if in_force == guess else by(in_force)
