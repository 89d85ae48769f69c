"""Public statistics in the database: kept once for an agreement and month, never changed.

Owns the statements of SQL; does not own what is withheld (`adapter.settlement.withholding`).
"""

from collections.abc import Iterable
from datetime import datetime

from adapter.losus.days import Month
from adapter.settlement.difference import Issued
from adapter.settlement.statement import Key
from adapter.store.database import Connection
from adapter.store.statements import unpack, with_region


async def issued_in(connection: Connection, months: Iterable[Month], home: str | None) -> set[Key]:
    """What was issued for these months, whatever municipality it is of; `home` as in `with_region`."""
    rows = await connection.fetch(
        """select agreement, municipality, care_form, month, region from statement
           where month = any ($1::text[])""",
        sorted({str(month) for month in months}),
    )
    return {
        Key(
            row["agreement"],
            row["municipality"],
            row["care_form"],
            Month.parse(row["month"]),
            row["region"] or home or row["municipality"][:2],
        )
        for row in rows
    }


async def statements_of(
    connection: Connection, agreement: str, month: Month, home: str | None
) -> list[Issued]:
    """All statements of an agreement and month, by municipality and care form; `home` as in `with_region`."""
    rows = await connection.fetch(
        "select said from statement where agreement = $1 and month = $2 order by municipality, care_form",
        agreement,
        str(month),
    )
    return [with_region(unpack(row["said"]), home) for row in rows]


async def add_statistic(
    connection: Connection, agreement: str, month: Month, bundle: bytes, now: datetime
) -> None:
    """Keep what the public sees (FHIR JSON)."""
    await connection.execute(
        "insert into statistic (agreement, month, issued_at, bundle) values ($1, $2, $3, $4)",
        agreement,
        str(month),
        now,
        bundle,
    )


async def find_statistic(connection: Connection, agreement: str, month: Month) -> bytes | None:
    """What the public sees of a month; None where it is not told yet."""
    found: bytes | None = await connection.fetchval(
        "select bundle from statistic where agreement = $1 and month = $2", agreement, str(month)
    )
    return found


async def list_statistics(connection: Connection) -> list[tuple[str, Month]]:
    """The agreements and months that are told, in order."""
    rows = await connection.fetch("select agreement, month from statistic order by agreement, month")
    return [(row["agreement"], Month.parse(row["month"])) for row in rows]
