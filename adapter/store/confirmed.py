"""Months of which people confirmed that nothing happened in a care form, although no message came.

Owns the statements of SQL; does not own when a month is unknown (`adapter.settlement.heard`). Only ever added
to: messages that come later are settled all the same.
"""

from datetime import datetime

from adapter.losus.days import Month
from adapter.store.database import Connection


async def read_confirmed(connection: Connection) -> frozenset[tuple[str, int]]:
    """Give the confirmed care forms and months (`Month.index`)."""
    rows = await connection.fetch("select care_form, month from confirmed_empty")
    return frozenset((row["care_form"], Month.parse(row["month"]).index) for row in rows)


async def confirm_empty(
    connection: Connection, care_form: str, month: Month, because: str, now: datetime
) -> bool:
    """Store that nothing happened; False where it was confirmed before."""
    done = await connection.execute(
        """insert into confirmed_empty (care_form, month, confirmed_at, because) values ($1, $2, $3, $4)
           on conflict do nothing""",
        care_form,
        str(month),
        now,
        because,
    )
    return bool(done == "INSERT 0 1")
