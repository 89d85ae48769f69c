"""All that the audit knows, in order of time: what was done, what was delivered, what was received.

Owns the order. Does not own the three records (`store.audit`, `store.told`, `store.received`).
"""

import heapq
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from adapter.store import audit, received, told
from adapter.store.audit import Kept, Selection
from adapter.store.database import Connection
from adapter.store.received import Received
from adapter.store.told import Delivered

#: One line of the audit.
Line = Kept | Delivered | Received

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


async def history(connection: Connection, wanted: Selection) -> AsyncIterator[Line]:
    """What is wanted, oldest first; what has no time, since nobody recorded it, comes before all.

    `who` is of an entry whoever did it, of a delivery the municipality, of a receipt the source.
    """
    streams: list[AsyncIterator[Line]] = [
        audit.read(connection, wanted),
        told.read_deliveries(connection, wanted),
        *await _receipts(connection, wanted),
    ]
    async for line in _merged(streams):
        yield line


async def _receipts(connection: Connection, wanted: Selection) -> list[AsyncIterator[Received]]:
    kind, _, name = (wanted.what or "").partition("/")
    if kind == "case":
        return [_each(await received.of_case(connection, name, wanted))]
    if kind == "message" and name.isdecimal() and int(name) < 1 << 63:
        return [_each(await received.one_message(connection, int(name)))]
    if kind:
        return []
    names = await received.sources(connection)
    return [
        received.from_source(connection, source, wanted) for source in names if wanted.who in {None, source}
    ]


async def _each(found: Sequence[Received]) -> AsyncIterator[Received]:
    for one in found:
        yield one


async def _merged(streams: Sequence[AsyncIterator[Line]]) -> AsyncIterator[Line]:
    """Streams that are each in order of time, as one; a line of each is held, no more."""
    heads: list[tuple[datetime, int, Line]] = []
    for number, stream in enumerate(streams):
        await _push(heads, number, stream)
    while heads:
        _, number, line = heapq.heappop(heads)
        yield line
        await _push(heads, number, streams[number])


async def _push(heads: list[tuple[datetime, int, Line]], number: int, stream: AsyncIterator[Line]) -> None:
    line = await anext(stream, None)
    if line is not None:
        heapq.heappush(heads, (_time(line), number, line))


def _time(line: Line) -> datetime:
    at = line.entry.at if isinstance(line, Kept) else line.at
    return at or _BEFORE_ALL
