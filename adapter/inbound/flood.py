"""The flood guard: a source of which too much cannot be used is stopped, loudly.

When a hospital's system or a mapping changes and all at once nothing fits any more, a thousand parked cases
help nobody. Owns counting and stopping; does not own parking. Whether a source is stopped is in the
database, for all replicas; each looks there every few seconds.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from adapter.delivery import Receipt
from adapter.errors import Problem, StoppedError, UnavailableError, UnresolvedError
from adapter.store import doors
from adapter.store.database import Database
from adapter.watch import ROUND_AT, STOPPED_SOURCES
from adapter.world import World

log = structlog.get_logger()

_LAST = 50  # deliveries that are looked back on
_LEAST = 20  # below this many, a share says nothing
_LOOK_AGAIN_S = 2.0


class Flood:
    """Counts what cannot be used, by source, and stops a source that gives too much of it."""

    def __init__(self, world: World, database: Database, clock: Callable[[], datetime]) -> None:
        self._world, self._database, self._clock = world, database, clock
        self._last: dict[str, deque[bool]] = {}
        self._stopped: set[str] = set()
        self._stopping: asyncio.Queue[str] = asyncio.Queue()

    def demand_open(self, source: str) -> None:
        """StoppedError where the source is stopped."""
        if source in self._stopped:
            rule = "this source was stopped, since too much of what it sent could not be used"
            raise StoppedError(Problem("throttled", rule), retry_after_s=300)

    def note(self, source: str, receipt: Receipt) -> None:
        """Count what became of a delivery; what is answered to the sender does not count.

        What waits for something that it refers to is in order: it only came first.
        """
        if receipt.state not in {"taken", "held"}:
            return
        last = self._last.setdefault(source, deque(maxlen=_LAST))
        last.append(receipt.state == "held" and not isinstance(receipt.error, UnresolvedError))
        limit = self._world.speakers[source].flood
        if len(last) >= _LEAST and sum(last) > limit * len(last) and source not in self._stopped:
            self._stopped.add(source)
            self._stopping.put_nowait(source)

    async def run(self) -> None:
        """Write down what was stopped here and learn what was stopped elsewhere, until cancelled."""
        while True:
            try:
                await self._turn()
            except Exception as error:  # noqa: BLE001 - the outermost loop: it must go on
                log.warning("flood.interrupted", error=type(error).__name__)
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_AGAIN_S):
                source = await self._stopping.get()
        except TimeoutError:
            await self._look()
        else:
            await self._stop(source)

    async def _stop(self, source: str) -> None:
        share = f"{sum(self._last[source])} of the last {len(self._last[source])}"
        log.error("source.stopped", source=source, failing=share)
        try:
            async with self._database.transaction() as connection:
                await doors.stop_source(connection, source, self._clock(), f"{share} could not be used")
        except UnavailableError:
            await asyncio.sleep(_LOOK_AGAIN_S)  # stopped here all the same; the others learn of it later
            self._stopping.put_nowait(source)

    async def _look(self) -> None:
        try:
            async with self._database.transaction() as connection:
                known = set(await doors.stopped_sources(connection))
        except UnavailableError:
            return
        for source in self._stopped - known:  # an operator let it go on
            self._last.pop(source, None)
        self._stopped = known
        ROUND_AT.labels("flood").set_to_current_time()
        for source in self._world.speakers:
            STOPPED_SOURCES.labels(source).set(source in known)
