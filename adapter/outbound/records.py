"""An event as the records that tell of it, and the lane it travels in.

Owns which topics an event goes to. A lane is what is published or held up as one: a municipality's
topics, the region's topic of the unrouted, its topic of dead letters. Lanes are dealt to `SHARES`
shares, which relays divide among themselves.
"""

import zlib
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from adapter.losus.instants import instant_text
from adapter.outbound.events import CASE_EXPIRED, OF_SETTLEMENTS, cloud_event_headers
from adapter.outbound.topics import (
    DEAD_LETTER,
    SHARES,
    UNROUTED,
    cases_topic,
    events_topic,
    settlements_topic,
)
from adapter.store.intake import EventRow

DEAD_LETTER_LANE = "dead-letter"
UNROUTED_LANE = "unrouted"

#: A record: topic, key, value (None: a tombstone), headers.
Record = tuple[str, bytes, bytes | None, list[tuple[str, bytes]]]


@lru_cache(maxsize=4096)
def share_of(lane: str) -> int:
    """The share that a lane belongs to, 0 up to `SHARES`."""
    return zlib.crc32(lane.encode()) % SHARES


def records(event: EventRow, lane: str, created_at: datetime, region: str) -> Iterator[Record]:
    """The records of an event, in order.

    Each event of a case on `.events`, and its newest picture on `.cases` (a tombstone where the case
    left the municipality, or where its time on the topic is over, which `.events` has no word of); a
    statement, a joint follow-up or a year's amount on `.settlements`, its key the id of that.
    """
    key = event.case_id.encode()
    headers = list(cloud_event_headers(event, region, instant_text(created_at)))
    if lane in {DEAD_LETTER_LANE, UNROUTED_LANE}:
        yield DEAD_LETTER if lane == DEAD_LETTER_LANE else UNROUTED, key, event.payload, headers
    elif event.type in OF_SETTLEMENTS:
        yield settlements_topic(lane), key, event.payload, headers
    elif event.type == CASE_EXPIRED:
        yield cases_topic(lane), key, None, headers
    else:
        yield events_topic(lane), key, event.payload, headers
        yield cases_topic(lane), key, None if event.closing else event.payload, headers
