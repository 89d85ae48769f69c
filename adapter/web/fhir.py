"""The FHIR doors over HTTP: `POST /fhir/{source}/$process-message`.

Owns reading the body within its limit, and the status and shape of every answer; does not own what
a message means (`adapter.flow`).
"""

from datetime import UTC, datetime

import orjson
import structlog
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from adapter.errors import LosusError, Problem, TooLargeError
from adapter.fhir.outcome import outcome, response_code
from adapter.flow import Answer, Untranslated, answer, prepare
from adapter.inbound.receiver import Receiver
from adapter.watch import MESSAGES, RECEIVE_SECONDS
from adapter.world import World

log = structlog.get_logger()
router = APIRouter()

FHIR_JSON = "application/fhir+json"


@router.post("/fhir/{source}/$process-message", response_class=Response)
async def process_message(source: str, request: Request) -> Response:
    """Take a message Bundle; answer with a response message, or an OperationOutcome.

    200 `ok`: stored durably. What can be told apart as a message but not taken is answered by a
    response message, `fatal-error` or `transient-error`; anything else by an OperationOutcome.
    """
    world: World = request.app.state.world
    receiver: Receiver = request.app.state.receiver
    now = datetime.now(UTC)
    try:
        body = await read_body(request, world.limits[0])
        with RECEIVE_SECONDS.time():
            given = await receiver.store(prepare(world, source, body, now))
        code = "ok" if given.status == 200 else "refused"
    except Untranslated as error:
        given, code = answer(world, error.message, error.fhir, now, error), response_code(error)
        log.warning("message.untranslated", source=source, rules=[p.rule for p in error.problems])
    except LosusError as error:
        given, code = refusal(error), response_code(error)
        log.info("message.refused", error=type(error).__name__, status=error.status)
    MESSAGES.labels(source if source in world.speakers else "unknown", code).inc()
    return Response(given.body, given.status, media_type=FHIR_JSON)


def refusal(error: LosusError) -> Answer:
    """A fault as an OperationOutcome with its HTTP status."""
    return Answer(error.status, orjson.dumps(outcome(error.problems)))


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
