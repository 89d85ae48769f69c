"""Statements of a ledger, one at a time: a million stays need no more memory than the ledger has.

Owns the order of statements, what is known before the first of them is written (every gate, every
rate), and the JSON of lines that differ in their stay alone, made once. Does not own a rule: means, gates,
lines and JSON are asked of `settle`, `bill` and `render`, and must come out byte for byte the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import orjson

from adapter.agreements.rates import Rate, Rates
from adapter.agreements.rules import Rules
from adapter.losus.days import Month
from adapter.settlement.account import Law, Payer
from adapter.settlement.bill import Prices, bills_each, counted_of, excess_lines, lines_of, stay_line
from adapter.settlement.compare import Total, total_of
from adapter.settlement.gate import GateStatus, MonthMean
from adapter.settlement.ledger import Held, Ledger
from adapter.settlement.measure import Measured, Reason
from adapter.settlement.render import dumps, line_json, plain, rates_json, statement_json
from adapter.settlement.settle import (
    Because,
    bare_statement,
    by_name,
    by_what_held,
    excluded_of,
    gated,
    must_know,
    must_settle,
)
from adapter.settlement.statement import Excluded, Line, Statement


@dataclass(frozen=True, slots=True)
class Drawn:
    """A statement that is decided on and not written yet; `still_open` are the open stays it lists."""

    account: Held
    payer: Payer
    mean: MonthMean
    status: GateStatus
    still_open: Sequence[str]

    @property
    def order(self) -> tuple[str, str, Month, str]:
        """Municipality, care form, month, agreement."""
        return (*self.payer, self.mean.month, self.account.rules.id)


class Priced(NamedTuple):
    """A line that many stays have: its JSON after the id, and what it adds."""

    json: bytes
    days: int
    amount: Decimal
    rates: tuple[Rate, ...]


class Bulk:
    """Statements that are decided on. UnknownRateError when it is made, where a rate is missing."""

    def __init__(self, drawn: Sequence[Drawn], rates: Rates, because: Because) -> None:
        self.drawn, self.because = drawn, because
        self.prices = Prices(rates)
        self._priced: dict[int, Priced | None] = {}
        for one in drawn:
            self._ask_rates(one)
        must_know(self.prices)

    def statements(self) -> Iterator[Statement]:
        """Give the statements whole."""
        for one in self.drawn:
            measured = _named(one)
            yield replace(
                self._bare(one),
                lines=lines_of(one.mean, one.status, measured, self.prices),
                excluded=tuple(excluded_of(measured, one.still_open)),
            )

    def json_lines(self) -> Iterator[bytes]:
        """Give one JSON object a line, as `render.json_lines` does."""
        return (self._json(one) + b"\n" for one in self.drawn)

    def totals(self) -> Iterator[Total]:
        """Sum up each statement, without its lines."""
        for one in self.drawn:
            held = one.account.of(one.mean.month)
            priced = [found for stay in _billed(one, held) if (found := self.priced(stay))]
            excess = tuple(excess_lines(one.mean, one.status, held, self.prices))
            bare = replace(self._bare(one), lines=excess)
            rates = {*bare.rates, *(rate for each in priced for rate in each.rates)}
            yield replace(
                total_of(bare),
                payable_days=bare.payable_days + sum(each.days for each in priced),
                amount=sum((each.amount for each in priced), bare.amount),
                provisional=not all(rate.verified for rate in rates),
            )

    def _bare(self, one: Drawn) -> Statement:
        because = self.because(one.account, one.payer, one.mean.month)
        return bare_statement(one.account, one.payer, one.mean, one.status, because)

    def _ask_rates(self, one: Drawn) -> None:
        """Look up every rate that the statement needs."""
        held = one.account.of(one.mean.month)
        for stay in _billed(one, held):
            self.priced(stay)
        for _ in excess_lines(one.mean, one.status, held, self.prices):
            pass

    def priced(self, stay: Measured) -> Priced | None:
        """Price a stay without an id, once; None where there is nothing to pay."""
        key = id(stay)
        if key not in self._priced:
            line = stay_line(stay, self.prices)
            self._priced[key] = None if line is None else _priced(line)
        return self._priced[key]

    def _json(self, one: Drawn) -> bytes:
        month, held = one.mean.month, one.account.of(one.mean.month)
        names = one.account.names.get(month.index, ())
        lines: list[tuple[str, Priced]] = []
        individual = bills_each(one.mean, one.status)
        out: list[Excluded] = [Excluded(name, (Reason.OPEN,)) for name in one.still_open]
        for name, stay in zip(names, held, strict=True):
            if stay.out is not None or stay.released:
                out.append(Excluded(name, (stay.out,) if stay.out else stay.released))
            elif (individual or stay.long) and (priced := self.priced(stay)):
                lines.append((name, priced))
        lines.sort(key=_id)
        out.sort(key=lambda each: each.stay)
        excess = tuple(
            replace(line, counted=counted_of(_named(one)))
            for line in excess_lines(one.mean, one.status, held, self.prices)
        )
        return dumps(_filled(replace(self._bare(one), lines=excess, excluded=tuple(out)), lines))


def bulk(ledger: Ledger, rules: Rules, rates: Rates, asked: Sequence[Month]) -> Bulk:
    """Settle a ledger of one agreement, as `settle` does."""
    must_settle(rules)
    if not asked:
        return Bulk((), rates, by_name)
    accounts = sorted(ledger.closed(max(asked).end).items(), key=lambda item: item[0])
    drawn = [one for (_, payer), account in accounts for one in _drawn(account, payer, asked, max(asked))]
    return Bulk(drawn, rates, by_name)


def bulk_in_force(ledger: Ledger, law: Law, rates: Rates, asked: Sequence[Month]) -> Bulk:
    """Settle a ledger by what is in force, as `settle_in_force` does."""
    because = by_what_held(law)
    if not asked:
        return Bulk((), rates, because)
    accounts: dict[tuple[str, Payer], Held] = dict(ledger.closed(max(asked).end))
    for municipality, form in {payer for _, payer in accounts}:
        for month in asked:
            chosen = law.at(municipality, form, month).agreement.id
            accounts.setdefault((chosen, (municipality, form)), Held(law.rules[chosen]))
    drawn: list[Drawn] = []
    for (agreement, payer), account in accounts.items():
        told = [m for m in asked if account.of(m) or law.at(*payer, m).agreement.id == agreement]
        drawn += _drawn(account, payer, told, max(asked))
    return Bulk(sorted(drawn, key=lambda one: one.order), rates, because)


def _drawn(account: Held, payer: Payer, told: Sequence[Month], last: Month) -> Iterator[Drawn]:
    if told:
        known = gated(account, payer, told, last)
        for month in sorted(set(told)):
            yield Drawn(account, payer, *known[month], account.open if month == last else ())


def _named(one: Drawn) -> list[Measured]:
    index = one.mean.month.index
    names, held = one.account.names.get(index, ()), one.account.months.get(index, ())
    return [stay._replace(stay=name) for name, stay in zip(names, held, strict=True)]


def _billed(one: Drawn, held: Iterable[Measured]) -> Iterator[Measured]:
    """Give the stays that have a line of their own if they owe anything."""
    individual = bills_each(one.mean, one.status)
    return (stay for stay in held if individual or stay.long)


def _id(line: tuple[str, Priced]) -> str:
    return line[0]


def _priced(line: Line) -> Priced:
    """Make the line of a stay without an id: its JSON is cut after `{"stay":""`."""
    text = dumps(line_json(line))[len(b'{"stay":""') :]
    return Priced(
        text, line.payable_days.numerator, line.amount, tuple(charge.rate for charge in line.charges)
    )


def _filled(bare: Statement, lines: Sequence[tuple[str, Priced]]) -> Mapping[str, object]:
    """Give the JSON object of a statement with the lines of its stays before those that it has."""
    told = statement_json(bare)
    if not lines:
        return told
    days = bare.payable_days + sum(priced.days for _, priced in lines)
    amount = sum((priced.amount for _, priced in lines), bare.amount)
    used = {rate.year: rate for rate in bare.rates}
    used |= {rate.year: rate for _, priced in lines for rate in priced.rates}
    texts = [b'{"stay":' + orjson.dumps(name) + priced.json for name, priced in lines]
    texts += [dumps(line) for line in told["lines"]]
    return told | {
        "payable_days": plain(days),
        "amount": amount,
        "due": Decimal() if bare.suspended else amount,
        "provisional": not all(rate.verified for rate in used.values()),
        "rates": rates_json(used[year] for year in sorted(used)),
        "lines": orjson.Fragment(b"[" + b",".join(texts) + b"]"),
    }
