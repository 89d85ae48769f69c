"""Cases over HTTP: `/cases`, `/cases/{id}`, `/cases/{id}/timeline`, `/cases/{id}/deliveries`.

For the region's own staff; a municipality's controller or system sees its own cases, as it is sent them.
Owns paging and shape. A case is the same JSON as the picture in its newest event.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response

from adapter.access.caller import NotAllowedError, Reason
from adapter.access.reach import Reach
from adapter.errors import NotFoundError, Problem
from adapter.losus.facts import LiveSignal, by_time, corrected, live_of, select
from adapter.losus.instants import instant_text
from adapter.losus.person import protects
from adapter.losus.picture import CasePicture, Payload, withhold
from adapter.losus.signal import Fact
from adapter.losus.terms import SignalKind
from adapter.settings import Settings
from adapter.store.audit import Selection
from adapter.store.cases import CaseFilter, case_facts, find_cases, messages_of, traces_of
from adapter.store.intake import fact_key
from adapter.store.told import Delivered, read_deliveries
from adapter.trace import read_traceparent
from adapter.web.access import CaseReach
from adapter.web.audited import AuditedRoute, saw

router = APIRouter(route_class=AuditedRoute)

_JSON = "application/json"


@router.get("/cases", response_class=Response)
async def list_cases(  # noqa: PLR0913, PLR0917 - one for each parameter of the search
    request: Request,
    reach: CaseReach,
    source: str | None = None,
    key: str | None = None,
    municipality: str | None = None,
    state: str | None = None,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """The cases that fit, a page at a time: `{"cases": […], "next": url or null}`."""
    wanted = CaseFilter(source, key, reach.municipality(municipality), state, after, limit)
    async with request.app.state.database.transaction() as connection:
        found = await find_cases(connection, wanted)
    saw(request, (f"case/{name}" for name, _ in found), wanted.municipality)
    more = None
    if len(found) == limit:
        asked = {name: value for name, value in request.query_params.items() if name != "after"}
        more = "/cases?" + urlencode({**asked, "after": found[-1][0]})
    payload = _payload(request, reach)
    shown = [orjson.Fragment(_as_sent(picture, payload)) for _, picture in found]
    return Response(orjson.dumps({"cases": shown, "next": more}), media_type=_JSON)


@router.get("/cases/{case_id}", response_class=Response)
async def one_case(case_id: str, request: Request, reach: CaseReach) -> Response:
    """The case as its newest event has it; 404 where there is none."""
    picture = await _find(request, reach, case_id)
    if picture is None:  # nothing yet that establishes a state
        raise NotFoundError(Problem("not-found", "no such case"))
    return Response(_as_sent(picture, _payload(request, reach)), media_type=_JSON)


@router.get("/cases/{case_id}/timeline", response_class=Response)
async def timeline(case_id: str, request: Request, reach: CaseReach) -> Response:
    """What is said of the case, by effective time: resource and version, message, and when that came.

    Of the person all is listed that holds at some time, though the case may rest on but one statement of it.
    `trace_id` is that of the message, by which its log lines are found; null where it came without.
    `corrected` is what was said and does not hold any more, as it was, and by which version and message it
    was corrected, and when (PDL 3:14).
    """
    await _find(request, reach, case_id)
    if _payload(request, reach) != "full":
        raise NotAllowedError(Reason.ROLE)  # more than the four fields of LUS 2:2 and the state
    async with request.app.state.database.transaction() as connection:
        facts = await case_facts(connection, case_id) or []
        came = await messages_of(connection, facts)
        traces = await traces_of(connection, case_id)
    chosen = select(facts)
    protected = protects(chosen.people)
    stated = [live_of(statement) for record in chosen.people for statement in record.holding()]
    holding = by_time([*(one for one in stated if one not in chosen.live), *chosen.live])
    said = {(fact.source, fact.resource, fact.version): fact for fact in reversed(facts)}
    lines = [
        {
            **_line(signal, traces, protected=protected),
            **_came(said[signal.source, signal.resource, signal.version], came),
        }
        for signal in holding
    ]
    before = [
        {
            **_line(one.was, traces, protected=protected),
            **_came(one.said, came),
            "taken_back": one.by.void,
            "by": {"version": one.by.version, **_came(one.by, came)},
        }
        for one in corrected(chosen)
    ]
    told = {"case_id": case_id, "signals": lines, "corrected": before}
    return Response(orjson.dumps(told), media_type=_JSON)


def _came(fact: Fact, came: Mapping[tuple[str, str, str], tuple[int, datetime]]) -> dict[str, Any]:
    """When a version came, and in which message."""
    message, at = came[fact_key(fact)]
    return {"message": message, "received_at": instant_text(at)}


@router.get("/cases/{case_id}/deliveries", response_class=Response)
async def deliveries(case_id: str, request: Request, reach: CaseReach) -> Response:
    """What was delivered of the case, to whom, when and why (PDL 3:11); a municipality sees what it got."""
    await _find(request, reach, case_id)
    wanted = Selection(what=f"case/{case_id}", who=reach.only)
    async with request.app.state.database.transaction() as connection:
        found = [_delivery(one, reach) async for one in read_deliveries(connection, wanted)]
    return Response(orjson.dumps({"case_id": case_id, "deliveries": found}), media_type=_JSON)


def _delivery(one: Delivered, reach: Reach) -> dict[str, Any]:
    """One delivery; `at` null where it was not recorded; who asked for it is for the region alone."""
    asked = one.asked if reach.only is None else None
    return {
        "municipality": one.municipality,
        "revision": one.revision,
        "type": one.type,
        "ce_id": one.ce_id,
        "at": None if one.at is None else instant_text(one.at),
        "payload": one.form,
        "ground": one.ground,
        "partition": one.partition,
        "offset": one.offset,
        "asked": None if asked is None else {"who": asked.who, "why": asked.why},
    }


def _line(
    signal: LiveSignal, traces: Mapping[tuple[str, str, str], str], *, protected: bool
) -> dict[str, Any]:
    """One signal; who the person is stands in the case alone, and of a protected one nothing but times."""
    came = read_traceparent(traces.get((signal.source, signal.resource, signal.version)))
    is_person = signal.kind is SignalKind.PATIENT
    return {
        "signal": signal.kind.value,
        "at": instant_text(signal.at),
        "fields": {} if is_person or protected else signal.fields,
        "source": signal.source,
        "resource": None if is_person and protected else signal.resource,
        "version": signal.version,
        "trace_id": came.trace_id if came else None,
    }


async def _find(request: Request, reach: Reach, case_id: str) -> bytes | None:
    """The picture of a case; NotFoundError where there is no such case, or it is another municipality's."""
    async with request.app.state.database.transaction() as connection:
        row = await connection.fetchrow("select picture, municipality from cases where id = $1", case_id)
    if row is None:
        saw(request, ("case/unknown",))  # what was asked for may be anything
        raise NotFoundError(Problem("not-found", "no such case"))
    saw(request, (f"case/{case_id}",), row["municipality"])
    if reach.municipality(row["municipality"]) != row["municipality"]:
        raise NotFoundError(Problem("not-found", "no such case"))
    picture: bytes | None = row["picture"]
    return picture


def _payload(request: Request, reach: Reach) -> Payload:
    """How much of a case the caller is shown: a municipality no more than it is sent."""
    settings: Settings = request.app.state.settings
    if reach.only is None:
        return "full"
    subscriber = settings.municipalities.get(reach.only)
    return "statutory" if subscriber is None else subscriber.payload


def _as_sent(picture: bytes, payload: Payload) -> bytes:
    if payload == "full":
        return picture
    whole = CasePicture.model_validate_json(picture)
    return withhold(whole, payload).model_dump_json().encode()
