"""Resources that were asked for or dropped, handed over: many at once, and nothing lost of any.

Owns what the doors do alike behind which nobody waits for an answer; does not own what becomes of a resource
(`adapter.flow`). What cannot be used is held, so that the door goes on; what cannot be stored now stops it.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, replace

import structlog

from adapter.delivery import Delivery, Receipt
from adapter.errors import UnavailableError
from adapter.inbound.receiver import Receiver
from adapter.watch import MESSAGES

log = structlog.get_logger()

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Tally:
    """How many deliveries were taken, known already, held, refused."""

    taken: int = 0
    known: int = 0
    held: int = 0
    refused: int = 0

    def with_(self, receipt: Receipt) -> "Tally":
        """The same and one more."""
        return replace(self, **{receipt.state: getattr(self, receipt.state) + 1})

    def __add__(self, other: "Tally") -> "Tally":
        """The sum of both."""
        return Tally(
            self.taken + other.taken,
            self.known + other.known,
            self.held + other.held,
            self.refused + other.refused,
        )


async def hand_over(receiver: Receiver, deliveries: Iterable[Delivery]) -> Tally:
    """Have all of these stored; what became of them. Raises as `hand_over_stream`."""

    async def each() -> AsyncIterator[Delivery]:
        for one in deliveries:
            yield one

    return await hand_over_stream(receiver, each())


async def hand_over_stream(receiver: Receiver, deliveries: AsyncIterable[Delivery]) -> Tally:
    """Have all of these stored, as they come; what became of them.

    Raises StoppedError where the source was stopped, and UnavailableError where any cannot be stored now:
    then some may be stored, and all are to be handed over again, which does nothing twice.
    """
    tally = Tally()
    group: list[Delivery] = []
    async for one in deliveries:
        group.append(one)
        if len(group) == _AT_ONCE:
            tally += await _group(receiver, group)
            group = []
    return tally + await _group(receiver, group)


async def _group(receiver: Receiver, group: Iterable[Delivery]) -> Tally:
    tally = Tally()
    for receipt in await asyncio.gather(*(hand_one(receiver, one) for one in group)):
        tally = tally.with_(receipt)
    return tally


async def hand_one(receiver: Receiver, delivery: Delivery) -> Receipt:
    """Have one delivery stored; raises as `hand_over_stream` does. What is refused for good is logged."""
    receipt = await receiver.take(delivery)
    if receipt.error is not None and receipt.state == "refused":
        if receipt.error.retryable:
            raise UnavailableError(*receipt.error.problems)
        rules = [problem.rule for problem in receipt.problems]
        log.error("delivery.refused", source=delivery.source, door=delivery.door, rules=rules)
    if receipt.state == "taken":
        log.debug("message.taken", source=delivery.source, door=delivery.door, message=receipt.number)
    code = "ok" if receipt.state in {"taken", "known"} else receipt.state
    MESSAGES.labels(delivery.source, code).inc()
    return receipt
