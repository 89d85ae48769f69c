"""Joint follow-ups over HTTP: `/follow-ups`, `/follow-ups/{id}`, and what both parties enter in them.

For the region's controllers, and for a municipality's controllers and system in the follow-ups of their own
municipality: each enters for its own party. Owns parameters, statuses and headers. Does not own what may be
entered (`adapter.settling.joint_follow_ups`) nor the shape of JSON (`adapter.settlement.joint_view`).

An entry made by PUT is known by the key in its address: sent again, it changes nothing.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from adapter.access.reach import Reach
from adapter.errors import MalformedError, Problem, ResourceError
from adapter.fhir.model import FhirVersion
from adapter.fhir.preconditions import Tags, tags
from adapter.losus.days import Month
from adapter.settlement.joint import State
from adapter.settlement.joint_entries import ENTERED, Entered, Party
from adapter.settlement.joint_view import summary, view
from adapter.settling.joint_follow_ups import (
    Condition,
    Office,
    Shown,
    Writer,
    enter,
    find_follow_up,
    head_of,
    open_by_hand,
    read_follow_ups,
)
from adapter.settling.joint_judging import refuse_head
from adapter.store import joint
from adapter.store.joint import Wanted
from adapter.trace import here
from adapter.web.access import Decision, StatementReach, Writing
from adapter.web.audited import AuditedRoute, noted, saw, why
from adapter.web.negotiation import read_body, respond

router = APIRouter(route_class=AuditedRoute)

_JSON = "application/json"
_SAME, _MADE, _DONE = 304, 201, 200
_KEY = r"^[A-Za-z0-9.\-]{1,64}$"


class Opening(BaseModel):
    """Which month is to be followed up together."""

    model_config = ConfigDict(extra="forbid")

    agreement: str
    municipality: str
    care_form: str
    month: str


@router.get("/follow-ups", response_class=Response)
async def list_follow_ups(  # noqa: PLR0913, PLR0917 - one for each parameter of the search
    request: Request,
    reach: StatementReach,
    municipality: str | None = None,
    agreement: str | None = None,
    care_form: str | None = None,
    month: str | None = None,
    state: State | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List follow-ups, newest month first, a page at a time: `{"follow_ups": […], "next": url or null}`.

    `state` leaves out others of the page: `next` leads on while there are more to look at.
    """
    asked = None if month is None else _month(month)
    town = reach.municipality(municipality)
    wanted = Wanted(town, agreement, care_form, asked, after=after, limit=limit)
    async with request.app.state.database.transaction() as connection:
        heads = await joint.find_heads(connection, wanted)
        found = await read_follow_ups(connection, heads)
    shown = [one for one in found if state in {None, one.follow_up.state}]
    saw(request, (f"follow-up/{one.follow_up.head.id}" for one in shown), town)
    more = None
    if len(heads) == limit:
        rest = {name: value for name, value in request.query_params.items() if name != "after"}
        more = "/follow-ups?" + urlencode({**rest, "after": heads[-1].id})
    listed = [summary(one.follow_up, one.version) for one in shown]
    return Response(orjson.dumps({"follow_ups": listed, "next": more}), media_type=_JSON)


@router.get("/follow-ups/{name}", response_class=Response)
async def one_follow_up(name: str, request: Request, reach: StatementReach) -> Response:
    """Return a follow-up as JSON, or its Bundle as published where `Accept` asks for FHIR."""
    none_match = ", ".join(request.headers.getlist("if-none-match"))
    async with request.app.state.database.transaction() as connection:
        shown = await find_follow_up(connection, name, reach.only)
        bundle = await joint.newest_bundle(connection, name)
    saw(request, (f"follow-up/{name}",), shown.follow_up.head.municipality)
    known = tags(none_match, "If-None-Match") if none_match else Tags()
    if known.match(str(shown.version)):
        return respond(request, None, _SAME, _etag(shown))
    if "fhir" in request.headers.get("accept", "") or "fhir" in request.query_params.get("_format", ""):
        version = FhirVersion(request.app.state.settings.settlement_fhir)
        return respond(request, bundle, headers=_etag(shown), version=version)
    return _json(shown, reach, _DONE)


