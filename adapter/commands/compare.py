"""`losus compare A B`: what two agreements, or variants of the second, cost on the same stays.

Owns the options and how the comparison is printed. Does not own a rule (`adapter.settlement.compare`).
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table

from adapter.agreements.rules import Rules
from adapter.agreements.terms import Clause
from adapter.commands.no_rate import end_without_rates
from adapter.commands.output import out
from adapter.commands.picture import checked, write_picture
from adapter.commands.settle import (
    FolderOption,
    FromOption,
    RatesOption,
    SkipOption,
    StaysOption,
    open_book,
    pick_rules,
    print_table,
    refusals,
)
from adapter.commands.stays import read_stays
from adapter.losus.days import Month
from adapter.settlement.compare import (
    SWEEPABLE,
    Compared,
    Differing,
    Grid,
    Total,
    Variant,
    hypothetical,
)
from adapter.settlement.ledger import by_name
from adapter.settlement.picture import compared_svg, variants_svg
from adapter.settlement.render import dumps, no_rate_json, plain
from adapter.settlement.weigh import compare_ledgers, sweep_ledger

#: More points than this are a slip of the hand.
MAX_VARIANTS = 1_000


class _Moved(NamedTuple):
    """Whether the first or the second agreement is measured from later than the first month asked for."""

    a: bool
    b: bool

    def name(self, name: str, *, of_b: bool) -> str:
        """Give an agreement's name with the word that says so."""
        return f"{name} (hypothetical)" if self[of_b] else name


