"""`losus agreements check`, `list` and `show`: are the files sound, who decided them, and what is in force.

Owns the options, today's date and the exit codes: 1 where the check finds a fault. Does not own a rule
(`adapter.agreements`).
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapter.agreements.agreement import Assumption
from adapter.agreements.check import check
from adapter.agreements.in_force import (
    Agreements,
    InForce,
    in_force,
    life_assumptions,
    open_renegotiations,
)
from adapter.agreements.load import Book, load_book
from adapter.agreements.schema import agreement_schema, federations_schema, rates_schema
from adapter.agreements.terms import CareForm, Status
from adapter.commands.agreement_life import life_json, life_lines
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
    findings = check(book.files, book.rates, book.municipalities, day, book.federations, book.regions)
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


@agreements_app.command("list")
def list_command(format_: FormatOption = Format.TABLE, folder: FolderOption = None) -> None:
    """List the agreements with their life cycles in short: status, days, who decided."""
    book = load_book(folder, own_rates())
    agreements = {name: rules.agreement for name, rules in sorted(book.rules.items())}
    if format_ is Format.JSON:
        print_json({"agreements": [life_json(agreements, one) for one in agreements.values()]})
        return
    for one in agreements.values():
        for line in life_lines(agreements, one, parties=False):
            out.print(line, markup=False, soft_wrap=True)


@agreements_app.command("show")
def show_command(
    agreement: Annotated[
        str | None, typer.Argument(help="An agreement: its life cycle, and what each party decided.")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="The day, 2025-07-01.")] = None,
    municipality: Annotated[str | None, typer.Option("--municipality", help="Kommunkod, 2380.")] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", help="Länskod of the region that treats; default: the municipality's own."),
    ] = None,
    format_: FormatOption = Format.TABLE,
    folder: FolderOption = None,
) -> None:
    """Show an agreement's life cycle, or what is in force for a municipality on a day, and why."""
    book = load_book(folder, own_rates())
    agreements = {name: rules.agreement for name, rules in book.rules.items()}
    if agreement is not None:
        if on is not None or municipality is not None:
            raise typer.BadParameter("goes without --on and --municipality", param_hint="AGREEMENT")
        chosen = book.get(agreement).agreement
        if format_ is Format.JSON:
            print_json(life_json(agreements, chosen))
            return
        for line in life_lines(agreements, chosen):
            out.print(line, markup=False, soft_wrap=True)
        return
    if on is None or municipality is None:
        raise typer.BadParameter("name an agreement, or give --on and --municipality")
    if municipality not in book.municipalities:
        raise typer.BadParameter("no such kommunkod", param_hint="--municipality")
    if region is not None and region not in book.regions.by_county:
        raise typer.BadParameter("no such länskod", param_hint="--region")
    _show_in_force(book, agreements, _day("--on", on), (municipality, region), format_)


def _show_in_force(
    book: Book, agreements: Agreements, day: date, between: tuple[str, str | None], format_: Format
) -> None:
    municipality, region = between
    held = {form: in_force(agreements, day, municipality, form, region) for form in CareForm}
    if format_ is Format.JSON:
        print_json(
            {
                "on": day.isoformat(),
                "municipality": municipality,
                "name": book.municipalities[municipality],
                "in_force": {form.value: _json(one, day, municipality) for form, one in held.items()},
            }
        )
        return
    out.print(f"[bold]{municipality} {book.municipalities[municipality]}, {day}[/]")
    for form, one in held.items():
        out.print(f"\n[bold]{form}[/]: {one.agreement.title} ({one.agreement.id}, {one.agreement.kind})")
        out.print(f"  {one.because}", markup=False)
        if one.agreement.status.value is Status.SUSPENDED:
            out.print("  The billing is suspended: statements are made, nothing is invoiced.")
        for assumption in _assumed(one, municipality):
            out.print(f"  Assumed: {assumption.what} {assumption.because}", markup=False)
        for open_ in open_renegotiations(one.agreement, day):
            words = f"To be renegotiated by {open_.by} ({open_.about}); the outcome is not known."
            out.print(f"  {words}", markup=False)


def _assumed(one: InForce, municipality: str) -> list[Assumption]:
    ids = life_assumptions(one.agreement, municipality)
    return [assumption for key, assumption in one.agreement.assumptions.items() if key in ids]


class SchemaOf(StrEnum):
    """Which kind of file a schema is for."""

    AGREEMENT = "agreement"
    RATES = "rates"
    FEDERATIONS = "federations"


@agreements_app.command("schema")
def schema_command(of: Annotated[SchemaOf, typer.Argument()] = SchemaOf.AGREEMENT) -> None:
    """Print the JSON Schema that editors check a file by; it is published beside the files."""
    made = {
        SchemaOf.AGREEMENT: agreement_schema,
        SchemaOf.RATES: rates_schema,
        SchemaOf.FEDERATIONS: federations_schema,
    }
    print(made[of](), end="")  # noqa: T201 - data


def _json(one: InForce, day: date, municipality: str) -> dict[str, object]:
    return {
        "agreement": one.agreement.id,
        "title": one.agreement.title,
        "kind": one.agreement.kind.value,
        "status": one.agreement.status.value.value,
        "because": one.because,
        "passed_over": list(one.passed_over),
        "assumptions": [{"what": each.what, "because": each.because} for each in _assumed(one, municipality)],
        "renegotiate": [
            {"by": each.by.isoformat(), "about": each.about, "outcome": None}
            for each in open_renegotiations(one.agreement, day)
        ],
    }


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written YYYY-MM-DD", param_hint=option) from None
