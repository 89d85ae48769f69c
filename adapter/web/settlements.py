"""Settlement over HTTP: `/settlements/{agreement}/{municipality}/{YYYY-MM}`, and its resources to search.

Owns the addresses; what is told is what was stored when it was issued, byte for byte in JSON. Does not own
the parameters of a search (`adapter.fhir.search`) nor its answer (`searching`). Nothing here is on a
person: stays are known by their pseudonyms (`adapter.fhir.charge`).
Source: FHIR R4, RESTful API, read and search.
"""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from adapter.errors import LosusError, MalformedError, Problem
from adapter.fhir.adjustment import adjustment_json
from adapter.fhir.capability import ISSUED, SHARED
from adapter.fhir.model import FhirVersion
from adapter.losus.days import Month
from adapter.settlement.claim import documents_json
from adapter.settlement.render import dumps, statement_json
from adapter.store.issued import find_resources, read_resource
from adapter.store.statements import Kept, find_statements
from adapter.web import searching, statement_forms
from adapter.web.access import SettlementReach, StatementReach
from adapter.web.audited import AuditedRoute, saw
from adapter.web.media import FHIR_JSON
from adapter.web.negotiation import respond, wanted
from adapter.web.statement_forms import Form

router = APIRouter(route_class=AuditedRoute)

#: What can be searched for; the other resources of a Bundle can be read by id.
SEARCHED = ("MeasureReport", "Invoice", "ChargeItem")
READ = (*ISSUED, *SHARED)


class NoStatementError(LosusError):
    """Nothing was issued of that name."""

    status = 404


@router.get("/settlements/{agreement}/{municipality}/{month}", response_class=Response)
async def one_month(  # noqa: PLR0913, PLR0917 - one parameter a parameter of the request
    agreement: str,
    municipality: str,
    month: str,
    request: Request,
    reach: StatementReach,
    care_form: str | None = None,
    format: Form | None = None,  # noqa: A002 - the name of the parameter
    number: str | None = None,
) -> Response:
    """What was issued for a month: a FHIR Bundle, or JSON where `Accept` asks for `application/json`.

    There is a statement for each care form; `care_form` asks for one, else they are told together.
    `Accept: …; fhirVersion=5.0` gives R5. `format=peppol` gives the invoice or credit note as Peppol BIS
    Billing 3 (UBL XML); `number` says which where there are several.
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
        if format is not None:
            return statement_forms.peppol(request, found, number)
        if not _wants_json(request.headers.get("accept", "")):
            return await statement_forms.fhir(request, connection, found)
    body = {"agreement": agreement, "municipality": municipality, "month": str(asked)}
    return _json({**body, "statements": [_statement(one) for one in found]})


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
        "documents": documents_json(issued),
        "held": list(one.held),
    }


async def search(request: Request, reach: SettlementReach) -> Response:
    """Search by what `fhir.search.SEARCHED` lists; a municipality's reader finds its own alone."""
    kind = _kind(request)
    asked = await searching.asked(request, kind)
    municipality = reach.municipality(asked.texts.get("municipality"))
    texts = {**asked.texts, **({} if municipality is None else {"municipality": municipality})}
    async with request.app.state.database.transaction() as connection:
        page = await find_resources(connection, replace(asked, texts=texts))
    saw(request, (f"{kind}/{one.name}" for one in page.found), municipality)
    return searching.searchset(request, asked, page.total, page.found, more=page.more)


async def read(name: str, request: Request, reach: SettlementReach) -> Response:
    """One resource as it was stored."""
    wanted(request)
    kind = _kind(request)
    only = None if kind in SHARED else reach.only
    async with request.app.state.database.transaction() as connection:
        found = await read_resource(connection, kind, name, only)
    saw(request, () if found is None else (f"{kind}/{name}",))
    if found is None:
        raise NoStatementError(Problem("not-found", "no such resource"))
    return respond(request, found, version=FhirVersion(request.app.state.settings.settlement_fhir))


def _kind(request: Request) -> str:
    """The type of resource that the address names."""
    return request.url.path.split("/")[2]


def _register() -> None:
    """Let every resource of a Bundle be read under the address by which the Bundle names it, and searched."""
    for kind in SEARCHED:
        router.add_api_route(f"/fhir/{kind}", search, methods=["GET"], response_class=Response)
        router.add_api_route(f"/fhir/{kind}/_search", search, methods=["POST"], response_class=Response)
    for kind in READ:
        router.add_api_route(f"/fhir/{kind}/{{name}}", read, methods=["GET"], response_class=Response)


def _json(value: dict[str, Any]) -> Response:
    return Response(dumps(value), media_type="application/json")


_register()
