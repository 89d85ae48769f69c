"""The stays of the store, as `losus forecast` reads them.

Owns which months of the store are at hand: whole months that are over. Does not own which cases are stays
(`adapter.settling.casebook`).
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime

import typer

from adapter.commands.checked import checked_settings
from adapter.commands.output import err
from adapter.commands.stays import months_between
from adapter.losus.days import Month, local_day
from adapter.settlement.columns import Columns
from adapter.settlement.plain import columns_of_rows
from adapter.settlement.stay import Stay
from adapter.settling.casebook import read_casebook
from adapter.store.database import PATIENT_S, connect
from adapter.store.migrate import migrate
from adapter.wiring import world_of


def stays_of_store(first: str | None, last: str | None) -> tuple[Sequence[Month], Columns]:
    """Give the whole months that are over, or those between `first` and `last`, and all stays."""
    now = datetime.now(UTC)
    stays, left = asyncio.run(_stays(now))
    if left:
        err.print(f"losus: {left} cases are left to people and not forecast from: losus settle --month")
    columns = Columns.joined(list(columns_of_rows(stays, [])))
    asked = months_between(columns, first, last)
    if last is None:
        asked = whole_months(asked, local_day(now))
    if not asked:
        raise typer.BadParameter("the store has no stay that ended in a month that is over")
    return asked, columns


def whole_months(months: Sequence[Month], today: date) -> list[Month]:
    """Keep the months that are over: a month that goes on has only some of its stays."""
    return [month for month in months if month.end <= today]


async def _stays(now: datetime) -> tuple[list[Stay], int]:
    settings = checked_settings()
    await migrate(settings.database.get_secret_value())
    database = await connect(settings.database.get_secret_value(), size=1, deadline_s=PATIENT_S)
    try:
        async with database.transaction() as connection:
            book = await read_casebook(connection, world_of(settings), now)
    finally:
        await database.close()
    left = sum(not one.parked for one in book.by_hand)
    return [stay for stays in book.stays.values() for stay in stays], left
