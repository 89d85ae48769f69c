"""Stays, agreements and rates in; statements out.

Owns the two ways to settle, by one agreement and by what is in force, and which months are told of. Does
not own accounts (`account`), counting (`measure`), the gate (`gate`) nor the bill (`bill`).

Everything is computed as known at the last month asked for: a gate that opens later makes earlier months
liable only when later months are settled too. Memory grows with the stays; nothing is read twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from adapter.agreements.agreement import Agreement
from adapter.agreements.federation import Recipient
from adapter.agreements.in_force import life_assumptions, open_renegotiations
from adapter.agreements.life import Renegotiation
from adapter.agreements.rates import Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import FIRST_PAYABLE_BY, CareForm, Kind, Status, Terms
from adapter.errors import Problem, SetupError
from adapter.losus.days import DAY, Month
from adapter.settlement.account import POOLED, Account, Accounts, Law, Named, Payer, collect, know
from adapter.settlement.bill import Prices, bill_of
from adapter.settlement.gate import Counts, GateStatus, MonthMean, run_gate
from adapter.settlement.heard import ALL_KNOWN, Heard
from adapter.settlement.measure import Measured, Reason
from adapter.settlement.statement import Assumed, Excluded, Statement
from adapter.settlement.stay import Stay


def settle(
    stays: Iterable[Stay],
    rules: Rules,
    rates: Rates,
    asked: Sequence[Month],
    also: Iterable[tuple[str, str]] = (),
    heard: Heard = ALL_KNOWN,
    home: str | None = None,
) -> tuple[Statement, ...]:
    """Settle every stay by one agreement, whoever its parties are; `home` as in `settle_in_force`.

    One statement for each payer of `stays` and of `also` (municipality and care form), and each month asked
    for; ordered by payer and month. A month with a day to be billed in a year without a rate has `no_rate`;
    the others are settled.
    """
    must_settle(rules)
    if not asked:
        return ()
    choice = Named(rules, home)
    accounts = collect(stays, choice, max(asked).end)
    for municipality, form in also:
        payer = Payer(municipality, form, choice.treating(None, municipality).county)
        accounts.setdefault((rules.id, payer), Account(rules))
    know(accounts, heard)
    return settle_accounts(accounts, rates, asked)


def must_settle(rules: Rules) -> None:
    """Refuse an agreement of cooperation; SetupError."""
    if rules.agreement.kind is Kind.COOPERATION:
        words = f"{rules.id} is an agreement of cooperation: nothing to settle by"
        raise SetupError(Problem("not-supported", words))


def settle_accounts(accounts: Accounts, rates: Rates, asked: Sequence[Month]) -> tuple[Statement, ...]:
    """Settle stays that are measured already: the second half of `settle`."""
    prices = Prices(rates)
    return tuple(
        statement
        for (_, payer), account in sorted(accounts.items(), key=lambda item: item[0])
        for statement in _statements(account, payer, asked, max(asked), prices, by_name)
    )


def settle_in_force(  # noqa: PLR0913 - the last three are rarely given
    stays: Iterable[Stay],
    rules: Mapping[str, Rules],
    rates: Rates,
    asked: Sequence[Month],
    also: Iterable[Payer] = (),
    closed: Mapping[tuple[str, str, str], Mapping[int, Counts]] = MappingProxyType({}),
    *,
    heard: Heard = ALL_KNOWN,
    home: str | None = None,
) -> tuple[Statement, ...]:
    """Settle each stay by what is in force for it on the day it ended; the statute where nothing is.

    A month in which the agreement changes has a statement under each that has stays in it. `closed`: the
    counts of earlier months, by agreement, municipality and care form, none of whose stays is given. `home`:
    länskod of the region that treats where a stay does not say; None: the municipality's own, an assumption.
    """
    if not asked:
        return ()
    return settle_opened(open_in_force(stays, rules, asked, also, closed, heard, home), rates)


@dataclass(frozen=True, slots=True)
class Opened:
    """The accounts of stays that are settled by what is in force, and the months asked for."""

    accounts: Accounts
    law: Law
    asked: Sequence[Month]


def open_in_force(
    stays: Iterable[Stay],
    rules: Mapping[str, Rules],
    asked: Sequence[Month],
    also: Iterable[Payer] = (),
    closed: Mapping[tuple[str, str, str], Mapping[int, Counts]] = MappingProxyType({}),
    heard: Heard = ALL_KNOWN,
    home: str | None = None,
) -> Opened:
    """Measure the stays by what is in force for them: the first half of `settle_in_force`."""
    law, last = Law(rules, home), max(asked)
    accounts = collect(stays, law, last.end)
    for payer in {payer for _, payer in accounts} | set(also):
        for month in asked:
            chosen = law.at(payer, month).agreement.id
            accounts.setdefault((chosen, payer), Account(rules[chosen]))
    for (agreement, payer), account in accounts.items():
        account.closed = closed.get((agreement, payer.municipality, payer.care_form), {})
    know(accounts, heard)
    return Opened(accounts, law, asked)


def settle_opened(opened: Opened, rates: Rates) -> tuple[Statement, ...]:
    """Settle stays that are measured already: the second half of `settle_in_force`."""
    law, asked, last = opened.law, opened.asked, max(opened.asked)
    prices, because = Prices(rates), by_what_held(law)
    made: list[Statement] = []
    for (agreement, payer), account in opened.accounts.items():
        told = [m for m in asked if account.of(m) or law.at(payer, m).agreement.id == agreement]
        made += _statements(account, payer, told, last, prices, because)
    made.sort(key=lambda one: (one.municipality, one.care_form, one.month, one.agreement, one.region))
    return tuple(made)


Because = Callable[[Account, Payer, Month], str]


def by_name(account: Account, _payer: Payer, _month: Month) -> str:
    """Say why this agreement: it was named."""
    return f"{account.rules.id} was named for all stays, whoever its parties are."


def by_what_held(law: Law) -> Because:
    """Say why this agreement, as of the last day of the month on which it was what held."""

    def because(account: Account, payer: Payer, month: Month) -> str:
        days = sorted({one.end for one in account.of(month)} | {month.end - DAY}, reverse=True)
        held = (law.on(payer, day) for day in days)
        return next(one.because for one in held if one.agreement.id == account.rules.id)

    return because


def _statements(
    account: Account, payer: Payer, told: Sequence[Month], last: Month, prices: Prices, because: Because
) -> list[Statement]:
    """Make the statements of one payer; the gate is run from its first month to the last one asked for.

    Open stays stand on the statement of that last month.
    """
    if not told:
        return []
    known = gated(account, payer, told, last)
    return [
        _whole_statement(account, payer, *known[month], prices, because(account, payer, month), month == last)
        for month in sorted(set(told))
    ]


def gated(
    account: Account, payer: Payer, told: Sequence[Month], last: Month
) -> dict[Month, tuple[MonthMean, GateStatus]]:
    """Run the gate from the first month of the account or of those told of to the last one asked for."""
    form = CareForm.SOMATIC if payer.care_form == POOLED else CareForm(payer.care_form)
    first = min([*(month.index for month in told), *account.months, *account.closed])
    run = [Month.at(index) for index in range(first, last.index + 1)]
    means = [account.mean(month, form) for month in run]
    return dict(zip(run, zip(means, run_gate(means), strict=True), strict=True))


def _whole_statement(
    account: Account,
    payer: Payer,
    mean: MonthMean,
    status: GateStatus,
    prices: Prices,
    because: str,
    is_last: bool,  # noqa: FBT001
) -> Statement:
    measured = account.of(mean.month)
    bare = bare_statement(account, payer, mean, status, because)
    excluded = tuple(excluded_of(measured, account.open if is_last else ()))
    lines, no_rate = bill_of(mean, status, measured, prices)
    return replace(bare, lines=lines, no_rate=no_rate, excluded=excluded)


def bare_statement(
    account: Account,
    payer: Payer,
    mean: MonthMean,
    status: GateStatus,
    because: str,
    spans_values: bool | None = None,  # noqa: FBT001
    moved: bool | None = None,  # noqa: FBT001
) -> Statement:
    """Make a statement without its lines and without those that are excluded.

    `spans_values`: whether the days of a stay lie under two values of `first_payable_day` (None: look),
    `moved`: whether a stay had two municipalities (None: look).
    """
    agreement, measured = account.rules.agreement, account.of(mean.month)
    recipient = recipient_of(account.rules, payer, mean.month)
    if spans_values is None:
        spans_values = any(one.spans_values for one in measured)
    if moved is None:
        moved = any(one.moved for one in measured)
    return Statement(
        agreement=agreement.id,
        title=agreement.title,
        version=account.rules.digest,
        region=payer.region,
        municipality=payer.municipality,
        care_form=payer.care_form,
        mean=mean,
        status=status,
        lines=(),
        excluded=(),
        long_stays=sum(one.long for one in measured),
        assumptions=(
            *_assumptions(
                agreement,
                payer.municipality,
                mean.month,
                mean.terms,
                measured,
                spans_values=spans_values,
                moved=moved,
            ),
            *((_REGION,) if mean.month.index in account.assumed else ()),
            *_addressed(payer.municipality, recipient),
        ),
        suspended=agreement.status.value is Status.SUSPENDED,
        because=because,
        draft=agreement.status.value is Status.DRAFT,
        recipient=recipient,
        protected=sum(one.protected for one in measured),
        entered=sum(one.entered for one in measured),
    )


def excluded_of(measured: Iterable[Measured], still_open: Iterable[str]) -> list[Excluded]:
    """List the stays that are in no mean or on no bill."""
    found = [
        Excluded(one.stay, (one.out,) if one.out else one.released)
        for one in measured
        if one.out or one.released
    ]
    found += [Excluded(stay, (Reason.OPEN,)) for stay in still_open]
    return sorted(found, key=lambda one: one.stay)


def _assumptions(
    agreement: Agreement,
    municipality: str,
    month: Month,
    terms: Terms,
    measured: Sequence[Measured],
    *,
    spans_values: bool,
    moved: bool,
) -> tuple[Assumed, ...]:
    """Give the assumptions behind the life cycle, the terms of the month and of its stays, in file order.

    Terms that were to be renegotiated and whose outcome is not known come last.
    """
    used = {id(one.terms): one.terms for one in measured}
    unused = PROCESS_TERMS if spans_values else PROCESS_TERMS | {FIRST_PAYABLE_BY}
    unused = unused if moved else unused | {"municipality_at"}
    ids = {
        clause.assumption
        for some in (terms, *used.values())
        for name, clause in some.clauses.items()
        if name not in unused
    } | life_assumptions(agreement, municipality)
    assumed = (
        Assumed(key, one.what, one.because) for key, one in agreement.assumptions.items() if key in ids
    )
    return (*assumed, *map(_not_known, open_renegotiations(agreement, month.end - DAY)))


def recipient_of(rules: Rules, payer: Payer, month: Month) -> Recipient | None:
    """Give the federation that is addressed for the payer on the last day of the month, if there is one."""
    return rules.federations.recipient(payer.municipality, month.end - DAY)


def _addressed(municipality: str, recipient: Recipient | None) -> Iterator[Assumed]:
    """Say that a federation is addressed without a text that confirms it."""
    if recipient is not None and not recipient.verified:
        what = f"{recipient.name} pays and receives for {municipality}, which stays liable (LUS 5:1)."
        yield Assumed(f"federation-{recipient.id}", what, recipient.because)


def _not_known(renegotiation: Renegotiation) -> Assumed:
    what = f"The terms hold on as they were after {renegotiation.starts - DAY}: the outcome is not known."
    because = f"To be renegotiated by {renegotiation.by}: {renegotiation.about}."
    return Assumed(f"renegotiate-{renegotiation.by}", what, because)


#: Where nobody says which region treats.
_REGION = Assumed(
    "treating-region",
    "The stays were in hospitals of the region that the municipality lies in.",
    "Neither the stays nor the settings say which region treated (region, LOSUS_REGION).",
)

#: Terms that no amount rests on.
PROCESS_TERMS = frozenset(("criteria", "reception", "long_holiday", "eves_are_free", "discharge"))
