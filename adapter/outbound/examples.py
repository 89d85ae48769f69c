"""Examples of all that is published, each made the way the real thing is: by folding example messages.

Owns which examples there are; the messages are those of the mapping `losus-r4`, the statement is of
Bilaga 9's worked example. Reads the shipped data files, nothing else; knows no clock.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from adapter.agreements.amounts import amounts_of
from adapter.agreements.load import load_book
from adapter.errors import LosusError, Problem
from adapter.fhir.decimals import dumps
from adapter.fhir.elements import Edition
from adapter.fhir.joint import follow_up_id, joint_bundle
from adapter.fhir.sheet import statement_id
from adapter.fhir.summary import bundle
from adapter.losus.case import Case, fold
from adapter.losus.days import local_day
from adapter.losus.identity import pseudonym
from adapter.losus.instants import instant_text
from adapter.losus.moments import as_moment
from adapter.losus.process import STATUTE
from adapter.losus.terms import State
from adapter.mapping.load import default_folder, load_mapping
from adapter.mapping.rehearsal import Rehearsal, rehearse
from adapter.outbound.announced import announcement_event
from adapter.outbound.events import (
    Payload,
    cloud_event_headers,
    decide,
    follow_up_event,
    settlement_event,
)
from adapter.outbound.parked import MESSAGE_PARKED, ParkedMessage
from adapter.settlement.example import FIRST, MUNICIPALITY, worked_example
from adapter.settlement.following import Followed
from adapter.settlement.joint import Entry, Head, series_of
from adapter.settlement.joint_entries import Because, Content, Finding, Measure, Opened, Party
from adapter.settlement.joint_judging import judge
from adapter.settlement.measure import measure
from adapter.settlement.settle import settle
from adapter.store.intake import CaseRow, EventRow
from adapter.store.rates import AnnouncementRow

REGION = "urn:losus:region"
_MAPPING = "losus-r4"
_AGREEMENT = "jamtland-harjedalen-losus-2018"
_NEIGHBOUR = "2309"
_MEASURE = Measure(
    text="Kalla samma dag.", party=Party.REGION, responsible="Avdelning 5", due=date(2018, 6, 1)
)
_DAY = timedelta(hours=24, minutes=1)


@dataclass(frozen=True, slots=True)
class Example:
    """One record: what it shows, its CloudEvents type, headers as text, and the payload as JSON."""

    name: str
    summary: str
    type: str
    headers: Mapping[str, str]
    payload: Any


def examples() -> tuple[Example, ...]:
    """Every example, always the same ones."""
    folder = default_folder()
    files = sorted((folder / "examples" / _MAPPING).glob("*.json"))
    messages = [orjson.loads(path.read_bytes()) for path in files]
    sent = [as_moment(one["timestamp"]) for one in messages]
    rehearsal = rehearse(load_mapping(folder / f"{_MAPPING}.yaml"), messages, sent[-1])
    way = [_fold(rehearsal, number, at) for number, at in enumerate(sent, 1)]
    late = _fold(rehearsal, 1, sent[0] + _DAY)
    return (
        *_cases(way, sent, late),
        _settlement(sent[-1]),
        _follow_up(sent[-1]),
        _rate(sent[-1]),
        _parked(messages[0], sent[0]),
    )


def _fold(rehearsal: Rehearsal, documents: int, now: datetime) -> Case:
    ((key, facts),) = rehearsal.facts(documents).items()
    case_id = pseudonym(b"of the examples", _MAPPING, key)
    return fold(case_id, facts, terms=STATUTE, route={}, now=now)


def _cases(way: list[Case], sent: list[datetime], late: Case) -> Iterator[Example]:
    """`late`: the first message's case a day after it, when nothing more was heard."""
    whole = [events[0] for events in _told(way)]
    ready = next(n for n, one in enumerate(whole) if orjson.loads(one.payload)["state"] == State.READY)
    yield _example("admitted", "The first event of a case.", whole[0], sent[0])
    yield _example("ready", "The person is utskrivningsklar.", whole[ready], sent[ready])
    yield _example("whole-way", "The last event of a way home: all that is known.", whole[-1], sent[-1])
    yield _example("statutory", "What LUS 2:2 alone allows.", _told(way[:1], "statutory")[0][0], sent[0])
    closing = _told(way[:2], moves=True)[1][0]
    yield _example("closing", "The case is no longer this municipality's.", closing, sent[1])
    missed = _told([way[0], late])[1][0]
    yield _example("deadline", "A limit of time has passed.", missed, sent[0] + _DAY)


