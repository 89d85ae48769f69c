"""Months that a rate is missing for: reported on standard error beside what is printed of the others.

Owns the words and the exit code. Does not own which months these are (`adapter.settlement.bill`).
"""

from collections.abc import Iterable

import typer

from adapter.commands.output import err
from adapter.losus.days import Month
from adapter.settlement.account import Payer
from adapter.settlement.statement import NoRate

#: Payers and months that are named; a file may have thousands.
_NAMED = 5

Missing = tuple[Payer | tuple[str, str], Month, NoRate]


def end_without_rates(missing: Iterable[Missing]) -> None:
    """Name each year without a rate and the months that need it, and end with 1 where there are any."""
    by_year: dict[int, dict[str, None]] = {}
    for (municipality, care_form, *_), month, no_rate in missing:
        for year in no_rate.years:
            by_year.setdefault(year, {})[f"{municipality} {care_form} {month}"] = None
    for year, months in sorted(by_year.items()):
        named = ", ".join(list(months)[:_NAMED]) + (" …" if len(months) > _NAMED else "")
        err.print(f"losus: unknown rate {year}: {len(months)} months have no amount: {named}", markup=False)
    if by_year:
        err.print(
            "losus: `losus rates list` says why a rate is missing; `losus rates add` adds it", markup=False
        )
        raise typer.Exit(1)
