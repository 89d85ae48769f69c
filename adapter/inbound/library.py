"""What a delivery points at outside itself: asked of its source's server, else of what came before.

Owns where is looked, in which order and how deep; does not own asking (`adapter.client`) nor what is made
of what is found (`adapter.reading`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.client.references import Fetcher
from adapter.delivery import Delivery
from adapter.reading import Outside, Prepared, read
from adapter.store.database import Database
from adapter.store.library import find_resources
from adapter.world import World

Resource = dict[str, Any]

_DEPTH = 2  # of what points at what points at …, where there is no server whose setting says


@dataclass(frozen=True, slots=True)
class Shelf:
    """A source's own server as it is asked here: `depth` is how far references of references are followed."""

    fetcher: Fetcher
    depth: int


class Library:
    """Reads deliveries with the help of what lies outside them."""

    def __init__(self, database: Database, shelves: Mapping[str, Shelf]) -> None:
        self._database, self._shelves = database, shelves

    async def read(
        self, world: World, delivery: Delivery, now: datetime, *, is_kept: bool = False
    ) -> Prepared:
        """Read a delivery; what it points at is looked for as often as something new is asked for.

        Raises as `reading.read` does, and UnavailableError where the database is not there.
        """
        prepared = read(world, delivery, now, is_kept=is_kept)
        shelf = self._shelves.get(delivery.source)
        outside, spent = Outside(), 0
        for _ in range(shelf.depth if shelf else _DEPTH):
            if not prepared.asked:
                return prepared
            outside, spent = await self._look(world, delivery.source, prepared.asked, outside, spent)
            prepared = read(world, delivery, now, outside, is_kept=is_kept)
        return prepared

    async def _look(
        self, world: World, source: str, names: Collection[str], outside: Outside, spent: int
    ) -> tuple[Outside, int]:
        async with self._database.transaction() as connection:
            kept = await find_resources(connection, source, names, world.seal)
        shelf = self._shelves.get(source)
        if shelf is None:
            absent = outside.absent | (set(names) - set(kept))
            return Outside({**outside.found, **kept}, outside.lost, outside.later, absent), spent
        asked = await shelf.fetcher.find(sorted(names), spent=spent)
        stale = {name: kept[name] for name in asked.later if name in kept}
        later = {name: why for name, why in asked.later.items() if name not in kept}
        found = Outside(
            {**outside.found, **stale, **asked.resources},
            {**outside.lost, **asked.lost},
            {**outside.later, **later},
            outside.absent,
        )
        return found, spent + asked.asked