def _told(cases: list[Case], payload: Payload = "full", *, moves: bool = False) -> list[tuple[EventRow, ...]]:
    """The events of each case in a row; `moves`: the last one is of another municipality."""
    row = CaseRow(cases[0].case_id, _MAPPING, "", None, None, None, {})
    payloads: dict[str, Payload] = {MUNICIPALITY: payload, _NEIGHBOUR: "full"}
    seen = []
    for number, case in enumerate(cases, 1):
        home = _NEIGHBOUR if moves and number == len(cases) else MUNICIPALITY
        row, events = decide(row, case.picture, home, payloads)
        seen.append(events)
    return seen


def _settlement(at: datetime) -> Example:
    """The first month of Bilaga 9's example: nobody is liable yet, and nothing is invoiced."""
    book = load_book()
    stays = [one for one in worked_example() if one.stay.startswith(f"bilaga9-{FIRST}")]
    (statement,) = settle(stays, book.get(_AGREEMENT), book.rates, (FIRST,))
    edition = Edition(made_at=at, regions=book.regions, municipalities=book.municipalities)
    told = dumps(bundle([statement], edition))
    event = settlement_event(statement_id(statement), MUNICIPALITY, told, {MUNICIPALITY: "full"})
    return _example("statement", "A month in which nothing is owed.", event, at)


def _follow_up(at: datetime) -> Example:
    """The second month of Bilaga 9's example: its mean is over three, a finding and a measure are entered."""
    book = load_book()
    month = FIRST.plus(1)
    stays = [one for one in worked_example() if one.stay.startswith(f"bilaga9-{month}")]
    rules = book.get(_AGREEMENT)
    (statement,) = settle(stays, rules, book.rates, (month,))
    name = follow_up_id(_AGREEMENT, MUNICIPALITY, statement.care_form, month)
    head = Head(name, _AGREEMENT, MUNICIPALITY, statement.care_form, month)
    followed = [
        Followed(one.stay, MUNICIPALITY, None, one.admitted_at, ended, home=True, days=days, limits=())
        for one in stays
        if (ended := one.ended_at) is not None
        for days in (measure(one, local_day(ended), rules.on(local_day(ended), one.care_form)).days,)
    ]
    mine = frozenset(one.stay for one in stays)
    judged = judge(head, followed, mine, (statement_id(statement), statement), at)
    entered: list[tuple[Party | None, Content]] = [
        (None, Opened(because=Because.OVER)),
        (None, judged),
        (Party.MUNICIPALITY, Finding(text="Kallelserna till SIP kommer sent.")),
        (Party.REGION, _MEASURE),
    ]
    entries = [
        Entry(name, number, at, party, "", content) for number, (party, content) in enumerate(entered, 1)
    ]
    base = "https://losus.example.se/fhir"
    edition = Edition(made_at=at, regions=book.regions, municipalities=book.municipalities, base=base)
    told = dumps(joint_bundle(series_of([head], entries)[name], 3, edition))
    event = follow_up_event(name, 3, MUNICIPALITY, told, {MUNICIPALITY: "full"})
    return _example("follow-up", "A month whose mean is over the threshold.", event, at)


def _rate(at: datetime) -> Example:
    """The amount of 2019 as it was to be announced in December 2018."""
    book = load_book()
    (known,) = amounts_of(book, MUNICIPALITY, 2019)
    rate = known.rate
    row = AnnouncementRow(2019, MUNICIPALITY, "", 1, rate.amount, rate.verified, rate.source, at)
    return _example("rate", "The amount of the coming year.", announcement_event(row, None), at)


def _parked(message: dict[str, Any], at: datetime) -> Example:
    """A message whose Encounter says no status: what the region is told of it."""
    broken = orjson.loads(orjson.dumps(message))
    for entry in broken["entry"]:
        if entry["resource"]["resourceType"] == "Encounter":
            del entry["resource"]["status"]
    problem = _fault(broken, at)
    told = ParkedMessage(
        cause="invalid",
        source=_MAPPING,
        rule=problem.rule,
        code=problem.code,
        expression=problem.expression,
        message=1,
        case_id=None,
        since=at.astimezone(UTC),
    )
    payload = told.model_dump_json().encode()
    ce_id = hashlib.sha256(payload).hexdigest()[:32]
    event = EventRow("message-1", None, 1, MESSAGE_PARKED, ce_id, payload)
    return _example("parked", "A message that waits for a person.", event, at)


def _fault(message: dict[str, Any], at: datetime) -> Problem:
    try:
        rehearse(load_mapping(default_folder() / f"{_MAPPING}.yaml"), [message], at)
    except LosusError as error:
        return error.problems[0]
    raise AssertionError


def _example(name: str, summary: str, event: EventRow, at: datetime) -> Example:
    headers = cloud_event_headers(event, REGION, instant_text(at))
    said = {name: value.decode() for name, value in headers}
    return Example(name, summary, event.type, said, orjson.loads(event.payload))
