"""A server that seems far away: whatever is sent to it, and whatever it answers, is under way for a while.

Owns a TCP proxy with a delay. So a test can tell work that is divided from work that waits in one line: on a
machine with two cores both take the same time otherwise.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from adapter.sandbox.processes import LOOPBACK

_CHUNK = 65_536


@asynccontextmanager
async def far_away(port: int, one_way_s: float) -> AsyncIterator[int]:
    """The port on which the server at `port` seems so far away."""
    meetings: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meetings.add(asyncio.create_task(_between(reader, writer, port, one_way_s)))

    server = await asyncio.start_server(meet, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in meetings:
            task.cancel()
        await asyncio.gather(*meetings, return_exceptions=True)
        await asyncio.sleep(0)  # what was cut off is closed by the loop


async def _between(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, one_way_s: float
) -> None:
    there_reader, there_writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        await asyncio.gather(_carry(reader, there_writer, one_way_s), _carry(there_reader, writer, one_way_s))
    finally:
        for one in (writer, there_writer):
            one.transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, one_way_s: float) -> None:
    """Until one side ends; then the other is told so, when all that was said has arrived."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            loop.call_later(one_way_s, _write, writer, chunk)
    await asyncio.sleep(one_way_s)
    writer.close()


def _write(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    if not writer.is_closing():
        writer.write(chunk)
