"""The asking door: what has changed at a source's server since the last look, by `_lastUpdated`.

Owns how far the looking has come; does not own asking (`adapter.client`) nor what becomes of a resource.
What is found is handed over before it is written down that it was, so that after a crash the look goes on
from before it; a look reaches back (`overlap_s`) for what became visible late, and what is known by its
version is passed over. The clock is the server's own.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import orjson
import structlog

from adapter.client.calls import FhirClient, Page
from adapter.client.faults import GoneError
from adapter.delivery import Delivery, Door
from adapter.errors import Problem, UnavailableError
from adapter.fhir.model import FhirVersion
from adapter.inbound.handing import Tally, hand_over
from adapter.inbound.receiver import Receiver
from adapter.losus.instants import instant_text
from adapter.losus.moments import TimeFault, as_moment, as_start
from adapter.servers import Poll
from adapter.store.database import Database
from adapter.store.doors import read_marks, save_marks
from adapter.tracing import work

log = structlog.get_logger()


class Poller:
    """Asks one source's server; `run` works until cancelled, `look` once."""

    def __init__(
        self,
        source: str,
        poll: Poll,
        client: FhirClient,
        *,
        receiver: Receiver,
        database: Database,
        clock: Callable[[], datetime],
        version: FhirVersion | None = None,
    ) -> None:
        self._source, self._poll, self._client, self._version = source, poll, client, version
        self._receiver, self._database, self._clock = receiver, database, clock

    async def run(self) -> None:
        """Look again and again; a server or database that is away, or a stopped source, is waited out."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the outermost loop: it must go on
                log.warning("poll.interrupted", source=self._source, error=type(error).__name__)
            await asyncio.sleep(self._poll.every_s)

    async def look(self) -> Tally:
        """Ask once for what has changed, type by type; what became of it."""
        with work("poll", None, attributes={"losus.source": self._source}) as looking:
            marks = await self._marks()
            tally = Tally()
            for kind in self._poll.types:
                tally += await self._look_at(kind, marks.get(self._name(kind)))
            looking.note({"losus.taken": tally.taken, "losus.held": tally.held})
            log.info("poll.looked", source=self._source, taken=tally.taken, held=tally.held)
            return tally

    async def _look_at(self, kind: str, mark: str | None) -> Tally:
        """Follow the pages of one search; where it is in order, how far it has come is kept page by page."""
        since = datetime.fromisoformat(mark) if mark else await self._start(kind)
        reached, tally = since, Tally()
        before: list[datetime] = []
        in_order = True
        parameters = {
            "_lastUpdated": f"ge{instant_text(since - timedelta(seconds=self._poll.overlap_s))}",
            "_sort": "_lastUpdated",
            "_count": str(self._poll.count),
        }
        try:
            async for page in self._client.search(kind, parameters):
                tally += await hand_over(self._receiver, self._deliveries(page))
                changed = [*before, *_changed(page, page.server_time or self._clock())]
                in_order = in_order and changed == sorted(changed)
                before = changed[-1:]
                reached = max([reached, *changed])
                if in_order:
                    await self._write(kind, reached)
        except GoneError:
            # The server forgot the search in the middle; the next look begins where this one has come.
            raise UnavailableError(
                Problem("transient", "the server forgot a search between two pages")
            ) from None
        await self._write(kind, reached)
        return tally

    def _deliveries(self, page: Page) -> Iterator[Delivery]:
        for resource in page.resources:
            yield Delivery(self._source, Door.POLL, orjson.dumps(resource), fhir=self._version)

    async def _start(self, kind: str) -> datetime:
        """When the very first look begins: as the settings say, else now by the server's clock."""
        if self._poll.since is not None:
            return as_start(self._poll.since)
        async for page in self._client.search(kind, {"_count": "1", "_summary": "count"}):
            return page.server_time or self._clock()
        return self._clock()

    async def _marks(self) -> dict[str, str]:
        async with self._database.transaction() as connection:
            return await read_marks(connection, f"poll {self._source} ")

    async def _write(self, kind: str, reached: datetime) -> None:
        async with self._database.transaction() as connection:
            await save_marks(connection, [(self._name(kind), reached.isoformat())], self._clock())

    def _name(self, kind: str) -> str:
        return f"poll {self._source} {kind}"


def _changed(page: Page, now: datetime) -> Iterator[datetime]:
    """When each resource of the page was last changed, as it says; what says nothing leads nowhere.

    Nor does a time after `now` (the server's, where it is known): all that changes until then would be passed
    over.
    """
    for resource in page.resources:
        stamp = (resource.get("meta") or {}).get("lastUpdated")
        try:
            moment = as_moment(stamp)
        except TimeFault:
            continue
        if moment <= now:
            yield moment
