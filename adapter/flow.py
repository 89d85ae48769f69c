"""The whole way on one page: a message in, the events it calls for in the outbox.

`prepare` is pure: bytes to a checked message and what its resources say. `commit` is one PostgreSQL
transaction for many messages: it tells repeats from news, adds facts, folds every case concerned
from all its facts, and writes case and events. Nothing is half stored: either the whole of it is
there when the answer goes out, or none of it.

Owns the order of the steps; each step is in its room.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from adapter.errors import DuplicateError, LosusError, MappingError, Problem, UnknownSourceError
from adapter.fhir.document import parse_json
from adapter.fhir.message import Message, read_message
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import response_message
from adapter.losus.case import Case, fold
from adapter.losus.identity import pseudonym
from adapter.losus.instants import instant_text
from adapter.losus.process import ProcessTerms
from adapter.losus.signal import Fact
from adapter.mapping.engine import Mapping, Reading
from adapter.mapping.engine import Message as Surroundings
from adapter.mapping.fields import instant
from adapter.outbound.events import Payload, decide
from adapter.store import intake
from adapter.store.database import Connection

#: The terms of the process: for a municipality (None: not known), at an instant, in a care form.
TermsFor = Callable[[str | None, datetime, str], ProcessTerms]


_SOMATIC = "somatic"


@dataclass(frozen=True, slots=True)
class Speaker:
    """A source as the flow knows it: what it speaks."""

    mapping: Mapping
    fhir: FhirVersion


@dataclass(frozen=True, slots=True)
class World:
    """All that is settled before a message comes: settings, mappings, agreements, as values.

    `route` leads from an organisation identifier (`system|value`) to the subscribing municipality;
    `payloads` are the subscribers and what each may be sent; `limits` are bytes and depth of a body.
    """

    secret: bytes
    endpoint: str
    speakers: MappingType[str, Speaker]
    route: MappingType[str, str]
    payloads: MappingType[str, Payload]
    terms_for: TermsFor
    limits: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that has been read: what it says, and what is needed to store and answer it."""

    source: str
    body: bytes
    message: Message
    fhir: FhirVersion
    readings: tuple[Reading, ...]

    @property
    def ids(self) -> tuple[str, str, str]:
        """What duplicates are known by: source, MessageHeader.id, Bundle.id."""
        return self.source, self.message.header_id, self.message.bundle_id


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: HTTP status and the body, a FHIR resource as JSON."""

    status: int
    body: bytes


def prepare(world: World, source: str, body: bytes, now: datetime) -> Prepared:
    """Read one message: checked whole, references resolved, the mapping carried out.

    Raises InputError: of an unknown source, no JSON, no message, or every fault of the FHIR model.
    A MappingError is raised as `Untranslated`, which still knows the message it is to answer.
    """
    speaker = world.speakers.get(source)
    if speaker is None:
        raise UnknownSourceError(Problem("not-found", "no source of this name"))
    max_bytes, max_depth = world.limits
    bundle = parse_json(body, max_bytes=max_bytes, max_depth=max_depth)
    message = read_message(bundle, speaker.fhir)
    sent = bundle.get("timestamp")
    surroundings = Surroundings(
        bundle, message.references.resolve, instant(sent).isoformat() if sent else "", instant_text(now)
    )
    try:
        found = [
            speaker.mapping.read(source, entry.resource, entry.path, surroundings)
            for entry in message.entries
        ]
    except MappingError as error:
        raise Untranslated(message, speaker.fhir, error) from None
    return Prepared(source, body, message, speaker.fhir, tuple(one for one in found if one is not None))


class Untranslated(MappingError):
    """A sound message that the mapping has no answer for; carries what a response message needs."""

    def __init__(self, message: Message, fhir: FhirVersion, cause: LosusError) -> None:
        super().__init__(*cause.problems)
        self.message, self.fhir = message, fhir


def answer(
    world: World, message: Message, fhir: FhirVersion, now: datetime, error: LosusError | None = None
) -> Answer:
    """The response message to `message`, `ok` or with the fault in it."""
    response = response_message(message, world.endpoint, instant_text(now), fhir, error)
    return Answer(error.status if error else 200, orjson.dumps(response))


async def commit(
    connection: Connection, world: World, batch: Sequence[Prepared], now: datetime
) -> list[Answer]:
    """Store a batch of messages and what follows from them; the answer to each, in order.

    Runs inside the caller's transaction. No two messages of the batch may share an id (see `ids`).
    """
    known = await intake.seen(connection, [one.ids for one in batch])
    answers: list[Answer] = []
    news: list[tuple[Prepared, Answer]] = []
    resends: list[tuple[str, str, str]] = []
    for one in batch:
        before = known[one.ids]
        if before.response is not None:
            answers.append(Answer(200, before.response))
            if not before.bundle_seen:
                resends.append(one.ids)
        elif before.bundle_seen:
            fault = DuplicateError(Problem("duplicate", "this Bundle.id was used before", "Bundle.id"))
            answers.append(answer(world, one.message, one.fhir, now, fault))
        else:
            answers.append(answer(world, one.message, one.fhir, now))
            news.append((one, answers[-1]))
    if resends:
        await intake.add_resends(connection, resends)
    if news:
        await _take_in(connection, world, news, now)
    return answers


async def _take_in(
    connection: Connection, world: World, news: Sequence[tuple[Prepared, Answer]], now: datetime
) -> None:
    rows = [
        intake.MessageRow(one.source, one.message.header_id, one.message.bundle_id, now, one.body, given.body)
        for one, given in news
    ]
    numbers = await intake.add_messages(connection, rows)
    said = _Said(world)
    for (one, _), number in zip(news, numbers, strict=True):
        said.add(one, number)
    await intake.lock_resources(connection, said.shared | said.changed)
    elsewhere = await intake.cases_about(connection, said.changed)
    cases = await intake.lock_cases(connection, said.cases, elsewhere, now)
    await intake.add_facts(connection, said.facts, said.links)
    await refold(connection, world, cases, now)


async def judge_due(connection: Connection, world: World, now: datetime, most: int) -> int:
    """Judge the cases anew whose limits `now` has passed; how many there were, `most` at the most."""
    cases = await intake.lock_due_cases(connection, now, most)
    if cases:
        await refold(connection, world, cases, now)
    return len(cases)


async def refold(
    connection: Connection, world: World, cases: MappingType[str, intake.CaseRow], now: datetime
) -> None:
    """Fold locked cases anew from all their facts, and write what has changed."""
    facts = await intake.facts_of(connection, cases)
    rows: list[intake.CaseRow] = []
    events: list[intake.EventRow] = []
    for case_id, row in cases.items():
        case = fold_in_force(world, case_id, facts.get(case_id, ()), now, row.municipality)
        new, told = decide(row, case.picture, case.municipality, world.payloads)
        new = replace(new, due=case.next_change)
        if new != row:
            rows.append(new)
        events += told
    if rows:
        await intake.save_cases(connection, rows, now)
    if events:
        await intake.add_events(connection, events, now)


def fold_in_force(
    world: World, case_id: str, facts: Sequence[Fact], now: datetime, guess: str | None = None
) -> Case:
    """Fold a case by the terms in force for it: its municipality, admission and care form decide.

    They come from the facts and not from the terms, so folding twice is enough; and once where a
    guess leads to the same terms: `guess`, the municipality it had before, or one that a fact names.
    """
    terms = world.terms_for(guess or _named(facts), now, _SOMATIC)
    case = fold(case_id, facts, terms=terms, route=world.route, now=now)
    in_force = world.terms_for(
        case.municipality, case.standing.admitted_at or now, case.standing.care_form or _SOMATIC
    )
    if in_force == terms:
        return case
    return fold(case_id, facts, terms=in_force, route=world.route, now=now)


def _named(facts: Sequence[Fact]) -> str | None:
    named = (signal.fields.get("municipality") for fact in facts for signal in fact.signals)
    return next((code for code in named if code), None)


@dataclass(slots=True)
class _Said:
    """What a batch of messages said, gathered for the store."""

    world: World
    cases: set[tuple[str, str, str]] = field(default_factory=set)
    facts: list[tuple[Fact, str | None, int]] = field(default_factory=list)
    links: set[tuple[str, str, str]] = field(default_factory=set)
    shared: set[tuple[str, str]] = field(default_factory=set)
    changed: set[tuple[str, str]] = field(default_factory=set)

    def add(self, one: Prepared, number: int) -> None:
        """Add what message `number` said: its facts, and the cases they belong to."""
        for reading in one.readings:
            case_id = None
            place = (one.source, reading.fact.resource)
            self.changed.add(place)
            if reading.key is None:
                self.shared.add(place)
            else:
                case_id = pseudonym(self.world.secret, one.source, reading.key)
                self.cases.add((case_id, one.source, reading.key))
                self.link(case_id, one.source, (reading.fact.resource,))
                self.link(case_id, one.source, reading.about)
                self.shared |= {(one.source, resource) for resource in reading.about}
            self.facts.append((reading.fact, case_id, number))

    def link(self, case_id: str, source: str, resources: Iterable[str]) -> None:
        """Fold the case from these resources too."""
        self.links |= {(case_id, source, resource) for resource in resources}
