"""Settlement: statements that are due and not issued, disputes that nobody answers.

Owns how long a dispute may wait; does not own what is due (`settling.overdue`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.losus.days import Month
from adapter.settling.overdue import overdue
from adapter.store import survey

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
    day, codes = it.today - _GRACE, it.settings.subscribers
    async with it.database() as connection:
        lacking = await overdue(connection, it.book, codes, Month.parse(first), day)
    mend = "`losus settle --due` says what stands in the way"
    by_code = Counter(code for _, code, *_ in lacking)
    told = [
        fail(f"{number} statements are due and not issued", mend, code) for code, number in by_code.items()
    ]
    return sorted(told, key=lambda one: one.what) or [ok("all that are due are issued")]


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
