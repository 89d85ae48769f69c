"""The message door over HTTP: `POST /fhir/{source}/$process-message`.

Owns the status and shape of its answers; does not own reading the body (`negotiation`) nor what a message
means (`adapter.flow`).
"""

from fastapi import APIRouter, Request, Response

from adapter.delivery import Delivery, Door
from adapter.web import taking
from adapter.web.access import sends
from adapter.web.negotiation import read_request, respond, wanted

router = APIRouter()


@router.post(
    "/fhir/{source}/$process-message",
    dependencies=[sends("operation/process-message"), taking.limited],
    response_class=Response,
)
async def process_message(source: str, request: Request) -> Response:
    """Take a message Bundle; answer with a response message, or an OperationOutcome.

    200 `ok`: stored durably. What can be told apart as a message but not taken is answered by a
    response message, `fatal-error` or `transient-error`; anything else by an OperationOutcome. What is
    sound and cannot be translated is kept, and its case waits; the sender is told (422).
    """
    wanted(request)
    received = await read_request(request, request.app.state.world.limits)
    fhir = taking.version_of(request, source, received.fhir)
    receipt = await taking.take(request, Delivery(source, Door.MESSAGE, received.body, received.media, fhir))
    return respond(request, receipt.response, receipt.status, version=fhir)
