"""Statements that may be issued and were not, as the database has it.

Owns the comparison of what is due (`due`) with what was issued and with what is closed; changes nothing.
"""

from collections.abc import Collection
from datetime import date

from adapter.agreements.load import Book
from adapter.losus.days import Month
from adapter.settlement.statement import Key
from adapter.settling.due import due
from adapter.store import statistics
from adapter.store.closed import closed_through
from adapter.store.database import Connection


async def overdue(
    connection: Connection, book: Book, codes: Collection[str], first: Month, today: date
) -> set[Key]:
    """The statements of these municipalities that are due `today` from the month `first` on, and lacking.

    A month that is closed, so long ago that its facts are gone, is issued no more, and so not due.
    """
    closed = await closed_through(connection)
    wanted = {key for key in due(book, codes, first, today) if closed is None or key.month > closed}
    return wanted - await statistics.issued_in(connection, {key.month for key in wanted}, book.regions.home)
