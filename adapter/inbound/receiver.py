"""The message door: `$process-message`, many messages a transaction.

While one transaction is under way, the messages that arrive gather for the next; so a quiet system
answers at once, and a busy one shares the cost of a commit. A batch that the database refuses is
tried again message by message, so that one cannot take others with it.

Owns the batching; does not own what becomes of a message (`adapter.flow`).
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg
import structlog

from adapter.errors import LosusError, Problem, UnavailableError
from adapter.flow import Answer, Prepared, answer, commit
from adapter.store.database import Database
from adapter.world import World

log = structlog.get_logger()

_MOST = 64  # messages a transaction
_WAITING = 1_000  # messages that may wait; beyond, the sender is asked to come back

_Waiting = tuple[Prepared, "asyncio.Future[Answer]"]


class Receiver:
    """Stores prepared messages and answers them; `run` works until cancelled."""

    def __init__(self, world: World, database: Database, clock: Callable[[], datetime]) -> None:
        self._world, self._database, self._clock = world, database, clock
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(_WAITING)

    async def store(self, prepared: Prepared) -> Answer:
        """Store one message durably, and give the answer to it; UnavailableError where it cannot be."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((prepared, future))
        except asyncio.QueueFull:
            raise UnavailableError(Problem("throttled", "too many messages are waiting")) from None
        return await future

    async def run(self) -> None:
        """Take what waits, a batch a transaction, one after the other."""
        held: list[_Waiting] = []
        while True:
            waiting = held or [await self._queue.get()]
            while len(waiting) < _MOST and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            batch, held = _distinct(waiting)
            await self._store(batch)

    async def _store(self, batch: Sequence[_Waiting], *, raced: bool = False) -> None:
        """Commit a batch; `raced`: it is tried again since another replica took the same message."""
        try:
            answers = await self._commit([prepared for prepared, _ in batch])
        except Exception as error:  # noqa: BLE001 - the outermost loop: one message must not stop the door
            races = isinstance(error, asyncpg.UniqueViolationError) and not raced
            if len(batch) > 1 or races:
                for one in batch:
                    await self._store([one], raced=races)
                return
            answers = [self._refusal(batch[0][0], error)]
        for (_, future), given in zip(batch, answers, strict=True):
            if not future.cancelled():
                future.set_result(given)

    async def _commit(self, batch: Sequence[Prepared]) -> list[Answer]:
        async with self._database.transaction() as connection:
            return await commit(connection, self._world, batch, self._clock())

    def _refusal(self, prepared: Prepared, error: Exception) -> Answer:
        """The answer to a message that is not stored; a fault of the database may pass, one of ours not."""
        if not isinstance(error, LosusError):
            log.error("message.refused", source=prepared.source, error=type(error).__name__)
            passing = isinstance(error, asyncpg.PostgresError)
            kind = UnavailableError if passing else LosusError
            error = kind(Problem("exception", "the message could not be stored; the log says more"))
        return answer(self._world, prepared.message, prepared.fhir, self._clock(), error)


def _distinct(waiting: list[_Waiting]) -> tuple[list[_Waiting], list[_Waiting]]:
    """Those with ids of their own, and those that share one and so wait for the next batch."""
    batch: list[_Waiting] = []
    later: list[_Waiting] = []
    taken: set[tuple[str, str]] = set()
    for one in waiting:
        source, header_id, bundle_id = one[0].ids
        mine = {(source, "h" + header_id), (source, "b" + bundle_id)}
        (later if taken & mine else batch).append(one)
        taken |= mine
    return batch, later
