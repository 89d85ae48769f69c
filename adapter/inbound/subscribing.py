"""The adapter's own Subscriptions at the sources' servers: asked for, renewed, activated anew.

Owns that each is there and alive, and that what was missed while it was not is looked for; does not own how
it is written (`fhir.subscription`), nor what comes of it (`hook`). What a server named a Subscription is
kept, so that a restart asks for no second one; of several replicas one at a time sees to it. A server counts
on while a Subscription is in error, and does nothing: whoever subscribed has to activate it (Backport 1.1,
«Errors»).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from adapter.client.calls import FhirClient
from adapter.client.faults import GoneError, RefusedError
from adapter.errors import Problem, SetupError
from adapter.fhir.subscription import backport, plain, r5
from adapter.inbound.poller import Poller
from adapter.losus.instants import instant_text
from adapter.losus.moments import TimeFault, as_end
from adapter.servers import Subscribe
from adapter.store.database import Database
from adapter.store.doors import alone, read_marks, save_marks
from adapter.watch import SUBSCRIBED

log = structlog.get_logger()

Resource = dict[str, Any]

_LOOK_AGAIN_S = 60.0
_ALIVE = frozenset({"active", "requested"})


class Subscriber:
    """Keeps one source's Subscriptions alive; `run` works until cancelled, `keep` once."""

    def __init__(
        self,
        source: str,
        wanted: Subscribe,
        client: FhirClient,
        poller: Poller,
        *,
        database: Database,
        clock: Callable[[], datetime],
        turn: asyncio.Semaphore,
    ) -> None:
        """`turn` is held while one looks: who looks holds one connection of the pool and needs another."""
        self._source, self._wanted, self._client, self._poller = source, wanted, client, poller
        self._database, self._clock, self._turn = database, clock, turn
        self._caught_up_at: datetime | None = None

    async def run(self, look_again_s: float = _LOOK_AGAIN_S) -> None:
        """See to it again and again; a server that is away is waited out."""
        while True:
            try:
                await self.keep()
            except Exception as error:  # noqa: BLE001 - the outermost loop: it must go on
                SUBSCRIBED.labels(self._source).set(0)
                log.warning("subscriber.interrupted", source=self._source, error=type(error).__name__)
            await asyncio.sleep(look_again_s)

    async def keep(self) -> int:
        """See to it that every Subscription is there and alive; how many had to be made or mended."""
        mended = 0
        async with self._turn, self._database.transaction() as connection:
            if not await alone(connection, f"subscribe {self._source}"):
                return 0
            for mark, wanted in self._all():
                mended += await self._one(mark, wanted)
        SUBSCRIBED.labels(self._source).set(1)
        if mended or self._is_behind():
            await self._poller.look()  # what came while nobody told of it
            self._caught_up_at = self._clock()
        return mended

    def _is_behind(self) -> bool:
        every = timedelta(seconds=self._wanted.catch_up_s)
        return self._caught_up_at is None or self._clock() - self._caught_up_at >= every

    async def _one(self, mark: str, wanted: Resource) -> int:
        known = await self._known(mark)
        there = await self._there(known) if known is not None else None
        if there is None:
            answer = await self._client.post(wanted)
            name = _name(answer.location, answer.body)
            await self._keep(mark, name)
            log.info("subscriber.asked", source=self._source)
            return 1
        is_alive = there.get("status") in _ALIVE
        if is_alive and not self._ends_soon(there):
            return 0
        await self._client.put({**wanted, "id": there["id"]})
        log.info("subscriber.renewed", source=self._source, was_alive=is_alive)
        return 0 if is_alive else 1

    def _all(self) -> list[tuple[str, Resource]]:
        """The Subscriptions wanted, each under the mark that its name is kept by."""
        wanted = self._wanted
        end = instant_text(self._clock() + timedelta(seconds=2 * wanted.renew_s))
        secret = wanted.secret_file.read_text(encoding="utf-8").strip() if wanted.secret_file else None
        prefix = f"subscription {self._source} "
        if wanted.kind == "rest-hook":
            with_payload = wanted.content == "full-resource"
            return [
                (prefix + one, plain(one, wanted.hook_url, secret, end, with_payload=with_payload))
                for one in wanted.criteria
            ]
        if wanted.topic is None:
            at = f"sources.{self._source}.server.subscribe.topic"
            raise SetupError(Problem("required", "a Subscription of this kind is to a topic", at))
        make = backport if wanted.kind == "backport" else r5
        written = make(wanted.topic, wanted.filters, wanted.hook_url, secret, end, wanted.content)
        return [(prefix + wanted.topic, written)]

    def _ends_soon(self, there: Resource) -> bool:
        try:
            end = as_end(there["end"]) if "end" in there else None
        except TimeFault:  # it never ends, or nobody can tell when
            return False
        return end is not None and end - self._clock() < timedelta(seconds=self._wanted.renew_s)

    async def _there(self, name: str) -> Resource | None:
        """The Subscription as the server has it; None where it has none of that name any more."""
        try:
            return (await self._client.read(f"Subscription/{name}")).resource
        except GoneError:
            return None

    async def _known(self, mark: str) -> str | None:
        async with self._database.transaction() as connection:
            return (await read_marks(connection, mark)).get(mark)

    async def _keep(self, mark: str, name: str) -> None:
        async with self._database.transaction() as connection:
            await save_marks(connection, [(mark, name)], self._clock())


def _name(location: str | None, body: bytes) -> str:
    """The id that the server gave, as it says in the resource or in `Location`."""
    try:
        found = orjson.loads(body).get("id") if body else None
    except (orjson.JSONDecodeError, AttributeError):
        found = None
    if isinstance(found, str):
        return found
    head, _, rest = (location or "").partition("/Subscription/")
    if head and rest:
        return rest.partition("/")[0]
    raise RefusedError(Problem("structure", "the server does not say what it named the Subscription"))
