"""Publishing as traces tell of it: a span for each event, in the trace of what decided it.

Owns names and attributes; does not own publishing (`slot`, `courier`). The gap before a span is the time that
the event waited in the outbox. Source: OpenTelemetry semantic conventions, messaging, Kafka.
"""

from collections.abc import Iterator, Sequence

from adapter.outbound.answers import Outcome
from adapter.outbound.records import records
from adapter.store.outbox import Claim, Waiting
from adapter.trace import read_traceparent
from adapter.tracing import Attributes, Work, begin, is_recording


def begin_publishing(claim: Claim) -> list[Work]:
    """Begin the spans of those events of the claim whose trace is told of."""
    if not is_recording():
        return []
    return [work for one in claim.events for work in _begin(one, len(claim.events))]


def end_publishing(begun: Sequence[Work], outcome: Outcome) -> None:
    """End them; `outcome` says whether Kafka has the events, or may have."""
    for work in begun:
        work.end(None if outcome.committed else outcome.error or "unclear")


def _begin(one: Waiting, together: int) -> Iterator[Work]:
    decided = read_traceparent(one.event.traceparent)
    if decided is None or not decided.sampled:
        return
    topic = next(iter(records(one.event, one.lane, one.created_at, "")))[0]
    attributes: Attributes = {
        "messaging.system": "kafka",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
    }
    if together > 1:
        attributes = {**attributes, "messaging.batch.message_count": together}
    yield begin(f"publish {topic}", decided, "producer", attributes, is_remote=True)
