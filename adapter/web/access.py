"""The doors' keeper over HTTP: who knocks, and what the door asks of it.

Owns the dependencies that routes name, the headers that are read for them, and the answers 401, 403, 429.
Does not own who a caller is nor what it may do (`adapter.access`), nor the audit of what is read (`audited`).

    @router.post("/fhir/{source}/$process-message", dependencies=[sends("operation/process-message")])
    @router.put("/fhir/{source}/{kind}/{name}", dependencies=[sends("system/{kind}.u")])
    async def list_cases(request: Request, reach: CaseReach) -> …:   # on APIRouter(route_class=AuditedRoute)

A route that names none of them and is not in `OPEN` lets the service not start (`install`).
Sources: RFC 6750 3 (`WWW-Authenticate`), RFC 6585 4 (429).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from starlette.datastructures import Headers

from adapter.access import reach as reaching
from adapter.access.caller import Caller as Known
from adapter.access.caller import Kind, NotAllowedError, Reason
from adapter.access.doorkeeper import Knock
from adapter.access.entrance import Entrance, Visit
from adapter.access.ledger import Ledger
from adapter.access.reach import Reach, Shelf
from adapter.errors import LosusError, Problem, SetupError, UnauthorizedError
from adapter.settings import Settings
from adapter.web.negotiation import refuse

#: What anybody may ask for: liveness, metrics, and what a client must know before it can show who it is.
#: An address with a slash at its end stands for all below it.
OPEN = (
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/fhir/metadata",
    "/fhir/{source}/metadata",
    "/.well-known/",
    "/asyncapi.json",
    "/asyncapi.yaml",
    "/schemas",
    "/schemas/",
    "/statistics",
    "/statistics/",
)

_CHALLENGE = 'Bearer realm="losus", ApiKey realm="losus"'


async def caller(request: Request) -> Known:
    """Who knocks. Raises NotShownError (401), ThrottledError (429), UnavailableError (503)."""
    visit = _visit(request)
    request.state.visit = visit
    entrance: Entrance = request.app.state.entrance
    known = await entrance.admit(visit)
    request.state.caller = known
    return known


#: Who knocks, for a route that asks no more.
Caller = Annotated[Known, Depends(caller)]


def sends(scope: str | None = None) -> Dependency:
    """The dependency of a door with `{source}` in its path: the caller is that source, and has the scope.

    `scope` may name parameters of the path (`system/{kind}.u`). None: what it needs is known from the
    body alone; the route then calls `held_to`. Whether there is such a source is never told: another's
    name is forbidden, be it known or not.
    """

    async def guard(request: Request, known: Caller) -> None:
        path = request.path_params
        if known.kind is Kind.STAFF:  # a person may bear the name of a source, and is none
            raise _refused(request, NotAllowedError(Reason.ROLE))
        if known.kind is Kind.SOURCE and known.name != path["source"]:
            raise _refused(request, NotAllowedError(Reason.OTHER_SOURCE))
        if scope is not None:
            held_to(request, scope.format_map(path))

    made: Dependency = Depends(guard)
    return made


def held_to(request: Request, *scopes: str) -> None:
    """Hold the caller of a route with `sends` to scopes; NotAllowedError (403) where it lacks any."""
    try:
        for scope in scopes:
            reaching.demand(request.state.caller, scope)
    except NotAllowedError as error:
        raise _refused(request, error) from None


def reads(shelf: Shelf, scope: str | None = None) -> Dependency:
    """The dependency of a reading door: how far the caller sees there (`Reach`).

    `scope` is what a municipality's system needs; None: of the type of resource that the path names.
    """

    async def guard(request: Request, known: Caller) -> Reach:
        try:
            found = reaching.reach(known, shelf, scope or f"system/{request.url.path.split('/')[2]}.rs")
        except NotAllowedError as error:
            raise _refused(request, error) from None
        request.state.reach = found
        return found

    made: Dependency = Depends(guard)
    return made


async def _decides(request: Request, known: Caller) -> Reach:
    try:
        found = reaching.decide(known)
    except NotAllowedError as error:
        raise _refused(request, error) from None
    request.state.reach = found
    return found


CaseReach = Annotated[Reach, reads(Shelf.CASES, "system/Encounter.rs")]
StatementReach = Annotated[Reach, reads(Shelf.SETTLEMENTS, "system/MeasureReport.rs")]
#: On `/fhir/{type}` and below: of the type in the path.
SettlementReach = Annotated[Reach, reads(Shelf.SETTLEMENTS)]


async def _writes(request: Request, known: Caller) -> Reach:
    try:
        found = reaching.write(known)
    except NotAllowedError as error:
        raise _refused(request, error) from None
    request.state.reach = found
    return found


#: For what either party enters in a joint follow-up: the region in all, a municipality in its own.
Writing = Annotated[Reach, Depends(_writes)]
#: For what a controller of the region decides: the answer to a dispute.
Decision = Annotated[Reach, Depends(_decides)]


def install(app: FastAPI, settings: Settings, routers: Iterable[APIRouter]) -> None:
    """Put the routers into the service, and the doorkeeper before them.

    Raises SetupError: a route without a guard, or settings of callers that cannot be.
    """
    routers = tuple(routers)
    bare = [path for router in routers for path in unguarded(router)]
    if bare:
        raise SetupError(*(Problem("incomplete", "a door without a guard", path) for path in bare))
    for router in routers:
        app.include_router(router)
    app.state.entrance = Entrance(settings)
    app.add_exception_handler(UnauthorizedError, _unauthorized)
    app.add_exception_handler(NotAllowedError, _forbidden)


@asynccontextmanager
async def auditing(app: FastAPI) -> AsyncIterator[None]:
    """Keep the audit while the service runs; `app.state.database` has to be there."""
    entrance: Entrance = app.state.entrance
    ledger = app.state.ledger = Ledger(app.state.database)
    keeping = asyncio.create_task(entrance.keep(ledger))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await entrance.write(ledger)


def unguarded(router: APIRouter) -> list[str]:
    """The paths that neither are in `OPEN` nor have a guard; what is no plain route has none."""
    return [
        getattr(route, "path", type(route).__name__)
        for route in router.routes
        if not isinstance(route, APIRoute) or not (is_open(route.path) or _has_guard(route.dependant))
    ]


def is_open(path: str) -> bool:
    """Whether anybody may ask for what is at `path`."""
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN)


def _has_guard(dependant: Dependant) -> bool:
    return any(one.call is caller or _has_guard(one) for one in dependant.dependencies)


def _visit(request: Request) -> Visit:
    headers: Headers = request.headers
    ingress = request.app.state.settings.ingress
    knock = Knock(
        authorization=tuple(headers.getlist("authorization")),
        api_key=tuple(headers.getlist("x-api-key")),
        certificate=tuple(headers.getlist(ingress.header)) if ingress is not None else (),
        proof=tuple(headers.getlist("x-losus-ingress")),
        hook=tuple(headers.getlist("x-losus-hook")),
    )
    route = request.scope["route"]
    peer = request.client.host if request.client is not None else ""
    forwarded = tuple(headers.getlist("x-forwarded-for"))
    return Visit(knock, request.path_params.get("source"), route.path_format, peer, forwarded)


def _refused(request: Request, error: NotAllowedError) -> NotAllowedError:
    """Count the attempt of a known caller; the error again."""
    entrance: Entrance = request.app.state.entrance
    entrance.refused(request.state.visit, error.reason, request.state.caller)
    return error


async def _unauthorized(request: Request, error: Exception) -> Response:
    return _challenge(request, error, _CHALLENGE)


async def _forbidden(request: Request, error: Exception) -> Response:
    scope = getattr(error, "scope", None)
    lacking = f'Bearer realm="losus", error="insufficient_scope", scope="{scope}"'
    return _challenge(request, error, lacking if scope is not None else None)


def _challenge(request: Request, error: Exception, challenge: str | None) -> Response:
    if not isinstance(error, LosusError):
        raise error
    given = refuse(request, error)
    if challenge is not None:
        given.headers["www-authenticate"] = challenge
    return given
