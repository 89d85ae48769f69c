"""The scripted month: all stories in the order in which they are played, the same for the same seed.

Owns the order, and the last word of every case; does not own what happens in a story (`stories`). Pure.
"""

import random
from dataclasses import dataclass, replace
from functools import cached_property

from adapter.conformance.stories import STORIES, end
from adapter.conformance.telling import Delivery, Kept, Story, Teller, delivery
from adapter.losus.picture import CasePicture, closing
from adapter.outbound.events import CASE_CHANGED
from adapter.store.intake import EventRow


@dataclass(frozen=True)
class Script:
    """What is played to one municipality; `partitions` is how many its topics have."""

    seed: int
    municipality: str
    partitions: int

    @cached_property
    def stories(self) -> tuple[Story, ...]:
        """Each holds the consumer to one rule."""
        return tuple(tell(self._teller) for tell in STORIES)

    @cached_property
    def ends(self) -> tuple[Story, ...]:
        """The last case of each partition."""
        return tuple(end(self._teller, partition) for partition in range(self.partitions))

    def history(self) -> list[Delivery]:
        """What is played before the consumer is asked to start."""
        return self._mixed([one.deliveries[: one.history] for one in self.stories])

    def rest(self) -> list[Delivery]:
        """What is played then, the ends last."""
        mixed = self._mixed([one.deliveries[one.history :] for one in self.stories])
        return [*mixed, *(told for one in self.ends for told in one.deliveries)]

    def farewell(self) -> list[Delivery]:
        """The last word of every case that is still known, so that nothing of the script is left."""
        return [self._last_word(one) for one in (*self.stories, *self.ends) if one.kept is not Kept.NO]

    @property
    def _teller(self) -> Teller:
        return Teller(self.seed, self.municipality)

    def _mixed(self, queues: list[tuple[Delivery, ...]]) -> list[Delivery]:
        """All of them, the stories shuffled, each in its own order."""
        turns = [number for number, queue in enumerate(queues) for _ in queue]
        random.Random(self.seed).shuffle(turns)  # noqa: S311 - an order that can be repeated, no secret
        waiting = [iter(queue) for queue in queues]
        return [next(waiting[number]) for number in turns]

    def _last_word(self, story: Story) -> Delivery:
        last = closing(CasePicture.model_validate(story.picture))
        last = last.model_copy(update={"revision": last.revision + 1})
        event = EventRow(
            story.case_id,
            self.municipality,
            last.revision,
            CASE_CHANGED,
            self._teller.id_of(f"last word of {story.name}"),
            last.model_dump_json().encode(),
            closing=True,
        )
        return replace(delivery(event), partition=story.deliveries[0].partition)
