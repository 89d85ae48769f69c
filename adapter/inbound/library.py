"""What a delivery points at outside itself, asked of its source's own server before it is stored.

Owns how deep is asked; does not own asking (`adapter.client`), what came by a door of ours (`leaning`), nor
what is made of what is found (`adapter.reading`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adapter.client.references import Fetcher
from adapter.delivery import Delivery
from adapter.mapping.version import Stamp, by_meta, digest_of
from adapter.reading import Found, Outside, Prepared, Resource, is_search, read, translate
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
            asked = sorted(name for name in prepared.asked if not is_search(name))
            if shelf is None or prepared.opened is None or not asked:
                return prepared
            found = await shelf.fetcher.find(asked, spent=spent)
            spent += found.asked
            before = prepared.outside
            fetched = {name: _fetched(resource, now) for name, resource in found.resources.items()}
            outside = Outside(
                {**before.found, **fetched},
                {**before.lost, **found.lost},
                {**before.later, **found.later},
                names=before.names,
            )
            prepared = translate(world, prepared.opened, outside)
        return prepared


def _fetched(resource: Resource, now: datetime) -> Found:
    """A resource as the source's server had it at `now`; that stands in for a version that bears no time."""
    order, version = by_meta(resource, Stamp(received=now.astimezone(UTC).isoformat()))
    return Found(resource, order._replace(digest=digest_of(resource)), version, is_fetched=True)
