"""Disputes over HTTP: `POST /fhir/{source}/$dispute` of a municipality; `/fhir/Task` for the region's staff.

Owns parameters, statuses and headers. Does not own who may ask about what, nor what an answer does
(`adapter.settling.disputing`).
Source: FHIR R4, RESTful API, read, update, search; Task.status, «completed», «rejected».
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from adapter.errors import NotFoundError, Problem, ResourceError, UnknownSourceError
from adapter.fhir.decimals import dumps, loads
from adapter.fhir.dispute import read_answer, told_task
from adapter.fhir.document import read_document
from adapter.fhir.elements import Resource
from adapter.fhir.model import FhirVersion
from adapter.fhir.preconditions import Tags, tags
from adapter.fhir.search import fits
from adapter.settings import Settings
from adapter.settling.disputing import Answerer, Asker, Desk, answer_dispute, take_dispute
from adapter.store.audit import append
from adapter.store.disputes import find_dispute, list_disputes
from adapter.store.issued import Found
from adapter.store.joint import MeasureRow, measure_tasks
from adapter.trace import here
from adapter.web import searching
from adapter.web.access import Decision, SettlementReach, sends
from adapter.web.audited import AuditedRoute, noted, saw, why
from adapter.web.negotiation import read_request, respond, wanted

router = APIRouter(route_class=AuditedRoute)

_SAME = 304


@router.post("/fhir/{source}/$dispute", response_class=Response, dependencies=[sends("operation/dispute")])
async def dispute(source: str, request: Request) -> Response:
    """Take a municipality's question on one of its own lines: 201, or 200 where it is known already."""
    settings: Settings = request.app.state.settings
    if source not in settings.sources:
        raise UnknownSourceError(Problem("not-found", "no source of this name"))
    speaker = settings.sources[source]
    task = await _body(request, settings)
    asker = Asker(source, speaker.municipality, FhirVersion(speaker.fhir))
    async with request.app.state.database.transaction() as connection:
        taken = await take_dispute(connection, asker, task, datetime.now(UTC))
        await append(connection, [taken.entry])
    return _task(request, taken.task, 201 if taken.is_new else 200)


@router.get("/fhir/Task", response_class=Response)
@router.post("/fhir/Task/_search", response_class=Response)
async def tasks(request: Request, reach: SettlementReach) -> Response:
    """Disputes and measures as they stand, each oldest first; by what `fhir.search.SEARCHED` lists."""
    asked = await searching.asked(request, "Task")
    municipality = reach.municipality(asked.texts.get("municipality"))
    desk = Desk.of(request.app.state.settings)
    async with request.app.state.database.transaction() as connection:
        kept = await list_disputes(connection, municipality)
        measures = await measure_tasks(connection, municipality)
    fitting: list[tuple[Any, Found]] = []
    for number, one in enumerate(kept, 1):
        told = told_task(one.task, one.dispute, desk.fhir, one.answered_at)
        updated = one.answered_at or one.asked_at
        if fits(asked, told, updated):
            key = {"_id": told["id"], "_lastUpdated": updated}.get(asked.sort or "")
            fitting.append(((key,) if key else (), Found(number, told["id"], dumps(told))))
    for place, each in enumerate(measures, len(kept) + 1):
        if fits(asked, loads(each.resource), each.at):
            key = {"_id": each.id, "_lastUpdated": each.at}.get(asked.sort or "")
            fitting.append(((key,) if key else (), Found(place, each.id, each.resource)))
    page, more = searching.page_of(fitting, asked)
    saw(request, (f"Task/{one.name}" for one in page), municipality)
    return searching.searchset(request, asked, len(fitting), page, more=more)


@router.get("/fhir/Task/{name}", response_class=Response)
async def task(name: str, request: Request, reach: SettlementReach) -> Response:
    """One dispute as it stands; 304 where `If-None-Match` names that version (R4 http#cread)."""
    wanted(request)
    none_match = ", ".join(request.headers.getlist("if-none-match"))
    known = tags(none_match, "Task.meta.versionId") if none_match else Tags()
    desk = Desk.of(request.app.state.settings)
    async with request.app.state.database.transaction() as connection:
        found = await find_dispute(connection, name)
        measures = [] if found is not None else await measure_tasks(connection, reach.only, name)
    if measures:
        return _measure(request, measures[0], known)
    if found is None or reach.only not in {None, found.dispute.municipality}:
        raise NotFoundError(Problem("not-found", "no such dispute"))
    saw(request, (f"Task/{found.dispute.id}",), found.dispute.municipality)
    told = told_task(found.task, found.dispute, desk.fhir, found.answered_at)
    if known.match(told["meta"]["versionId"]):
        return respond(request, None, _SAME, _etag(told))
    return _task(request, told, 200)


def _measure(request: Request, one: MeasureRow, known: Tags) -> Response:
    """A measure of a joint follow-up as it stands."""
    saw(request, (f"Task/{one.id}",), one.municipality)
    told = loads(one.resource)
    if known.match(told["meta"]["versionId"]):
        return respond(request, None, _SAME, _etag(told))
    return _task(request, told, 200)


@router.put("/fhir/Task/{name}", response_class=Response)
async def answer(name: str, request: Request, reach: Decision) -> Response:
    """Answer a dispute: the Task with status `completed` or `rejected`, and `statusReason` in words.

    Of the Task that is sent nothing else is taken. `If-Match: W/"1"` demands that nobody answered before.
    """
    desk = Desk.of(request.app.state.settings, here())
    given = read_answer(await _body(request, request.app.state.settings), desk.fhir)
    if given.task != name:
        raise ResourceError(Problem("value", "the id is that of the address", "Task.id"))
    match = ", ".join(request.headers.getlist("if-match"))
    now, caller = datetime.now(UTC), reach.caller
    address = request.app.state.entrance.address(request.state.visit)
    by = Answerer(caller.kind.value, caller.name, why(caller), address)
    async with request.app.state.database.transaction() as connection:
        told = await answer_dispute(
            connection,
            desk,
            given,
            now,
            by=by,
            expected=tags(match, "Task.meta.versionId") if match else None,
        )
    noted(request)
    return _task(request, told, 200)


async def _body(request: Request, settings: Settings) -> Resource:
    limits = request.app.state.world.limits
    received = await read_request(request, limits)
    version = received.fhir or FhirVersion(settings.settlement_fhir)
    return read_document(received.body, received.media, version, limits)


def _task(request: Request, told: Resource, status: int) -> Response:
    version = FhirVersion(request.app.state.settings.settlement_fhir)
    return respond(request, dumps(told), status, _etag(told), version)


def _etag(told: Resource) -> dict[str, str]:
    return {"etag": f'W/"{told["meta"]["versionId"]}"'}
