"""What a delivery points at outside itself, asked of its source's own server before it is stored.

Owns how deep is asked; does not own asking (`adapter.client`), what came by a door of ours (`leaning`), nor
what is made of what is found (`adapter.reading`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.client.references import Fetcher
from adapter.delivery import Delivery
from adapter.reading import Outside, Prepared, read, translate
from adapter.world import World


@dataclass(frozen=True, slots=True)
class Shelf:
    """A source's own server as it is asked here: `depth` is how far references of references are followed."""

    fetcher: Fetcher
    depth: int


class Library:
    """Reads deliveries with the help of what lies outside them."""

    def __init__(self, shelves: Mapping[str, Shelf] | None = None) -> None:
        self._shelves = shelves or {}

    async def read(
        self, world: World, delivery: Delivery, now: datetime, *, is_kept: bool = False
    ) -> Prepared:
        """Read a delivery; its source's server is asked for what it points at, and for what that points at.

        Raises as `reading.read` does.
        """
        prepared = read(world, delivery, now, is_kept=is_kept)
        shelf = self._shelves.get(delivery.source)
        spent = 0
        for _ in range(shelf.depth if shelf else 0):
            if shelf is None or prepared.opened is None or not prepared.asked:
                return prepared
            found = await shelf.fetcher.find(sorted(prepared.asked), spent=spent)
            spent += found.asked
            before = prepared.outside
            outside = Outside(
                {**before.found, **found.resources},
                {**before.lost, **found.lost},
                {**before.later, **found.later},
            )
            prepared = translate(world, prepared.opened, outside)
        return prepared
