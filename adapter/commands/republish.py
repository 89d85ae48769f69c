"""`losus republish`: what a municipality was told before, told again with the same ids and revisions.

Owns the options and what is printed; does not own which events go (`adapter.outbound.republish`) nor how
(the relay). Each case is a transaction of its own: a long run may be broken off and begun again.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.progress import track

from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, err, out, print_json
from adapter.errors import Problem, SetupError
from adapter.outbound.events import Payload
from adapter.outbound.republish import again
from adapter.store import audit, republish
from adapter.store.asking import ASKING
from adapter.store.database import Connection, Database, connect
from adapter.store.migrate import migrate

_MANY = 50  # cases from which on progress is shown
_LOOK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Again:
    """What became of a case or statement: events put again, events that may not be told any more.

    `waits`: something of it has still to be published for the first time, so it was left alone.
    """

    case_id: str
    events: int = 0
    withheld: int = 0
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be told again: to whom, of which case (None: all), from when on (None: the first)."""

    municipality: str
    payload: Payload
    case_id: str | None
    since: datetime | None


def republish_command(
    municipality: Annotated[str, typer.Argument(help="Kommunkod or `region.<unit>`: nobody else.")],
    case: Annotated[str | None, typer.Option("--case", help="Id of a case, or of a statement.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", help="What was told from then on (UTC).")
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Do it. Without it nothing is changed.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for what is still on its way.", min=0)] = 30.0,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Publish recorded events again: the same ids and revisions, in order, up to the newest of each case.

    For a municipality that lost something. Its consumer knows what it has by the revisions. Without `--run`
    it is a dry run.
    """
    done = asyncio.run(_republish(municipality, case, _utc(since), wait, run=run))
    for one in done:
        if form is Format.JSON:
            told = {"case_id": one.case_id, "events": one.events, "withheld": one.withheld}
            print_json({**told, "waits": one.waits, "run": run})
        elif one.waits or one.withheld:
            words = "still on its way" if one.waits else f"{one.withheld} events may not be told any more"
            out.print(f"{one.case_id}  {words}", markup=False)
    if form is Format.TABLE:
        events = sum(one.events for one in done)
        out.print(
            f"{len(done)} cases and statements, {events} events"
            + ("" if run else ": a dry run, --run does it")
        )
    if any(one.waits for one in done):
        raise typer.Exit(1)


async def _republish(
    municipality: str, case_id: str | None, since: datetime | None, wait_s: float, *, run: bool
) -> list[Again]:
    settings = checked_settings()
    if municipality not in settings.subscribers:
        raise SetupError(Problem("not-found", "no such subscriber in the settings", "MUNICIPALITY"))
    wish = Wish(municipality, settings.subscribers[municipality].payload, case_id, since)
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=2)
    try:
        return await republished(database, wish, wait_s, run=run)
    finally:
        await database.close()


async def republished(database: Database, wish: Wish, wait_s: float, *, run: bool) -> list[Again]:
    """Put everything of the wish into the outbox again; what still waits after `wait_s` is left alone."""
    async with database.transaction() as connection:
        left = await republish.told_of(connection, wish.municipality, wish.case_id, wish.since)
    loop = asyncio.get_running_loop()
    until = loop.time() + (wait_s if run else 0)
    done: dict[str, Again] = {}
    quiet = len(left) < _MANY
    while left:
        for case_id in track(left, "publishing again", console=err, transient=True, disable=quiet):
            async with database.transaction() if run else database.trial() as connection:
                done[case_id] = await _one(connection, wish, case_id)
        left = [case_id for case_id in left if done[case_id].waits]
        if loop.time() >= until:
            break
        await asyncio.sleep(_LOOK_AGAIN_S)
    return list(done.values())


async def _one(connection: Connection, wish: Wish, case_id: str) -> Again:
    """One case in one transaction: locked, chosen, put again, and written down who was told (PDL 3:11)."""
    picture = await republish.lock_picture(connection, case_id)
    if await republish.is_waiting(connection, case_id, wish.municipality):
        return Again(case_id, waits=True)
    events = await republish.recorded(connection, case_id, wish.municipality)
    is_protected = bool(picture and orjson.loads(picture)["protected"])
    ids, withheld = again(events, since=wish.since, payload=wish.payload, is_protected=is_protected)
    if ids:
        await republish.put_again(connection, ids)
        await audit.append(connection, [_entry("statement" if picture is None else "case", case_id, wish)])
    return Again(case_id, len(ids), withheld)


def _entry(kind: str, case_id: str, wish: Wish) -> audit.Entry:
    asking = ASKING.get()
    return audit.Entry(
        at=datetime.now(UTC),
        kind=asking.kind if asking else "system",
        who=asking.who if asking else "losus republish",
        action="republish",
        what=(f"{kind}/{case_id}",),
        outcome="ok",
        why=f"told before; {asking.why}" if asking else "told before",
        municipality=wish.municipality,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
