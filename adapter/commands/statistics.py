"""`losus statistics`: what the public is told of a month.

Owns the printing. Does not own when it is told (`adapter.settling.publishing`) nor what is withheld.
"""

import asyncio
import sys
from typing import Annotated

import typer

from adapter.commands.checked import checked_settings
from adapter.commands.output import out
from adapter.errors import NotFoundError, Problem
from adapter.losus.days import Month
from adapter.store.database import connect
from adapter.store.migrate import migrate
from adapter.store.statistics import find_statistic, list_statistics


def statistics_command(
    agreement: Annotated[str | None, typer.Argument(help="Id of an agreement.")] = None,
    month: Annotated[str | None, typer.Argument(help="A month, 2024-03.")] = None,
) -> None:
    """Print what the public is told of an agreement's month (FHIR Bundle); without it, list what there is."""
    if (agreement is None) != (month is None):
        raise typer.BadParameter("give agreement and month, or neither", param_hint="MONTH")
    try:
        asked = None if month is None else Month.parse(month)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="MONTH") from None
    asyncio.run(_print(checked_settings().database.get_secret_value(), agreement, asked))


async def _print(dsn: str, agreement: str | None, month: Month | None) -> None:
    await migrate(dsn)
    database = await connect(dsn, size=1)
    try:
        async with database.transaction() as connection:
            if agreement is None or month is None:
                for name, told in await list_statistics(connection):
                    out.print(f"{name} {told}", markup=False)
                return
            found = await find_statistic(connection, agreement, month)
    finally:
        await database.close()
    if found is None:
        raise NotFoundError(Problem("not-found", "nothing is told of that month yet"))
    sys.stdout.buffer.write(found + b"\n")
    sys.stdout.buffer.flush()
