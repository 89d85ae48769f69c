"""The HTTP service put together: routes, the receiver behind them, and what they share.

Owns wiring and life cycle; every route is in `adapter.web`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from adapter.agreements.load import load_book
from adapter.errors import LosusError, MalformedError, MethodError, NotFoundError, Problem
from adapter.fhir.model import FhirVersion, model
from adapter.inbound.flood import Flood
from adapter.inbound.hook import Hook
from adapter.inbound.receiver import Receiver
from adapter.settings import Settings
from adapter.settling.joint_judging import office_of
from adapter.store.database import connect
from adapter.store.migrate import migrate
from adapter.web import (
    access,
    capability,
    cases,
    disputes,
    fhir,
    follow_ups,
    health,
    hook,
    keys,
    openapi,
    schemas,
    settlements,
    statistics,
    writing,
)
from adapter.web.addresses import Addresses
from adapter.web.answers import Answers
from adapter.web.capability import SOFTWARE
from adapter.web.counting import Counting
from adapter.web.methods import Heads, methods_of
from adapter.web.negotiation import refuse
from adapter.web.rate import Rates
from adapter.wiring import clients_of, endless_works, ledger_of, library_of, servers_of, world_of
from adapter.world import World

_WARM = (
    "Bundle",
    "MessageHeader",
    "Encounter",
    "Task",
    "CarePlan",
    "Patient",
    "Organization",
    "Provenance",
    "Location",
)

_WAIT_S = 300.0  # for the database to be there and up to date; then this process gives up, to be started anew
_COMMITTERS = 2  # one batch gathers while the other is committed


#: Every route of the service; each has a guard, or is among the open ones (`web.access`).
_ROUTERS = (
    fhir.router,
    settlements.router,
    statistics.router,
    disputes.router,
    follow_ups.router,
    cases.router,
    health.router,
    schemas.router,
    keys.router,
    capability.router,
    hook.router,
    writing.router,
)

_Life = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(settings: Settings, *, watching: bool = True) -> FastAPI:
    """The service; connects, brings the database up to date and warms the models when it starts.

    `watching`: it looks after what time brings too (`wiring.endless_works`), where no other process does.
    """
    world = world_of(settings)
    app = FastAPI(
        title="losus-adapter",
        lifespan=_life_of(settings, world, watching=watching),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings, app.state.world = settings, world
    app.state.agreed = lru_cache(1)(lambda: load_book(settings.agreements, settings.rates))
    app.state.settling = lru_cache(1)(lambda: ledger_of(settings, app.state.agreed(), world=world))
    app.state.office = lru_cache(1)(lambda: office_of(app.state.settling()))
    app.state.rates = Rates({name: source.rate for name, source in settings.sources.items()})
    access.install(app, settings, _ROUTERS)
    app.state.routes = (*app.routes, *(route for router in _ROUTERS for route in router.routes))
    app.add_middleware(Addresses, routes=app.state.routes)
    app.add_middleware(Counting)
    app.add_middleware(Answers)
    app.add_middleware(Heads)
    openapi.describe(app, SOFTWARE)
    app.add_exception_handler(LosusError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    app.add_exception_handler(404, _unknown)
    app.add_exception_handler(405, _unknown)
    return app


def _life_of(settings: Settings, world: World, *, watching: bool) -> _Life:
    """What there is while the service runs, and goes with it: database, clients, all that works beside."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        dsn = settings.database.get_secret_value()
        await migrate(dsn, wait_s=_WAIT_S)
        database = await connect(dsn)
        app.state.database = database
        clients = clients_of(settings)
        library, flood = library_of(settings, clients), Flood(world, database, _now)
        app.state.receiver = Receiver(world, database, _now, library, flood)
        servers = servers_of(settings, clients, app.state.receiver, database)
        app.state.hook = Hook(app.state.receiver, database, servers, _now)
        works = [*(app.state.receiver.run() for _ in range(_COMMITTERS)), flood.run()]
        if watching:
            works += endless_works(settings, world, database, library, servers)
        working = [asyncio.create_task(work) for work in works]
        for speaker in world.speakers.values():
            _warm(speaker.fhir)
        try:
            async with access.auditing(app):
                yield
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            await asyncio.gather(*(client.aclose() for client in clients.values()))
            await database.close()

    return life


def _now() -> datetime:
    return datetime.now(UTC)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, LosusError):
        raise error
    return refuse(request, error)


async def _invalid(request: Request, _error: Exception) -> Response:
    """A parameter of the wrong kind; FastAPI's own answer would hold its value."""
    rule = "a parameter is not of the kind it has to be"
    return refuse(request, MalformedError(Problem("value", rule)))


async def _failed(request: Request, _: Exception) -> Response:
    return refuse(request, LosusError(Problem("exception", "a fault of ours; the log names its place")))


async def _unknown(request: Request, _: Exception) -> Response:
    """No such address, or no such method of it: then `Allow` tells which there are (RFC 9110, 15.5.6)."""
    allowed = methods_of(request.app.state.routes, request.scope["path"])
    if not allowed:
        return refuse(request, NotFoundError(Problem("not-supported", "no such interaction here")))
    answer = refuse(request, MethodError(Problem("not-supported", "no such interaction here")))
    answer.headers["allow"] = ", ".join(allowed)
    return answer


def _warm(version: FhirVersion) -> None:
    """Build the models that messages use, so that the first message does not pay for it."""
    for kind in _WARM:
        found = model(kind, version)
        if found is not None:
            found.model_rebuild()
            with suppress(ValueError):
                found.model_validate({"resourceType": kind})
