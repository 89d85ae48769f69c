"""Statements of a ledger, one at a time: a million stays need no more memory than the ledger has.

Owns the order of statements, what is known before the first of them is written (every gate, every sum, every
rate), and that what many statements share is made once. Does not own a rule: means, gates, lines and JSON are
asked of `gate`, `bill`, `settle` and `render`, and must come out byte for byte the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from adapter.agreements.agreement import Agreement
from adapter.agreements.in_force import life_assumptions, open_renegotiations
from adapter.agreements.rates import Rate, Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm, Terms
from adapter.losus.days import DAY, Month
from adapter.settlement.account import POOLED, Law, Payer, know
from adapter.settlement.bill import Prices, Unpriced, bill_of, bills_each, excess_line, no_rate_of
from adapter.settlement.compare import Total
from adapter.settlement.gate import GateStatus, MonthMean, run_gate
from adapter.settlement.heard import ALL_KNOWN, Heard
from adapter.settlement.ledger import Held, Ledger
from adapter.settlement.lines import OPEN, Listed, Why, billed, left_out
from adapter.settlement.priced import Priced
from adapter.settlement.render import dumps, line_json, statement_json
from adapter.settlement.settle import (
    Because,
    bare_statement,
    by_name,
    by_what_held,
    excluded_of,
    must_settle,
    recipient_of,
)
from adapter.settlement.statement import Assumed, Line, NoRate, Statement, unknown_rate


@dataclass(frozen=True, slots=True)
class Drawn:
    """A statement that is decided on and not written yet; `group` is None in a month without stays.

    `still_open` are the open stays that it lists, `excess` the line of the mean's excess, if there is one.
    `no_rate` where a rate is missing; there are no lines then.
    """

    account: Held
    payer: Payer
    mean: MonthMean
    status: GateStatus
    group: int | None
    still_open: Sequence[str]
    excess: tuple[Line, ...]
    no_rate: NoRate | None

    @property
    def order(self) -> tuple[str, str, Month, str, str]:
        """Municipality, care form, month, agreement, region."""
        municipality, form, region = self.payer
        return municipality, form, self.mean.month, self.account.rules.id, region

    @property
    def each(self) -> bool:
        """Whether every stay is billed by itself, not the long ones alone."""
        return bills_each(self.mean, self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed(Statement):
    """A statement whose lines and exclusions of stays are summed up and not listed."""

    paid_days: Fraction
    sum: Decimal
    paid_for_long: tuple[Fraction, Decimal]
    used: Mapping[int, Rate]
    counts: Mapping[str, int]

    @property
    def payable_days(self) -> Fraction:
        """The sum of all lines."""
        return self.paid_days

    @property
    def amount(self) -> Decimal:
        """SEK: the sum of all lines, also where nothing of it is due; raises as a Statement's does."""
        if self.no_rate is not None:
            raise unknown_rate(self.no_rate.years)
        return self.sum

    @property
    def long_paid(self) -> tuple[Fraction, Decimal]:
        """The payable days and SEK of the stays that are billed one by one."""
        return self.paid_for_long

    @property
    def rates(self) -> tuple[Rate, ...]:
        """The rates that the lines use, by year."""
        return tuple(self.used[year] for year in sorted(self.used))

    def excluded_by(self) -> dict[str, int]:
        """Count the excluded stays, each by its first reason."""
        return dict(sorted(self.counts.items()))


