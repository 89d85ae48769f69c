"""The announcement of a year's amount to every municipality that subscribes, and what is printed of it.

Does not own to whom an amount is announced and whether again (`adapter.settling.announcing`).
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from adapter.agreements.amounts import year_to_announce
from adapter.agreements.load import load_book
from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, out, print_json
from adapter.losus.days import local_day
from adapter.settings import Settings
from adapter.settling.announcing import Announced, announce
from adapter.store.database import connect
from adapter.store.migrate import migrate
from adapter.trace import new_trace

_COLUMNS = ("year", "municipality", "care_form", "amount", "status", "version", "announced_at", "announced")


def print_announced(year: int | None, format_: Format) -> None:
    """Announce the amount of a year (None: the one that is due), and print how each one is notified."""
    rows = [_row(one) for one in asyncio.run(_announce(checked_settings(), year))]
    if format_ is Format.JSON:
        for row in rows:
            print_json(row)
        return
    table = Table(*_COLUMNS, box=None)
    for row in rows:
        table.add_row(*(str(row[name] or "") for name in _COLUMNS))
    out.print(table)


async def _announce(settings: Settings, year: int | None) -> list[Announced]:
    dsn, now = settings.database.get_secret_value(), datetime.now(UTC)
    asked = year_to_announce(local_day(now)) if year is None else year
    book = load_book(settings.agreements, settings.rates)
    await migrate(dsn)
    database = await connect(dsn, size=1)
    try:
        async with database.transaction() as connection:
            return await announce(connection, book, settings.municipalities, asked, now, new_trace())
    finally:
        await database.close()


def _row(one: Announced) -> dict[str, Any]:
    row = one.row
    return {
        "year": row.year,
        "municipality": row.municipality,
        "care_form": row.care_form or None,
        "amount": row.amount,
        "currency": "SEK",
        "status": "verified" if row.verified else "provisional",
        "source": row.source,
        "version": row.version,
        "announced_at": row.announced_at,
        "announced": "now" if one.fresh else "before",
    }
