"""What cannot be used is kept, told of to the region, and its cases wait: *parked*.

Owns when something is tried again and what `losus.dead-letter` is told; does not own reading
(`reading`) nor the statements (`store.held`). Runs inside the caller's transaction, with the cases locked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapter.outbound.parked import MESSAGE_PARKED, ParkedMessage
from adapter.reading import Prepared
from adapter.store import held, intake
from adapter.store.database import Connection
from adapter.trace import Trace

#: What is not to be had now is asked for again after these times; then somebody has to look.
RETRIES = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)


async def park(
    connection: Connection,
    failing: Sequence[tuple[int, Prepared, tuple[str, ...]]],
    now: datetime,
    before: Mapping[int, held.Held] | None = None,
) -> None:
    """Hold each message (number, as it was read, its cases); tell the region of those that wait for a person.

    `before` is what was held already, by number: a message that fails again in the same way is not told of
    again.
    """
    if not failing:
        return
    known = before or {}
    holding = [_held(number, one, cases, now, known.get(number)) for number, one, cases in failing]
    await held.hold(connection, holding)
    traces = {number: one.delivery.trace for number, one, _ in failing}
    events = [
        _letter(one, now, traces[one.message])
        for one in holding
        if one.retry_at is None and not _same(one, known)
    ]
    if events:
        await intake.add_events(connection, events, now)


def _held(
    number: int, one: Prepared, cases: tuple[str, ...], now: datetime, before: held.Held | None
) -> held.Held:
    if one.error is None or one.cause is None:
        raise ValueError("only what cannot be used is held")
    tries = before.tries + 1 if before else 1
    again = RETRIES[tries - 1] if one.is_passing and tries <= len(RETRIES) else None
    since = before.since if before else now
    retry_at = now + again if again is not None else None
    return held.Held(number, one.source, one.cause, one.error.problems, since, cases, tries, retry_at)


def _same(one: held.Held, known: Mapping[int, held.Held]) -> bool:
    before = known.get(one.message)
    return before is not None and replace(one, tries=before.tries) == before


def _letter(one: held.Held, now: datetime, trace: Trace | None) -> intake.EventRow:
    """The record for `losus.dead-letter`: the same failing try always has the same id."""
    first = one.problems[0]
    told = ParkedMessage(
        cause=one.cause,
        source=one.source,
        rule=first.rule,
        code=first.code,
        expression=first.expression,
        message=one.message,
        case_id=one.cases[0] if one.cases else None,
        since=now,
    )
    name = f"message-{one.message}"
    ce_id = hashlib.sha256(f"{MESSAGE_PARKED}\0{name}\0{one.tries}".encode()).hexdigest()[:32]
    traceparent = trace.traceparent if trace is not None else None
    payload = told.model_dump_json().encode()
    return intake.EventRow(name, None, one.tries, MESSAGE_PARKED, ce_id, payload, traceparent=traceparent)
