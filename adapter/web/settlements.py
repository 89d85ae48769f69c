"""Settlement over HTTP: `/settlements/{agreement}/{municipality}/{YYYY-MM}`, and its resources to search.

Owns paging, parameters and shape; what is told is what was stored when it was issued, byte for byte.
Nothing here is on a person: stays are known by their pseudonyms (`adapter.fhir.charge`).
Source: FHIR R4, RESTful API, search («searchset», `total`, links `self` and `next`).
"""

import re
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response

from adapter.errors import LosusError, MalformedError, Problem
from adapter.fhir import decimals
from adapter.fhir.elements import instant, uuid_of
from adapter.losus.days import Month
from adapter.settlement.difference import adjustment_json
from adapter.settlement.render import dumps, statement_json
from adapter.store.statements import Kept, ResourceFilter, find_resources, find_statements
from adapter.web.access import SettlementReach, StatementReach
from adapter.web.audited import AuditedRoute, saw
from adapter.web.media import FHIR_JSON

router = APIRouter(route_class=AuditedRoute)

#: What can be searched for; the other resources of a Bundle can be read by id.
SEARCHED = ("MeasureReport", "Invoice", "ChargeItem")
#: What is the same for all municipalities: rules, prices, organisations.
SHARED = ("Measure", "ChargeItemDefinition", "Organization")
READ = (*SEARCHED, *SHARED, "Group", "Provenance")

#: The largest number that a row can have (PostgreSQL: bigint).
_LAST = 2**63 - 1
_PERIOD = re.compile(r"(eq|ge|le|gt|lt)?([12][0-9]{3})(?:-(0[1-9]|1[0-2]))?", re.ASCII)
_PARAMETERS = frozenset(("municipality", "period", "agreement", "_id", "_count", "_after", "_format"))
_OF_REPORTS = _PARAMETERS | {"measure"}


class NoStatementError(LosusError):
    """Nothing was issued of that name."""

    status = 404


@router.get("/settlements/{agreement}/{municipality}/{month}", response_class=Response)
async def one_month(
    agreement: str,
    municipality: str,
    month: str,
    request: Request,
    reach: StatementReach,
    care_form: str | None = None,
) -> Response:
    """What was issued for a month: a FHIR Bundle, or JSON where `Accept` asks for `application/json`.

    There is a statement for each care form; `care_form` asks for one, else they are told together.
    """
    try:
        asked = Month.parse(month)
    except ValueError:
        raise MalformedError(Problem("value", "a month is written YYYY-MM")) from None
    async with request.app.state.database.transaction() as connection:
        found = await find_statements(connection, agreement, reach.within(municipality), asked)
    found = [one for one in found if care_form in {None, one.issued.statement.care_form}]
    saw(request, (f"statement/{one.issued.id}" for one in found), municipality)
    if not found:
        raise NoStatementError(Problem("not-found", "no statement was issued of that name"))
    if _wants_json(request.headers.get("accept", "")):
        body = {"agreement": agreement, "municipality": municipality, "month": str(asked)}
        return _json({**body, "statements": [_statement(one) for one in found]})
    return Response(found[0].bundle if len(found) == 1 else _together(found), media_type=FHIR_JSON)


