"""The rest-hook door: notifications of a source's server, and what to do where one is missing.

Owns counting the events of each Subscription, and that a gap is closed: by `$events` where the server has it,
else by a look at all that has changed. The count is written down after what it counts is stored, so that a
crash leads to a gap, which is closed. Does not own reading a notification (`fhir.notification`), asking
(`adapter.client`, `poller`) nor what becomes of a resource.
Source: Subscriptions R5 Backport 1.1, «Conditions and Errors», «Events and Errors».
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog

from adapter.client.calls import FhirClient
from adapter.client.faults import GoneError, RefusedError
from adapter.delivery import Delivery, Door
from adapter.errors import InputError, Problem, UnsupportedError
from adapter.fhir.document import Media
from adapter.fhir.model import FhirVersion
from adapter.fhir.notification import Event, Notification, read_notification
from adapter.inbound.handing import hand_over
from adapter.inbound.poller import Poller
from adapter.inbound.receiver import Receiver
from adapter.store.database import Database
from adapter.store.doors import read_marks, save_marks
from adapter.watch import HOOK_GAPS

log = structlog.get_logger()

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Server:
    """A source's own server, as far as a hook needs it."""

    client: FhirClient
    poller: Poller


class Hook:
    """Takes in the notifications of all sources; one after the other of each Subscription."""

    def __init__(
        self,
        receiver: Receiver,
        database: Database,
        servers: Mapping[str, Server],
        clock: Callable[[], datetime],
    ) -> None:
        self._receiver, self._database, self._servers, self._clock = receiver, database, servers, clock
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def notified(self, source: str, bundle: Resource, fhir: FhirVersion) -> Notification:
        """Take in a notification Bundle; when this ends, all that it tells of is stored.

        Raises InputError where it is no notification, UnavailableError where something of it cannot be had
        now: the server is to send it again.
        """
        told = read_notification(bundle)
        mark = f"hook {source} {told.subscription.rpartition('/')[2]}"
        async with self._turns[mark]:
            await self._take(source, told, fhir, mark)
        return told

    async def resource(self, source: str, body: bytes, media: Media, fhir: FhirVersion) -> None:
        """Take in what plain R4's rest-hook puts: the resource itself."""
        await hand_over(self._receiver, [Delivery(source, Door.HOOK, body, media, fhir)])

    async def knocked(self, source: str) -> None:
        """Look at what has changed: plain R4's rest-hook without a payload says only that something has."""
        await self._look(source)

    async def _take(self, source: str, told: Notification, fhir: FhirVersion, mark: str) -> None:
        async with self._database.transaction() as connection:
            before = (await read_marks(connection, mark)).get(mark)
        last = int(before) if before is not None else None
        await self._store(source, told, fhir)
        missing, reached = progress(told, last)
        if missing:
            await self._close(source, told, fhir, missing)
        async with self._database.transaction() as connection:
            await save_marks(connection, [(mark, str(reached))], self._clock())

    async def _store(self, source: str, told: Notification, fhir: FhirVersion) -> None:
        """Store what a notification brings, or names; a look where it names nothing."""
        deliveries = [
            Delivery(source, Door.HOOK, orjson.dumps(resource), fhir=fhir)
            for resource in await self._named(source, told)
        ]
        await hand_over(self._receiver, deliveries)
        if any(event.focus is None for event in told.events):
            await self._look(source)

    async def _named(self, source: str, told: Notification) -> list[Resource]:
        found: list[Resource] = []
        for event in told.events:
            if event.focus is None:
                continue
            short = "/".join(event.focus.split("/_history/")[0].rsplit("/", 2)[-2:])
            resource = told.resources.get(event.focus) or told.resources.get(short)
            found.append(resource if resource is not None else await self._fetch(source, event))
        pointed = {id(one): one for one in told.resources.values()}
        return [*found, *(one for key, one in pointed.items() if key not in {id(f) for f in found})]

    async def _fetch(self, source: str, event: Event) -> Resource:
        """The focus of an event, of the source's own server alone: never from where a notification says.

        What that server does not have is kept as a name without content, which is then held for a person.
        """
        focus = event.focus or ""
        try:
            return (await self._server(source).client.read(focus)).resource
        except (GoneError, RefusedError):
            kind, _, name = focus.split("/_history/")[0].rpartition("/")
            return {"resourceType": kind.rpartition("/")[2], "id": name}

    async def _close(
        self, source: str, told: Notification, fhir: FhirVersion, missing: frozenset[int]
    ) -> None:
        """Get the missing events: by `$events`, else by a look at all that has changed."""
        log.warning("hook.gap", source=source, events=len(missing), can_ask=source in self._servers)
        HOOK_GAPS.labels(source).inc()
        if source not in self._servers:
            return  # nobody can be asked: the log and the metric say so, and a person has to
        path = f"Subscription/{told.subscription.rpartition('/')[2]}/$events"
        span = {"eventsSinceNumber": str(min(missing)), "eventsUntilNumber": str(max(missing))}
        try:
            answer = await self._server(source).client.operation(path, span)
            again = read_notification(answer.resource)
        except (RefusedError, InputError) as error:  # a server without `$events`, or with one of its own
            log.info("hook.no_events", source=source, error=type(error).__name__)
            again = None
        if again is not None and missing <= {event.number for event in again.events}:
            await self._store(source, again, fhir)
        else:
            await self._look(source)

    async def _look(self, source: str) -> None:
        await self._server(source).poller.look()

    def _server(self, source: str) -> Server:
        server = self._servers.get(source)
        if server is None:
            rule = (
                "an empty or id-only notification needs the source's server, and none is configured: "
                "configure `server`, or send full resources"
            )
            raise UnsupportedError(Problem("not-supported", rule))
        return server


def progress(told: Notification, last: int | None) -> tuple[frozenset[int], int]:
    """The numbers that are missing, and how far the Subscription has come with this notification.

    `last` is how far it had come, None where nothing was known: then it begins with what comes first. A
    handshake begins the count: a server that starts anew starts at 0.
    """
    numbers = {event.number for event in told.events}
    if told.kind == "handshake":
        begun = told.total or 0
        return frozenset(range((last or begun) + 1, begun + 1)), begun
    reached = max([last or 0, *numbers, told.total or 0])
    first = last if last is not None else min(numbers, default=reached + 1) - 1
    return frozenset(range(first + 1, reached + 1)) - frozenset(numbers), reached