@router.post("/follow-ups", response_class=Response)
async def open_follow_up(request: Request, reach: Decision) -> Response:
    """Open a month's follow-up by hand, for the region: 201, or 200 where it is open already.

    Its figures and missed limits come with the next run of settlement.
    """
    asked = _read(await _body(request), Opening)
    head = head_of(asked.agreement, asked.municipality, asked.care_form, _month(asked.month))
    now = datetime.now(UTC)
    refuse_head(request.app.state.agreed(), head, now)
    async with request.app.state.database.transaction() as connection:
        shown = await open_by_hand(connection, _office(request), head, None, _writer(request, reach), now)
    noted(request)
    return _json(shown, reach, _MADE if shown.fresh else _DONE)


@router.post("/follow-ups/{name}/entries", response_class=Response)
async def add_entry(name: str, request: Request, reach: Writing) -> Response:
    """Enter something for the caller's party: 201 with the follow-up. `If-Match` demands a version."""
    return await _enter(name, None, request, reach)


@router.put("/follow-ups/{name}/entries/{key}", response_class=Response)
async def put_entry(
    name: str, key: Annotated[str, Path(pattern=_KEY)], request: Request, reach: Writing
) -> Response:
    """Enter something once, by a key of the caller's own: 201, or 200 where it is there; 409 for another."""
    return await _enter(name, key, request, reach)


async def _enter(name: str, key: str | None, request: Request, reach: Reach) -> Response:
    content: Entered = _entered(await _body(request))
    match = ", ".join(request.headers.getlist("if-match"))
    condition = Condition(key, tags(match, "If-Match") if match else None)
    async with request.app.state.database.transaction() as connection:
        shown = await enter(
            connection,
            _office(request),
            name,
            content,
            _writer(request, reach),
            datetime.now(UTC),
            condition=condition,
        )
    noted(request)
    return _json(shown, reach, _MADE if shown.fresh else _DONE)


async def _body(request: Request) -> Any:  # noqa: ANN401 - JSON
    body = await read_body(request, request.app.state.world.limits.max_bytes)
    try:
        return orjson.loads(body)
    except ValueError:
        raise MalformedError(Problem("structure", "the body is JSON in UTF-8")) from None


def _read(body: Any, model: type[Opening]) -> Opening:  # noqa: ANN401 - JSON
    try:
        return model.model_validate(body)
    except ValidationError as fault:
        raise ResourceError(*_problems(fault)) from None


def _entered(body: Any) -> Entered:  # noqa: ANN401 - JSON
    try:
        return ENTERED.validate_python(body)
    except ValidationError as fault:
        raise ResourceError(*_problems(fault)) from None


def _problems(fault: ValidationError) -> list[Problem]:
    """Return the faults of a body by place and rule, and no value nor name that it brought itself."""
    return [_problem(one["type"], tuple(one["loc"]), str(one["msg"])) for one in fault.errors()]


def _problem(kind: str, loc: tuple[Any, ...], message: str) -> Problem:
    if kind.startswith("union_tag"):
        kinds = "meeting, finding, deviation, measure, outcome or withdrawal"
        return Problem("code-invalid", f"the kind is {kinds}", "kind")
    if kind == "extra_forbidden":
        return Problem("structure", "a field that there is not", ".".join(map(str, loc[:-1])) or "entry")
    code = "required" if kind == "missing" else "value"
    return Problem(code, message, ".".join(str(part) for part in loc) or "entry")


def _office(request: Request) -> Office:
    office: Office = request.app.state.office()
    return Office(office.payloads, office.edition, here())


def _writer(request: Request, reach: Reach) -> Writer:
    caller = reach.caller
    party = Party.REGION if reach.only is None else Party.MUNICIPALITY
    address = request.app.state.entrance.address(request.state.visit)
    return Writer(party, caller.kind.value, caller.name, why(caller), reach.only, address)


def _json(shown: Shown, reach: Reach, status: int) -> Response:
    body = orjson.dumps(view(shown.follow_up, shown.version, reach.only))
    return Response(body, status, {**_etag(shown), "vary": "Accept"}, _JSON)


def _etag(shown: Shown) -> dict[str, str]:
    return {"etag": f'W/"{shown.version}"'}


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise MalformedError(Problem("value", "a month is written YYYY-MM", "month")) from None
