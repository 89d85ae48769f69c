"""What was taken in is read anew: after a mending, when what it points at has come, or to see what would be.

Owns the order of the steps of a replay; does not own when it is done (`inbound.rereader`, `losus replay`),
nor reading and folding. A case is a fold over facts, so that replay is the normal way and needs no rules of
its own: what a message says now takes the place of what it said.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from adapter.delivery import Delivery, Door
from adapter.errors import Problem
from adapter.fhir.model import FhirVersion
from adapter.flow import take_in
from adapter.leaning import lean_on_what_is_kept
from adapter.reading import Prepared
from adapter.refold import refold
from adapter.standing import standing_of
from adapter.store import held, intake, library, messages
from adapter.store.database import Connection
from adapter.trace import Causes, Trace
from adapter.world import World


@dataclass(frozen=True, slots=True)
class Reread:
    """What became of one message: the problems that it has now, none where it can be used.

    `told` are the municipalities of the events that follow, None for one that is for the region alone.
    """

    number: int
    source: str
    was_held: bool
    problems: tuple[Problem, ...]
    told: tuple[str | None, ...]


def delivery_of(stored: messages.Stored, trace: Trace | None = None) -> Delivery:
    """The delivery as it was taken in; `trace` is that of the work that reads it anew."""
    return Delivery(
        stored.source,
        Door(stored.door),
        stored.body,
        "xml" if stored.media == "xml" else "json",
        FhirVersion(stored.fhir) if stored.fhir else None,
        targets=stored.targets,
        trace=trace,
    )


async def reread(connection: Connection, world: World, number: int, one: Prepared, now: datetime) -> Reread:
    """Let what this message says now hold.

    Runs inside the caller's transaction; the message is read already, as of the time when it came.
    """
    [one] = await lean_on_what_is_kept(connection, world, [one])
    before = {held_.message: held_ for held_ in await held.find_held(connection, [number])}
    if number in before and one.error is None:  # what was known by others when it could not be read yet
        standing = await standing_of(connection, world, [one], besides=number)
        fault = standing.contradiction(one)
        one = one if fault is None else replace(one, error=fault, cause="conflict")
    await library.reread_done(connection, [number])
    events = await take_in(connection, world, [(number, one)], now, before=before)
    problems = one.error.problems if one.error else ()
    told = tuple(event.municipality for event in events)
    return Reread(number, one.source, number in before, problems, told)


async def discard(
    connection: Connection,
    world: World,
    number: int,
    now: datetime,
    reason: str,
    trace: Trace | None = None,
) -> Reread | None:
    """Let go of a message that will never be read, as an operator decided; None where it is not held."""
    known = await held.find_held(connection, [number])
    if not known:
        return None
    cases = known[0].cases
    await intake.lock_cases(connection, (), cases, now)
    await held.let_go(connection, [number])
    await held.discard(connection, [number], now, reason)
    free = await intake.lock_cases(connection, (), cases, now)
    events = await refold(connection, world, free, now, Causes(otherwise=trace))
    return Reread(number, known[0].source, True, (), tuple(event.municipality for event in events))
