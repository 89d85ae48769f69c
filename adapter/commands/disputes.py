"""`losus disputes`: what municipalities dispute, and the region's answer.

Owns the listing and the exit codes. Does not own what a dispute does to the invoice
(`adapter.settlement.holding`).
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from adapter.commands.output import Format, err, out, print_json
from adapter.fhir.dispute import STATUS
from adapter.settings import load_settings
from adapter.settlement.holding import Dispute
from adapter.store.database import connect
from adapter.store.disputes import add_answer, list_disputes
from adapter.store.migrate import migrate

#: What the region may answer.
_ANSWERS = {status: upheld for upheld, status in STATUS.items() if upheld is not None}


def disputes_command(
    municipality: Annotated[str | None, typer.Option("--municipality", help="Kommunkod.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="Id of the dispute to answer.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="completed: not owed; rejected: owed after all.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """List disputed lines, or answer one; the next statement credits or debits what follows."""
    if (answer is None) != (status is None) or (status is not None and status not in _ANSWERS):
        raise typer.BadParameter("goes with --status completed or --status rejected", param_hint="--answer")
    found = asyncio.run(_disputes(municipality, answer, status))
    if found is None:
        err.print("losus: no open dispute of that id")
        raise typer.Exit(1)
    rows = [
        {
            "id": one.id,
            "municipality": one.municipality,
            "stay": one.stay,
            "month": str(one.month),
            "status": STATUS[one.upheld],
        }
        for one in found
    ]
    if format_ is Format.JSON:
        for row in rows:
            print_json(row)
        return
    table = Table("id", "municipality", "stay", "month", "status", box=None)
    for row in rows:
        table.add_row(*row.values())
    out.print(table)


async def _disputes(municipality: str | None, answer: str | None, status: str | None) -> list[Dispute] | None:
    """Answer what is to be answered, and give all disputes; None where there is nothing to answer."""
    dsn = load_settings().database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=1)
    try:
        async with database.transaction() as connection:
            if answer is not None and status is not None:
                known = {one.id for one, _ in await list_disputes(connection, None)}
                now = datetime.now(UTC)
                if answer not in known or not await add_answer(
                    connection, answer, upheld=_ANSWERS[status], now=now
                ):
                    return None
            return [one for one, _ in await list_disputes(connection, municipality)]
    finally:
        await database.close()
