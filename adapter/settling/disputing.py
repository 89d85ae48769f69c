"""Disputes: a municipality's question taken in, by whatever door, and the region's answer told to it.

Owns who may ask about what, that a question and its answer are given once, and that the answer goes to the
municipality's topic through the outbox. Does not own the Task (`adapter.fhir.dispute`), what a dispute does
to the invoice (`adapter.settlement.holding`) nor the doors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    Problem,
    ResourceError,
)
from adapter.fhir.decimals import dumps
from adapter.fhir.dispute import (
    Answer,
    Disputed,
    Question,
    about,
    answer_bundle,
    is_dispute,
    line_of,
    read_question,
    told_task,
    version_id,
)
from adapter.fhir.elements import Resource, uuid_of
from adapter.fhir.model import FhirVersion
from adapter.fhir.preconditions import Tags
from adapter.losus.days import Month, local_day
from adapter.outbound.events import Payload, settlement_event
from adapter.settings import Settings
from adapter.settlement.holding import Dispute
from adapter.store import audit, disputes
from adapter.store.audit import Entry
from adapter.store.database import Connection, asked_by
from adapter.store.intake import add_events
from adapter.trace import Trace

__all__ = [
    "Answerer",
    "Asker",
    "Desk",
    "Taken",
    "answer_dispute",
    "is_dispute",
    "take_dispute",
    "take_disputes",
]


class SaidOtherwiseError(InputError):
    """A question that was asked on another line before, or answered otherwise before."""

    status = 409


@dataclass(frozen=True, slots=True)
class Asker:
    """A source that sends a Task: its municipality (None: it is a hospital's), and what it speaks."""

    source: str
    municipality: str | None
    fhir: FhirVersion


@dataclass(frozen=True, slots=True)
class Taken:
    """The Task as it stands now, under the region's id, whether it was not known before; and who asked.

    Whoever takes it adds `entry` to the audit, last in the same transaction: then it holds up nobody who
    waits to add to the audit while it waits for others.
    """

    task: Resource
    is_new: bool
    entry: Entry


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who answers for the region, as the audit says it: `kind` staff, operator, …, and what allows it."""

    kind: str
    who: str
    why: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """From where answers are told: who subscribes, the FHIR version, the address of the resources.

    `trace` is that of the work in which an answer is given.
    """

    payloads: Mapping[str, Payload]
    fhir: FhirVersion
    base: str
    trace: Trace | None = None

    @classmethod
    def of(cls, settings: Settings, trace: Trace | None = None) -> "Desk":
        """Read it from the settings."""
        payloads: dict[str, Payload] = {code: one.payload for code, one in settings.municipalities.items()}
        return cls(payloads, FhirVersion(settings.settlement_fhir), f"{settings.base_url}/fhir", trace)


async def take_dispute(connection: Connection, asker: Asker, task: Resource, now: datetime) -> Taken:
    """Keep a municipality's question on one of its own lines, or that it takes one back.

    Whatever is raised is raised before anything is written, so that the caller's transaction may go on:
    ForbiddenError of a source that is no municipality's, ResourceError of a Task that is no dispute,
    NotFoundError where no statement of that municipality has such a line, SaidOtherwiseError where the
    same Task asked about another line before. One that is sent again is told as it stands, and changes
    nothing; one that was answered or taken back is not opened again.
    """
    if asker.municipality is None:
        raise ForbiddenError(Problem("forbidden", "the source is not set up as a municipality's system"))
    question = read_question(task, asker.fhir)
    name = uuid_of("Dispute", asker.source, question.task)
    known = await disputes.find_dispute(connection, name)
    if known is None:
        asked = await _asked(connection, name, question, asker.municipality)
        is_new = await disputes.add_dispute(connection, asked, task, now)
    elif about(known.task) != about(task):
        raise SaidOtherwiseError(Problem("duplicate", "this Task asked about another line", "Task.focus"))
    else:
        is_new = False
    if question.withdrawn:
        await disputes.add_answer(connection, name, upheld=False, withdrawn=True, now=now)
    entry = Entry(
        at=now,
        kind="source",
        who=asker.source,
        action="create" if is_new else "update" if question.withdrawn else "read",
        what=(f"Task/{name}",),
        outcome="ok",
        why="own municipality",
        municipality=asker.municipality,
    )
    return Taken(await _told(connection, name, asker.fhir), is_new, entry)


async def take_disputes(
    connection: Connection, asker: Asker, tasks: Iterable[Resource], now: datetime
) -> list[Taken]:
    """Keep all the questions of one message, or none: as `take_dispute`, and raises what it raises."""
    async with connection.transaction():  # a savepoint inside the caller's own
        return [await take_dispute(connection, asker, task, now) for task in tasks]


async def answer_dispute(
    connection: Connection,
    desk: Desk,
    answer: Answer,
    now: datetime,
    *,
    by: Answerer,
    expected: Tags | None = None,
) -> Resource:
    """Keep the region's answer, and tell the municipality on its topic; the Task as it stands then.

    Who answered is added to the audit in the caller's transaction, and borne by the delivery. The same
    answer again changes nothing. NotFoundError where there is no such question; ConflictError where it is
    not in a version that is `expected`; SaidOtherwiseError where it was answered otherwise.
    """
    found = await disputes.find_dispute(connection, answer.task, lock=True)
    if found is None:
        raise NotFoundError(Problem("not-found", "no such dispute", "Task.id"))
    before = found.dispute
    if expected is not None and not expected.match(version_id(before)):
        raise ConflictError(
            Problem("conflict", "the Task is in another version by now", "Task.meta.versionId")
        )
    if before.upheld is not None:
        if before.withdrawn or (before.upheld, before.reason) != (answer.upheld, answer.reason):
            raise SaidOtherwiseError(
                Problem("conflict", "the question is answered, or taken back", "Task.status")
            )
        await audit.append(connection, [_answered(by, before, now, "read")])
        return await _told(connection, before.id, desk.fhir)
    await disputes.add_answer(connection, before.id, upheld=answer.upheld, reason=answer.reason, now=now)
    await asked_by(connection, (await audit.append(connection, [_answered(by, before, now)])).number)
    task = await _told(connection, before.id, desk.fhir)
    told = dumps(answer_bundle(task, desk.base, now))
    event = settlement_event(before.id, before.municipality, told, desk.payloads)
    await add_events(connection, [event], now, desk.trace)
    return task


def _answered(by: Answerer, dispute: Dispute, now: datetime, action: str = "update") -> Entry:
    return Entry(
        at=now,
        kind=by.kind,
        who=by.who,
        action=action,
        what=(f"Task/{dispute.id}",),
        outcome="ok",
        why=by.why,
        municipality=dispute.municipality,
        address=by.address,
    )


async def _told(connection: Connection, name: str, version: FhirVersion) -> Resource:
    row = await disputes.find_dispute(connection, name)
    if row is None:  # pragma: no cover - it was kept a moment ago, and nothing is ever removed
        raise NotFoundError(Problem("not-found", "no such dispute"))
    return told_task(row.task, row.dispute, version, row.answered_at)


async def _asked(connection: Connection, name: str, question: Question, municipality: str) -> Dispute:
    """Find the line in question; NotFoundError where it is not that municipality's."""
    if question.stay:
        ended_at = await disputes.stay_end(connection, question.stay, municipality)
        if ended_at is None:
            raise NotFoundError(Problem("not-found", "no such stay of yours that has ended", "Task.focus"))
        return Dispute(name, municipality, question.stay, Month.of(local_day(ended_at)), upheld=None)
    found = await disputes.charge_item(connection, question.charge_item, municipality)
    if found is None:
        raise NotFoundError(Problem("not-found", "no such line on a statement of yours", "Task.focus"))
    line = line_of(found.resource, found.month)
    if line is None:
        rule = "nothing is charged by this ChargeItem: there is no line to dispute"
        raise ResourceError(Problem("business-rule", rule, "Task.focus"))
    if line.stay is not None:
        return Dispute(name, municipality, line.stay, line.month, upheld=None)
    excess = await _excess(connection, line, found, municipality)
    return Dispute(name, municipality, None, line.month, upheld=None, excess=excess)


async def _excess(
    connection: Connection, line: Disputed, found: disputes.ItemRow, municipality: str
) -> tuple[str, str]:
    """Give agreement and care form of a mean's excess: of the statement that a correction corrects."""
    if line.corrects is None:
        return found.agreement, found.care_form
    named = await disputes.agreement_of(connection, line.corrects, municipality)
    if named is None:  # pragma: no cover - a correction names a statement to the same municipality
        raise NotFoundError(Problem("not-found", "no such line on a statement of yours", "Task.focus"))
    return named
