"""The audit: whether its newest rows are as they were written.

Owns how many are looked at; the whole chain is `losus audit verify`'s.
"""

from collections.abc import Sequence

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok
from adapter.store import audit

_ROWS = 1_000


async def newest(it: Deployment) -> Sequence[Told]:
    """Hold the newest rows against their hashes."""
    async with it.database() as connection:
        broken = await audit.verify_last(connection, _ROWS)
        head = await audit.head(connection)
    if broken is not None:
        mend = "`losus audit verify`, with a head kept elsewhere; treat it as an incident"
        return [fail(f"row {broken} is not as it was written", mend)]
    return [ok(f"the last {min(head.number, _ROWS)} rows are whole; the head is number {head.number}")]
