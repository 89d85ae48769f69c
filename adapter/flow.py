"""The whole way on one page: a message in, the events it calls for in the outbox.

`prepare` is pure: bytes to a checked message and what its resources say. `commit` is one PostgreSQL
transaction for many messages: it tells repeats from news, adds facts, folds every case concerned
from all its facts, and writes case and events. Nothing is half stored: either the whole of it is
there when the answer goes out, or none of it.

Owns the order of the steps; each step is in its room.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from adapter.errors import DuplicateError, LosusError, MappingError, Problem, UnknownSourceError
from adapter.fhir.document import parse_json
from adapter.fhir.message import Message, read_message
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import response_message
from adapter.losus.identity import pseudonym
from adapter.losus.instants import instant_text
from adapter.losus.signal import Fact
from adapter.mapping.engine import Message as Surroundings
from adapter.mapping.engine import Reading
from adapter.mapping.fields import instant
from adapter.refold import refold
from adapter.store import intake, merges
from adapter.store.database import Connection
from adapter.world import World


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
            speaker.mapping.read(source, entry.resource, entry.path, surroundings, fhir=speaker.fhir)
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
    await merges.add_replacements(connection, said.replaced)
    kin = await merges.kin(connection, said.changed, ())
    elsewhere = await intake.cases_about(connection, said.changed | kin)
    cases = await intake.lock_cases(connection, said.cases, elsewhere, now)
    await intake.add_facts(connection, said.facts, said.links)
    await refold(connection, world, cases, now)


@dataclass(slots=True)
class _Said:
    """What a batch of messages said, gathered for the store."""

    world: World
    cases: set[tuple[str, str, str]] = field(default_factory=set)
    facts: list[tuple[Fact, str | None, int]] = field(default_factory=list)
    links: set[tuple[str, str, str]] = field(default_factory=set)
    shared: set[tuple[str, str]] = field(default_factory=set)
    changed: set[tuple[str, str]] = field(default_factory=set)
    replaced: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, one: Prepared, number: int) -> None:
        """Add what message `number` said: its facts, and the cases they belong to."""
        for reading in one.readings:
            case_id = None
            place = (one.source, reading.fact.resource)
            self.changed.add(place)
            self.replace(place, reading.fact)
            if reading.key is None:
                self.shared.add(place)
            else:
                case_id = pseudonym(self.world.secret, one.source, reading.key)
                self.cases.add((case_id, one.source, reading.key))
                self.link(case_id, one.source, (reading.fact.resource,))
                self.link(case_id, one.source, reading.about)
                self.shared |= {(one.source, resource) for resource in reading.about}
            self.facts.append((reading.fact, case_id, number))

    def replace(self, place: tuple[str, str], fact: Fact) -> None:
        """Tie two patient records together where one says that the other replaced it."""
        for signal in fact.signals:
            if by := signal.fields.get("merged_into"):
                self.shared.add((place[0], by))
                self.replaced.add((*place, by))

    def link(self, case_id: str, source: str, resources: Iterable[str]) -> None:
        """Fold the case from these resources too."""
        self.links |= {(case_id, source, resource) for resource in resources}
