"""What was taken in is read anew: after a mending, when what it points at has come, or to see what would be.

Owns the order of the steps of a replay; does not own when it is done (`inbound.rereader`, `losus replay`),
nor reading and folding. A case is a fold over facts, so that replay is the normal way and needs no rules of
its own: what a message says now takes the place of what it said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.delivery import Delivery, Door
from adapter.errors import Problem
from adapter.fhir.model import FhirVersion
from adapter.flow import take_in
from adapter.reading import Prepared
from adapter.refold import refold
from adapter.store import held, intake, library, messages
from adapter.store.database import Connection
from adapter.world import World


@dataclass(frozen=True, slots=True)
class Reread:
    """What became of one message: the problems that it has now, none where it can be used."""

    number: int
    source: str
    was_held: bool
    problems: tuple[Problem, ...]


def delivery_of(stored: messages.Stored) -> Delivery:
    """The delivery as it was taken in."""
    return Delivery(
        stored.source,
        Door(stored.door),
        stored.body,
        "xml" if stored.media == "xml" else "json",
        FhirVersion(stored.fhir) if stored.fhir else None,
        once=stored.once,
    )


async def reread(
    connection: Connection, world: World, read: Sequence[tuple[int, Prepared]], now: datetime
) -> list[Reread]:
    """Let what these messages say now hold; what became of each, in order.

    Runs inside the caller's transaction; each message is read already, as of the time when it came.
    """
    numbers = [number for number, _ in read]
    before = {one.message: one for one in await held.find_held(connection, numbers)}
    await take_in(connection, world, read, now, before=before)
    await library.reread_done(connection, numbers)
    return [
        Reread(number, one.source, number in before, one.error.problems if one.error else ())
        for number, one in read
    ]


async def discard(
    connection: Connection, world: World, numbers: Iterable[int], now: datetime, reason: str
) -> set[str]:
    """Let go of messages that will never be read, as an operator decided; the cases that waited for them."""
    asked = sorted(set(numbers))
    waiting = {case for one in await held.find_held(connection, asked) for case in one.cases}
    await intake.lock_cases(connection, (), waiting, now)
    await held.let_go(connection, asked)
    await held.discard(connection, asked, now, reason)
    await refold(connection, world, await intake.lock_cases(connection, (), waiting, now), now)
    return waiting