class Bulk:
    """Statements that are decided on."""

    def __init__(self, drawn: Sequence[Drawn], priced: Priced, because: Because) -> None:
        self.drawn, self.priced, self.because = drawn, priced, because
        self._shared: dict[tuple[object, ...], _Shared] = {}
        self._lives: dict[tuple[str, str], frozenset[str]] = {}

    def statements(self) -> Iterator[Statement]:
        """Give the statements whole, stay by stay."""
        for one in self.drawn:
            measured = self.priced.stays(one.group)
            lines, no_rate = bill_of(one.mean, one.status, measured, self.priced.prices)
            yield replace(
                bare_statement(
                    one.account,
                    one.payer,
                    one.mean,
                    one.status,
                    self._because(one),
                    self.priced.spans_values(one.group),
                    self.priced.of_group(one.group, "moved") > 0,
                ),
                lines=lines,
                no_rate=no_rate,
                protected=self.priced.of_group(one.group, "protected"),
                entered=self.priced.of_group(one.group, "entered"),
                excluded=tuple(excluded_of(measured, one.still_open)),
                long_stays=sum(stay.long for stay in measured),
            )

    def summed(self) -> Iterator[Summed]:
        """Give the statements without the stays that they consist of."""
        for one in self.drawn:
            yield self._summed(one, self._left(one), one.mean, self._shared_by(one).bare.assumptions)

    def totals(self) -> Iterator[Total]:
        """Sum up each statement, without its lines."""
        for one in self.drawn:
            paid, amount, used = self._paid(one)
            yield Total(
                one.account.rules.id,
                one.payer.municipality,
                one.payer.care_form,
                one.mean,
                one.status,
                paid,
                amount,
                self._shared_by(one).bare.suspended,
                not all(rate.verified for rate in used.values()),
                one.no_rate,
            )

    def no_rates(self) -> Iterator[tuple[Payer, Month, NoRate]]:
        """Give the payers and months that a rate is missing for."""
        for one in self.drawn:
            if one.no_rate is not None:
                yield one.payer, one.mean.month, one.no_rate

    def json_lines(self) -> Iterator[bytes]:
        """Give one JSON object a line, as `render.json_lines` does."""
        for one in self.drawn:
            left, shared = self._left(one), self._shared_by(one)
            billed_stays = [] if one.no_rate else self._billed.of(one.group)
            lines = [b'{"stay":' + dumps(name) + text for name, text in billed_stays]
            lines += [dumps(line_json(line)) for line in self._excess(one)]
            mean = replace(one.mean, terms=shared.terms)
            told = statement_json(self._summed(one, left, mean, ()))
            told |= shared.json
            told["excluded_stays"] = _listed(b'{"stay":' + dumps(name) + why.json for name, why in left)
            told["lines"] = _listed(lines)
            yield dumps(told) + b"\n"

    def _excess(self, one: Drawn) -> Iterator[Line]:
        """Give the line of the excess with the stays that it is worked out from."""
        return (replace(line, counted=self.priced.counted(one.group)) for line in one.excess)

    @cached_property
    def _billed(self) -> Listed[bytes]:
        modes = np.zeros(len(self.priced.ledger.starts) - 1, np.int8)
        for one in self.drawn:
            if one.group is not None:
                modes[one.group] = 2 if one.each else 1
        return billed(self.priced, modes)

    @cached_property
    def _left_out(self) -> Listed[Why]:
        return left_out(self.priced)

    def _left(self, one: Drawn) -> list[tuple[str, Why]]:
        """Give the stays that are in no mean or on no bill, by id."""
        left = self._left_out.of(one.group)
        return sorted([*left, *((stay, OPEN) for stay in one.still_open)]) if one.still_open else left

    def _summed(
        self, one: Drawn, left: Iterable[tuple[str, Why]], mean: MonthMean, assumptions: tuple[Assumed, ...]
    ) -> Summed:
        paid, amount, used = self._paid(one)
        counts: dict[str, int] = {}
        for _, why in left:
            counts[why.counted_by] = counts.get(why.counted_by, 0) + 1
        bare, long = self._shared_by(one).bare, self.priced.sum(one.group, each=False)
        return Summed(
            agreement=bare.agreement,
            title=bare.title,
            version=bare.version,
            region=one.payer.region,
            municipality=one.payer.municipality,
            care_form=one.payer.care_form,
            mean=mean,
            status=one.status,
            lines=one.excess,
            excluded=(),
            long_stays=0 if one.group is None else self.priced.long_stays[one.group],
            assumptions=assumptions,
            suspended=bare.suspended,
            because=self._because(one),
            paid_days=paid,
            sum=amount,
            paid_for_long=(Fraction(long.days), long.amount),
            used=used,
            counts=counts,
            no_rate=one.no_rate,
            draft=bare.draft,
            recipient=bare.recipient,
            protected=self.priced.of_group(one.group, "protected"),
            entered=self.priced.of_group(one.group, "entered"),
        )

    def _paid(self, one: Drawn) -> tuple[Fraction, Decimal, Mapping[int, Rate]]:
        """Give payable days, SEK and rates of all lines, the excess last; no SEK where a rate is missing."""
        if one.no_rate is not None:
            return one.no_rate.payable_days, Decimal(), {}
        stays = self.priced.sum(one.group, each=one.each)
        days, amount, used = Fraction(stays.days), stays.amount, stays.rates
        for line in one.excess:
            days, amount = days + line.payable_days, amount + line.amount
            used = {**used, **{charge.rate.year: charge.rate for charge in line.charges}}
        return days, amount, used

    def _because(self, one: Drawn) -> str:
        return self.because(one.account, one.payer, one.mean.month)

    def _life(self, agreement: Agreement, municipality: str) -> frozenset[str]:
        key = (agreement.id, municipality)
        if key not in self._lives:
            self._lives[key] = life_assumptions(agreement, municipality)
        return self._lives[key]

    def _shared_by(self, one: Drawn) -> "_Shared":
        terms = frozenset(id(stay.terms) for stay in one.account.of(one.mean.month))
        agreement, month = one.account.rules.agreement, one.mean.month
        open_ = len(open_renegotiations(agreement, month.end - DAY))
        spans, assumed = self.priced.spans_values(one.group), month.index in one.account.assumed
        moved = self.priced.of_group(one.group, "moved") > 0
        life = self._life(agreement, one.payer.municipality)
        recipient = recipient_of(one.account.rules, one.payer, month)
        payer = one.payer.municipality if recipient else None
        key = (agreement.id, id(one.mean.terms), terms, life, open_, spans, assumed, moved, payer, recipient)
        if key not in self._shared:
            bare = bare_statement(one.account, one.payer, one.mean, one.status, "", spans, moved)
            told = statement_json(bare)
            json = {name: orjson.Fragment(dumps(told[name])) for name in ("clauses", "assumptions")}
            self._shared[key] = _Shared(bare, replace(one.mean.terms, clauses={}), json)
        return self._shared[key]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What statements of one agreement under the same terms share; `terms` have no clauses, `json` has."""

    bare: Statement
    terms: Terms
    json: dict[str, Any]


def bulk(
    ledger: Ledger, rules: Rules, rates: Rates, asked: Sequence[Month], heard: Heard = ALL_KNOWN
) -> Bulk:
    """Settle a ledger of one agreement, as `settle` does."""
    must_settle(rules)
    know(ledger.accounts, heard)
    priced = Priced(ledger, Prices(rates))
    made: list[Drawn] = []
    for (_, payer), account in sorted(ledger.accounts.items(), key=lambda item: item[0]) if asked else ():
        made += drawn(priced, account, payer, asked, max(asked))
    return Bulk(made, priced, by_name)


def bulk_in_force(
    ledger: Ledger, law: Law, rates: Rates, asked: Sequence[Month], heard: Heard = ALL_KNOWN
) -> Bulk:
    """Settle a ledger by what is in force, as `settle_in_force` does."""
    priced, because = Priced(ledger, Prices(rates)), by_what_held(law)
    accounts: dict[tuple[str, Payer], Held] = dict(ledger.accounts) if asked else {}
    for payer in {payer for _, payer in accounts}:
        for month in asked:
            chosen = law.at(payer, month).agreement.id
            accounts.setdefault((chosen, payer), Held(law.rules[chosen]))
    know(accounts, heard)
    made: list[Drawn] = []
    for (agreement, payer), account in accounts.items():
        told = [m for m in asked if account.of(m) or law.at(payer, m).agreement.id == agreement]
        made += drawn(priced, account, payer, told, max(asked))
    return Bulk(sorted(made, key=lambda one: one.order), priced, because)


def drawn(priced: Priced, account: Held, payer: Payer, told: Sequence[Month], last: Month) -> Iterator[Drawn]:
    """Run the gate from the first month of the account, or of those told of, to the last one."""
    if not told:
        return
    form = CareForm.SOMATIC if payer.care_form == POOLED else CareForm(payer.care_form)
    first = min([month.index for month in told] + list(account.groups))
    run = [Month.at(index) for index in range(first, last.index + 1)]
    means = [_mean(priced, account, month, form) for month in run]
    asked = {month.index for month in told}
    for mean, status in zip(means, run_gate(means), strict=True):
        index = mean.month.index
        if index in asked:
            excess = excess_line(mean, status, account.of(mean.month), priced.prices)
            still_open = account.open if index == last.index else ()
            group = account.groups.get(index)
            no_rate = _no_rate(priced, group, excess, each=bills_each(mean, status))
            lines = (excess,) if isinstance(excess, Line) and no_rate is None else ()
            yield Drawn(account, payer, mean, status, group, still_open, lines, no_rate)


def _no_rate(
    priced: Priced, group: int | None, excess: Line | Unpriced | None, *, each: bool
) -> NoRate | None:
    """Say what a month's bill lacks, of its stays and of the mean's excess; None where nothing is missing."""
    stays, lacks = priced.sum(group, each=each), isinstance(excess, Unpriced)
    if not stays.unknown and not lacks:
        return None
    unpriced = priced.unpriced(group, each=each)
    if isinstance(excess, Unpriced):
        unpriced.append(excess)
    days = Fraction(stays.days) + (Fraction() if excess is None else excess.payable_days)
    counted = [one.stay for one in priced.counted(group)] if lacks else []
    return no_rate_of(unpriced, counted, days)


def _mean(priced: Priced, account: Held, month: Month, form: CareForm) -> MonthMean:
    group = account.groups.get(month.index)
    mean = priced.mean(group, month, account.rules.on(month.first, form))
    return replace(mean, no_data=True) if group is None and not account.knows(month) else mean


def _listed(texts: Iterable[bytes]) -> orjson.Fragment:
    return orjson.Fragment(b"[" + b",".join(texts) + b"]")
