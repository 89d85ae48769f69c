"""`losus forecast`: what an agreement would cost in the year ahead, by steps of its threshold or free days.

Owns the options, the premises that are printed and the form of what is printed. Does not own the forecast
(`adapter.settlement.forecast`), nor reading stays of a file (`stays`) or of the store (`forecast_store`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from adapter.agreements.load import Book
from adapter.agreements.rates import Rate
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm
from adapter.commands.compare import read_grid
from adapter.commands.forecast_print import Printed, print_csv, print_forecast_json, print_text
from adapter.commands.settle import (
    FolderOption,
    FromOption,
    RatesOption,
    SkipOption,
    ToOption,
    open_book,
    pick_rules,
    refusals,
)
from adapter.commands.stays import read_stays
from adapter.losus.days import DAY, Month
from adapter.settlement.columns import Columns
from adapter.settlement.compare import Grid
from adapter.settlement.forecast import (
    Premises,
    changes_nothing,
    forecast,
    hypothetical_rules,
    newest_rate,
)
from adapter.settlement.ledger import Lasting, by_name, months_of
from adapter.settlement.settle import must_settle

#: The seed where none is given: LUS is lagen (2017:612).
SEED = 2017_612
REPLICATES = 1_000


class ForecastFormat(StrEnum):
    """How a forecast is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class _Given:
    """The premises as they are written on the command line."""

    rate: str | None
    billable: str
    seed: int
    replicates: int


def forecast_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    stays: Annotated[
        Path | None, typer.Option("--stays", help="Stays: NDJSON or CSV; default: those of the store.")
    ] = None,
    agreement: Annotated[
        str | None, typer.Option("--agreement", help="Id or file; default: the one in force for the stays.")
    ] = None,
    threshold: Annotated[
        str | None, typer.Option("--threshold", help="Steps of the mean's level: 5,4,3,2 or 2..5:0.5.")
    ] = None,
    first_payable_day: Annotated[
        str | None, typer.Option("--first-payable-day", help="Steps of the first day that is paid: 5,4,3.")
    ] = None,
    billable: Annotated[
        str, typer.Option("--billable", help="Share of the stays that is billable: 0.8, or 0.6..0.9.")
    ] = "1",
    rate: Annotated[
        str | None, typer.Option("--rate", help="SEK per day of the year ahead; default: the newest known.")
    ] = None,
    from_: FromOption = None,
    to: ToOption = None,
    care_form: Annotated[CareForm | None, typer.Option("--care-form", help="This care form alone.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the drawn years.")] = SEED,
    replicates: Annotated[
        int, typer.Option("--replicates", min=100, max=100_000, help="How many years are drawn.")
    ] = REPLICATES,
    format_: Annotated[ForecastFormat, typer.Option("--format")] = ForecastFormat.TEXT,
    skip_bad: SkipOption = False,
    rates: RatesOption = None,
    agreements: FolderOption = None,
) -> None:
    """Forecast a year from the stays at hand: cost for each municipality and in all, for each step."""
    grid = _grid({"threshold": threshold, "first_payable_day": first_payable_day})
    book = open_book(agreements, rates)
    asked, columns = _stays(stays, from_, to, book, skip_bad=skip_bad)
    if care_form is not None:
        columns = columns.of_form(care_form)
    if not set(asked) & set(months_of(columns)):
        raise typer.BadParameter("no stay has ended in these months", param_hint="--stays")
    ahead = max(asked).end
    named = pick_rules(book, agreement) if agreement else _in_force(book, columns, asked)
    must_settle(named)
    rules = hypothetical_rules(named, ahead)
    if nothing := changes_nothing(rules, grid):
        option = f"--{nothing[0].replace('_', '-')}"
        raise typer.BadParameter(f"no amount of {named.id} depends on it", param_hint=option)
    premises, known = _premises(book, rules, asked, _Given(rate, billable, seed, replicates))
    ledger = by_name(columns, rules, ahead, whole=True)
    made = tuple(forecast(ledger, rules, premises, grid, np.random.default_rng(seed)))
    printed = Printed(named, ahead, premises, known, seed, book.municipalities, made, care_form)
    {
        ForecastFormat.TEXT: print_text,
        ForecastFormat.JSON: print_forecast_json,
        ForecastFormat.CSV: print_csv,
    }[format_](printed)


def _grid(steps: Mapping[str, str | None]) -> Grid:
    grid: dict[str, Sequence[Decimal]] = {}
    for name, values in steps.items():
        if values is not None:
            grid |= read_grid([f"{name}={values}"], f"--{name.replace('_', '-')}")
    return grid


def _stays(
    path: Path | None, first: str | None, last: str | None, book: Book, *, skip_bad: bool
) -> tuple[Sequence[Month], Columns]:
    if path is not None:
        with refusals():
            return read_stays(path, first, last, book.municipalities, skip_bad=skip_bad)
    if skip_bad:
        raise typer.BadParameter("goes with --stays FILE", param_hint="--skip-bad")
    # Here, for who forecasts from a file is not to wait for what a database needs.
    from adapter.commands.forecast_store import stays_of_store  # noqa: PLC0415

    return stays_of_store(first, last)


def _in_force(book: Book, columns: Columns, asked: Sequence[Month]) -> Rules:
    """Give the one agreement that is in force for all municipalities of the stays on the last day at hand."""
    law, day = Lasting(book.rules, book.regions.home), max(asked).end - DAY
    towns = sorted({f"{code:04d}" for code in set(columns.liable.tolist())})
    ids = sorted(
        {law.choose(town, CareForm.SOMATIC, day, law.treating(None, town).county).id for town in towns}
    )
    if len(ids) > 1:
        raise typer.BadParameter(f"more than one is in force: {', '.join(ids)}", param_hint="--agreement")
    return book.rules[ids[0]]


def _premises(
    book: Book, rules: Rules, asked: Sequence[Month], given: _Given
) -> tuple[Premises, Rate | None]:
    known = None
    if given.rate is None:
        series = rules.periods[CareForm.SOMATIC][0].terms.rate
        known = newest_rate(book.rates, series, CareForm.SOMATIC)
        if known is None:
            raise typer.BadParameter(f"no amount is known of {series}", param_hint="--rate")
    amount = known.amount if known else _amount(given.rate)
    low, high = _share(given.billable)
    return Premises(asked, amount, low, high, given.replicates), known


def _amount(text: str | None) -> Decimal:
    try:
        amount = Decimal(text or "")
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise typer.BadParameter("is an amount in SEK, over 0", param_hint="--rate")
    return amount


def _share(text: str) -> tuple[Fraction, Fraction]:
    try:
        shares = [Fraction(Decimal(part)) for part in text.split("..")]
    except (InvalidOperation, ValueError, OverflowError):
        shares = []
    if len(shares) not in {1, 2} or not 0 <= shares[0] <= shares[-1] <= 1:
        raise typer.BadParameter("is between 0 and 1: 0.8, or 0.6..0.9", param_hint="--billable")
    return shares[0], shares[-1]
