"""`losus settle`: what each municipality owes for each month, from a file of stays.

Owns the options, the opening of files and the exit codes: 1 where rows are bad or a rate is unknown, 2
where the command was used wrongly. Does not own a single rule (`adapter.settlement`).
"""

import csv
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from adapter.commands.output import err, out
from adapter.fhir.decimals import dumps
from adapter.fhir.elements import Edition
from adapter.fhir.model import FhirVersion
from adapter.fhir.summary import bundle
from adapter.losus.days import Month, local_day, months
from adapter.settlement.render import CSV_COLUMNS, json_lines, mean_decimal, plain, statement_row
from adapter.settlement.settle import UnknownRateError, settle, settle_in_force
from adapter.settlement.statement import Statement
from adapter.settlement.stay import BadRow, Stay, read_csv, read_ndjson


class SettleFormat(StrEnum):
    """How statements are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    FHIR = "fhir"


StaysOption = Annotated[Path, typer.Option("--stays", help="Stays, one JSON object a line, or CSV (*.csv).")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="First month, 2018-03; default: the first there is.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", help="Last month, included; default: the last there is.")
]
SkipOption = Annotated[bool, typer.Option("--skip-bad", help="Settle the good rows, and list the others.")]
RatesOption = Annotated[Path | None, typer.Option("--rates", help="Another file of rates.")]
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
    book = open_book(agreements, rates)
    named = pick_rules(book, agreement) if agreement else None
    if named:
        book = replace(book, rules={**book.rules, named.id: named})
    asked = asked_months(stays, from_, to)
    with refusals(), opened(stays, skip_bad=skip_bad) as rows:
        if not asked:
            statements: Sequence[Statement] = ()
            deque(rows, maxlen=0)  # no stay has ended, but rows may be bad
        elif named:
            statements = settle(rows, named, book.rates, asked)
        else:
            statements = settle_in_force(rows, book.rules, book.rates, asked)
    if format_ is SettleFormat.FHIR:
        _print_fhir(statements, book, fhir_version)
    else:
        _PRINTERS[format_](statements, book)


def open_book(folder: Path | None, rates: Path | None) -> Book:
    """Read the agreements and rates that the command works with."""
    book = load_book(folder)
    return book if rates is None else replace(book, rates=read_rates(rates))


def pick_rules(book: Book, name: str) -> Rules:
    """Give the rules of an agreement by its id, or of a file that is not in the folder: a draft."""
    if name.endswith(".yaml"):
        return rules_of(read_agreement(Path(name)))
    return book.get(name)


def asked_months(stays: Path, first: str | None, last: str | None) -> Sequence[Month]:
    """Give the months from `--from` to `--to`, both included; what is not said is looked up in the stays."""
    start, end = (_month("--from", first), _month("--to", last))
    if start is None or end is None:
        known = _months_of(stays)
        start, end = start or min(known, default=None), end or max(known, default=None)
    if start is None or end is None:
        return ()
    if end < start:
        raise typer.BadParameter("is before --from", param_hint="--to")
    return tuple(months(start, end.plus(1)))


def _month(option: str, text: str | None) -> Month | None:
    try:
        return None if text is None else Month.parse(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint=option) from None


def _months_of(stays: Path) -> set[Month]:
    with _lines(stays) as rows:
        ends = {(day.year, day.month) for row in rows if isinstance(row, Stay) and (day := _end_day(row))}
    return {Month(*end) for end in ends}


def _end_day(stay: Stay) -> date | None:
    return None if stay.ended_at is None else local_day(stay.ended_at)


class BadRowsError(Exception):
    """Rows have faults, all of which are listed."""

    def __init__(self, rows: Sequence[BadRow]) -> None:
        super().__init__(f"{len(rows)} faults")
        self.rows = rows


@contextmanager
def opened(path: Path, *, skip_bad: bool) -> Iterator[Iterable[Stay]]:
    """Give the stays of a file as they are read; BadRowsError at its end, where rows are bad.

    With `skip_bad` they are told of on standard error instead.
    """
    with _lines(path) as rows:
        yield _good(rows, skip_bad=skip_bad)


@contextmanager
def _lines(path: Path) -> Iterator[Iterable[Stay | BadRow]]:
    try:
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as text:
                yield read_csv(text)
        else:
            with path.open("rb", buffering=1 << 20) as lines:
                yield read_ndjson(lines)
    except OSError as fault:
        raise typer.BadParameter(f"cannot be read: {fault.strerror}", param_hint="--stays") from None
    except UnicodeDecodeError:
        raise typer.BadParameter("is not UTF-8 text", param_hint="--stays") from None


def _good(rows: Iterable[Stay | BadRow], *, skip_bad: bool) -> Iterator[Stay]:
    bad: list[BadRow] = []
    for row in rows:
        if isinstance(row, Stay):
            yield row
        else:
            bad.append(row)
    if bad and not skip_bad:
        raise BadRowsError(bad)
    for row in bad:
        err.print(f"losus: skipped {row}")


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
    except UnknownRateError as fault:
        for problem in fault.problems:
            err.print(f"losus: {problem.rule}")
        err.print("losus: nothing was settled; rates.yaml says why the amount is missing")
        raise typer.Exit(1) from None


def _print_json(statements: Sequence[Statement], _book: Book) -> None:
    for line in json_lines(statements):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _print_csv(statements: Sequence[Statement], _book: Book) -> None:
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
        regions={name: one.agreement.region for name, one in book.rules.items() if one.agreement.region},
        municipalities=book.municipalities,
        version=version,
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
            str(one.mean.stays),
            "–" if mean is None else f"{mean:.2f}",
            str(plain(one.payable_days)),
            f"{one.amount:,f}".replace(",", " "),
            ", ".join(_remarks(one)),
        )
    print_table(table)
    _print_grounds(statements)


def print_table(table: Table) -> None:
    """Print a table whole: an amount is never cut off, however narrow the window."""
    needed = Console(width=10_000).measure(table).maximum
    Console(width=max(out.width, needed), highlight=False).print(table, crop=False)


def _remarks(one: Statement) -> Iterator[str]:
    if one.suspended:
        yield "suspended: would have been"
    if one.provisional:
        yield "provisional: rate not verified"
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


_PRINTERS: dict[SettleFormat, Callable[[Sequence[Statement], Book], None]] = {
    SettleFormat.TABLE: print_statements,
    SettleFormat.JSON: _print_json,
    SettleFormat.CSV: _print_csv,
}
