"""A file of any size, line by line while it comes in: NDJSON of a Bulk Data export.

Owns going on where an answer broke off: the file is asked for again, what was passed on before is read over
and held against it. Does not own asking (`asker`). No more than a few pieces are ever in memory.
Source: FHIR Bulk Data Access IG 2.0, «Bulk Data Output File Request».
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from hashlib import sha256

from adapter.client.asker import Asker
from adapter.client.exchange import Call
from adapter.client.faults import RefusedError
from adapter.errors import Problem

_MEDIA = "application/fhir+ndjson"
_PIECES = 4  # that wait for the reader; the server is held back meanwhile


class Pipe:
    """Takes the body of an answer, again and again from its beginning; passes each byte on once."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES)
        self._passed, self._hash = 0, sha256()
        self._over, self._again = 0, sha256()

    def begin(self) -> None:
        """The file begins, maybe anew: as much as was passed on is read over."""
        self._over, self._again = self._passed, sha256()

    async def take(self, piece: bytes) -> None:
        """Pass on what is new of the next piece; RefusedError where the file is another than before."""
        known, new = piece[: self._over], piece[self._over :]
        self._over -= len(known)
        self._again.update(known)
        if known and not self._over and self._again.digest() != self._hash.digest():
            raise RefusedError(Problem("conflict", "the file changed while it was read"))
        if new:
            self._passed += len(new)
            self._hash.update(new)
            await self._queue.put(new)

    async def end(self) -> None:
        """Nothing more comes."""
        await self._queue.put(None)

    async def pieces(self) -> AsyncIterator[bytes]:
        """What was passed on, until the end."""
        while (piece := await self._queue.get()) is not None:
            yield piece

    def check(self) -> None:
        """RefusedError where the file ended before all that was passed on of it."""
        if self._over:
            raise RefusedError(Problem("conflict", "the file changed while it was read"))


async def lines(asker: Asker, url: str, longest: int) -> AsyncGenerator[bytes, None]:
    """The lines of the file at `url`, without their ends; empty ones are left out.

    Raises as `Asker.ask` does, after the lines that came; RefusedError where a line is over `longest` bytes,
    or the file became another one.
    """
    pipe = Pipe()
    asking = asyncio.create_task(_ask(asker, url, pipe))
    rest = b""
    try:
        async for piece in pipe.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            for line in (*whole, rest):
                if len(line) > longest:
                    raise RefusedError(Problem("too-long", f"a line has more than {longest} bytes"))
            for line in whole:
                if line.strip():
                    yield line.strip()
        await asking
        if rest.strip():
            yield rest.strip()
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _ask(asker: Asker, url: str, pipe: Pipe) -> None:
    """Ask for the file into the pipe, and end it, unless it is cancelled: then nobody reads."""
    try:
        await asker.ask(Call("file", "GET", url, {"Accept": _MEDIA}, sink=pipe))
        pipe.check()
    except Exception:
        await pipe.end()
        raise
    await pipe.end()
