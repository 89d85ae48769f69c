"""`losus settle`: what each municipality owes for each month, from a file of stays.

Owns the options and the exit codes: 1 where rows are bad or a rate is unknown, 2
where the command was used wrongly. Does not own a single rule (`adapter.settlement`).
"""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapter.agreements.load import Book, load_book, read_agreement, read_rates
from adapter.agreements.rules import Rules, rules_of
from adapter.commands.no_rate import end_without_rates
from adapter.commands.output import err, out
from adapter.commands.places import own_rates
from adapter.commands.stays import BadRowsError, read_stays
from adapter.commands.stays import opened as opened  # noqa: PLC0414 - other commands take it from here
from adapter.fhir.decimals import dumps
from adapter.fhir.elements import Edition
from adapter.fhir.model import FhirVersion
from adapter.fhir.summary import bundle
from adapter.settings import load_regions
from adapter.settlement.bulk import Bulk, bulk, bulk_in_force
from adapter.settlement.heard import FileSpan
from adapter.settlement.ledger import Lasting, by_law, by_name, months_of
from adapter.settlement.parts import parts_of
from adapter.settlement.render import CSV_COLUMNS, mean_decimal, plain, statement_row
from adapter.settlement.settle import must_settle
from adapter.settlement.statement import Statement
from adapter.treating import with_regions


