"""`losus follow-up`: the monthly control and joint analysis of region and municipality.

Owns the options and what is printed. What is entered here is the region's. Does not own what may be entered
(`adapter.settling.joint_follow_ups`) nor how a month is judged (`adapter.settlement.joint_judging`).
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.table import Table

from adapter.agreements.load import load_book
from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, out, print_json
from adapter.errors import Problem, ResourceError
from adapter.losus.days import Month
from adapter.settlement.joint import JointFollowUp, State
from adapter.settlement.joint_entries import ENTERED, Party, Result
from adapter.settlement.joint_view import summary, view
from adapter.settling.issuing import Ledger
from adapter.settling.joint_follow_ups import (
    Shown,
    Writer,
    enter,
    find_follow_up,
    head_of,
    open_by_hand,
    read_follow_ups,
)
from adapter.settling.joint_judging import judge_month, office_of, refuse_head
from adapter.store import joint
from adapter.store.asking import ASKING
from adapter.store.database import Connection, connect
from adapter.store.joint import Wanted
from adapter.store.migrate import migrate
from adapter.trace import new_trace
from adapter.wiring import ledger_of

follow_up_app = typer.Typer(no_args_is_help=True, help="Monthly control and joint analysis.")
measure_app = typer.Typer(no_args_is_help=True, help="Measures of a joint analysis.")
follow_up_app.add_typer(measure_app, name="measure")

T = TypeVar("T")
IdArgument = Annotated[str, typer.Argument(help="Id of the follow-up: see `losus follow-up list`.")]
FormatOption = Annotated[Format, typer.Option("--format")]
CorrectsOption = Annotated[
    int | None, typer.Option("--corrects", help="Number of the entry that this one replaces.")
]
_COLUMNS = ("id", "municipality", "month", "care_form", "state", "deviations", "open_measures", "missing")


@follow_up_app.command("list")
def list_command(
    municipality: Annotated[str | None, typer.Option("--municipality", help="Kommunkod.")] = None,
    month: Annotated[str | None, typer.Option("--month", help="A month, 2026-03.")] = None,
    agreement: Annotated[str | None, typer.Option("--agreement", help="Id of an agreement.")] = None,
    care_form: Annotated[str | None, typer.Option("--care-form", help="somatic, psychiatric …")] = None,
    state: Annotated[State | None, typer.Option("--state", help="open, held or completed.")] = None,
    format_: FormatOption = Format.TABLE,
) -> None:
    """List follow-ups, newest month first: how far each has come, deviations, measures that are not done."""
    wanted = Wanted(municipality, agreement, care_form, None if month is None else _month(month))

    async def listed(connection: Connection, _: Ledger) -> list[Shown]:
        return await read_follow_ups(connection, await joint.find_heads(connection, wanted))

    found = [one for one in _run(listed) if state in {None, one.follow_up.state}]
    rows = [summary(one.follow_up, one.version) for one in found]
    if format_ is Format.JSON:
        for row in rows:
            print_json(row)
        return
    table = Table(*_COLUMNS, box=None)
    for row in rows:
        cells = {**row, "missing": ", ".join(row["missing"])}
        table.add_row(*(str(cells[name]) for name in _COLUMNS))
    out.print(table)


@follow_up_app.command("show")
def show_command(
    name: IdArgument,
    format_: FormatOption = Format.TABLE,
    fhir: Annotated[bool, typer.Option("--fhir", help="The Bundle, as it was published.")] = False,
) -> None:
    """Show a follow-up: the month's figures, deviations with their stays, what was entered, measures."""

    async def found(connection: Connection, _: Ledger) -> tuple[Shown, bytes | None]:
        shown = await find_follow_up(connection, name, None)
        return shown, await joint.newest_bundle(connection, name)

    shown, bundle = _run(found)
    if fhir:
        sys.stdout.buffer.write((bundle or b"") + b"\n")
        sys.stdout.buffer.flush()
        return
    _print(shown, format_)


