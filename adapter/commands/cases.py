"""`losus cases parked`: what is held, and which cases wait for it; `losus sources`: who was stopped.

Owns the listings and their exit codes: 1 where something waits for a person, so that a watch may call them.
Does not own parking (`adapter.parking`) nor the flood guard (`adapter.inbound.flood`).
"""

import asyncio
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Annotated

import typer
from rich.table import Table

from adapter.agreements.load import load_book
from adapter.commands.output import Format, err, out, print_json
from adapter.commands.store import now, opened
from adapter.losus.days import at_local
from adapter.losus.instants import instant_text
from adapter.losus.stay import WHOSE, gaps
from adapter.settling.casebook import named_cases
from adapter.store import doors
from adapter.store.asking import ASKING
from adapter.store.entered import Entered, add_entered
from adapter.store.held import Held, find_held, waiting_behind
from adapter.store.quarantine import ParkedCase, parked_cases, release

cases_app = typer.Typer(help="Cases of the store.", no_args_is_help=True)
sources_app = typer.Typer(help="The systems that send.", no_args_is_help=True)


@cases_app.callback()
def _cases() -> None:
    """Cases of the store."""


@cases_app.command("parked")
def parked_command(
    source: Annotated[str | None, typer.Option("--source", help="Of this source alone.")] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """List the messages that are held and the cases that wait for them; 1 where there are any."""
    held, behind = asyncio.run(_parked(source))
    if format_ is Format.JSON:
        for one in held:
            print_json(
                {
                    "message": one.message,
                    "source": one.source,
                    "cause": one.cause,
                    "problems": [
                        {"code": p.code, "rule": p.rule, "expression": p.expression} for p in one.problems
                    ],
                    "since": instant_text(one.since),
                    "tries": one.tries,
                    "retry_at": instant_text(one.retry_at) if one.retry_at else None,
                    "cases": [{"case": name, "waiting": behind.get(name, 0)} for name in one.cases],
                }
            )
    else:
        table = Table("message", "source", "cause", "since", "again", "case", "waiting", "rule", box=None)
        for one in held:
            cases = [(name, str(behind.get(name, 0))) for name in one.cases] or [("", "")]
            again = instant_text(one.retry_at) if one.retry_at else "after a mending"
            for name, waiting in cases:
                table.add_row(
                    str(one.message),
                    one.source,
                    one.cause,
                    instant_text(one.since),
                    again,
                    name[:8],
                    waiting,
                    one.problems[0].rule,
                )
        out.print(table)
    if held:
        raise typer.Exit(1)


async def _parked(source: str | None) -> tuple[list[Held], dict[str, int]]:
    async with opened("cases") as store, store.database.transaction() as connection:
        held = [one for one in await find_held(connection) if source in {None, one.source}]
        return held, await waiting_behind(connection, {name for one in held for name in one.cases})


@cases_app.command("refused")
def refused_command(format_: Annotated[Format, typer.Option("--format")] = Format.TABLE) -> None:
    """List the cases with an event that the broker refuses for good; 1 where there are any."""
    found = asyncio.run(_refused())
    if format_ is Format.JSON:
        for one in found:
            print_json(asdict(one))
    else:
        table = Table("lane", "case", "reason", "since", "events", "released", box=None)
        for one in found:
            since = instant_text(one.parked_at)
            table.add_row(one.lane, one.case_id, one.reason, since, str(one.events), str(one.released))
        out.print(table)
    if found:
        raise typer.Exit(1)


async def _refused() -> list[ParkedCase]:
    async with opened("cases") as store, store.database.transaction() as connection:
        return await parked_cases(connection)


@cases_app.command("release")
def release_command(lane: str, case: str) -> None:
    """Let the relay try again what the broker refused of a case (LANE and CASE as `refused` lists them)."""
    if not asyncio.run(_release(lane, case)):
        err.print("losus: nothing of that case is refused there")
        raise typer.Exit(1)


async def _release(lane: str, case: str) -> bool:
    async with opened("cases") as store, store.database.transaction() as connection:
        return await release(connection, lane, case)


@cases_app.command("municipality")
def municipality_command(
    case: str,
    municipality: Annotated[str, typer.Argument(help="Kommunkod, 2380.")],
    because: Annotated[
        str, typer.Option("--because", help="How it is known; kept with it and in the audit.")
    ],
    since: Annotated[
        str | None,
        typer.Option("--since", help="From this day on, 2024-03-05; default: for the whole stay."),
    ] = None,
) -> None:
    """Enter whose a case is, where no message says it (`losus --as NAME cases municipality …`).

    For a case that `losus settle` lists with `municipality` or `protected-registration`. Settlement alone
    uses it: what is published of the case stays as it is. Entered again for the same time, the later counts.
    """
    try:
        day = None if since is None else at_local(date.fromisoformat(since), time())
    except ValueError:
        raise typer.BadParameter("a day is written YYYY-MM-DD", param_hint="--since") from None
    if not because.strip():
        raise typer.BadParameter("say how it is known", param_hint="--because")
    fault = asyncio.run(_enter(case, municipality, day, because))
    if fault is not None:
        err.print(f"losus: {fault}")
        raise typer.Exit(1)


async def _enter(case: str, municipality: str, since: datetime | None, because: str) -> str | None:
    """Enter it; what stands in the way, or None."""
    async with opened("cases") as store, store.database.transaction() as connection:
        if municipality not in load_book(store.settings.agreements).municipalities:
            raise typer.BadParameter("no such kommunkod", param_hint="MUNICIPALITY")
        found = await named_cases(connection, store.world, [case], now())
        if case not in found:
            return "no such case"
        if not set(gaps(found[case])) & set(WHOSE):
            return "whose that case is, is known from its messages"
        asking = ASKING.get()
        by = asking.who if asking is not None else "nobody"
        await add_entered(connection, case, Entered(municipality, since, by, because))
    return None


@sources_app.command("list")
def list_command(format_: Annotated[Format, typer.Option("--format")] = Format.TABLE) -> None:
    """List the sources, and which of them were stopped; 1 where one is."""
    rows = asyncio.run(_sources())
    if format_ is Format.JSON:
        for row in rows:
            print_json(row)
    else:
        table = Table("source", "mapping", "stopped", "why", box=None)
        for row in rows:
            table.add_row(row["source"], row["mapping"], row["stopped"] or "", row["why"] or "")
        out.print(table)
    if any(row["stopped"] for row in rows):
        raise typer.Exit(1)


async def _sources() -> list[dict[str, str | None]]:
    async with opened("cases") as store, store.database.transaction() as connection:
        stopped = await doors.stopped_sources(connection)
    rows: list[dict[str, str | None]] = []
    for name, source in store.settings.sources.items():
        at, why = stopped.get(name, (None, None))
        rows.append(
            {
                "source": name,
                "mapping": source.mapping,
                "stopped": instant_text(at) if at else None,
                "why": why,
            }
        )
    return rows


@sources_app.command("resume")
def resume_command(source: str) -> None:
    """Take from a source again that the flood guard had stopped."""
    if not asyncio.run(_resume(source)):
        err.print("losus: that source was not stopped")
        raise typer.Exit(1)


async def _resume(source: str) -> bool:
    async with opened("cases") as store, store.database.transaction() as connection:
        return await doors.let_go_on(connection, source)
