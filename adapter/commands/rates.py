"""`losus rates`: the amounts per day, and adding one to the region's own file in one step.

Owns the options, the place of the file and that it is replaced whole or not at all. Does not own what an
amount must be (`agreements.rates_file`) nor what a changed amount corrects (`adapter.settlement.difference`).
"""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapter.agreements.load import Book, load_book, own_rates_path, read_rates
from adapter.agreements.rates import RateEntry, Rates
from adapter.agreements.rates_file import NewAmount, rates_text, refuse_unsound, with_amount
from adapter.agreements.terms import CareForm
from adapter.commands.output import Format, err, out, print_json
from adapter.commands.places import is_configured, own_rates
from adapter.errors import Problem, SetupError
from adapter.losus.days import local_day

rates_app = typer.Typer(help="Amounts per day: list them, add one, announce one.", no_args_is_help=True)

FolderOption = Annotated[Path | None, typer.Option("--agreements", help="Another folder of agreements.")]
#: What the statute's amount and the shipped agreements are of.
_SERIES = "varddygn"


@rates_app.command("list")
def list_command(
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE, folder: FolderOption = None
) -> None:
    """List every amount with its source, whether it is verified, and the file that it stands in."""
    rates = _agreed(folder).rates
    rows = [
        (name, entry, rates.file_of((name, entry.year, entry.care_form))) for name, entry in rates.entries()
    ]
    if format_ is Format.JSON:
        for name, entry, file in rows:
            print_json(_json(rates, name, entry, file))
        return
    table = Table(box=None)
    for name in ("series", "year", "care form", "SEK", "verified", "source", "file"):
        table.add_column(name, no_wrap=True)
    for name, entry, file in rows:
        table.add_row(
            name,
            str(entry.year),
            entry.care_form or "all",
            "–" if entry.amount is None else f"{entry.amount:,f}".replace(",", " "),
            "–" if entry.amount is None else "yes" if entry.verified else "no",
            _source(rates, entry) or entry.because or "",
            file,
        )
    needed = Console(width=10_000).measure(table).maximum
    Console(width=max(out.width, needed), highlight=False).print(table, crop=False)


@rates_app.command("add")
def add_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    year: Annotated[int, typer.Argument(help="The year that the amount holds for.")],
    amount: Annotated[str, typer.Argument(help="SEK per day: 8700 or 8700.50.")],
    source: Annotated[str, typer.Option("--source", help="The text that gives it: HSLF-FS 2020:73, 1 §.")],
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Proposed, or from a secondary source: bills are provisional."),
    ] = False,
    series: Annotated[str, typer.Option("--series", help="See `losus rates list`.")] = _SERIES,
    care_form: Annotated[
        CareForm | None, typer.Option("--care-form", help="For one care form; default: for all.")
    ] = None,
    section: Annotated[str, typer.Option("--section", help="Where in the text it stands.")] = "",
    words: Annotated[str, typer.Option("--words", help="The deciding words, as they stand.")] = "",
    address: Annotated[str | None, typer.Option("--address", help="Where the text can be read.")] = None,
    checked: Annotated[
        str | None, typer.Option("--checked", help="The day it was held against the text; default: today.")
    ] = None,
    change_issued: Annotated[
        bool, typer.Option("--change-issued", help="Change an amount that issued statements rest on.")
    ] = False,
    folder: FolderOption = None,
) -> None:
    """Add the amount of a year to the region's own file of rates, laid over the shipped one."""
    today = local_day(datetime.now(UTC))
    new = NewAmount(
        series, year, care_form, _amount(amount), not unverified, source, section, words, address,
        today if checked is None else _day(checked),
    )  # fmt: skip
    agreed = _agreed(folder)
    refuse_unsound(new, agreed.rates.series, today)
    path = own_rates_path(_folder(folder), own_rates())
    write = _writer(path, agreed, new)
    if is_configured():
        from adapter.commands.rates_issued import write_unless_issued  # noqa: PLC0415 - needs a database

        asyncio.run(write_unless_issued(new, write, may_change=change_issued))
    else:
        write()
        err.print("losus: no adapter is configured here: nothing was recorded in an audit log")
    before = agreed.rates.find(series, year, care_form or CareForm.SOMATIC)
    was = f", was {before.amount:f}" if before and before.amount != new.amount else ""
    state = "verified" if new.verified else "not verified: what rests on it is provisional"
    out.print(f"{series} {year}: {new.amount:f} SEK per day ({state}){was}; in {path}", markup=False)


@rates_app.command("announce")
def announce_command(
    year: Annotated[
        int | None,
        typer.Argument(help="Whose amount; by default the next year's from October on, else this year's."),
    ] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Announce a year's amount to every municipality that subscribes (Bilaga 9: in December before).

    An amount is announced once; a changed one, or one that is verified later, again as a new version.
    """
    from adapter.commands.rates_announced import print_announced  # noqa: PLC0415 - needs a database

    print_announced(year, format_)


def _writer(path: Path, agreed: Book, new: NewAmount) -> Callable[[], None]:
    """Give what writes the file: it is read again then, as it stands when nobody else may change it."""

    def write() -> None:
        own: Rates | None = read_rates(path) if path.exists() else None
        title = agreed.rates.series[new.series].title
        _replace(path, rates_text(with_amount(own, new, title)))

    return write


def _replace(path: Path, text: str) -> None:
    """Replace a file whole, or not at all; SetupError where it cannot be written."""
    made: Path | None = None
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".new", delete=False) as file:
            made = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        read_rates(made)  # what is about to hold is readable
        made.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        made.replace(path)
    except OSError as fault:
        rule = f"the region's own rates cannot be written ({fault.strerror}); LOSUS_RATES names another place"
        raise SetupError(Problem("value", rule, str(path))) from None
    finally:
        if made is not None:
            made.unlink(missing_ok=True)


def _agreed(folder: Path | None) -> Book:
    return load_book(_folder(folder), own_rates())


def _folder(folder: Path | None) -> Path | None:
    """Give the folder of agreements: the one named, or that of the settings where there are any."""
    if folder is not None or not is_configured():
        return folder
    from adapter.commands.checked import checked_settings  # noqa: PLC0415 - only where there are settings

    return checked_settings().agreements


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text.replace(" ", ""))
    except InvalidOperation:
        raise typer.BadParameter("is written 8700 or 8700.50", param_hint="AMOUNT") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written YYYY-MM-DD", param_hint="--checked") from None


def _source(rates: Rates, entry: RateEntry) -> str:
    if entry.source is None:
        return ""
    title = rates.documents[entry.source.document].title
    return f"{title}, {entry.source.section}" if entry.source.section else title


def _json(rates: Rates, name: str, entry: RateEntry, file: str) -> dict[str, object]:
    source = entry.source
    return {
        "series": name,
        "year": entry.year,
        "care_form": entry.care_form,
        "amount": None if entry.amount is None else f"{entry.amount:f}",
        "verified": entry.amount is not None and entry.verified,
        "source": _source(rates, entry) or None,
        "words": source.words if source else None,
        "address": rates.documents[source.document].address if source else None,
        "because": entry.because,
        "checked": entry.checked,
        "file": file,
    }
