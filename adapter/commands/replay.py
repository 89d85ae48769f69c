"""`losus replay`: messages read anew from what was kept raw, after a mending.

Owns the options, what is printed and the exit codes: 1 where something still cannot be used. Does not own
reading anew (`adapter.rereading`). A dry run does the whole of it, and then leaves everything as it was.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from adapter.commands.output import Format, err, out, print_json
from adapter.commands.store import Store, opened
from adapter.rereading import Reread, delivery_of, discard, reread
from adapter.store.database import Connection
from adapter.store.messages import Span, find_messages, load_messages
from adapter.trace import at, here, new_trace

_MANY = 50  # messages from which on progress is shown


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of a message; `left`: somebody else would have been told, so it is as it was."""

    message: Reread
    left: bool = False

    @property
    def became(self) -> str:
        """What became of it, in a word."""
        if self.left:
            return "left as it was"
        return "cannot be used" if self.message.problems else "read"


def replay_command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    message: Annotated[list[int] | None, typer.Option("--message", help="Number of a message.")] = None,
    case: Annotated[str | None, typer.Option("--case", help="Id of a case.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Name of a source.")] = None,
    since: Annotated[datetime | None, typer.Option("--since", help="Received from then on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Received before then (UTC).")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="Of these, only what is held.")] = False,
    to: Annotated[str | None, typer.Option("--to", help="Kommunkod: nobody else is told anything.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Do it. Without it nothing is changed.")] = False,
    let_go: Annotated[
        str | None, typer.Option("--discard", help="Let what is held go unread, for this reason.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Read messages anew with the mapping as it is now, and let the cases go that waited for them.

    Without `--run` it is a dry run: it shows what would become of each. With `--to` a message is left as it
    is where anybody but that municipality would be told of it.
    """
    if not (message or case or source or since or until or parked):
        raise typer.BadParameter("say which messages: --message, --case, --source, --since, --parked …")
    span = Span(tuple(message) if message else None, source, case, _utc(since), _utc(until), parked)
    done = asyncio.run(_replay(span, to, run=run, reason=let_go))
    _tell(done, format_, run=run)
    if any(one.message.problems for one in done):
        raise typer.Exit(1)


async def _replay(span: Span, to: str | None, *, run: bool, reason: str | None) -> list[_Done]:
    done: list[_Done] = []
    async with opened("replay") as store:
        async with store.database.transaction() as connection:
            numbers = await find_messages(connection, span)
        quiet = len(numbers) < _MANY
        for number in track(numbers, "reading anew", console=err, transient=True, disable=quiet):
            with at(new_trace()):
                work = await _work(store, number, reason)
                one = await _do(store, work, to, run=run)
            if one is not None:
                done.append(one)
    return done


_Work = Callable[[Connection], Awaitable[Reread | None]]


async def _work(store: Store, number: int, reason: str | None) -> _Work:
    """Prepare what is to be done with a message inside a transaction."""
    if reason is not None:
        now = datetime.now(UTC)
        return lambda connection: discard(connection, store.world, number, now, reason, here())
    async with store.database.transaction() as connection:
        [stored] = await load_messages(connection, [number], store.world.seal)
    read = await store.library.read(
        store.world, delivery_of(stored, here()), stored.received_at, is_kept=True
    )
    return lambda connection: reread(connection, store.world, number, read, datetime.now(UTC))


async def _do(store: Store, work: _Work, to: str | None, *, run: bool) -> _Done | None:
    """Do the work on trial where that is needed, and for good where it is asked for."""
    message: Reread | None = None
    if to is not None or not run:
        async with store.database.trial() as connection:
            message = await work(connection)
    left = message is not None and to is not None and any(home != to for home in message.told)
    if run and not left:
        async with store.database.transaction() as connection:
            message = await work(connection)
    return _Done(message, left) if message is not None else None


def _tell(done: list[_Done], format_: Format, *, run: bool) -> None:
    if format_ is Format.JSON:
        for one in done:
            message = one.message
            print_json(
                {
                    "message": message.number,
                    "source": message.source,
                    "was_held": message.was_held,
                    "became": one.became,
                    "told": dict(Counter(home or "region" for home in message.told)),
                    "problems": [[p.code, p.rule, p.expression] for p in message.problems],
                    "run": run,
                }
            )
        return
    table = Table("message", "source", "became", "events", "rule", box=None)
    for one in done:
        told = ", ".join(
            f"{home}: {n}" for home, n in Counter(h or "region" for h in one.message.told).items()
        )
        rule = one.message.problems[0].rule if one.message.problems else ""
        table.add_row(str(one.message.number), one.message.source, one.became, told, rule)
    out.print(table)
    if not run:
        err.print(f"losus: a dry run: nothing was changed by these {len(done)} messages; --run does it")


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
