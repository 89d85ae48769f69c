"""`losus poll`, `losus listen`, `losus import`: the doors where the adapter asks, or opens a drawer.

Owns the options, what is printed and the exit codes: 1 where something is held or was refused. Does not own
the doors (`adapter.inbound`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from adapter.client.calls import FhirClient
from adapter.commands.output import Format, err, out, print_json
from adapter.commands.store import Store, opened
from adapter.errors import Problem, SetupError
from adapter.inbound.bulk import export
from adapter.inbound.files import deliveries_of
from adapter.inbound.flood import Flood
from adapter.inbound.handing import Tally, hand_over, hand_over_stream
from adapter.inbound.listener import Listener
from adapter.inbound.poller import Poller
from adapter.inbound.receiver import Receiver
from adapter.servers import Poll
from adapter.settings import Source
from adapter.watch import configure_log

_KINDS = (
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "Patient",
    "EpisodeOfCare",
    "CareTeam",
)


@dataclass(frozen=True, slots=True)
class _Door:
    """What a door works with."""

    store: Store
    receiver: Receiver
    source: Source
    client: FhirClient | None


def poll_command(
    source: Annotated[str, typer.Argument(help="Name of a source whose `server` is set.")],
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Ask a source's server for what has changed, by `_lastUpdated`, again and again."""
    configure_log()
    tally = asyncio.run(_poll(source, once=once))
    _tell(tally, format_)


async def _poll(source: str, *, once: bool) -> Tally:
    async with _opened(source) as door:
        if door.client is None or door.source.server is None:
            raise SetupError(
                Problem("required", "this source has no server to ask", f"sources.{source}.server")
            )
        poller = Poller(
            source,
            door.source.server.poll or Poll(),
            door.client,
            receiver=door.receiver,
            database=door.store.database,
            clock=_now,
        )
        if once:
            return await poller.look()
        await poller.run()
        return Tally()


def listen_command(
    source: Annotated[str, typer.Argument(help="Name of a source whose `topic` is set.")],
) -> None:
    """Read the Kafka topic that a source writes to, for ever."""
    configure_log()
    asyncio.run(_listen(source))


async def _listen(source: str) -> None:
    async with _opened(source) as door:
        if door.source.topic is None:
            raise SetupError(Problem("required", "this source has no topic", f"sources.{source}.topic"))
        settings = door.store.settings
        await Listener(
            source,
            door.source.topic,
            settings.kafka.bootstrap,
            dsn=settings.database.get_secret_value(),
            receiver=door.receiver,
            database=door.store.database,
        ).run()


def import_command(
    files: Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False)] = None,
    source: Annotated[str, typer.Option("--source", help="Whose they are.")] = "",
    bulk: Annotated[bool, typer.Option("--bulk", help="Ask the source's server for all ($export).")] = False,
    since: Annotated[
        datetime | None, typer.Option("--since", help="With --bulk: changed since then (UTC).")
    ] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Take in files (NDJSON, Bundles, single resources), or all that a source's server has.

    What is known already is passed over, so that it may be done again. Exit code 1 where something is held
    (`losus cases parked`) or was refused.
    """
    if not source or bool(files) == bulk:
        raise typer.BadParameter("give --source, and either files or --bulk")
    moment = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
    tally = asyncio.run(_import(source, files or [], moment, bulk=bulk))
    _tell(tally, format_)
    if tally.held or tally.refused:
        raise typer.Exit(1)


async def _import(source: str, files: list[Path], since: datetime | None, *, bulk: bool) -> Tally:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    async with _opened(source) as door:
        with Progress(*columns, console=err, transient=True) as progress:
            task = progress.add_task("taking in", total=None)
            if bulk:
                if door.client is None:
                    raise SetupError(
                        Problem("required", "this source has no server to ask", f"sources.{source}")
                    )
                kinds = (*_KINDS, "Encounter", "Task", "CarePlan")
                return await hand_over_stream(door.receiver, export(door.client, source, kinds, since))
            tally = Tally()
            for path in files:
                progress.update(task, description=f"taking in {path.name}")
                tally += await hand_over(door.receiver, deliveries_of(path, source))
            return tally


@asynccontextmanager
async def _opened(source: str) -> AsyncIterator[_Door]:
    async with opened() as store:
        found = store.settings.sources.get(source)
        if found is None:
            raise SetupError(Problem("not-found", "no source of this name", "sources"))
        flood = Flood(store.world, store.database, _now)
        receiver = Receiver(store.world, store.database, _now, store.library, flood)
        working = [asyncio.create_task(receiver.run()), asyncio.create_task(flood.run())]
        try:
            yield _Door(store, receiver, found, store.clients.get(source))
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)


def _tell(tally: Tally, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json(asdict(tally))
        return
    out.print(f"{tally.taken} taken, {tally.known} known already, {tally.held} held, {tally.refused} refused")


def _now() -> datetime:
    return datetime.now(UTC)
