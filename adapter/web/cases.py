"""Cases over HTTP, for the region's own staff: `/cases`, `/cases/{id}`, `/cases/{id}/timeline`.

Owns paging and shape. A case is the same JSON as the picture in its newest event.
"""

from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response

from adapter.errors import LosusError, Problem
from adapter.losus.facts import select
from adapter.losus.instants import instant_text
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
    lines = [
        {
            "signal": signal.kind.value,
            "at": instant_text(signal.at),
            "fields": signal.fields,
            "source": signal.source,
            "resource": signal.resource,
            "version": signal.version,
        }
        for signal in select(facts).live
    ]
    return Response(orjson.dumps({"case_id": case_id, "signals": lines}), media_type=_JSON)


def _missing() -> Response:
    given = refusal(NoCaseError(Problem("not-found", "no such case")))
    return Response(given.body, given.status, media_type="application/fhir+json")
