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
from adapter.commands.running import Host, Port, running, until
from adapter.commands.store import Store, opened, receiving
from adapter.errors import Problem, SetupError
from adapter.inbound.bulk import export
from adapter.inbound.files import deliveries_of
from adapter.inbound.handing import Tally, hand_over, hand_over_stream
from adapter.inbound.listener import Listener
from adapter.inbound.receiver import Receiver
from adapter.settings import Source
from adapter.tracing import Attributes, work
from adapter.wiring import poller_of

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
    host: Host = "127.0.0.1",
    port: Port = None,
) -> None:
    """Ask a source's server for what has changed, by `_lastUpdated`, again and again until stopped."""
    tally = asyncio.run(_poll(source, host, port, once=once))
    if tally is not None:
        _tell(tally, format_)


async def _poll(source: str, host: str, port: int | None, *, once: bool) -> Tally | None:
    """What became of it, where it was asked once."""
    async with _opened("poll", source) as door:
        settings = door.store.settings
        if door.client is None:
            rule = "this source has no server to ask"
            raise SetupError(Problem("required", rule, f"sources.{source}.server"))
        poller = poller_of(settings, source, door.client, door.receiver, door.store.database)
        if once:
            return await poller.look()
        async with running(settings, host, port) as stopping:
            await until(stopping, poller.run())
        return None


def listen_command(
    source: Annotated[str, typer.Argument(help="Name of a source whose `topic` is set.")],
    host: Host = "127.0.0.1",
    port: Port = None,
) -> None:
    """Read the Kafka topic that a source writes to, until stopped."""
    asyncio.run(_listen(source, host, port))


async def _listen(source: str, host: str, port: int | None) -> None:
    async with _opened("listen", source) as door:
        if door.source.topic is None:
            raise SetupError(Problem("required", "this source has no topic", f"sources.{source}.topic"))
        settings = door.store.settings
        listener = Listener(
            source,
            door.source.topic,
            settings.kafka.cluster,
            dsn=settings.database.get_secret_value(),
            receiver=door.receiver,
            database=door.store.database,
        )
        async with running(settings, host, port) as stopping:
            await until(stopping, listener.run())


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
    async with _opened("import", source) as door:
        attributes: Attributes = {"losus.source": source}
        with (
            work("import", None, attributes=attributes),
            Progress(*columns, console=err, transient=True) as progress,
        ):
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
async def _opened(process: str, source: str) -> AsyncIterator[_Door]:
    async with opened(process) as store:
        found = store.settings.sources.get(source)
        if found is None:
            raise SetupError(Problem("not-found", "no source of this name", "sources"))
        async with receiving(store) as receiver:
            yield _Door(store, receiver, found, store.clients.get(source))


def _tell(tally: Tally, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json(asdict(tally))
        return
    out.print(f"{tally.taken} taken, {tally.known} known already, {tally.held} held, {tally.refused} refused")
