"""How far publishing lags, as figures: per lane what waits, what is parked, what is in quarantine.

Owns setting the gauges of a relay; their names are in `watch`.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from adapter.store import quarantine
from adapter.store.database import Connection
from adapter.watch import LAG_EVENTS, LAG_SECONDS, PARKED_CASES, QUARANTINED


async def observe(connection: Connection, is_mine: Callable[[str], bool]) -> None:
    """Set the gauges of the lanes that this relay is to publish; a lane it has not, has no figure."""
    lags = [one for one in await quarantine.lags(connection) if is_mine(one.lane)]
    apart = [one.lane for one in await quarantine.quarantined(connection) if is_mine(one.lane)]
    parked = Counter(one.lane for one in await quarantine.parked_cases(connection) if is_mine(one.lane))
    now = datetime.now(UTC)
    for gauge in (LAG_EVENTS, LAG_SECONDS, PARKED_CASES, QUARANTINED):
        gauge.clear()
    for lag in lags:
        LAG_EVENTS.labels(lag.lane).set(lag.events)
        LAG_SECONDS.labels(lag.lane).set(max((now - lag.oldest_at).total_seconds(), 0.0))
    for lane in apart:
        QUARANTINED.labels(lane).set(1)
    for lane, cases in parked.items():
        PARKED_CASES.labels(lane).set(cases)