class SettleFormat(StrEnum):
    """How statements are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    FHIR = "fhir"
    PEPPOL = "peppol"


StaysOption = Annotated[Path, typer.Option("--stays", help="Stays, one JSON object a line, or CSV (*.csv).")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="First month, 2018-03; default: the first there is.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", help="Last month, included; default: the last there is.")
]
SkipOption = Annotated[bool, typer.Option("--skip-bad", help="Settle the good rows, and list the others.")]
RatesOption = Annotated[
    Path | None, typer.Option("--rates", help="Another file of rates, instead of all others.")
]
VersionOption = Annotated[FhirVersion, typer.Option("--fhir-version", help="With --format fhir.")]
FolderOption = Annotated[Path | None, typer.Option("--agreements", help="Another folder of agreements.")]


def settle_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    stays: StaysOption,
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
) -> None:
    """Settle stays: a statement for each municipality, care form and month."""
    if format_ is SettleFormat.PEPPOL:
        rule = "a file's statements are drafts, without numbers: issue from the store (--month)"
        raise typer.BadParameter(rule, param_hint="--format peppol")
    book = open_book(agreements, rates)
    named = pick_rules(book, agreement) if agreement else None
    if named:
        book = replace(book, rules={**book.rules, named.id: named})
    with refusals():
        made = _settled(stays, (from_, to), book, named, skip_bad=skip_bad)
    if format_ is SettleFormat.JSON:
        _print_json(made)
    elif format_ is SettleFormat.CSV:
        _print_csv(made.summed())
    elif format_ is SettleFormat.FHIR:
        _print_fhir(tuple(made.statements()), book, fhir_version)
    else:
        print_statements(tuple(made.summed()), book)
    end_without_rates(made.no_rates())


def _settled(
    path: Path, span: tuple[str | None, str | None], book: Book, named: Rules | None, *, skip_bad: bool
) -> Bulk:
    """Read the file once and settle it: by the agreement named, or by what is in force."""
    if named:
        must_settle(named)
    asked, stays = read_stays(path, *span, book.municipalities, skip_bad=skip_bad)
    end = max(asked).end if asked else date.min
    heard, home = FileSpan.of(months_of(stays)), book.regions.home
    if named:
        return bulk(by_name(stays, named, end, home), named, book.rates, asked, heard)
    law = Lasting(book.rules, home)
    return bulk_in_force(by_law(stays, law, end), law, book.rates, asked, heard)


def open_book(folder: Path | None, rates: Path | None) -> Book:
    """Read the agreements and rates that the command works with, and the regions of the settings."""
    book = with_regions(load_book(folder, own_rates()), load_regions())
    return book if rates is None else replace(book, rates=read_rates(rates))


def pick_rules(book: Book, name: str) -> Rules:
    """Give the rules of an agreement by its id, or of a file that is not in the folder: a draft."""
    if name.endswith(".yaml"):
        return rules_of(read_agreement(Path(name)))
    return book.get(name)


@contextmanager
def refusals() -> Iterator[None]:
    """Tell why nothing was settled, a line for each fault, and end with 1."""
    try:
        yield
    except BadRowsError as fault:
        for row in fault.rows:
            err.print(f"losus: {row}")
        err.print("losus: nothing was settled; --skip-bad leaves these rows out")
        raise typer.Exit(1) from None


def _print_json(made: Bulk) -> None:
    sys.stdout.buffer.writelines(made.json_lines())
    sys.stdout.buffer.flush()


def _print_csv(statements: Iterable[Statement]) -> None:
    writer = csv.DictWriter(sys.stdout, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(statement_row, statements))


def _print_fhir(statements: Sequence[Statement], book: Book, version: FhirVersion) -> None:
    """Print one Bundle of all statements, as drafts: what a file holds is issued to nobody."""
    sys.stdout.buffer.write(dumps(bundle(statements, edition_of(book, version))) + b"\n")
    sys.stdout.buffer.flush()


def edition_of(book: Book, version: FhirVersion = FhirVersion.R4) -> Edition:
    """How statements are told as FHIR, made now, with the names that the book knows."""
    return Edition(
        made_at=datetime.now(UTC),
        regions=book.regions,
        municipalities=book.municipalities,
        version=version,
        invoicing=book.invoicing,
    )


def print_statements(statements: Sequence[Statement], book: Book) -> None:
    """Print statements as a person reads them: a row each, then what the amounts rest on."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("municipality", "care form", "month", "status"):
        table.add_column(name, no_wrap=True)
    for name in ("stays", "mean", "payable days", "SEK"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("remarks")
    for one in statements:
        mean = mean_decimal(one.mean)
        table.add_row(
            f"{one.municipality} {book.municipalities.get(one.municipality, '')}".strip(),
            one.care_form,
            str(one.month),
            one.status.value,
            "–" if one.mean.no_data else str(one.mean.stays),
            "–" if mean is None else f"{mean:.2f}",
            str(plain(one.payable_days)),
            "no-rate" if one.no_rate else f"{one.amount:,f}".replace(",", " "),
            ", ".join(_remarks(one)),
        )
        for part in parts_of(one):
            amount = f"{part.amount:,f}".replace(",", " ")
            days = str(plain(part.payable_days))
            table.add_row("", "", "", f"  of: {part.of}", str(part.stays), "", days, amount, part.words[1])
    print_table(table)
    _print_grounds(statements)


def print_table(table: Table) -> None:
    """Print a table whole: an amount is never cut off, however narrow the window."""
    needed = Console(width=10_000).measure(table).maximum
    Console(width=max(out.width, needed), highlight=False).print(table, crop=False)


def _remarks(one: Statement) -> Iterator[str]:
    if one.draft:
        yield "draft: the agreement is not decided"
    if one.suspended:
        yield "suspended: would have been"
    if one.no_rate:
        years, stays = ", ".join(map(str, one.no_rate.years)), ", ".join(one.no_rate.stays)
        yield f"no rate for {years}: stays {stays}"
    if one.recipient is not None:
        yield f"addressed to {one.recipient.name}" + ("" if one.recipient.verified else ", not verified")
    if one.provisional:
        yield "provisional: rate not verified"
    if one.protected:
        yield f"{one.protected} with protected identity"
    if one.entered:
        yield f"{one.entered} of which people entered the municipality"
    yield from (f"{count} {reason}" for reason, count in one.excluded_by().items())


def _print_grounds(statements: Sequence[Statement]) -> None:
    """Name the agreements, and the assumptions that the amounts rest on, each once."""
    for because in dict.fromkeys(one.because for one in statements):
        out.print(f"\n{because}", style="dim")
    assumed = {(one.agreement, each.id): each for one in statements for each in one.assumptions}
    if assumed:
        out.print("\nAssumed, where the text leaves it open:", style="bold")
    for (agreement, _), each in sorted(assumed.items()):
        out.print(f"  {agreement}: {each.what} [dim]{each.because}[/dim]")
