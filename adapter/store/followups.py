"""Monthly follow-ups in the database: added in the transaction that publishes them, never changed.

Owns the statements of SQL; does not own what is counted (`adapter.settlement.following`) nor how it is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from adapter.losus.days import Month
from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """A follow-up to be kept: its Bundle as FHIR JSON, and the same as resources, each (type, id, JSON)."""

    municipality: str
    month: Month
    issued_at: datetime
    bundle: bytes
    resources: tuple[tuple[str, str, bytes], ...]


async def followed_up(connection: Connection, months: Iterable[Month]) -> set[tuple[str, Month]]:
    """The municipalities and months, among these, whose follow-up was issued."""
    rows = await connection.fetch(
        "select municipality, month from follow_up where month = any ($1::text[])",
        sorted({str(month) for month in months}),
    )
    return {(row["municipality"], Month.parse(row["month"])) for row in rows}


async def add_follow_up(connection: Connection, row: FollowUpRow) -> None:
    """Keep an issued follow-up and its resources; the measure, which all share, is there once."""
    number = await connection.fetchval(
        """insert into follow_up (municipality, month, issued_at, bundle) values ($1, $2, $3, $4)
           returning number""",
        row.municipality,
        str(row.month),
        row.issued_at,
        row.bundle,
    )
    await connection.execute(
        """insert into follow_up_resource (type, id, follow_up, resource)
           select type, id, $4, resource
           from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as new (type, id, resource, n)
           order by n on conflict (type, id) do nothing""",
        *(list(column) for column in zip(*row.resources, strict=True)),
        number,
    )
