"""Disputes over HTTP: `POST /fhir/{source}/$dispute` of a municipality; `/fhir/Task` for the region's staff.

Owns parameters, statuses and headers. Does not own who may ask about what, nor what an answer does
(`adapter.settling.disputing`).
Source: FHIR R4, RESTful API, update; Task.status, «completed», «rejected».
"""

from datetime import UTC, datetime

import orjson
from fastapi import APIRouter, Request, Response

from adapter.errors import MalformedError, NotFoundError, Problem, ResourceError, UnknownSourceError
from adapter.fhir.decimals import dumps
from adapter.fhir.dispute import read_answer, told_task
from adapter.fhir.document import read_document
from adapter.fhir.elements import Resource
from adapter.fhir.model import FhirVersion
from adapter.settings import Settings
from adapter.settling.disputing import Answerer, Asker, Desk, answer_dispute, take_dispute
from adapter.store.audit import append
from adapter.store.disputes import find_dispute, list_disputes
from adapter.trace import here
from adapter.web.access import Decision, SettlementReach, sends
from adapter.web.audited import AuditedRoute, noted, saw, why
from adapter.web.media import FHIR_JSON
from adapter.web.negotiation import read_request

router = APIRouter(route_class=AuditedRoute)


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
    return _task(taken.task, 201 if taken.is_new else 200)


@router.get("/fhir/Task", response_class=Response)
async def tasks(
    request: Request, reach: SettlementReach, municipality: str | None = None, status: str | None = None
) -> Response:
    """All disputes, as they stand: oldest first; of one municipality, of one status."""
    if set(request.query_params) - {"municipality", "status", "_format"}:
        raise MalformedError(Problem("not-supported", "searched by municipality and status"))
    desk = Desk.of(request.app.state.settings)
    async with request.app.state.database.transaction() as connection:
        kept = await list_disputes(connection, reach.municipality(municipality))
    found = [
        told_task(one.task, one.dispute, desk.fhir, one.answered_at)
        for one in kept
        if status in {None, one.dispute.status}
    ]
    saw(request, (f"Task/{task['id']}" for task in found), municipality)
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    entries = [
        {"fullUrl": f"{desk.base}/Task/{task['id']}", "resource": task, "search": {"mode": "match"}}
        for task in found
    ]
    return Response(orjson.dumps({**bundle, **({"entry": entries} if entries else {})}), media_type=FHIR_JSON)


@router.get("/fhir/Task/{name}", response_class=Response)
async def task(name: str, request: Request, reach: SettlementReach) -> Response:
    """One dispute as it stands."""
    desk = Desk.of(request.app.state.settings)
    async with request.app.state.database.transaction() as connection:
        found = await find_dispute(connection, name)
    if found is None or reach.only not in {None, found.dispute.municipality}:
        raise NotFoundError(Problem("not-found", "no such dispute"))
    saw(request, (f"Task/{found.dispute.id}",), found.dispute.municipality)
    return _task(told_task(found.task, found.dispute, desk.fhir, found.answered_at), 200)


@router.put("/fhir/Task/{name}", response_class=Response)
async def answer(name: str, request: Request, reach: Decision) -> Response:
    """Answer a dispute: the Task with status `completed` or `rejected`, and `statusReason` in words.

    Of the Task that is sent nothing else is taken. `If-Match: W/"1"` demands that nobody answered before.
    """
    desk = Desk.of(request.app.state.settings, here())
    given = read_answer(await _body(request, request.app.state.settings), desk.fhir)
    if given.task != name:
        raise ResourceError(Problem("value", "the id is that of the address", "Task.id"))
    expected = request.headers.get("if-match")
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
            expected=None if expected is None else expected.removeprefix("W/").strip('"'),
        )
    noted(request)
    return _task(told, 200)


async def _body(request: Request, settings: Settings) -> Resource:
    limits = request.app.state.world.limits
    received = await read_request(request, limits)
    version = received.fhir or FhirVersion(settings.settlement_fhir)
    return read_document(received.body, received.media, version, limits)


def _task(told: Resource, status: int) -> Response:
    headers = {"etag": f'W/"{told["meta"]["versionId"]}"'}
    return Response(dumps(told), status, headers=headers, media_type=FHIR_JSON)
