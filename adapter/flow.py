"""The whole way on one page: what came in is read, stored, and told of.

`reading.read` is pure: bytes to checked resources and what they say. `commit` is one PostgreSQL
transaction for many deliveries: it tells repeats from news, adds facts, folds every case concerned from
all its facts, and writes case and events. Nothing is half stored: either the whole of a delivery is there
when the answer goes out, or none of it. What cannot be used is kept too, and its cases wait (`parking`).

Owns the order of the steps; each step is in its room.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from adapter.delivery import Receipt
from adapter.errors import DuplicateError, LosusError, Problem
from adapter.fhir.outcome import response_message
from adapter.leaning import lean_on_what_is_kept
from adapter.losus.identity import pseudonym
from adapter.losus.instants import instant_text
from adapter.losus.signal import Fact
from adapter.parking import park
from adapter.reading import Prepared
from adapter.refold import refold
from adapter.settling.disputing import Asker, is_dispute, take_disputes
from adapter.standing import Standing, standing_of
from adapter.store import audit, doors, held, intake, library, merges, messages
from adapter.store.audit import Entry
from adapter.store.database import Connection
from adapter.trace import Causes, Trace
from adapter.world import World

_OK = 200


@dataclass(frozen=True, slots=True)
class News:
    """A delivery that is to be stored: its row in the inbox is made of this."""

    prepared: Prepared
    response: bytes | None
    status: int


async def commit(
    connection: Connection, world: World, batch: Sequence[Prepared], now: datetime
) -> list[Receipt]:
    """Store a batch of deliveries and what follows from them; the receipt of each, in order.

    Runs inside the caller's transaction. No two messages of the batch may share an id (see `ids`).
    """
    repeats = await messages.seen(connection, [one.ids for one in batch if one.ids])
    batch = await lean_on_what_is_kept(connection, world, batch)
    standing = await standing_of(connection, world, batch)
    receipts: list[Receipt] = []
    news: list[tuple[int, News]] = []
    asked: list[Entry] = []
    for one in (_parked(standing, each) for each in batch):
        before = repeats[one.ids] if one.ids else None
        receipt = (
            (_again(world, one, before, now) if before else None)
            or standing.known(one)
            or await _refused(connection, world, standing, one, now, asked)
        )
        if receipt is None:
            is_unchanged = standing.is_unchanged(one)
            status = one.error.status if one.error else _OK
            hints = standing.hints(one, is_unchanged=is_unchanged)
            response = _response(world, one, now, one.error, hints)
            news.append((len(receipts), News(one, response, status)))
            versions = standing.take(one)
            receipt = Receipt(
                "taken",
                None,
                status,
                response or b"",
                versions=versions,
                is_unchanged=is_unchanged,
                hints=hints,
            )
        receipts.append(receipt)
    resends = [
        one.ids for one in batch if one.ids and repeats[one.ids].response and not repeats[one.ids].bundle_seen
    ]
    if resends:
        await messages.add_resends(connection, resends)
    if news:
        numbers = await _take_in(connection, world, [stored for _, stored in news], now)
        for (place, stored), number in zip(news, numbers, strict=True):
            receipts[place] = standing.note(receipts[place], stored.prepared, number)
    marks = [(one.delivery.mark.name, one.delivery.mark.value) for one in batch if one.delivery.mark]
    await doors.save_marks(connection, marks, now)
    if asked:
        await audit.append(connection, asked)
    return receipts


def _parked(standing: Standing, one: Prepared) -> Prepared:
    """A delivery of an asynchronous channel that contradicts a known version, so that it is parked."""
    fault = None if one.delivery.door.is_answered or one.error else standing.contradiction(one)
    return one if fault is None else replace(one, error=fault, cause="conflict")


async def _refused(
    connection: Connection,
    world: World,
    standing: Standing,
    one: Prepared,
    now: datetime,
    asked: list[Entry],
) -> Receipt | None:
    """The receipt of what may not be stored; what a municipality's system disputes is kept meanwhile.

    `asked` gets an entry for the audit of each question.
    """
    fault = standing.fault(world, one)
    if fault is None and one.cause == "invalid" and one.delivery.door.is_answered:
        fault = one.error
    if fault is None:
        try:
            asked += await _dispute(connection, world, one, now)
        except LosusError as error:
            fault = error
    return refused(world, one, fault, now) if fault is not None else None


async def _dispute(connection: Connection, world: World, one: Prepared, now: datetime) -> list[Entry]:
    municipality = world.speakers[one.source].municipality
    if municipality is None or one.opened is None:
        return []
    asker = Asker(one.source, municipality, one.fhir)
    tasks = [entry.resource for entry in one.opened.entries if is_dispute(entry.resource)]
    return [taken.entry for taken in await take_disputes(connection, asker, tasks, now)]


def refused(world: World, one: Prepared, error: LosusError, now: datetime) -> Receipt:
    """The receipt of a delivery that is not stored; a message has its response in it."""
    response = _response(world, one, now, error) or b""
    return Receipt("refused", None, error.status, response, error.problems, error)


def _response(
    world: World,
    one: Prepared,
    now: datetime,
    error: LosusError | None,
    hints: tuple[Problem, ...] = (),
) -> bytes | None:
    if one.message is None:
        return None
    return orjson.dumps(
        response_message(one.message, world.endpoint, instant_text(now), one.fhir, error, hints)
    )


def _again(world: World, one: Prepared, before: messages.Seen, now: datetime) -> Receipt | None:
    """The receipt of a message whose ids are known, None for news (the table of contract 3)."""
    if before.response is not None:
        return Receipt("known", status=before.status, response=before.response)
    if before.bundle_seen:
        fault = DuplicateError(Problem("duplicate", "this Bundle.id was used before", "Bundle.id"))
        return refused(world, one, fault, now)
    return None


async def _take_in(connection: Connection, world: World, news: Sequence[News], now: datetime) -> list[int]:
    rows = [_row(one) for one in news]
    numbers = await messages.add_messages(connection, rows, world.seal)
    read = [(number, one.prepared) for number, one in zip(numbers, news, strict=True)]
    await take_in(connection, world, read, now)
    return numbers


def _row(one: News) -> messages.MessageRow:
    prepared, delivery = one.prepared, one.prepared.delivery
    _, header_id, bundle_id = prepared.ids or (None, None, None)
    return messages.MessageRow(
        delivery.source,
        header_id,
        bundle_id,
        prepared.received_at,
        delivery.body,
        one.response,
        delivery.door.value,
        delivery.media,
        delivery.targets,
        one.status,
        delivery.fhir,
        delivery.trace.traceparent if delivery.trace is not None else None,
    )


async def take_in(
    connection: Connection,
    world: World,
    read: Sequence[tuple[int, Prepared]],
    now: datetime,
    *,
    before: Mapping[int, held.Held] | None = None,
) -> list[intake.EventRow]:
    """Store what numbered messages say, and fold the cases concerned; the events that tell of it.

    What they say and lean on is locked (`leaning`). `before`: they are read anew, and what of them was held
    until now. What one says takes the place of what it said; one that is held no more lets its cases go.
    """
    said = _Said(world)
    for number, one in read:
        said.add(one, number)
    anew = [number for number, _ in read] if before is not None else []
    freed = {case for number in anew for case in (before or {})[number].cases} if before else set()
    former = await intake.cases_of_messages(connection, anew) if anew else set()
    await merges.add_replacements(connection, said.replaced)
    kin = await merges.kin(connection, said.changed, ())
    elsewhere = await intake.cases_about(connection, said.changed | kin)
    known = elsewhere | freed | former | said.named
    cases = await intake.lock_cases(connection, said.cases, known, now)
    failing = [(number, one, said.cases_of(one)) for number, one in read if one.error]
    if failing or anew:
        await held.let_go(connection, anew)
        await park(connection, failing, now, before)
        cases = await intake.lock_cases(connection, (), cases, now)
    spoken = [number for number in anew if number not in {failed for failed, *_ in failing}]
    own = {reading.fact.resource for _, one in read for reading in one.readings}
    await intake.add_facts(connection, said.facts, said.links, anew=spoken, own=own)
    # what rests on something is known before that comes: both may come in one transaction
    await library.lean(connection, said.leaning)
    await library.shelve(connection, said.shelved, world.seal, now)
    await doors.add_aliases(connection, said.aliases, now)
    await library.read_again(connection, [number for number, one in read if one.is_raced], now)
    return await refold(connection, world, cases, now, Causes(said.by_case, said.by_source))


@dataclass(slots=True)
class _Said:
    """What a batch of deliveries said, gathered for the store.

    `cases` are to be made where they are missing (id, source, key), `named` are known by their id; `by_case`
    and `by_source` are the traces that what follows is put down to (`Causes`).
    """

    world: World
    cases: set[tuple[str, str, str]] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    facts: list[intake.Said] = field(default_factory=list)
    links: set[tuple[str, str, str]] = field(default_factory=set)
    changed: set[tuple[str, str]] = field(default_factory=set)
    replaced: set[tuple[str, str, str]] = field(default_factory=set)
    shelved: list[library.Shelved] = field(default_factory=list)
    leaning: set[tuple[str, str, int]] = field(default_factory=set)
    aliases: set[tuple[str, str, str]] = field(default_factory=set)
    by_case: dict[str, Trace] = field(default_factory=dict)
    by_source: dict[str, Trace] = field(default_factory=dict)

    def add(self, one: Prepared, number: int) -> None:
        """Add what message `number` said: its facts, and the cases they belong to.

        Of one that cannot be used only the cases count that it is about: they are to wait.
        """
        self.leaning |= {(one.source, name, number) for name in one.leans}
        cases = self.cases_of(one)
        if one.delivery.trace is not None:
            self.by_source[one.source] = one.delivery.trace
            self.by_case |= dict.fromkeys(cases, one.delivery.trace)
        if one.error is not None and one.cause != "unresolved":
            return
        # what waits for others is known to others all the same: each may wait for the other
        self.aliases |= {(one.source, *alias) for alias in one.aliases}
        self.shelved += [
            library.Shelved(one.source, each.name, each.order, each.version, each.resource, number)
            for each in one.shelved
        ]
        for reading in () if one.error is not None else (*one.readings, *one.people):
            case_id = None
            place = (one.source, reading.fact.resource)
            self.changed.add(place)
            self.replace(place, reading.fact)
            if reading.key is not None:
                case_id = self._case(one.source, reading.key)
                self.link(case_id, one.source, (reading.fact.resource,))
                self.link(case_id, one.source, reading.about)
            self.facts.append(intake.Said(reading.fact, case_id, number, reading.about))

    def cases_of(self, one: Prepared) -> tuple[str, ...]:
        """The ids of the cases that a delivery is about."""
        return tuple(self._case(one.source, key) for key in one.keys)

    def _case(self, source: str, key: str) -> str:
        """The case of a source's key; a municipality's system names it by its id."""
        if self.world.speakers[source].municipality is not None:
            self.named.add(key)
            return key
        case_id = pseudonym(self.world.secret, source, key)
        self.cases.add((case_id, source, key))
        return case_id

    def replace(self, place: tuple[str, str], fact: Fact) -> None:
        """Tie two patient records together where one says that the other replaced it."""
        for signal in fact.signals:
            if by := signal.fields.get("merged_into"):
                self.replaced.add((*place, by))

    def link(self, case_id: str, source: str, resources: Iterable[str]) -> None:
        """Fold the case from these resources too."""
        self.links |= {(case_id, source, resource) for resource in resources}
