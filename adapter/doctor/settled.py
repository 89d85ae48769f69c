"""Settlement: statements that are due and not issued, disputes that nobody answers.

Owns how long a dispute may wait; does not own what is due (`settling.due`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.losus.days import Month
from adapter.settling import due as owed
from adapter.store import statistics, survey

#: The daily run comes in the night after; so what has been due since yesterday is late.
_GRACE = timedelta(days=1)
_DISPUTE = timedelta(days=14)


async def due(it: Deployment) -> Sequence[Told]:
    """Statements past their correction day that are not there, by municipality."""
    first = it.settings.settle_from
    if first is None:
        if it.is_sandbox:
            return [ok("nothing is settled on schedule, as a sandbox may")]
        mend = "set LOSUS_SETTLE_FROM to the first month, and run `losus settle --due` daily"
        return [warn("nothing is settled on schedule", mend)]
    day = it.today - _GRACE
    wanted = owed.due(it.book, it.settings.subscribers, Month.parse(first), day)
    async with it.database() as connection:
        lacking = wanted - await statistics.issued_in(connection, {month for *_, month in wanted})
    mend = "`losus settle --due` says what stands in the way"
    by_code = Counter(code for _, code, *_ in lacking)
    told = [
        fail(f"{number} statements are due and not issued", mend, code) for code, number in by_code.items()
    ]
    return sorted(told, key=lambda one: one.what) or [ok(f"all {len(wanted)} that are due are issued")]


async def disputes(it: Deployment) -> Sequence[Told]:
    """Disputes that have waited for long, by municipality."""
    async with it.database() as connection:
        found = await survey.open_disputes(connection)
    mend = "`losus disputes` lists them; `losus disputes --answer`"
    told = [
        warn(f"{one.disputes} open, the oldest since {one.oldest_at:%Y-%m-%d}", mend, one.municipality)
        for one in found
        if it.now() - one.oldest_at > _DISPUTE
    ]
    return told or [ok(f"{sum(one.disputes for one in found)} open, none for more than {_DISPUTE.days} days")]
