"""Cases over HTTP, for the region's own staff: `/cases`, `/cases/{id}`, `/cases/{id}/timeline`.

Owns paging and shape. A case is the same JSON as the picture in its newest event.
"""

from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response

from adapter.errors import LosusError, Problem
from adapter.losus.facts import LiveSignal, select
from adapter.losus.instants import instant_text
from adapter.losus.terms import SignalKind
from adapter.store.cases import CaseFilter, case_facts, find_cases
from adapter.web.fhir import refusal

router = APIRouter()

_JSON = "application/json"


class NoCaseError(LosusError):
    """No case of that id."""

    status = 404


@router.get("/cases", response_class=Response)
async def list_cases(
    request: Request,
    source: str | None = None,
    key: str | None = None,
    municipality: str | None = None,
    state: str | None = None,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """The cases that fit, a page at a time: `{"cases": […], "next": url or null}`."""
    wanted = CaseFilter(source, key, municipality, state, after, limit)
    async with request.app.state.database.transaction() as connection:
        found = await find_cases(connection, wanted)
    more = None
    if len(found) == limit:
        asked = {name: value for name, value in request.query_params.items() if name != "after"}
        more = "/cases?" + urlencode({**asked, "after": found[-1][0]})
    body = {"cases": [orjson.Fragment(picture) for _, picture in found], "next": more}
    return Response(orjson.dumps(body), media_type=_JSON)


@router.get("/cases/{case_id}", response_class=Response)
async def one_case(case_id: str, request: Request) -> Response:
    """The case as its newest event has it; 404 where there is none."""
    async with request.app.state.database.transaction() as connection:
        picture = await connection.fetchval("select picture from cases where id = $1", case_id)
    return Response(picture, media_type=_JSON) if picture else _missing()


@router.get("/cases/{case_id}/timeline", response_class=Response)
async def timeline(case_id: str, request: Request) -> Response:
    """What was said of the case, by effective time, with the resource and version that said it."""
    async with request.app.state.database.transaction() as connection:
        facts = await case_facts(connection, case_id)
    if facts is None:
        return _missing()
    live = select(facts).live
    protected = any(signal.fields.get("protected") for signal in live)
    lines = [_line(signal, protected=protected) for signal in live]
    return Response(orjson.dumps({"case_id": case_id, "signals": lines}), media_type=_JSON)


def _line(signal: LiveSignal, *, protected: bool) -> dict[str, Any]:
    """One signal; who the person is stands in the case alone, and of a protected one nothing but times."""
    is_person = signal.kind is SignalKind.PATIENT
    return {
        "signal": signal.kind.value,
        "at": instant_text(signal.at),
        "fields": {} if is_person or protected else signal.fields,
        "source": signal.source,
        "resource": None if is_person and protected else signal.resource,
        "version": signal.version,
    }


def _missing() -> Response:
    given = refusal(NoCaseError(Problem("not-found", "no such case")))
    return Response(given.body, given.status, media_type="application/fhir+json")