@follow_up_app.command("open")
def open_command(
    agreement: Annotated[str, typer.Option("--agreement", help="Id of the agreement.")],
    municipality: Annotated[str, typer.Option("--municipality", help="Kommunkod.")],
    month: Annotated[str, typer.Option("--month", help="A month that is over, 2026-03.")],
    care_form: Annotated[
        str,
        typer.Option("--care-form", help="somatic, psychiatric; pooled where they are pooled."),
    ] = "somatic",
    format_: FormatOption = Format.TABLE,
) -> None:
    """Open a month's follow-up by hand, or judge it again where it is open.

    One whose mean is over the threshold opens by itself when its statement is issued.
    """
    head, now = head_of(agreement, municipality, care_form, _month(month)), datetime.now(UTC)

    async def opened(connection: Connection, ledger: Ledger) -> Shown:
        refuse_head(ledger.book, head, now)
        judged = await judge_month(connection, ledger, head, now)
        return await open_by_hand(connection, office_of(ledger), head, judged, _writer(), now)

    _print(_run(opened), format_)


@follow_up_app.command("record")
def record_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    name: IdArgument,
    held: Annotated[str | None, typer.Option("--held", help="Day on which the control was held.")] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", help="With --held: for the region; «Name, role»."),
    ] = None,
    municipality: Annotated[
        list[str] | None,
        typer.Option("--municipality", help="With --held: for the municipality."),
    ] = None,
    finding: Annotated[str | None, typer.Option("--finding", help="What the analysis found.")] = None,
    deviation: Annotated[str | None, typer.Option("--deviation", help="A deviation, in words.")] = None,
    stay: Annotated[str | None, typer.Option("--stay", help="With --deviation: of which stay.")] = None,
    code: Annotated[
        str | None, typer.Option("--code", help="With --deviation: its kind, as sip-call or another code.")
    ] = None,
    withdraw: Annotated[int | None, typer.Option("--withdraw", help="Entry to take back.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="With --withdraw: why.")] = None,
    corrects: CorrectsOption = None,
    format_: FormatOption = Format.TABLE,
) -> None:
    """Record that the control was held and by whom, a finding, a deviation; or take an entry back.

    Both parties read it. Name no patient: a stay is named by its id. An entry is never changed, only
    corrected by another.
    """
    people = [_representative(Party.REGION, one) for one in region or ()]
    people += [_representative(Party.MUNICIPALITY, one) for one in municipality or ()]
    given: list[dict[str, Any]] = []
    if held is not None:
        given.append({"kind": "meeting", "held_on": held, "representatives": people})
    if finding is not None:
        given.append({"kind": "finding", "text": finding})
    if deviation is not None:
        given.append({"kind": "deviation", "text": deviation, "stay": stay, "name": code})
    if withdraw is not None:
        given.append({"kind": "withdrawal", "corrects": withdraw, "text": reason})
    if len(given) != 1:
        raise typer.BadParameter("one of --held, --finding, --deviation, --withdraw", param_hint="record")
    _print(_enter(name, given[0], corrects), format_)


@measure_app.command("add")
def add_measure_command(
    name: IdArgument,
    text: Annotated[str, typer.Argument(help="What is to be done.")],
    responsible: Annotated[str, typer.Option("--responsible", help="Who does it: a unit or a function.")],
    due: Annotated[str, typer.Option("--due", help="Until which day.")],
    party: Annotated[Party, typer.Option("--party", help="Whose measure it is.")] = Party.REGION,
    corrects: CorrectsOption = None,
    format_: FormatOption = Format.TABLE,
) -> None:
    """Add a measure (åtgärd): what, who and when. It is carried from month to month until it is done."""
    given = {"kind": "measure", "text": text, "responsible": responsible, "due": due, "party": party.value}
    _print(_enter(name, given, corrects), format_)


@measure_app.command("close")
def close_measure_command(
    name: IdArgument,
    measure: Annotated[str, typer.Argument(help="Id of the measure: see `losus follow-up show`.")],
    outcome: Annotated[Result, typer.Option("--outcome", help="done, not-done or moved.")] = Result.DONE,
    due: Annotated[str | None, typer.Option("--due", help="With moved: the new day.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="In words, for both parties.")] = None,
    corrects: CorrectsOption = None,
    format_: FormatOption = Format.TABLE,
) -> None:
    """Say what became of a measure in the month that follows it up; one that is not done is carried over."""
    given = {"kind": "outcome", "measure": measure, "result": outcome.value, "due": due, "text": note}
    _print(_enter(name, given, corrects), format_)


def _enter(name: str, given: dict[str, Any], corrects: int | None) -> Shown:
    if corrects is not None:
        given["corrects"] = corrects
    try:
        content = ENTERED.validate_python(given)
    except ValidationError as fault:
        problems = [Problem("value", one["msg"], ".".join(map(str, one["loc"]))) for one in fault.errors()]
        raise ResourceError(*problems) from None

    async def entered(connection: Connection, ledger: Ledger) -> Shown:
        return await enter(connection, office_of(ledger), name, content, _writer(), datetime.now(UTC))

    return _run(entered)


def _run(work: Callable[[Connection, Ledger], Awaitable[T]]) -> T:
    async def run() -> T:
        settings = checked_settings()
        dsn = settings.database.get_secret_value()
        ledger = ledger_of(settings, load_book(settings.agreements, settings.rates), new_trace())
        await migrate(dsn)
        database = await connect(dsn, size=1)
        try:
            async with database.transaction() as connection:
                return await work(connection, ledger)
        finally:
            await database.close()

    return asyncio.run(run())


def _writer() -> Writer:
    """Return who enters for the region: the operator that the audit log has of this command."""
    asking = ASKING.get()
    if asking is None:
        return Writer(Party.REGION, "system", "losus follow-up", "not said")
    return Writer(Party.REGION, asking.kind, asking.who, asking.why)


def _representative(party: Party, text: str) -> dict[str, Any]:
    name, _, role = text.partition(",")
    return {"party": party.value, "name": name, "role": role.strip() or None}


def _print(shown: Shown, format_: Format) -> None:
    told = view(shown.follow_up, shown.version)
    if format_ is Format.JSON:
        print_json(told)
        return
    for line in _lines(shown.follow_up, told):
        out.print(line, markup=False)


def _lines(one: JointFollowUp, told: dict[str, Any]) -> Sequence[str]:
    judged = told["judged"]
    lines = [
        f"{one.head.id}  {one.head.municipality} {one.head.month} {one.head.care_form}  {told['state']}",
        f"  {one.head.agreement}; opened {one.opened_at:%Y-%m-%d}: {told['because']}",
    ]
    if one.missing:
        lines.append(f"  missing: {', '.join(one.missing)}")
    if judged is not None:
        lines.append(f"  {judged['stays']} stays, mean {judged['mean']}, threshold {judged['threshold']}")
    for each in told["deviations"]:
        what = each["name"] or "-"
        lines.append(f"  deviation {what} {each['stay'] or '-'} {each.get('text') or each.get('due')}")
    for each in told["entries"]:
        note = f" (replaced by {each['replaced_by']})" if each["replaced_by"] else ""
        lines.append(f"  {each['entry']:>3} {each['at'][:10]} {each['party'] or '-'} {each['kind']}{note}")
        lines += [f"      {each['text']}"] if each.get("text") else []
    for kind in ("measures", "carried"):
        for each in told[kind]:
            who = each["responsible"]
            lines.append(f"  {kind[:7]} {each['id']} {each['status']} due {each['due']}: {who['name']}")
            lines.append(f"      {each['text']}")
    return lines


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--month") from None
