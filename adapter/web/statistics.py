"""Public statistics over HTTP: `/statistics`, `/statistics/{agreement}/{YYYY-MM}`, for anybody.

Owns the two addresses that anybody may read without showing who it is. What they give was made for the public
when the month was issued (`adapter.settling.publishing`) and is only copied here: no other row is read.
"""

import orjson
from fastapi import APIRouter, Request, Response

from adapter.errors import MalformedError, NotFoundError, Problem
from adapter.losus.days import Month
from adapter.store.statistics import find_statistic, list_statistics
from adapter.web.media import FHIR_JSON

router = APIRouter()

#: It is never changed; a day is for the case that an address begins to be told.
_CACHED = {"cache-control": "public, max-age=86400"}


@router.get("/statistics", response_class=Response)
async def statistics(request: Request) -> Response:
    """What there is: `{"statistics": [{"agreement", "month", "url"}]}`, in order."""
    base = request.app.state.settings.base_url
    async with request.app.state.database.transaction() as connection:
        found = await list_statistics(connection)
    told = [
        {"agreement": agreement, "month": str(month), "url": f"{base}/statistics/{agreement}/{month}"}
        for agreement, month in found
    ]
    return Response(orjson.dumps({"statistics": told}), media_type="application/json")


@router.get("/statistics/{agreement}/{month}", response_class=Response)
async def one_month(agreement: str, month: str, request: Request) -> Response:
    """The month of all municipalities of an agreement: a FHIR Bundle, counts under five withheld."""
    try:
        asked = Month.parse(month)
    except ValueError:
        raise MalformedError(Problem("value", "a month is written YYYY-MM")) from None
    async with request.app.state.database.transaction() as connection:
        found = await find_statistic(connection, agreement, asked)
    if found is None:
        raise NotFoundError(Problem("not-found", "nothing is told of that month yet"))
    return Response(found, headers=_CACHED, media_type=FHIR_JSON)
