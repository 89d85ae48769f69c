"""Disputes over HTTP: `POST /fhir/{source}/$dispute` of a municipality, `GET /fhir/Task` for the region.

Owns who may ask about what. Does not own the Task (`adapter.fhir.dispute`) nor the answer, which the
region gives on the command line (`losus disputes`).
"""

from datetime import UTC, datetime

import orjson
from fastapi import APIRouter, Request, Response

from adapter.errors import InputError, LosusError, Problem, ResourceError, UnknownSourceError
from adapter.fhir.dispute import Question, line_of, read_question, task_of
from adapter.fhir.document import parse_json
from adapter.fhir.elements import uuid_of
from adapter.fhir.model import FhirVersion
from adapter.losus.days import Month, local_day
from adapter.settings import Settings
from adapter.settlement.holding import Dispute
from adapter.store.database import Connection
from adapter.store.disputes import add_answer, add_dispute, charge_item, list_disputes, stay_end
from adapter.web.fhir import FHIR_JSON, read_body

router = APIRouter()


class NotOursError(LosusError):
    """A source that is no municipality's system has no statement to dispute."""

    status = 403


class NoLineError(InputError):
    """No line of that id on a statement of this municipality."""

    status = 404


@router.post("/fhir/{source}/$dispute", response_class=Response)
async def dispute(source: str, request: Request) -> Response:
    """Take a municipality's question on one of its own lines: 201, or 200 where it is known already."""
    settings: Settings = request.app.state.settings
    if source not in settings.sources:
        raise UnknownSourceError(Problem("not-found", "no source of this name"))
    speaker = settings.sources[source]
    if speaker.municipality is None:
        raise NotOursError(Problem("forbidden", "the source is not set up as a municipality's system"))
    body = await read_body(request, settings.max_bytes)
    task = parse_json(body, max_bytes=settings.max_bytes, max_depth=settings.max_depth)
    question = read_question(task, FhirVersion(speaker.fhir))
    name, now = uuid_of("Dispute", source, question.task), datetime.now(UTC)
    async with request.app.state.database.transaction() as connection:
        line = await _line(connection, question, speaker.municipality)
        asked = Dispute(name, speaker.municipality, *line, upheld=None)
        fresh = await add_dispute(connection, asked, orjson.dumps(task).decode(), now)
        if question.withdrawn:
            await add_answer(connection, name, upheld=False, now=now)
    told = task_of(task, name, upheld=False if question.withdrawn else None)
    return Response(orjson.dumps(told), 201 if fresh else 200, media_type=FHIR_JSON)


async def _line(connection: Connection, question: Question, municipality: str) -> tuple[str, Month]:
    """Give the stay and the month in question; NoLineError where it is not that municipality's."""
    if question.stay:
        ended_at = await stay_end(connection, question.stay, municipality)
        if ended_at is None:
            raise NoLineError(Problem("not-found", "no such stay of yours that has ended", "Task.focus"))
        return question.stay, Month.of(local_day(ended_at))
    found = await charge_item(connection, question.charge_item, municipality)
    if found is None:
        raise NoLineError(Problem("not-found", "no such line on a statement of yours", "Task.focus"))
    line = line_of(orjson.loads(found[0]), Month.parse(found[1]))
    if line is None:
        raise ResourceError(Problem("business-rule", "only the line of a stay is disputed", "Task.focus"))
    return line


@router.get("/fhir/Task", response_class=Response)
async def tasks(request: Request, municipality: str | None = None, status: str | None = None) -> Response:
    """All disputes, as they stand: oldest first; of one municipality, of one status."""
    async with request.app.state.database.transaction() as connection:
        kept = await list_disputes(connection, municipality)
    told = [task_of(orjson.loads(task), one.id, upheld=one.upheld) for one, task in kept]
    found = [task for task in told if status in {None, task["status"]}]
    base = f"{request.app.state.settings.base_url}/fhir/Task"
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    entries = [{"fullUrl": f"{base}/{task['id']}", "resource": task} for task in found]
    return Response(orjson.dumps({**bundle, **({"entry": entries} if entries else {})}), media_type=FHIR_JSON)
