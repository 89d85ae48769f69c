"""Publishing: relays that hold the shares, what waits, lanes that are apart, cases that the broker refuses.

Owns from where on waiting is a fault; does not own the outbox (`store.outbox`, `store.quarantine`).
"""

from collections import Counter
from collections.abc import Sequence

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.outbound.topics import SHARES
from adapter.store import outbox, quarantine, recovery

_LATE_S = 120.0
_MENDS = {
    "missing": "`losus topics apply`",
    "denied": "give our user the rights that `losus topics apply --dry-run` lists",
    "leaderless": "for the broker's operators: the topic has no leader",
}


async def relays(it: Deployment) -> Sequence[Told]:
    """Whether somebody publishes for each municipality."""
    async with it.database() as connection:
        members, held = await outbox.members(connection), await outbox.held(connection)
    if not members:
        return [fail("no relay is there: nothing is published", "start `losus relay`")]
    if len(held) < SHARES:
        mend = "look into the relays' logs (relay.interrupted); a session must not go through a pooler"
        return [fail(f"{len(members)} relays hold {len(held)} of the {SHARES} shares", mend)]
    return [ok(f"{len(members)} relays hold all {SHARES} shares")]


async def older(it: Deployment) -> Sequence[Told]:
    """Whether a relay found that Kafka has what this database does not know."""
    async with it.database() as connection:
        is_behind = await recovery.is_behind(connection)
    if is_behind:
        found = "Kafka has what the database does not know: it was restored to an earlier point"
        return [fail(found, "`losus recover`; until then no relay publishes")]
    return [ok("the database knows all that Kafka has")]


async def lag(it: Deployment) -> Sequence[Told]:
    """How long the oldest event waits, of the lanes that are in order."""
    async with it.database() as connection:
        oldest_at = await quarantine.oldest_in_order(connection)
    if oldest_at is None:
        return [ok("nothing waits")]
    age_s = max((it.now() - oldest_at).total_seconds(), 0.0)
    found = f"the oldest event has waited for {age_s:.0f} s"
    mend = "see what else is wrong here; after an outage it is caught up with by itself, or by more relays"
    if age_s > it.settings.ready_lag_s:
        return [fail(found, mend)]
    return [warn(found, mend) if age_s > _LATE_S else ok(found)]


async def quarantined(it: Deployment) -> Sequence[Told]:
    """Municipalities that are published apart from the others, with the reason."""
    async with it.database() as connection:
        apart = await quarantine.quarantined(connection)
    mend = "look into the relay's log for this lane"
    told = [fail(f"is apart: {one.reason}", _MENDS.get(one.reason, mend), one.lane) for one in apart]
    return told or [ok("none is apart")]


async def refused(it: Deployment) -> Sequence[Told]:
    """Cases with an event that the broker refuses for good: their municipality hears no more of them."""
    async with it.database() as connection:
        parked = Counter(one.lane for one in await quarantine.parked_cases(connection))
    mend = "`losus cases refused` says why; when that is mended, `losus cases release`"
    told = [fail(f"{cases} cases wait", mend, lane) for lane, cases in sorted(parked.items())]
    return told or [ok("none")]
