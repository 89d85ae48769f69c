"""A forecast as text, JSON and CSV, each with the premises that it rests on.

Owns the words of the premises and the names of the fields. Does not own a number of them
(`adapter.settlement.forecast`).
"""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from rich.table import Table

from adapter.agreements.in_force import open_renegotiations
from adapter.agreements.rates import Rate
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm
from adapter.commands.output import out
from adapter.commands.settle import print_table
from adapter.losus.days import Month
from adapter.settlement.forecast import HIGH, LOW, YEAR, Estimate, Over, Premises, Step
from adapter.settlement.render import dumps, plain
from adapter.settlement.settle import PROCESS_TERMS

_CENT = Decimal("0.01")
_CSV = (
    *("threshold", "first_payable_day", "municipality", "payable_days", "amount", "low", "high"),
    *("rate", "billable_low", "billable_high", "seed", "replicates", "agreement", "months"),
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A forecast with all that is said about it; `known` is None where the rate was given.

    `ahead` is the first day of the year ahead, `care_form` the only one that was forecast.
    """

    rules: Rules
    ahead: date
    premises: Premises
    known: Rate | None
    seed: int
    names: Mapping[str, str]
    steps: Sequence[Step]
    care_form: CareForm | None

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Say in sentences what the forecast takes to be so."""
        months, premises = self.premises.months, self.premises
        share = f"{_number(premises.share_low)}"
        if premises.share_high != premises.share_low:
            share += f" to {_number(premises.share_high)} (the amount rests on {_number(premises.share)})"
        every = " Every stay at hand is taken to be billable." if premises.share_low == 1 else ""
        hypothetical = (
            f"Hypothetical: the terms of {self.rules.id} as on {self.ahead} hold for all months, the gate "
            "closed when the year begins, whoever the parties are and whenever the measure starts."
        )
        ranges = (
            f"Ranges are from the {LOW}th to the {HIGH}th of a hundred among {premises.replicates} years "
            f"drawn from the months at hand (seed {self.seed})."
        )
        return (
            f"The year ahead is {YEAR} months like the {len(months)} at hand ({months[0]} to {months[-1]}).",
            hypothetical,
            f"A day costs {premises.rate:f} SEK: {self._rate()}.",
            f"The share that is billable is {share}.{every}",
            ranges,
            *self._of_agreement(),
        )

    def _rate(self) -> str:
        if self.known is None:
            return "the amount that was given"
        verified = "" if self.known.verified else ", not verified"
        return f"the newest known amount, of {self.known.year}{verified}"

    def _of_agreement(self) -> Iterator[str]:
        """Repeat what the agreement's own terms assume, and what was to be renegotiated."""
        agreement = self.rules.agreement
        forms = (self.care_form,) if self.care_form else tuple(CareForm)
        terms = [self.rules.on(self.ahead, form) for form in forms]
        ids = {
            clause.assumption
            for one in terms
            for name, clause in one.clauses.items()
            if name not in PROCESS_TERMS
        }
        for key, assumption in agreement.assumptions.items():
            if key in ids:
                yield f"{agreement.id}: {assumption.what}"
        for one in open_renegotiations(agreement, self.ahead):
            yield f"{agreement.id}: to be renegotiated by {one.by} ({one.about}); the outcome is not known."


def print_forecast_json(printed: Printed) -> None:
    """Print one JSON object a step."""
    premises = printed.premises
    for step in printed.steps:
        value = {
            "agreement": printed.rules.id,
            "step": dict(step.changes),
            "months": [str(month) for month in premises.months],
            "rate": {
                "amount": premises.rate,
                "year": printed.known.year if printed.known else None,
                "verified": printed.known.verified if printed.known else None,
            },
            "billable": {
                "assumed": _decimal(premises.share),
                "from": _decimal(premises.share_low),
                "to": _decimal(premises.share_high),
                "low": step.share_low,
                "high": step.share_high,
            },
            "seed": printed.seed,
            "replicates": premises.replicates,
            **_estimate_json(step.total),
            "municipalities": [
                {"municipality": code, "name": printed.names.get(code), **_estimate_json(estimate)}
                for code, estimate in step.by_municipality.items()
            ],
            "over": [_over_json(one) for one in step.over],
            "assumptions": list(printed.assumptions),
        }
        sys.stdout.buffer.write(dumps(value) + b"\n")
    sys.stdout.buffer.flush()


def _estimate_json(estimate: Estimate) -> dict[str, Any]:
    return {
        "payable_days": plain(estimate.payable_days),
        "amount": _sek(estimate),
        "low": estimate.low,
        "high": estimate.high,
    }


def _over_json(one: Over) -> dict[str, Any]:
    return {
        "month": str(one.month),
        "care_form": one.care_form,
        "municipalities": one.municipalities,
        "of": one.of,
    }


def print_csv(printed: Printed) -> None:
    """Print a row for each step and municipality; that of all municipalities has none."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_CSV)
    premises = printed.premises
    rest = (
        f"{premises.rate:f}",
        *(f"{_decimal(share):f}" for share in (premises.share_low, premises.share_high)),
        *(printed.seed, premises.replicates, printed.rules.id),
        f"{premises.months[0]}..{premises.months[-1]}",
    )
    for step in printed.steps:
        head = [_cell(step.changes.get(name)) for name in _CSV[:2]]
        for code, estimate in (*step.by_municipality.items(), ("", step.total)):
            days = plain(estimate.payable_days)
            amounts = (f"{_sek(estimate):f}", f"{estimate.low:f}", f"{estimate.high:f}")
            writer.writerow((*head, code, days, *amounts, *rest))


def print_text(printed: Printed) -> None:
    """Print a table of municipalities by steps, the municipalities over the level, and the premises."""
    out.print(f"[bold]{printed.rules.id}[/], SEK in the year ahead\n")
    print_table(_amounts(printed))
    out.print("\n[bold]Municipalities over the level[/], in each month at hand\n")
    print_table(_overs(printed))
    out.print("\n[bold]Assumed[/]")
    for words in printed.assumptions:
        out.print(f"  {words}", markup=False)


def _amounts(printed: Printed) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("municipality", no_wrap=True)
    for step in printed.steps:
        table.add_column(_name(step), justify="right", no_wrap=True)
        table.add_column("range", justify="right", no_wrap=True)
    for code in printed.steps[0].by_municipality:
        made = [step.by_municipality[code] for step in printed.steps]
        table.add_row(f"{code} {printed.names.get(code, '')}".strip(), *_cells(made))
    table.add_row("[bold]all[/]", *_cells([step.total for step in printed.steps]))
    return table


def _overs(printed: Printed) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("month", no_wrap=True)
    table.add_column("care form", no_wrap=True)
    for step in printed.steps:
        table.add_column(_name(step), justify="right", no_wrap=True)
    for month, form, counts in _by_month([step.over for step in printed.steps]):
        table.add_row(str(month), form, *(f"{one.municipalities} of {one.of}" for one in counts))
    return table


def _by_month(overs: Sequence[Sequence[Over]]) -> Iterator[tuple[Month, str, Sequence[Over]]]:
    every = sorted((one.month, one.care_form, number) for number, over in enumerate(overs) for one in over)
    found = {(one.month, one.care_form, number): one for number, over in enumerate(overs) for one in over}
    for (month, form), keys in groupby(every, key=lambda key: key[:2]):
        yield month, form, [found[key] for key in keys]


def _cells(estimates: Sequence[Estimate]) -> Iterator[str]:
    for one in estimates:
        yield _spaced(_sek(one).quantize(Decimal(1), ROUND_HALF_UP))
        yield f"{_spaced(one.low)} – {_spaced(one.high)}"


def _name(step: Step) -> str:
    return (
        ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in step.changes.items()) or "as agreed"
    )


def _spaced(amount: Decimal) -> str:
    return f"{amount:,f}".replace(",", " ")


def _sek(estimate: Estimate) -> Decimal:
    """Give SEK to the öre, half up: a forecast is no bill, and a year may be a third of what was counted."""
    return _quantized(estimate.amount, _CENT)


def _decimal(share: Fraction) -> Decimal:
    return _quantized(share, Decimal("0.0001")).normalize()


def _number(share: Fraction) -> str:
    return f"{_decimal(share):f}"


def _quantized(value: Fraction, step: Decimal) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(step, ROUND_HALF_UP)


def _cell(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
