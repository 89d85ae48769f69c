"""`losus audit verify` and `losus audit export`: whether the audit is whole, and what it says.

Owns options, output and exit codes. Does not own the chain (`adapter.store.audit`) nor FHIR's form of it
(`adapter.access.audit_event`).
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from adapter.access.audit_event import audit_event
from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, err, out, print_json
from adapter.losus.days import at_local
from adapter.store.audit import Head, Selection, head, read, verify
from adapter.store.database import Connection, connect
from adapter.store.migrate import migrate
from adapter.store.statements import one_moment

audit_app = typer.Typer(
    name="audit", help="Who saw, received or tried what, when and why.", no_args_is_help=True
)

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
    end were cut off. The service's log has every head too (`audit.head`).
    """
    broken, last = asyncio.run(_verify(_read_head(kept)))
    if format_ is Format.JSON:
        print_json({"broken": broken, "head": {"number": last.number, "hash": last.hash.hex()}})
    elif broken is None:
        out.print(f"whole; head {last.number}:{last.hash.hex()}")
    if broken is not None:
        err.print(f"losus: the audit is broken at row {broken}")
        raise typer.Exit(1)


@audit_app.command("export")
def export_command(
    since: _Day = None,
    until: _Day = None,
    what: Annotated[str | None, typer.Option(help="What of: case/ID, statement/ID, …")] = None,
    who: Annotated[str | None, typer.Option(help="A source, or a person as the tokens name it.")] = None,
    format_: Annotated[Form, typer.Option("--format")] = Form.FHIR,
) -> None:
    """Print entries, one a line, oldest first: FHIR R4 AuditEvents, or plain JSON. Days are Swedish days.

    Both days are included.
    """
    first = None if since is None else at_local(since.date(), time())
    after = None if until is None else at_local(until.date() + timedelta(days=1), time())
    asyncio.run(_export(Selection(first, after, what, who), format_))


def _read_head(text: str | None) -> Head | None:
    if text is None:
        return None
    number, _, hashed = text.partition(":")
    try:
        return Head(int(number), bytes.fromhex(hashed))
    except ValueError:
        raise typer.BadParameter("is NUMBER:HASH, as `verify` prints it", param_hint="--head") from None


async def _verify(kept: Head | None) -> tuple[int | None, Head]:
    """The first broken row, and the head, both as of one moment."""
    async with AsyncExitStack() as stack:
        connection = await _one_moment(stack)
        return await verify(connection, kept), await head(connection)


async def _export(wanted: Selection, form: Form) -> None:
    region = checked_settings().region
    async with AsyncExitStack() as stack:
        async for one in read(await _one_moment(stack), wanted):
            if form is Form.FHIR:
                print_json(audit_event(one, region))
            else:
                chained = {"previous": one.previous.hex(), "hash": one.hash.hex()}
                print_json({"number": one.number, **asdict(one.entry), **chained})


async def _one_moment(stack: AsyncExitStack) -> Connection:
    """A connection in a transaction that sees the database as of now, however long it reads."""
    dsn = checked_settings().database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=1)
    stack.push_async_callback(database.close)
    connection = await stack.enter_async_context(database.transaction())
    await one_moment(connection)
    return connection
