"""What a delivery points at outside itself: looked up among what came before, else asked of its server.

Owns where is looked, in which order and how deep; does not own asking (`adapter.client`) nor what is made
of what is found (`adapter.reading`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from adapter.delivery import Delivery
from adapter.errors import Problem
from adapter.reading import Outside, Prepared, read
from adapter.store.database import Database
from adapter.store.library import find_resources
from adapter.world import World

Resource = dict[str, Any]

_DEPTH = 2  # of what points at what points at …; a source's server has its own setting


class Found(Protocol):
    """What a server gave, by reference; `lost` is not to be had, `later` perhaps when asked again."""

    @property
    def resources(self) -> Mapping[str, Resource]: ...  # noqa: D102 - see the class
    @property
    def lost(self) -> Collection[str]: ...  # noqa: D102
    @property
    def later(self) -> Collection[str]: ...  # noqa: D102


class Server(Protocol):
    """A source's own server, as far as it is asked here."""

    async def find(self, references: Collection[str]) -> Found:
        """Ask for each reference (Type/id)."""
        ...


class Library:
    """Reads deliveries with the help of what lies outside them."""

    def __init__(
        self,
        database: Database,
        servers: Mapping[str, Server],
        depths: Mapping[str, int] | None = None,
        fresh: Mapping[str, timedelta] | None = None,
    ) -> None:
        self._database, self._servers = database, servers
        self._depths, self._fresh = depths or {}, fresh or {}

    async def read(
        self, world: World, delivery: Delivery, now: datetime, *, is_kept: bool = False
    ) -> Prepared:
        """Read a delivery; what it points at is looked for as often as something new is asked for.

        Raises as `reading.read` does, and UnavailableError where the database is not there.
        """
        prepared = read(world, delivery, now, is_kept=is_kept)
        outside = Outside()
        for _ in range(self._depths.get(delivery.source, _DEPTH) + 1):
            if not prepared.asked:
                return prepared
            outside = await self._look(world, delivery.source, prepared.asked, outside, now)
            prepared = read(world, delivery, now, outside, is_kept=is_kept)
        return prepared

    async def _look(
        self, world: World, source: str, names: Collection[str], outside: Outside, now: datetime
    ) -> Outside:
        async with self._database.transaction() as connection:
            kept = await find_resources(connection, source, names, world.seal)
        server = self._servers.get(source)
        if server is None:
            found = {name: resource for name, (resource, _) in kept.items()}
            return _more(outside, found, names)
        age = self._fresh.get(source, timedelta())
        fresh = {name: resource for name, (resource, got_at) in kept.items() if now - got_at <= age}
        asked = await server.find(sorted(set(names) - set(fresh)))
        stale = {name: kept[name][0] for name in asked.later if name in kept}
        found = {**fresh, **stale, **asked.resources}
        lost = {name: _problem("not-found", "is not to be had") for name in asked.lost}
        later = {
            name: _problem("transient", "is not to be had now") for name in asked.later if name not in kept
        }
        return Outside({**outside.found, **found}, {**outside.lost, **lost}, {**outside.later, **later})


def _more(outside: Outside, found: Mapping[str, Resource], names: Collection[str]) -> Outside:
    """With what was found; what was not is nowhere to be asked for, and so is simply not there."""
    absent = outside.absent | (set(names) - set(found))
    return Outside({**outside.found, **found}, outside.lost, outside.later, absent)


def _problem(code: str, what: str) -> Problem:
    return Problem(code, f"a resource that this one points at {what}")
