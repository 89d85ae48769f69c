"""A delivery under way, as its trace tells of it: received, read, stored.

Owns which trace a delivery belongs to: that in which it came; else, where somebody waits for an answer, the
request's; else one of its own, for a look at a server or a file brings thousands, and a trace is the way of
one. Does not own what is done meanwhile (`receiver`).
Source: OpenTelemetry semantic conventions, database client spans.
"""

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from adapter.delivery import Delivery, Door, Receipt
from adapter.reading import Prepared
from adapter.trace import here
from adapter.tracing import Attributes, Work, begin, is_recording

_BY_ITSELF = frozenset({Door.POLL, Door.IMPORT, Door.STREAM})


def begin_receiving(delivery: Delivery, known: Container[str]) -> tuple[Delivery, Work]:
    """Begin to receive a delivery: the same with its trace. `known` are the sources there are."""
    around = here()
    is_by_itself = delivery.door in _BY_ITSELF
    parent = delivery.trace or (None if is_by_itself else around)
    begun = begin(
        "receive",
        parent,
        "consumer" if delivery.door is Door.STREAM else "internal",
        _attributes(delivery, known) if is_recording() else {},
        is_remote=delivery.trace is not None,
        links=[around] if is_by_itself and around is not None else (),
    )
    return replace(delivery, trace=begun.trace), begun


def _attributes(delivery: Delivery, known: Container[str]) -> Attributes:
    source = delivery.source if delivery.source in known else "unknown"  # an address may name anything
    return {"losus.source": source, "losus.door": delivery.door.value}


def tell(begun: Work, receipt: Receipt) -> None:
    """Note what became of a delivery."""
    if begun.is_recorded:
        number: Attributes = {"losus.message": receipt.number} if receipt.number is not None else {}
        begun.note({"losus.outcome": receipt.state, **number})


@contextmanager
def committing(batch: Sequence[Prepared]) -> Iterator[list[Prepared]]:
    """One transaction for many deliveries: each has a span in its own trace, which what follows bears."""
    if not is_recording():
        yield list(batch)
        return
    attributes: Attributes = {"db.system.name": "postgresql", "db.operation.name": "COMMIT"}
    if len(batch) > 1:
        attributes = {**attributes, "db.operation.batch.size": len(batch)}
    begun = [begin("COMMIT", one.delivery.trace, "client", attributes) for one in batch]
    failed: str | None = None
    try:
        yield [
            replace(one, delivery=replace(one.delivery, trace=each.trace)) if each.is_recorded else one
            for one, each in zip(batch, begun, strict=True)
        ]
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        for each in begun:
            each.end(failed)
