"""Stays, agreements and rates in; statements out.

Owns the way from stays to statements: which agreement settles a stay, which month it belongs to, which
months are told of. Does not own counting (`measure`), the gate (`gate`) nor the bill (`bill`).

Everything is computed as known at the last month asked for: a gate that opens later makes earlier months
liable only when later months are settled too. Memory grows with the stays; nothing is read twice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from adapter.agreements.agreement import Agreement
from adapter.agreements.rates import Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm, Kind, Status, Terms
from adapter.errors import Problem, SetupError
from adapter.losus.days import DAY, Month
from adapter.settlement.bill import Prices, lines_of
from adapter.settlement.gate import GateStatus, MonthMean, mean_of, run_gate
from adapter.settlement.measure import Measured, Reason
from adapter.settlement.statement import Assumed, Excluded, Statement
from adapter.settlement.stay import Stay


def settle(
    stays: Iterable[Stay], rules: Rules, rates: Rates, asked: Sequence[Month], also: Iterable[Payer] = ()
) -> tuple[Statement, ...]:
    """Settle every stay by one agreement, whoever its parties are.

    One statement for each payer of `stays` and of `also`, and each month asked for; ordered by payer and
    month. SetupError `unknown rate YEAR` where a day to be billed has no rate: nothing is settled then.
    """
    _settles(rules)
    accounts = collect(stays, lambda *_: rules, _end(asked))
    for payer in also:
        accounts.setdefault((rules.id, payer), Account(rules))
    prices = Prices(rates)
    made = [
        statement
        for (_, payer), account in sorted(accounts.items(), key=lambda item: item[0])
        for statement in _statements(account, payer, asked, prices, _named)
    ]
    return _whole(made, prices)


def settle_in_force(
    stays: Iterable[Stay],
    rules: Mapping[str, Rules],
    rates: Rates,
    asked: Sequence[Month],
    also: Iterable[Payer] = (),
) -> tuple[Statement, ...]:
    """Settle each stay by what is in force for it on the day it ended; the statute where nothing is.

    A month in which the agreement changes has a statement under each that has stays in it.
    """
    law = Law(rules)
    accounts = collect(stays, law.choose, _end(asked))
    payers = {payer for _, payer in accounts} | set(also)
    for municipality, form in payers:
        for month in asked:
            chosen = law.at(municipality, form, month).agreement.id
            accounts.setdefault((chosen, (municipality, form)), Account(rules[chosen]))
    prices = Prices(rates)
    made: list[Statement] = []
    for (agreement, payer), account in sorted(accounts.items(), key=lambda item: (item[0][1], item[0][0])):
        told = [m for m in asked if account.of(m) or law.at(*payer, m).agreement.id == agreement]
        made += _statements(account, payer, told, prices, _in_force(law))
    return _whole(sorted(made, key=lambda one: (one.municipality, one.care_form, one.month)), prices)


def _end(asked: Sequence[Month]) -> date:
    return max(asked).end if asked else date.min


def _settles(rules: Rules) -> None:
    if rules.agreement.kind is Kind.COOPERATION:
        raise SetupError(
            Problem("not-supported", f"{rules.id} is an agreement of cooperation: nothing to settle by")
        )


Because = Callable[[Account, Payer, Month], str]


def _statements(
    account: Account, payer: Payer, asked: Sequence[Month], prices: Prices, because: Because
) -> list[Statement]:
    """Make the statements of one payer; the gate is run from its first month to the last one asked for."""
    if not asked:
        return []
    form = CareForm.SOMATIC if payer[1] == POOLED else CareForm(payer[1])
    first = min([month.index for month in asked] + list(account.months))
    run = [Month.at(index) for index in range(first, max(asked).index + 1)]
    means = [mean_of(month, account.rules.on(month.first, form), account.of(month)) for month in run]
    status = dict(zip(run, zip(means, run_gate(means), strict=True), strict=True))
    return [
        _statement(
            account, payer, *status[month], prices, because(account, payer, month), month == max(asked)
        )
        for month in sorted(set(asked))
    ]


def _in_force(law: Law) -> Because:
    """Say why this agreement, as of the last day of the month on which it was what held."""

    def because(account: Account, payer: Payer, month: Month) -> str:
        days = sorted({one.end for one in account.of(month)} | {month.end - DAY}, reverse=True)
        held = (law.on(*payer, day) for day in days)
        return next(one.because for one in held if one.agreement.id == account.rules.id)

    return because


def _named(account: Account, _payer: Payer, _month: Month) -> str:
    return f"{account.rules.id} was named for all stays, whoever its parties are."


def _statement(
    account: Account,
    payer: Payer,
    mean: MonthMean,
    status: GateStatus,
    prices: Prices,
    because: str,
    last: bool,
) -> Statement:
    agreement = account.rules.agreement
    measured = account.of(mean.month)
    return Statement(
        agreement=agreement.id,
        title=agreement.title,
        version=account.rules.digest,
        region=agreement.region.name if agreement.region else None,
        municipality=payer[0],
        care_form=payer[1],
        mean=mean,
        status=status,
        lines=lines_of(mean, status, measured, prices),
        excluded=tuple(_excluded(measured, account.open if last else ())),
        long_stays=sum(one.long for one in measured),
        assumptions=_assumptions(agreement, mean.terms, measured),
        suspended=agreement.status.value is Status.SUSPENDED,
        because=because,
    )


def _excluded(measured: Iterable[Measured], still_open: Iterable[str]) -> list[Excluded]:
    """List the stays that are in no mean or on no bill; those still open stand in the last month asked for."""
    found = [Excluded(one.stay, (one.out, *one.released) if one.out else one.released) for one in measured]
    found += [Excluded(stay, (Reason.OPEN,)) for stay in still_open]
    return sorted((one for one in found if one.reasons), key=lambda one: one.stay)


def _assumptions(agreement: Agreement, terms: Terms, measured: Sequence[Measured]) -> tuple[Assumed, ...]:
    """Give the assumptions behind the terms of the month and of its stays, in the order of the file."""
    used = {id(one.terms): one.terms for one in measured}
    ids = {
        clause.assumption
        for some in (terms, *used.values())
        for name, clause in some.clauses.items()
        if name not in _PROCESS
    } | {agreement.status.assumption, agreement.parties.assumption}
    ids |= {prolonged.assumption for prolonged in agreement.life.prolonged}
    return tuple(
        Assumed(key, one.what, one.because) for key, one in agreement.assumptions.items() if key in ids
    )


#: Terms that no amount rests on.
_PROCESS = frozenset(("criteria", "reception", "long_holiday", "eves_are_free", "discharge"))


def _whole(statements: Sequence[Statement], prices: Prices) -> tuple[Statement, ...]:
    """Give the statements, or refuse all of them where a rate is missing."""
    if prices.unknown:
        raise SetupError(*(Problem("not-found", f"unknown rate {year}") for year in sorted(prices.unknown)))
    return tuple(statements)
