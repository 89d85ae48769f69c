"""Tombstones on `.cases` for cases that ended long ago: the topic is no archive.

Owns how it is told. The database keeps the case, as the law on patient data asks (PDL 3:17: ten years at
least); what a municipality needs to rebuild its picture of who is on the way home needs no ended case.
A late message about such a case puts it on the topic again, and later off again.
"""

import hashlib
from datetime import datetime, timedelta

from adapter.losus.terms import State
from adapter.outbound.events import CASE_EXPIRED
from adapter.outbound.grounds import OVER, TOMBSTONE
from adapter.store.database import Connection
from adapter.store.expiry import Ended, Place, ended_before
from adapter.store.intake import EventRow, add_events
from adapter.trace import Trace

#: States from which nothing more is expected.
ENDED = (State.DISCHARGED, State.DECEASED, State.INTERRUPTED, State.VOIDED)
START: Place = ("", "")
_PAGE = 500


async def expire(
    connection: Connection, now: datetime, days: int, after: Place = START, trace: Trace | None = None
) -> tuple[int, Place | None]:
    """Take the next ended cases off `.cases` that have not changed for `days` days.

    How many there were on this page, and where to go on (None: that was the last page). Each case and
    revision is taken off once: the event of it has the revision below zero, which the database has once.
    """
    before = now - timedelta(days=days)
    ended, place = await ended_before(connection, [state.value for state in ENDED], before, after, _PAGE)
    if ended:
        await add_events(connection, [_event(one) for one in ended], now, trace)
    return len(ended), place


def _event(one: Ended) -> EventRow:
    seed = "\0".join((CASE_EXPIRED, one.case_id, one.municipality, str(one.revision)))
    ce_id = hashlib.sha256(seed.encode()).hexdigest()[:32]
    return EventRow(
        one.case_id,
        one.municipality,
        -one.revision,
        CASE_EXPIRED,
        ce_id,
        b"",
        form=TOMBSTONE,
        ground=OVER,
    )
