"""Which recorded events of a case may go out again, and that the last of them is the newest.

Owns the choice; does not own how they are published. Pure.

Always up to the newest event: on `.cases` the last record of a key is what the case is. What may no longer
be told is left out, though it was told once: the person's identity where it is protected now, and more than
the four fields of LUS 2:2 where the municipality is sent no more than these now.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from adapter.outbound.events import CASE_EXPIRED, OF_SETTLEMENTS, Payload
from adapter.store.republish import Recorded


def again(
    events: Sequence[Recorded], *, since: datetime | None, payload: Payload, is_protected: bool
) -> tuple[list[int], int]:
    """The ids of the events to publish again, in order, and how many may not be.

    `since` None: from the first on. `payload`: what the municipality may be sent now; `is_protected`:
    whether the person's identity is protected now.
    """
    wanted = [one for one in events if since is None or one.created_at >= since]
    allowed = [one.id for one in wanted if _may_go(one, payload, is_protected=is_protected)]
    return allowed, len(wanted) - len(allowed)


def _may_go(one: Recorded, payload: Payload, *, is_protected: bool) -> bool:
    if one.closing or one.type in {CASE_EXPIRED, *OF_SETTLEMENTS}:  # nothing of the person, or of no case
        return True
    picture: dict[str, Any] = orjson.loads(one.payload)
    if is_protected and not picture["protected"]:
        return False
    return payload == "full" or picture["payload"] == "statutory"
