"""The message door over HTTP: `POST /fhir/{source}/$process-message`.

Owns reading the body within its limit, and the status and shape of every answer; does not own what
a message means (`adapter.flow`).
"""

from typing import NamedTuple

import orjson
import structlog
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from adapter.delivery import Delivery, Door, Receipt
from adapter.errors import LosusError, Problem, TooLargeError
from adapter.fhir.outcome import outcome, response_code
from adapter.inbound.receiver import Receiver
from adapter.watch import MESSAGES, RECEIVE_SECONDS
from adapter.web.access import sends
from adapter.world import World

log = structlog.get_logger()
router = APIRouter()

FHIR_JSON = "application/fhir+json"


@router.post(
    "/fhir/{source}/$process-message",
    response_class=Response,
    dependencies=[sends("operation/process-message")],
)
async def process_message(source: str, request: Request) -> Response:
    """Take a message Bundle; answer with a response message, or an OperationOutcome.

    200 `ok`: stored durably. What can be told apart as a message but not taken is answered by a
    response message, `fatal-error` or `transient-error`; anything else by an OperationOutcome. What is
    sound and cannot be translated is kept, and its case waits; the sender is told (422).
    """
    world: World = request.app.state.world
    receiver: Receiver = request.app.state.receiver
    try:
        body = await read_body(request, world.limits[0])
        with RECEIVE_SECONDS.time():
            receipt = await receiver.take(Delivery(source, Door.MESSAGE, body))
        response, status, code = receipt.response, receipt.status, _code(receipt)
    except LosusError as error:
        response, status, code = *refusal(error), response_code(error)
        log.info("message.refused", error=type(error).__name__, status=error.status)
    if code == "held":
        log.warning("message.held", source=source, rules=[p.rule for p in receipt.problems])
    MESSAGES.labels(source if source in world.speakers else "unknown", code).inc()
    return Response(response, status, media_type=FHIR_JSON)


def _code(receipt: Receipt) -> str:
    return {"taken": "ok", "known": "ok", "held": "held", "refused": "refused"}[receipt.state]


class Refusal(NamedTuple):
    """What goes back where something is refused: an OperationOutcome as JSON, and the HTTP status."""

    body: bytes
    status: int


def refusal(error: LosusError) -> Refusal:
    """A fault as an OperationOutcome with its HTTP status."""
    return Refusal(orjson.dumps(outcome(error.problems)), error.status)


async def read_body(request: Request, most: int) -> bytes:
    """The body, read once; TooLargeError as soon as it is over `most` bytes."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise TooLargeError(Problem("too-long", f"a body may have {most} bytes"))
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise TooLargeError(Problem("too-long", f"a body may have {most} bytes"))
            chunks.append(chunk)
    except ClientDisconnect:
        raise TooLargeError(Problem("incomplete", "the sender hung up in the middle")) from None
    return b"".join(chunks)
