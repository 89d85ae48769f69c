"""`losus settle` on the store, and the story of one stay: which of them is meant, and how it is printed.

Owns what is printed. Does not own the options (`settling`) nor what is done on the store (`settle_store`).
"""

import csv
import sys
from pathlib import Path

import typer

from adapter.agreements.load import Book
from adapter.commands.checked import checked_settings
from adapter.commands.output import out, print_json
from adapter.commands.peppol import write_documents
from adapter.commands.settle import (
    SettleFormat,
    edition_of,
    open_book,
    opened,
    pick_rules,
    print_statements,
    refusals,
)
from adapter.commands.settle_store import StoreOptions as StoreOptions  # noqa: PLC0414 - taken from here
from adapter.commands.settle_store import (
    book_folder,
    check,
    confirm_store,
    explain_store,
    follow_up_store,
    print_corrections,
    settle_store,
    told_json,
)
from adapter.fhir.adjustment import ADJUSTMENT_COLUMNS, adjustment_row
from adapter.fhir.decimals import dumps
from adapter.fhir.model import FhirVersion
from adapter.fhir.sheet import Draft
from adapter.fhir.summary import bundle
from adapter.settlement.render import CSV_COLUMNS, statement_row
from adapter.settling.explaining import known_from_rows
from adapter.settling.run import Settled
from adapter.settling.words import story
from adapter.wiring import ledger_of


def settle_more(
    options: StoreOptions,
    agreements: Path | None,
    rates: Path | None,
    format_: SettleFormat,
    version: FhirVersion,
) -> None:
    """Do what is asked of the store: the story of a stay, the follow-up of a month, or settling."""
    if options.confirm_empty is not None:
        words = "confirmed" if confirm_store(options) else "confirmed before"
        out.print(f"{options.month} {options.confirm_empty}: {words}: nothing happened", markup=False)
    elif options.explain is not None:
        _print_story(explain_store(options, open_book(book_folder(agreements), rates)), format_)
    elif options.follow_up:
        for told in follow_up_store(options, open_book(book_folder(agreements), rates), version):
            sys.stdout.buffer.write(told + b"\n")
        sys.stdout.buffer.flush()
    else:
        _on_store(options, agreements, rates, format_, version)


def explain_file(
    stays: Path, options: StoreOptions, book: Book, format_: SettleFormat, *, skip_bad: bool
) -> None:
    """Tell the story of a stay of a file."""
    named = pick_rules(book, options.agreement) if options.agreement else None
    with refusals(), opened(stays, book.municipalities, skip_bad=skip_bad) as rows:
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
    if options.corrections and format_ is not SettleFormat.CSV:
        raise typer.BadParameter("goes with --format csv; the others have them", param_hint="--corrections")
    book = open_book(book_folder(agreements), rates)
    if options.agreement:
        book.get(options.agreement)
    if unknown := sorted(set(options.municipalities) - set(book.municipalities)):
        raise typer.BadParameter(f"no such kommunkod: {', '.join(unknown)}", param_hint="--municipality")
    done = settle_store(options, book)
    ledger = ledger_of(checked_settings(), book)
    book = ledger.book
    if options.corrections:
        _print_corrections_csv(done)
    elif format_ is SettleFormat.PEPPOL:
        write_documents(done.told, ledger, options.out)
    else:
        _print(done, book, format_, version)
    if done.refused:
        raise typer.Exit(1)


def _print_corrections_csv(done: Settled) -> None:
    writer = csv.DictWriter(sys.stdout, ADJUSTMENT_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for one in done.told:
        issued = one.statement
        writer.writerows(adjustment_row(issued.id, adjustment) for adjustment in issued.adjustments)


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
            told = [one.statement if one.issued else Draft(one.statement) for one in done.told]
            sys.stdout.buffer.write(dumps(bundle(told, edition_of(book, version))) + b"\n")
            sys.stdout.buffer.flush()
        case SettleFormat.TABLE:
            print_statements([one.statement.statement for one in done.told], book)
            print_corrections(done.told)
