"""Numbers of invoices and credit notes in the database: allocated in the transaction that issues.

Owns that a series has no gap and no duplicate: its row stays locked until the transaction ends, and a
rollback takes the number back. Does not own which documents there are (`adapter.settlement.claim`). Invoices
and credit notes of a region share one series, which begins again with each calendar year of the invoice date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document that is to have a number: `kind` is `invoice` or `credit-note`."""

    kind: str
    statement: str
    dated: date


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document that was published with a number."""

    number: str
    kind: str
    statement: str
    dated: date


def number_of(region: str, year: int, ordinal: int) -> str:
    """Give a number as it stands on a document: länskod, year, and the ordinal in six digits or more."""
    return f"{region}-{year}-{ordinal:06d}"


async def allocate(connection: Connection, region: str, documents: Sequence[NewDocument]) -> tuple[str, ...]:
    """Give each document the next number of the region's series of its year, in order, and keep it.

    Waits for whoever allocates of the same series in another transaction, until that one ends.
    """
    numbers = []
    for one in documents:
        ordinal = await connection.fetchval(
            """insert into invoice_series (region, year, last) values ($1, $2, 1)
               on conflict (region, year) do update set last = invoice_series.last + 1 returning last""",
            region,
            one.dated.year,
        )
        number = number_of(region, one.dated.year, ordinal)
        await _add(connection, (number, region, one.dated.year, ordinal, one.kind, one.statement, one.dated))
        numbers.append(number)
    return tuple(numbers)


async def keep_numbers(connection: Connection, documents: Sequence[KnownDocument]) -> None:
    """Keep numbers that were published and are lost here, so that no other document gets one of them."""
    for one in documents:
        region, year, ordinal = one.number.split("-")
        await connection.execute(
            """insert into invoice_series (region, year, last) values ($1, $2, $3)
               on conflict (region, year)
               do update set last = greatest(invoice_series.last, excluded.last)""",
            region,
            int(year),
            int(ordinal),
        )
        row = (one.number, region, int(year), int(ordinal), one.kind, one.statement, one.dated)
        await _add(connection, row)


async def erase_numbers(connection: Connection, statements: Sequence[str]) -> str:
    """Take out the documents of statements that were taken out."""
    done: str = await connection.execute(
        "delete from invoice where statement = any ($1::text[])", list(statements)
    )
    return done


async def _add(connection: Connection, row: tuple[str, str, int, int, str, str, date]) -> None:
    await connection.execute(
        """insert into invoice (number, region, year, ordinal, kind, statement, dated)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict (number) do nothing""",
        *row,
    )
