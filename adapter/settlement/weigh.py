"""Two agreements, or many variants of one, on a ledger: what `compare` says, of a million stays.

Owns what variants share: the stays, their sums under the same terms of a stay, and the gates under the same
terms of a month. Does not own a rule; `compare.compare` and `compare.sweep` say what must come out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

from adapter.agreements.rates import Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import Terms
from adapter.losus.days import Month
from adapter.settlement.bill import Prices
from adapter.settlement.bulk import Drawn, bulk, drawn
from adapter.settlement.compare import Compared, Grid, Variant, changed_by, pair
from adapter.settlement.ledger import Ledger
from adapter.settlement.priced import Priced

#: What can be swept of the terms of a stay: its cost, its place in the mean. The rest is of the gate.
_OF_STAYS = ("first_payable_day", "long_stays")
#: What no mean and no gate knows of.
_OF_BILL = ("first_payable_day",)

Point = tuple[tuple[str, Decimal], ...]


def compare_ledgers(
    ledgers: Sequence[Ledger], rules: Sequence[Rules], rates: Rates, asked: Sequence[Month]
) -> tuple[Compared, ...]:
    """Give what two agreements cost on the same stays, a ledger for each; ordered by payer and month."""
    first, second = (bulk(*one, rates, asked).totals() for one in zip(ledgers, rules, strict=True))
    return pair(first, second)


def sweep_ledger(
    ledger: Ledger, rules: Rules, rates: Rates, asked: Sequence[Month], grid: Grid
) -> Iterator[Variant]:
    """Settle a ledger once for each point of the grid."""
    prices = Prices(rates)
    scales: dict[Point, Priced] = {}
    gates: dict[Point, list[Drawn]] = {}
    for values in product(*grid.values()):
        changes = dict(zip(grid, values, strict=True))
        changed = changed_by(rules, changes)
        scale = tuple(one for one in changes.items() if one[0] in _OF_STAYS)
        gate = tuple(one for one in changes.items() if one[0] not in _OF_BILL)
        if scale not in scales:
            scales[scale] = Priced(ledger, prices, _changed_terms(ledger, rules, changed))
        if gate not in gates:
            gates[gate] = _drawn(scales[scale], changed, asked)
        yield _variant(scales[scale], changes, gates[gate])


def _changed_terms(ledger: Ledger, rules: Rules, changed: Rules) -> list[Terms]:
    """Give the changed terms of each kind of stay."""
    both = {
        id(old.terms): new.terms
        for form, periods in rules.periods.items()
        for old, new in zip(periods, changed.periods[form], strict=True)
    }
    return [both[id(kind.terms)] for kind in ledger.kinds]


def _drawn(priced: Priced, changed: Rules, asked: Sequence[Month]) -> list[Drawn]:
    """Run the gates of all payers."""
    accounts = sorted(priced.ledger.accounts.items(), key=lambda item: item[0]) if asked else ()
    return [
        one
        for (_, payer), account in accounts
        for one in drawn(priced, replace(account, rules=changed), payer, asked, max(asked))
    ]


def _variant(priced: Priced, changes: Mapping[str, Decimal], statements: Sequence[Drawn]) -> Variant:
    towns: dict[str, Decimal] = {}
    known = [one for one in statements if one.no_rate is None]
    for one in known:
        stays = priced.sum(one.group, each=one.each).amount
        amount = sum((line.amount for line in one.excess), stays)
        town = one.payer.municipality
        towns[town] = towns.get(town, Decimal()) + amount
    liable = sum(one.status.billed for one in statements)
    return Variant(changes, sum(towns.values(), Decimal()), liable, towns, len(statements) - len(known))