def _wants_json(accept: str) -> bool:
    """Whether plain JSON is preferred over FHIR: it is named, and before FHIR where that is named too."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    plain = kinds.index("application/json") if "application/json" in kinds else None
    fhir = kinds.index(FHIR_JSON) if FHIR_JSON in kinds else None
    return plain is not None and (fhir is None or plain < fhir)


def _statement(one: Kept) -> dict[str, Any]:
    issued = one.issued
    return {
        **statement_json(issued.statement),
        "id": issued.id,
        "issued_at": issued.issued_at.isoformat(),
        "early": one.early,
        "to_invoice": issued.due,
        "adjustments": [adjustment_json(each) for each in issued.adjustments],
        "held": list(one.held),
    }


def _together(found: list[Kept]) -> bytes:
    """Give the Bundles of several care forms as one; what they share stands once."""
    entries: dict[str, Any] = {}
    for one in found:
        for entry in decimals.loads(one.bundle)["entry"]:
            entries.setdefault(entry["fullUrl"], entry)
    made = {
        "resourceType": "Bundle",
        "id": uuid_of("Bundle", "care forms", *(one.issued.id for one in found)),
        "type": "collection",
        "timestamp": instant(max(one.issued.issued_at for one in found)),
        "entry": list(entries.values()),
    }
    return decimals.dumps(made)


@router.get("/fhir/MeasureReport", response_class=Response)
@router.get("/fhir/Invoice", response_class=Response)
@router.get("/fhir/ChargeItem", response_class=Response)
async def search(
    request: Request,
    reach: SettlementReach,
    count: Annotated[int, Query(alias="_count", ge=0, le=1000)] = 100,
    after: Annotated[int, Query(alias="_after", ge=0, le=_LAST)] = 0,
) -> Response:
    """Search by `municipality`, `period` (YYYY or YYYY-MM, with a prefix if wished), `agreement`, `_id`.

    A MeasureReport by `measure` too, with or without its version: the monthly follow-up has one of its own,
    and no agreement. A parameter that is not known is refused: to pass over a filter would show what was
    not asked for.
    """
    kind = request.url.path.rpartition("/")[2]
    if set(request.query_params) - (_OF_REPORTS if kind == "MeasureReport" else _PARAMETERS):
        rule = "searched by municipality, period, agreement, _id, a MeasureReport by measure; paged by _count"
        raise MalformedError(Problem("not-supported", rule))
    given = request.query_params
    first, last = _months(given.getlist("period"))
    wanted = ResourceFilter(
        kind,
        municipality=reach.municipality(given.get("municipality")),
        agreement=given.get("agreement"),
        first=first,
        last=last,
        id=given.get("_id"),
        after=after,
        limit=count,
        measure=given.get("measure"),
    )
    async with request.app.state.database.transaction() as connection:
        total, found = await find_resources(connection, wanted)
        more = bool(found) and bool((await find_resources(connection, _next(wanted, found[-1][0])))[1])
    saw(request, (f"{kind}/{name}" for _, name, _ in found), wanted.municipality)
    return Response(_searchset(request, kind, total, found, more=more), media_type=FHIR_JSON)


def _next(wanted: ResourceFilter, after: int) -> ResourceFilter:
    return replace(wanted, after=after, limit=1)


def _searchset(
    request: Request, kind: str, total: int, found: list[tuple[int, str, bytes]], *, more: bool
) -> bytes:
    base = f"{request.app.state.settings.base_url}/fhir/{kind}"
    asked = list(request.query_params.multi_items())
    links = [{"relation": "self", "url": f"{base}?{urlencode(asked)}"}]
    if more:
        rest = [(name, value) for name, value in asked if name != "_after"]
        links.append(
            {"relation": "next", "url": f"{base}?{urlencode([*rest, ('_after', str(found[-1][0]))])}"}
        )
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    if found:
        made["entry"] = [
            {"fullUrl": f"{base}/{name}", "resource": orjson.Fragment(told), "search": {"mode": "match"}}
            for _, name, told in found
        ]
    return orjson.dumps(made)


def _months(given: list[str]) -> tuple[str | None, str | None]:
    """Give the first and the last month that all of the periods leave, both included; None: no bound."""
    first: Month | None = None
    last: Month | None = None
    for text in given:
        match = _PERIOD.fullmatch(text)
        if match is None:
            raise MalformedError(Problem("value", "period is YYYY or YYYY-MM, with eq, ge, gt, le or lt"))
        prefix, year, month = match.groups()
        begin, end = (Month(int(year), int(month or some)) for some in (1, 12))
        bounds = {
            "ge": (begin, None),
            "gt": (end.plus(1), None),
            "le": (None, end),
            "lt": (None, begin.plus(-1)),
        }
        low, high = bounds.get(prefix, (begin, end))
        first = max(filter(None, (first, low)), default=None)
        last = min(filter(None, (last, high)), default=None)
    return (None if first is None else str(first)), (None if last is None else str(last))


def _register_reads() -> None:
    """Let every resource of a Bundle be read under the address by which the Bundle names it."""
    for kind in READ:
        router.add_api_route(f"/fhir/{kind}/{{name}}", read, methods=["GET"], response_class=Response)


async def read(name: str, request: Request, reach: SettlementReach) -> Response:
    """One resource as it was stored."""
    kind = request.url.path.split("/")[-2]
    wanted = ResourceFilter(kind, None if kind in SHARED else reach.only, id=name)
    async with request.app.state.database.transaction() as connection:
        _, found = await find_resources(connection, wanted)
    saw(request, (f"{kind}/{name}" for _, name, _ in found))
    if not found:
        raise NoStatementError(Problem("not-found", "no such resource"))
    return Response(found[0][2], media_type=FHIR_JSON)


def _json(value: dict[str, Any]) -> Response:
    return Response(dumps(value), media_type="application/json")


_register_reads()
