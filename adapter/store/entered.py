"""Municipalities that people entered for cases of which no message says one; only ever added to.

Owns the statements of SQL; does not own when one counts (`adapter.settling.casebook`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adapter.store.database import Connection

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entered:
    """A kommunkod that holds for a case `since` an instant (None: for the whole stay), by whom and why."""

    municipality: str
    since: datetime | None
    by: str
    because: str


async def add_entered(connection: Connection, case_id: str, one: Entered) -> None:
    """Add what was entered; what was entered before stays to be seen."""
    await connection.execute(
        """insert into entered_municipality (case_id, municipality, since, entered_by, because)
           values ($1, $2, $3, $4, $5)""",
        case_id,
        one.municipality,
        one.since,
        one.by,
        one.because,
    )


async def read_entered(connection: Connection) -> Mapping[str, tuple[Entered, ...]]:
    """All that was entered, by case, in the order in which it was."""
    rows = await connection.fetch(
        """select case_id, municipality, since, entered_by, because
           from entered_municipality order by number"""
    )
    found: dict[str, tuple[Entered, ...]] = {}
    for row in rows:
        one = Entered(row["municipality"], row["since"], row["entered_by"], row["because"])
        found[row["case_id"]] = (*found.get(row["case_id"], ()), one)
    return found


def entered_at(entered: Iterable[Entered], at: datetime | None) -> str | None:
    """Give the municipality that holds at an instant (None: now); of two for one time the later entered."""
    known = [
        (one.since or _EVER, place, one)
        for place, one in enumerate(entered)
        if at is None or one.since is None or one.since <= at
    ]
    return max(known, key=lambda one: one[:2])[2].municipality if known else None
