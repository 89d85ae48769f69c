"""The command `losus settle` with all its options: on a file of stays, on the store, or one stay explained.

Owns which of the three is meant; each has its own file (`settle`, `settle_store`).
"""

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

from adapter.agreements.load import Book
from adapter.commands.output import out, print_json
from adapter.commands.settle import (
    FolderOption,
    FromOption,
    RatesOption,
    SettleFormat,
    SkipOption,
    ToOption,
    edition_of,
    open_book,
    opened,
    pick_rules,
    print_statements,
    refusals,
    settle_command,
)
from adapter.commands.settle_store import (
    StoreOptions,
    book_folder,
    check,
    explain_store,
    follow_up_store,
    print_corrections,
    settle_store,
    told_json,
)
from adapter.fhir.decimals import dumps
from adapter.fhir.model import FhirVersion
from adapter.fhir.summary import bundle
from adapter.settlement.render import CSV_COLUMNS, statement_row
from adapter.settling.explaining import known_from_rows
from adapter.settling.run import Settled
from adapter.settling.step_words import Language
from adapter.settling.words import story


def settle_any_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    stays: Annotated[
        Path | None,
        typer.Option("--stays", help="Stays, one JSON object a line, or CSV; default: the store."),
    ] = None,
    agreement: Annotated[
        str | None, typer.Option("--agreement", help="Id or file; default: what is in force for each stay.")
    ] = None,
    from_: FromOption = None,
    to: ToOption = None,
    format_: Annotated[SettleFormat, typer.Option("--format")] = SettleFormat.TABLE,
    skip_bad: SkipOption = False,
    rates: RatesOption = None,
    agreements: FolderOption = None,
    fhir_version: Annotated[
        FhirVersion, typer.Option("--fhir-version", help="With --format fhir.")
    ] = FhirVersion.R4,
    month: Annotated[str | None, typer.Option("--month", help="On the store: the month, 2024-03.")] = None,
    municipality: Annotated[
        list[str] | None, typer.Option("--municipality", help="On the store: kommunkod; may be given again.")
    ] = None,
    issue: Annotated[
        bool, typer.Option("--issue", help="On the store: issue what is not issued yet.")
    ] = False,
    early: Annotated[
        str | None, typer.Option("--early", help="Issue before the correction day; say why.")
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Issue every month whose correction day is over (for a scheduler).")
    ] = False,
    explain: Annotated[str | None, typer.Option("--explain", help="Tell the story of this stay.")] = None,
    follow_up: Annotated[
        bool,
        typer.Option("--follow-up", help="On the store: the monthly follow-up, as a FHIR MeasureReport."),
    ] = False,
    lang: Annotated[str, typer.Option("--lang", help="With --explain: sv or en.")] = "sv",
) -> None:
    """Settle stays: a statement for each municipality, care form and month."""
    options = StoreOptions(
        month, tuple(municipality or ()), agreement, issue, early, due, explain, _language(lang), follow_up
    )
    if stays is not None:
        if month or municipality or issue or early or due or follow_up:
            raise typer.BadParameter("settles a file: --month, --issue and --due are of the store")
        if explain is not None:
            _explain_file(stays, options, open_book(agreements, rates), format_, skip_bad=skip_bad)
        else:
            settle_command(stays, agreement, from_, to, format_, skip_bad, rates, agreements, fhir_version)
        return
    if from_ or to or skip_bad:
        raise typer.BadParameter("--from, --to and --skip-bad go with --stays FILE", param_hint="--stays")
    if explain is not None:
        _print_story(explain_store(options, open_book(book_folder(agreements), rates)), format_)
        return
    if follow_up:
        for told in follow_up_store(options, open_book(book_folder(agreements), rates), fhir_version):
            sys.stdout.buffer.write(told + b"\n")
        sys.stdout.buffer.flush()
        return
    _on_store(options, agreements, rates, format_, fhir_version)


def _language(text: str) -> Language:
    if text == "sv":
        return "sv"
    if text == "en":
        return "en"
    raise typer.BadParameter("is sv or en", param_hint="--lang")


def _explain_file(
    stays: Path, options: StoreOptions, book: Book, format_: SettleFormat, *, skip_bad: bool
) -> None:
    named = pick_rules(book, options.agreement) if options.agreement else None
    with refusals(), opened(stays, skip_bad=skip_bad) as rows:
        known = known_from_rows(tuple(rows), options.explain or "", book, named)
    _print_story(story(known, options.language), format_)


def _print_story(lines: tuple[str, ...], format_: SettleFormat) -> None:
    if format_ is SettleFormat.JSON:
        print_json({"story": lines})
        return
    for line in lines:
        out.print(line, markup=False)


def _on_store(
    options: StoreOptions,
    agreements: Path | None,
    rates: Path | None,
    format_: SettleFormat,
    version: FhirVersion,
) -> None:
    check(options)
    book = open_book(book_folder(agreements), rates)
    if options.agreement:
        book.get(options.agreement)
    if unknown := sorted(set(options.municipalities) - set(book.municipalities)):
        raise typer.BadParameter(f"no such kommunkod: {', '.join(unknown)}", param_hint="--municipality")
    done = settle_store(options, book)
    _print(done, book, format_, version)
    if done.refused:
        raise typer.Exit(1)


def _print(done: Settled, book: Book, format_: SettleFormat, version: FhirVersion) -> None:
    match format_:
        case SettleFormat.JSON:
            sys.stdout.buffer.writelines(told_json(one) for one in done.told)
            sys.stdout.buffer.flush()
        case SettleFormat.CSV:
            writer = csv.DictWriter(sys.stdout, CSV_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(statement_row(one.statement.statement) for one in done.told)
        case SettleFormat.FHIR:
            told = [one.statement if one.issued else one.statement.statement for one in done.told]
            sys.stdout.buffer.write(dumps(bundle(told, edition_of(book, version))) + b"\n")
            sys.stdout.buffer.flush()
        case SettleFormat.TABLE:
            print_statements([one.statement.statement for one in done.told], book)
            print_corrections(done.told)
