"""Closed months: what settlement no longer looks at, and the counts of them that later months rest on.

Owns the statements of SQL; does not own when months are closed (`adapter.settling.closing`). Never opened
again: what a closed month rests on may have been taken out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapter.losus.days import Month
from adapter.settlement.gate import Counts
from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class Closed:
    """`through`: this month and all before it are closed; None: none is. `counts` by agreement, payer, form.

    Where the statute makes two regions creditors, they stand together: under it no mean decides.
    """

    through: Month | None = None
    counts: Mapping[tuple[str, str, str], Mapping[int, Counts]] = field(default_factory=dict)

    def __contains__(self, month: Month | None) -> bool:
        """Whether a month is closed; None, of a stay that goes on, never is."""
        return self.through is not None and month is not None and month <= self.through


async def closed_through(connection: Connection) -> Month | None:
    """The last closed month."""
    found = await connection.fetchval("select closed_through()")
    return None if found is None else Month.parse(found)


async def read_closed(connection: Connection) -> Closed:
    """What is closed, with its counts."""
    rows = await connection.fetch(
        """select agreement, municipality, care_form, month, stays, days, day_zero, no_data
           from closed_month"""
    )
    counts: dict[tuple[str, str, str], dict[int, Counts]] = {}
    for row in rows:
        key = (row["agreement"], row["municipality"], row["care_form"])
        month = Month.parse(row["month"])
        counts.setdefault(key, {})[month.index] = Counts(
            row["stays"], row["days"], row["day_zero"], row["no_data"]
        )
    return Closed(await closed_through(connection), counts)


async def close(
    connection: Connection,
    through: Month,
    counts: Iterable[tuple[tuple[str, str, str], Month, Counts]],
    now: datetime,
) -> None:
    """Close the months through this one; `counts` are of those that were not closed before."""
    await connection.executemany(
        """insert into closed_month
             (agreement, municipality, care_form, month, stays, days, day_zero, no_data)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        [(*key, str(month), *counted) for key, month, counted in counts],
    )
    await connection.execute(
        "insert into books_closed (through, closed_at) values ($1, $2)", str(through), now
    )


async def suppose(connection: Connection, through: Month, now: datetime) -> None:
    """Look at the database as if the months through this one were closed; the caller takes it back."""
    await connection.execute(
        "insert into books_closed (through, closed_at) values ($1, $2) on conflict do nothing",
        str(through),
        now,
    )
