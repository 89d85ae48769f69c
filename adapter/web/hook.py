"""Rest-hooks over HTTP: `POST /fhir/{source}/$subscription-hook`, `PUT …/$subscription-hook/{type}/{id}`.

Owns the answers: 204 where all that is told of is stored, so that the server may forget it, and a fault
where it is to try again (an empty 200 HAPI takes for a failure, and tells again). Does not own what becomes
of a notification (`inbound.hook`).
"""

from fastapi import APIRouter, Request, Response

from adapter.fhir.document import read_document
from adapter.fhir.interaction import demand_target
from adapter.inbound.hook import Hook
from adapter.web import taking
from adapter.web.access import sends
from adapter.web.negotiation import read_request, respond

router = APIRouter()

_TAKEN = 204
_GUARD = sends("operation/subscription-hook")


@router.post(
    "/fhir/{source}/$subscription-hook", dependencies=[_GUARD, taking.limited], response_class=Response
)
async def notified(source: str, request: Request) -> Response:
    """Take in a notification Bundle (R4 backport, R4B, R5), or an empty knock (plain R4)."""
    world, hook = request.app.state.world, _hook(request)
    received = await read_request(request, world.limits)
    fhir = taking.version_of(request, source, received.fhir)
    if not received.body.strip():
        await hook.knocked(source)
    else:
        bundle = read_document(received.body, received.media, fhir, world.limits)
        await hook.notified(source, bundle, fhir)
    return respond(request, None, _TAKEN)


@router.put(
    "/fhir/{source}/$subscription-hook/{kind}/{name}",
    dependencies=[_GUARD, taking.limited],
    response_class=Response,
)
async def put(source: str, kind: str, name: str, request: Request) -> Response:
    """Take in the resource that plain R4's rest-hook puts."""
    world = request.app.state.world
    received = await read_request(request, world.limits)
    fhir = taking.version_of(request, source, received.fhir)
    demand_target(read_document(received.body, received.media, fhir, world.limits), kind, name)
    await _hook(request).resource(source, received.body, received.media, fhir)
    return respond(request, None, _TAKEN)


def _hook(request: Request) -> Hook:
    hook: Hook = request.app.state.hook
    return hook
