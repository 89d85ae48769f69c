"""`losus agreements check` and `losus agreements show`: are the files sound, and what is in force.

Owns the options, today's date and the exit codes: 1 where the check finds a fault. Does not own a rule
(`adapter.agreements`).
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapter.agreements.check import check
from adapter.agreements.in_force import InForce, in_force
from adapter.agreements.load import load_book
from adapter.agreements.schema import agreement_schema, rates_schema
from adapter.agreements.terms import CareForm, Status
from adapter.commands.output import Format, out, print_json
from adapter.commands.places import own_rates
from adapter.losus.days import local_day

agreements_app = typer.Typer(
    help="Agreements as data: check the files, show what is in force.", no_args_is_help=True
)

FolderOption = Annotated[Path | None, typer.Option("--agreements", help="Another folder of agreements.")]
FormatOption = Annotated[Format, typer.Option("--format")]


@agreements_app.command("check")
def check_command(
    format_: FormatOption = Format.TABLE,
    today: Annotated[
        str | None, typer.Option("--today", help="Judge as of this day; default: today.")
    ] = None,
    folder: FolderOption = None,
) -> None:
    """Report overlaps, gaps, unknown parties, uncited and stale values; exit 1 where there is a fault."""
    book = load_book(folder, own_rates())
    day = local_day(datetime.now(UTC)) if today is None else _day("--today", today)
    findings = check(book.files, book.rates, book.municipalities, day)
    faults = sum(one.severity == "fault" for one in findings)
    if format_ is Format.JSON:
        listed = [
            {"severity": one.severity, "rule": one.rule, "where": one.where, "words": one.words}
            for one in findings
        ]
        print_json({"agreements": sorted(book.rules), "faults": faults, "findings": listed})
    else:
        for one in findings:
            out.print(
                f"[{'red' if one.severity == 'fault' else 'yellow'}]{one.severity}[/] {one.rule}: ", end=""
            )
            out.print(f"{one.where}: {one.words}", markup=False)
        out.print(f"{len(book.files)} agreements, {faults} faults, {len(findings) - faults} notes")
    if faults:
        raise typer.Exit(1)


@agreements_app.command("show")
def show_command(
    on: Annotated[str, typer.Option("--on", help="The day, 2025-07-01.")],
    municipality: Annotated[str, typer.Option("--municipality", help="Kommunkod, 2380.")],
    format_: FormatOption = Format.TABLE,
    folder: FolderOption = None,
) -> None:
    """Say what is in force for a municipality on a day, and why."""
    book = load_book(folder, own_rates())
    day = _day("--on", on)
    if municipality not in book.municipalities:
        raise typer.BadParameter("no such kommunkod", param_hint="--municipality")
    agreements = {name: rules.agreement for name, rules in book.rules.items()}
    held = {form: in_force(agreements, day, municipality, form) for form in CareForm}
    if format_ is Format.JSON:
        print_json(
            {
                "on": day.isoformat(),
                "municipality": municipality,
                "name": book.municipalities[municipality],
                "in_force": {form.value: _json(one) for form, one in held.items()},
            }
        )
        return
    out.print(f"[bold]{municipality} {book.municipalities[municipality]}, {day}[/]")
    for form, one in held.items():
        out.print(f"\n[bold]{form}[/]: {one.agreement.title} ({one.agreement.id}, {one.agreement.kind})")
        out.print(f"  {one.because}", markup=False)
        if one.agreement.status.value is Status.SUSPENDED:
            out.print("  The billing is suspended: statements are made, nothing is invoiced.")


class SchemaOf(StrEnum):
    """Which kind of file a schema is for."""

    AGREEMENT = "agreement"
    RATES = "rates"


@agreements_app.command("schema")
def schema_command(of: Annotated[SchemaOf, typer.Argument()] = SchemaOf.AGREEMENT) -> None:
    """Print the JSON Schema that editors check a file by; it is published beside the files."""
    print(agreement_schema() if of is SchemaOf.AGREEMENT else rates_schema(), end="")  # noqa: T201 - data


def _json(one: InForce) -> dict[str, object]:
    return {
        "agreement": one.agreement.id,
        "title": one.agreement.title,
        "kind": one.agreement.kind.value,
        "status": one.agreement.status.value.value,
        "because": one.because,
        "passed_over": list(one.passed_over),
    }


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written YYYY-MM-DD", param_hint=option) from None