class CompareFormat(StrEnum):
    """How a comparison is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    SVG = "svg"


def compare_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    a: Annotated[str, typer.Argument(help="An agreement: id, or file of a draft.")],
    b: Annotated[str, typer.Argument(help="The one it is compared with, and varied by --sweep.")],
    stays: StaysOption,
    from_: FromOption = None,
    to: Annotated[str | None, typer.Option("--to", help="Last month, included.")] = None,
    sweep_: Annotated[
        list[str] | None, typer.Option("--sweep", help="threshold=1.5..4.0:0.5, or first_payable_day=2,3,5")
    ] = None,
    format_: Annotated[CompareFormat, typer.Option("--format")] = CompareFormat.TABLE,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw it, beside what is printed: FILE.png or FILE.svg.")
    ] = None,
    skip_bad: SkipOption = False,
    rates: RatesOption = None,
    agreements: FolderOption = None,
) -> None:
    """Settle the same stays by two agreements: what each costs, and on which clause they differ."""
    book = open_book(agreements, rates)
    first, second = pick_rules(book, a), pick_rules(book, b)
    grid, drawing = read_grid(sweep_ or ()), checked(picture)
    with refusals():
        asked, read = read_stays(stays, from_, to, book.municipalities, skip_bad=skip_bad)
        end = max(asked).end if asked else date.min
        agreed = (first, second)
        first, second = hypothetical(first, asked), hypothetical(second, asked)
        moved = _Moved(*(one is not was for one, was in zip((first, second), agreed, strict=True)))
        ledgers = [by_name(read, one, end, whole=True) for one in (first, second)]
        compared = compare_ledgers(ledgers, (first, second), book.rates, asked)
        variants = tuple(sweep_ledger(ledgers[1], second, book.rates, asked, grid)) if grid else ()
    names = (moved.name(first.id, of_b=False), moved.name(second.id, of_b=True))
    if drawing is not None:
        write_picture(drawing, _svg(compared, variants, *names))
    if format_ is CompareFormat.TABLE:
        _print_table(compared, variants, names)
        _print_moved(agreed, moved, asked)
    elif format_ is CompareFormat.SVG:
        sys.stdout.write(_svg(compared, variants, *names))
    elif format_ is CompareFormat.CSV:
        _print_csv(variants, _VARIANT_COLUMNS, moved) if grid else _print_csv(compared, _COLUMNS, moved)
    else:
        rows = (_compared_json(one, moved) for one in compared)
        for value in (*rows, *(_variant_json(one, moved) for one in variants)):
            sys.stdout.buffer.write(dumps(value) + b"\n")
        sys.stdout.buffer.flush()
    sides = [side for one in compared for side in (one.a, one.b)]
    end_without_rates(
        ((side.municipality, side.care_form), side.month, side.no_rate) for side in sides if side.no_rate
    )


def _svg(compared: Sequence[Compared], variants: Sequence[Variant], a: str, b: str) -> str:
    return variants_svg(variants, b) if variants else compared_svg(compared, a, b)


def read_grid(texts: Sequence[str], hint: str = "--sweep") -> Grid:
    """Read `key=lo..hi:step` (both ends included, step 1 where none is given) and `key=a,b,c`.

    Several may stand in one text, divided by spaces.
    """
    grid: dict[str, Sequence[Decimal]] = {}
    for text in (part for whole in texts for part in whole.split()):
        name, equals, values = text.partition("=")
        if not equals or name not in SWEEPABLE:
            raise typer.BadParameter(f"what can be swept: {', '.join(SWEEPABLE)}", param_hint=hint)
        try:
            grid[name] = tuple(_values(values))
            for value in grid[name]:
                _made(name, value)
        except (InvalidOperation, ValueError):
            raise typer.BadParameter(f"{name}: write 1.5..4.0:0.5 or 2,3,5", param_hint=hint) from None
    points = 1
    for values_of in grid.values():
        points *= len(values_of)
    if points > MAX_VARIANTS:
        raise typer.BadParameter(f"{points} variants; at most {MAX_VARIANTS}", param_hint=hint)
    return grid


def _made(name: str, value: Decimal) -> None:
    whole = SWEEPABLE[name][1] is int
    if value < 0 or (whole and value != value.to_integral_value()):
        raise ValueError("out of range")
    if name in ("first_payable_day", "start_after", "stop_after") and value < 1:
        raise ValueError("out of range")


def _values(text: str) -> Iterator[Decimal]:
    if ".." not in text:
        yield from map(Decimal, text.split(","))
        return
    span, _, by = text.partition(":")
    low, high = map(Decimal, span.split(".."))
    step = Decimal(by or 1)
    if step <= 0 or high < low or (high - low) / step > MAX_VARIANTS:
        raise ValueError("no such range")
    while low <= high:
        yield low
        low += step


def _compared_json(one: Compared, moved: _Moved) -> dict[str, Any]:
    return {
        "municipality": one.a.municipality,
        "care_form": one.a.care_form,
        "month": str(one.a.month),
        "a": _side(one.a) | _said(is_moved=moved.a),
        "b": _side(one.b) | _said(is_moved=moved.b),
        "difference": None if one.unknown else one.difference,
        "differing": [_differing_json(each) for each in one.differing],
    }


def _side(one: Total) -> dict[str, Any]:
    mean = one.mean.mean
    return {
        "agreement": one.agreement,
        "status": one.status.value,
        "stays": one.mean.stays,
        "mean": None if mean is None else str(mean),
        "payable_days": plain(one.payable_days),
        "amount": None if one.no_rate else one.amount,
        "no_rate": no_rate_json(one.no_rate),
        "suspended": one.suspended,
        "provisional": one.provisional,
    }


def _differing_json(one: Differing) -> dict[str, Any]:
    return {
        "term": one.term,
        "a": one.a,
        "b": one.b,
        "clause_a": _clause(one.clause_a),
        "clause_b": _clause(one.clause_b),
    }


def _clause(clause: Clause | None) -> str | None:
    return None if clause is None else str(clause)


def _variant_json(one: Variant, moved: _Moved) -> dict[str, Any]:
    return {
        "sweep": dict(one.changes),
        "amount": one.amount,
        "liable_months": one.liable_months,
        "no_rate_months": one.no_rate,
        "by_municipality": dict(one.by_municipality),
        **_said(is_moved=moved.b),
    }


def _said(*, is_moved: bool) -> dict[str, bool]:
    """Say that terms are taken to hold before they do; nothing where they hold by themselves."""
    return {"hypothetical": True} if is_moved else {}


_COLUMNS = (
    "municipality",
    "care_form",
    "month",
    "status_a",
    "amount_a",
    "status_b",
    "amount_b",
    "difference",
    "on",
)
_VARIANT_COLUMNS = ("sweep", "municipality", "amount", "liable_months")


def _print_csv(rows: Sequence[Compared] | Sequence[Variant], columns: Sequence[str], moved: _Moved) -> None:
    sides = " ".join(name for name, is_moved in moved._asdict().items() if is_moved)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((*columns, "hypothetical") if sides else columns)
    for row in rows:
        made = _compared_rows(row) if isinstance(row, Compared) else _variant_rows(row)
        said = sides if isinstance(row, Compared) else ("b" if moved.b else "")
        writer.writerows((*cells, said) if sides else cells for cells in made)


def _compared_rows(one: Compared) -> Iterator[Sequence[object]]:
    on = "; ".join(f"{each.term}: {each.a} / {each.b}" for each in one.differing)
    a, b = one.a, one.b
    head = (a.municipality, a.care_form, a.month)
    yield (*head, a.status, _cell(a), b.status, _cell(b), "" if one.unknown else f"{one.difference:f}", on)


def _cell(one: Total) -> str:
    return "" if one.no_rate else f"{one.amount:f}"


def _variant_rows(one: Variant) -> Iterator[Sequence[object]]:
    for municipality, amount in one.by_municipality.items():
        yield _changes(one), municipality, f"{amount:f}", ""
    yield _changes(one), "", f"{one.amount:f}", one.liable_months


def _changes(one: Variant) -> str:
    return " ".join(f"{name}={value}" for name, value in one.changes.items())


def _print_table(compared: Sequence[Compared], variants: Sequence[Variant], names: tuple[str, str]) -> None:
    out.print(f"A [bold]{names[0]}[/]   B [bold]{names[1]}[/]\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("payer", "month", "A status", "B status"):
        table.add_column(name, no_wrap=True)
    for name in ("A SEK", "B SEK", "B − A"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("on")
    for one in compared:
        amounts = [
            "no-rate" if amount is None else f"{amount:,f}".replace(",", " ")
            for amount in (
                *(None if side.no_rate else side.amount for side in (one.a, one.b)),
                None if one.unknown else one.difference,
            )
        ]
        on = ", ".join(each.term for each in one.differing)
        payer = f"{one.a.municipality} {one.a.care_form}"
        table.add_row(payer, str(one.a.month), one.a.status.value, one.b.status.value, *amounts, on)
    known = [one for one in compared if not one.unknown]
    total = [sum((each.amount for each in side), Decimal()) for side in _sides(known)]
    words = [f"{amount:,f}".replace(",", " ") for amount in (*total, total[1] - total[0])]
    left_out = f"without {len(compared) - len(known)} months that a rate is missing for"
    table.add_row("[bold]total[/]", "", "", "", *words, left_out if len(known) < len(compared) else "")
    print_table(table)
    _print_terms(compared)
    for variant in variants:
        amount = f"{variant.amount:,f}".replace(",", " ")
        lacking = f", without {variant.no_rate} months that a rate is missing for" if variant.no_rate else ""
        out.print(f"B with {_changes(variant)}: {amount} SEK, {variant.liable_months} liable months{lacking}")


def _print_moved(agreed: Sequence[Rules], moved: _Moved, asked: Sequence[Month]) -> None:
    """Say of which agreement the terms are taken to hold before its measure starts."""
    for letter, rules, is_moved in zip("AB", agreed, moved, strict=True):
        if is_moved:
            starts = {period.terms.measure_from for periods in rules.periods.values() for period in periods}
            days = ", ".join(sorted(str(day) for day in starts if day))
            words = f"{letter} {rules.id} is measured from {days}; hypothetical: its terms are taken to hold"
            out.print(f"{words} for all months asked for, from {min(asked)}.")


def _sides(compared: Sequence[Compared]) -> tuple[list[Total], list[Total]]:
    return [one.a for one in compared], [one.b for one in compared]


def _print_terms(compared: Sequence[Compared]) -> None:
    terms = dict.fromkeys(each for one in compared for each in one.differing)
    if terms:
        out.print("\n[bold]They differ on[/]")
    for each in terms:
        out.print(f"  {each.term}: A {each.a} ({each.clause_a}); B {each.b} ({each.clause_b})", markup=False)
    out.print()
