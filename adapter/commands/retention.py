"""`losus retention`: what has been kept long enough, by kind of record; with `--run` it is taken out.

Owns the options, what is printed and the exit codes. Does not own what may go (`adapter.retention`) nor
closing the months before (`adapter.settling.closing`).
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from adapter.agreements.load import load_book
from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, err, out, print_json
from adapter.losus.days import Month, local_day
from adapter.retention import CLAUSES, Eraser, Gone, Kind, years_ago
from adapter.settings import Settings
from adapter.settling.closing import Closing, close_books
from adapter.store.database import PATIENT_S, Database, connect
from adapter.store.migrate import migrate
from adapter.wiring import ledger_of


@dataclass(frozen=True, slots=True)
class _Done:
    closing: Closing
    gone: list[Gone]


def retention_command(
    kind: Annotated[list[Kind] | None, typer.Option("--kind", help="Of this kind alone.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Do it. Without it nothing is changed.")] = False,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Show what has been kept as long as law and settings ask, by kind, year and clause; --run takes it out.

    What is held, parked, disputed, not published, not settled or not over is never among it. It goes case by
    case in batches, each noted in the audit with how many, before which day and by which clause; cut off
    anywhere it can be run again. The dry run does each batch and takes it back; what waits for something else
    to go first is not in its figures.
    """
    done = asyncio.run(_retain(checked_settings(), kind or list(Kind), is_run=run))
    if format_ is Format.JSON:
        _tell_json(done, is_run=run)
    else:
        _tell(done, is_run=run)


async def _retain(settings: Settings, kinds: list[Kind], *, is_run: bool) -> _Done:
    dsn, now = settings.database.get_secret_value(), datetime.now(UTC)
    await migrate(dsn)
    database = await connect(dsn, size=2, deadline_s=PATIENT_S)
    try:
        closing = await _close(settings, database, now, is_run=is_run)
        eraser = Eraser(database, settings.retention, now, closing.through, is_run)
        gone: dict[Kind, Gone] = {}
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True) as progress:
            task = progress.add_task("looking")
            async for one in eraser.erase(kinds):
                gone[one.kind] = one
                progress.update(task, description=f"{one.kind}: {one.of.total()}")
        return _Done(closing, list(gone.values()))
    finally:
        await database.close()


async def _close(settings: Settings, database: Database, now: datetime, *, is_run: bool) -> Closing:
    """Close the months of which cases may go: those that were over before the day that counts."""
    through = Month.of(years_ago(local_day(now), settings.retention.cases_years)).plus(-1)
    first = Month.parse(settings.settle_from) if settings.settle_from else None
    ledger = ledger_of(settings, load_book(settings.agreements, settings.rates))
    return await close_books(database, ledger, through=through, first=first, now=now, is_run=is_run)


def _tell(done: _Done, *, is_run: bool) -> None:
    table = Table("kind", "years", "before", "records", "of", "rows", "clause", box=None)
    for one in done.gone:
        of = ", ".join(f"{year}: {count}" for year, count in sorted(one.of.items()))
        rows = ", ".join(f"{name} {count}" for name, count in sorted(one.rows.items()))
        clause = CLAUSES[one.kind]
        table.add_row(one.kind, str(one.years), f"{one.day}", str(one.of.total()), of, rows, clause)
    out.print(table)
    closing = done.closing
    if closing.through is not None:
        out.print(f"settlement is closed through {closing.through}")
    if closing.because is not None:
        err.print(f"losus: no further month is closed: {closing.because}")
    if not is_run:
        err.print("losus: a dry run: nothing was changed; --run does it")


def _tell_json(done: _Done, *, is_run: bool) -> None:
    closing = done.closing
    through = None if closing.through is None else str(closing.through)
    print_json({"closed_through": through, "because": closing.because, "run": is_run})
    for one in done.gone:
        print_json(
            {
                "kind": one.kind.value,
                "clause": CLAUSES[one.kind],
                "years": one.years,
                "before": one.day,
                "of": {str(year): count for year, count in sorted(one.of.items())},
                "rows": dict(sorted(one.rows.items())),
                "run": is_run,
            }
        )
