"""A delivery handed over by a door of HTTP: taken, counted, and told of in the log.

Owns what all such doors do alike; does not own their answers. No value of a delivery is logged.
"""

import structlog
from fastapi import Depends, Request

from adapter.delivery import Delivery, Receipt
from adapter.errors import LosusError, Problem, UnknownSourceError
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import response_code
from adapter.inbound.receiver import Receiver
from adapter.watch import MESSAGES, RECEIVE_SECONDS
from adapter.web.rate import Rates
from adapter.world import World

log = structlog.get_logger()

_CODES = {"taken": "ok", "known": "ok", "held": "held", "refused": "refused"}


async def take(request: Request, delivery: Delivery) -> Receipt:
    """Hand a delivery over; the receipt of it. Raises what `Receiver.take` raises."""
    world: World = request.app.state.world
    receiver: Receiver = request.app.state.receiver
    label = delivery.source if delivery.source in world.speakers else "unknown"
    try:
        with RECEIVE_SECONDS.time():
            receipt = await receiver.take(delivery)
    except LosusError as error:
        MESSAGES.labels(label, response_code(error)).inc()
        log.info("message.refused", source=label, door=delivery.door, error=type(error).__name__)
        raise
    MESSAGES.labels(label, _CODES[receipt.state]).inc()
    if receipt.state == "taken":
        log.debug("message.taken", source=label, door=delivery.door, message=receipt.number)
    if receipt.state == "held":
        rules = [problem.rule for problem in receipt.problems]
        log.warning("message.held", source=label, door=delivery.door, message=receipt.number, rules=rules)
    return receipt


async def take_whole(request: Request, delivery: Delivery) -> Receipt:
    """The same for doors whose answer has no place for a fault: it is raised, though what is held is kept."""
    receipt = await take(request, delivery)
    if receipt.error is not None:
        raise receipt.error
    return receipt


async def _limit(source: str, request: Request) -> None:
    """Use one of the source's tokens; ThrottledError (429) where none is left."""
    rates: Rates = request.app.state.rates
    rates.take(source)


#: The dependency of a door that counts against the rate of its source; after the one that says who knocks.
limited = Depends(_limit)


def version_of(request: Request, source: str, said: FhirVersion | None) -> FhirVersion:
    """The FHIR version of a request: as it says, else as the source speaks; UnknownSourceError."""
    speaker = request.app.state.world.speakers.get(source)
    if speaker is None:
        raise UnknownSourceError(Problem("not-found", "no source of this name"))
    return said or speaker.fhir
