"""`losus disputes`: what municipalities dispute, and the region's answer.

Owns the listing and the exit codes. Does not own what an answer does (`adapter.settling.disputing`) nor what
a dispute does to the invoice (`adapter.settlement.holding`).
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, out, print_json
from adapter.fhir.dispute import Answer
from adapter.settings import Settings
from adapter.settling.disputing import Answerer, Desk, answer_dispute
from adapter.store.asking import ASKING
from adapter.store.database import connect
from adapter.store.disputes import DisputeRow, list_disputes
from adapter.store.migrate import migrate
from adapter.trace import new_trace

#: What the region may answer.
_ANSWERS = {"completed": True, "rejected": False}


def disputes_command(
    municipality: Annotated[str | None, typer.Option("--municipality", help="Kommunkod.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="Id of the dispute to answer.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="completed: not owed; rejected: owed after all.")
    ] = None,
    because: Annotated[
        str | None, typer.Option("--because", help="Why, in words; the municipality reads it.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """List disputed lines, or answer one: the municipality is told, the next statement credits or debits."""
    if (answer is None) != (status is None) or (status is not None and status not in _ANSWERS):
        raise typer.BadParameter("goes with --status completed or --status rejected", param_hint="--answer")
    if because is not None and answer is None:
        raise typer.BadParameter("goes with --answer", param_hint="--because")
    given = None if answer is None else Answer(answer, _ANSWERS[status or ""], because)
    rows = [_row(one) for one in asyncio.run(_disputes(checked_settings(), municipality, given))]
    if format_ is Format.JSON:
        for row in rows:
            print_json(row)
        return
    table = Table(*_COLUMNS, box=None)
    for row in rows:
        table.add_row(*(row[name] for name in _COLUMNS))
    out.print(table)


_COLUMNS = ("id", "municipality", "line", "month", "status")


def _row(row: DisputeRow) -> dict[str, Any]:
    one = row.dispute
    agreement, care_form = one.excess or (None, None)
    return {
        "id": one.id,
        "municipality": one.municipality,
        "line": one.line,
        "stay": one.stay,
        "agreement": agreement,
        "care_form": care_form,
        "month": str(one.month),
        "status": one.status,
        "question": " ".join(_words(row.task)) or None,
        "reason": one.reason,
    }


def _words(task: dict[str, Any]) -> Iterator[str]:
    for words in (task.get("description"), *(one.get("text") for one in task.get("note", ()))):
        if isinstance(words, str):
            yield words


async def _disputes(
    settings: Settings, municipality: str | None, answer: Answer | None
) -> Sequence[DisputeRow]:
    """Answer what is to be answered, and give the disputes."""
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=1)
    try:
        async with database.transaction() as connection:
            if answer is not None:
                asking = ASKING.get()
                by = Answerer("system", "losus disputes", "not said")
                if asking is not None:
                    by = Answerer(asking.kind, asking.who, asking.why)
                desk = Desk.of(settings, new_trace())
                await answer_dispute(connection, desk, answer, datetime.now(UTC), by=by)
            return await list_disputes(connection, municipality)
    finally:
        await database.close()
