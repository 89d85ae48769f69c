"""`losus audit verify`, `export`, `deliveries`, `sample`: whether the audit is whole, and what it says.

Owns options, output and exit codes. Does not own the chain (`adapter.store.audit`) nor FHIR's form of it
(`adapter.access.audit_event`).
"""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from adapter.access.audit_event import audit_event
from adapter.access.exchange_event import delivery_event, receipt_event
from adapter.commands.audit_sample import COLUMNS, draw, row_of
from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, err, out, print_json
from adapter.losus.days import at_local
from adapter.losus.instants import instant_text
from adapter.store.audit import Head, Kept, Selection, head, read, verify
from adapter.store.database import PATIENT_S, Connection, connect
from adapter.store.deliveries import Unchained, unchained
from adapter.store.history import Line, history
from adapter.store.migrate import migrate
from adapter.store.received import Received
from adapter.store.statements import one_moment
from adapter.store.told import Delivered, read_deliveries

audit_app = typer.Typer(
    name="audit", help="Who saw, received or tried what, when and why.", no_args_is_help=True
)

_CHAINED_WITHIN = timedelta(minutes=15)
_Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


class Form(StrEnum):
    """How entries are told, one a line."""

    FHIR = "fhir"
    JSON = "json"


@audit_app.command("verify")
def verify_command(
    kept: Annotated[
        str | None, typer.Option("--head", help="NUMBER:HASH as noted before: the chain must still have it.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Check every row of the chain; exit 1 and the first that is not as it was written.

    Note the head that is printed outside this database: without one, nobody can tell that rows at the
    end were cut off. The service's log has every head too (`audit.head`). Deliveries are taken into the
    chain by a relay every ten seconds; where the oldest that is not waits for a quarter of an hour, no
    relay does it, and the exit code is 1 too.
    """
    broken, last, waiting = asyncio.run(_verify(_read_head(kept)))
    waits = None if waiting.oldest_at is None else datetime.now(UTC) - waiting.oldest_at
    if format_ is Format.JSON:
        head_ = {"number": last.number, "hash": last.hash.hex()}
        oldest = None if waits is None else max(waits.total_seconds(), 0.0)
        unchained = {"deliveries": waiting.count, "oldest_s": oldest}
        print_json({"broken": broken, "head": head_, "unchained": unchained})
    elif broken is None:
        out.print(f"whole; head {last.number}:{last.hash.hex()}")
    if broken is not None:
        err.print(f"losus: the audit is broken at row {broken}")
    if waits is not None:
        err.print(f"losus: {waiting.count} deliveries are not in the chain yet, the oldest for {waits}")
    if broken is not None or (waits is not None and waits > _CHAINED_WITHIN):
        raise typer.Exit(1)


@audit_app.command("export")
def export_command(
    since: _Day = None,
    until: _Day = None,
    what: Annotated[
        str | None, typer.Option(help="What of: case/ID, statement/ID, Task/ID, message/N, …")
    ] = None,
    who: Annotated[
        str | None,
        typer.Option(help="A source, a municipality, or a person as the tokens name it."),
    ] = None,
    format_: Annotated[Form, typer.Option("--format")] = Form.FHIR,
) -> None:
    """Print what was done, delivered and received, one a line, oldest first: FHIR R4 AuditEvents, or JSON.

    Of a case that is who read it, who was given it, and who sent it (PDL 8:5). Days are Swedish days, both
    are included. What was delivered before deliveries were recorded has no time: it is in JSON alone.
    """
    asyncio.run(_export(Selection(_from(since), _to(until), what, who), format_))


@audit_app.command("deliveries")
def deliveries_command(
    case: Annotated[str, typer.Option("--case", help="Id of a case.")],
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """List what of a case was delivered, to whom, when and why (PDL 3:11)."""
    found = asyncio.run(_deliveries(Selection(what=f"case/{case}")))
    if format_ is Format.JSON:
        for one in found:
            print_json(told_json(one))
        return
    table = Table("when", "to", "revision", "told", "why", box=None)
    for one in found:
        at = "not recorded" if one.at is None else instant_text(one.at)
        table.add_row(at, one.municipality, str(one.revision), one.form or "not recorded", one.why)
    out.print(table)
    for municipality in sorted({one.municipality for one in found}):
        told = [one.revision for one in found if one.municipality == municipality and one.revision > 0]
        out.print(f"{municipality}: {len(set(told))} revisions, {len(told)} times")


@audit_app.command("sample")
def sample_command(
    count: Annotated[int, typer.Option("--count", min=1, help="How many readings.")],
    seed: Annotated[int, typer.Option("--seed", help="Any number; the same one draws the same sample.")],
    since: _Day = None,
    until: _Day = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Draw readings at random, for a person to check whether each was called for (HSLF-FS 2016:40 4:9).

    The drawing is an entry of the audit, with its seed and who drew it. Days are Swedish days, both are
    included.
    """
    chance = random.Random(seed)  # noqa: S311 - to be drawn again by whoever checks the check
    drawn = asyncio.run(_sample(Selection(_from(since), _to(until)), count, chance))
    if format_ is Format.JSON:
        for one in drawn:
            print_json(told_json(one))
        return
    table = Table(*COLUMNS, box=None)
    for one in drawn:
        table.add_row(*row_of(one))
    out.print(table)


async def _sample(wanted: Selection, count: int, chance: random.Random) -> list[Kept]:
    async with AsyncExitStack() as stack:
        return await draw(read(await _one_moment(stack), wanted), count, chance)


async def _deliveries(wanted: Selection) -> list[Delivered]:
    async with AsyncExitStack() as stack:
        return [one async for one in read_deliveries(await _one_moment(stack), wanted)]


def told_json(line: Line) -> dict[str, Any]:
    """A line of the audit as JSON: `record` says of which of the three records it is."""
    if isinstance(line, Delivered):
        return {"record": "delivery", **asdict(line), "why": line.why}
    if isinstance(line, Received):
        return {"record": "receipt", **asdict(line)}
    chained = {"previous": line.previous.hex(), "hash": line.hash.hex()}
    return {"record": "entry", "number": line.number, **asdict(line.entry), **chained}


def _from(day: datetime | None) -> datetime | None:
    return None if day is None else at_local(day.date(), time())


def _to(day: datetime | None) -> datetime | None:
    return None if day is None else at_local(day.date() + timedelta(days=1), time())


def _read_head(text: str | None) -> Head | None:
    if text is None:
        return None
    number, _, hashed = text.partition(":")
    try:
        return Head(int(number), bytes.fromhex(hashed))
    except ValueError:
        raise typer.BadParameter("is NUMBER:HASH, as `verify` prints it", param_hint="--head") from None


async def _verify(kept: Head | None) -> tuple[int | None, Head, Unchained]:
    """The first broken row, the head, and what is not chained yet, all as of one moment."""
    async with AsyncExitStack() as stack:
        connection = await _one_moment(stack)
        return await verify(connection, kept), await head(connection), await unchained(connection)


async def _export(wanted: Selection, form: Form) -> None:
    region = checked_settings().region.uri
    async with AsyncExitStack() as stack:
        async for line in history(await _one_moment(stack), wanted):
            if form is Form.JSON:
                print_json(told_json(line))
            elif isinstance(line, Kept):
                print_json(audit_event(line, region))
            elif isinstance(line, Received):
                print_json(receipt_event(line, region))
            elif line.at is not None:
                print_json(delivery_event(line, region))
            else:
                err.print(f"losus: delivered when nobody recorded it: {line.what} {line.revision}")


async def _one_moment(stack: AsyncExitStack) -> Connection:
    """A connection in a transaction that sees the database as of now, however long it reads."""
    dsn = checked_settings().database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=1, deadline_s=PATIENT_S)
    stack.push_async_callback(database.close)
    connection = await stack.enter_async_context(database.transaction(by_index=False))
    await one_moment(connection)
    return connection
