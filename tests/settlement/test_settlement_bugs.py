"""Bugs that someone might plausibly write into settlement, each planted and each caught by the tables.

The list is itself the test: a bug that no row notices is a hole in the tables.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from adapter.agreements import in_force as life
from adapter.agreements.rates import Rate, Rates
from adapter.agreements.terms import Compare, EmptyMonth, Late, Retroactive, Terms
from adapter.losus import days as calendar
from adapter.losus import due
from adapter.settlement import account, bill, gate, length, measure, settle
from adapter.settlement.gate import GateStatus, MonthMean
from adapter.settlement.measure import Measured
from adapter.settlement.stay import Episode, Stay
from tests.settlement.tables.counting import COUNTING
from tests.settlement.tables.paying import PAYING

Bug = Callable[[pytest.MonkeyPatch], None]
BUGS: dict[str, Bug] = {}


def bug(plant: Bug) -> Bug:
    BUGS[plant.__name__] = plant
    return plant


@bug
def noon_in_utc(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(length, "local", lambda at: at.astimezone(UTC))


@bug
def end_day_in_utc(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(account, "local_day", lambda at: at.astimezone(UTC).date())


@bug
def home_ready_day_in_utc(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(length, "local_day", lambda at: at.astimezone(UTC).date())


@bug
def noon_sharp_always_the_same_day(patch: pytest.MonkeyPatch) -> None:
    _with_terms(patch, length, "notice_day", cutoff_inclusive=True)


@bug
def noon_sharp_always_the_next_day(patch: pytest.MonkeyPatch) -> None:
    _with_terms(patch, length, "notice_day", cutoff_inclusive=False)


@bug
def end_day_never_counted(patch: pytest.MonkeyPatch) -> None:
    _with_terms(patch, bill, "payable_days", count_end_day=False)


@bug
def end_day_always_counted(patch: pytest.MonkeyPatch) -> None:
    _with_terms(patch, bill, "payable_days", count_end_day=True)


@bug
def first_payable_day_is_one_early(patch: pytest.MonkeyPatch) -> None:
    true = bill.payable_days

    def early(zero: date, end: date, terms: Terms) -> tuple[date, ...]:
        return true(zero, end, replace(terms, first_payable_day=terms.first_payable_day - 1))

    patch.setattr(bill, "payable_days", early)


@bug
def length_in_hours(patch: pytest.MonkeyPatch) -> None:
    true = measure.measure

    def by_hours(stay: Stay, end: date, terms: Terms) -> Measured:
        found, episode = true(stay, end, terms), length.effective_episode(stay)
        if found.zero is None or episode is None or stay.ended_at is None:
            return found
        return found._replace(days=(stay.ended_at.astimezone(UTC) - episode.sent_at.astimezone(UTC)).days)

    patch.setattr(account, "measure", by_hours)
    patch.setattr(measure, "measure", by_hours)


@bug
def saturdays_are_weekdays(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        calendar,
        "is_free_day",
        lambda day, *, eves: calendar.is_helgdag(day) or (eves and calendar.is_eve(day)),
    )


@bug
def eves_are_weekdays(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(length, "EVES_ARE_NO_WEEKDAYS", False)


@bug
def the_first_episode_counts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        measure, "effective_episode", lambda stay: next((e for e in stay.ready if not e.withdrawn_at), None)
    )


@bug
def withdrawals_are_overlooked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(measure, "effective_episode", lambda stay: stay.ready[-1] if stay.ready else None)


@bug
def home_ready_alone_is_day_zero(patch: pytest.MonkeyPatch) -> None:
    true = measure.day_zero

    def alone(episode: Episode, terms: Terms) -> date | None:
        home = episode.home_ready_at
        return calendar.local_day(home) if home and true(episode, terms) else true(episode, terms)

    patch.setattr(measure, "day_zero", alone)


@bug
def not_home_ready_counts_from_the_notice(patch: pytest.MonkeyPatch) -> None:
    true = measure.day_zero
    patch.setattr(measure, "day_zero", lambda e, terms: true(e, terms) or length.notice_day(e.sent_at, terms))


@bug
def unclear_open_care_counts_as_available(patch: pytest.MonkeyPatch) -> None:
    true = measure._released

    def trusting(stay: Stay, terms: Terms, late: Any) -> Any:
        return true(stay._replace(open_care_available=stay.open_care_available is not False), terms, late)

    patch.setattr(measure, "_released", trusting)


@bug
def a_call_is_asked_for_where_no_sip_is_due(patch: pytest.MonkeyPatch) -> None:
    true = measure._released
    patch.setattr(
        measure, "_released", lambda stay, terms, late: true(stay._replace(sip_required=True), terms, late)
    )


@bug
def late_always_releases(patch: pytest.MonkeyPatch) -> None:
    _with_terms(patch, measure, "_released", late=Late.RELEASES)


@bug
def late_is_judged_by_the_clock_on_the_wall(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(due, "UTC", calendar.LOCAL)


@bug
def the_need_prolongs_the_agreements_hours(patch: pytest.MonkeyPatch) -> None:
    _with_terms(patch, measure, "_is_notice_late", admission_notice_from="need")


@bug
def the_statutes_hours_run_from_admission(patch: pytest.MonkeyPatch) -> None:
    _with_terms(patch, measure, "_is_notice_late", admission_notice_from="admission")


@bug
def released_stays_leave_the_mean(patch: pytest.MonkeyPatch) -> None:
    true = account.mean_of
    patch.setattr(
        account, "mean_of", lambda month, terms, some: true(month, terms, [x for x in some if not x.released])
    )


@bug
def day_zero_leaves_the_mean(patch: pytest.MonkeyPatch) -> None:
    true = account.mean_of
    patch.setattr(
        account, "mean_of", lambda month, terms, some: true(month, terms, [x for x in some if x.days])
    )


@bug
def excluded_stays_are_in_the_mean(patch: pytest.MonkeyPatch) -> None:
    true = account.mean_of
    patch.setattr(
        account, "mean_of", lambda m, terms, some: true(m, terms, [x._replace(out=None) for x in some])
    )


@bug
def long_stays_are_in_the_mean(patch: pytest.MonkeyPatch) -> None:
    true = account.mean_of

    def with_long(month: Any, terms: Terms, some: Any) -> MonthMean:
        return true(month, terms, [x._replace(terms=replace(x.terms, long_stays_over=None)) for x in some])

    patch.setattr(account, "mean_of", with_long)


@bug
def the_threshold_itself_is_over(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, compare=Compare.AT_LEAST)


@bug
def rounding_after_the_comparison(patch: pytest.MonkeyPatch) -> None:
    def over(mean: MonthMean) -> bool:
        return mean.mean is not None and mean.terms.threshold is not None and mean.mean > mean.terms.threshold

    patch.setattr(MonthMean, "over", property(over))


@bug
def half_is_rounded_to_even(patch: pytest.MonkeyPatch) -> None:
    def compared(mean: MonthMean) -> Fraction | None:
        found, digits = mean.mean, mean.terms.round_mean
        return found if found is None or digits is None else Fraction(round(found * 10**digits), 10**digits)

    patch.setattr(MonthMean, "compared", property(compared))


@bug
def an_excess_is_never_rounded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MonthMean, "compared", property(lambda mean: mean.mean))


@bug
def the_gate_opens_one_month_early(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, start_after=2)


@bug
def the_gate_opens_in_the_third_month(patch: pytest.MonkeyPatch) -> None:
    true = settle.run_gate

    def early(means: Any) -> tuple[GateStatus, ...]:
        found = list(true(means))
        for place in range(len(found) - 1):
            if found[place] is GateStatus.ANALYSIS and found[place + 1] is GateStatus.LIABLE:
                found[place] = GateStatus.LIABLE
        return tuple(found)

    patch.setattr(settle, "run_gate", early)


@bug
def the_gate_closes_with_the_third_month(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, stop_after=2)


@bug
def runs_need_not_be_unbroken(patch: pytest.MonkeyPatch) -> None:
    true = gate._Gate._while_followed_up

    def forgiving(self: Any, mean: MonthMean) -> None:
        run = list(self.over)
        true(self, mean)
        if not mean.over:
            self.over = run

    patch.setattr(gate._Gate, "_while_followed_up", forgiving)


@bug
def retroactive_at_the_first_activation(patch: pytest.MonkeyPatch) -> None:
    true = gate._Gate._open

    def eager(self: Any, terms: Terms) -> None:
        self.activations += 1
        true(self, terms)

    patch.setattr(gate._Gate, "_open", eager)


@bug
def never_retroactive(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, retroactive=Retroactive.NONE)


@bug
def empty_months_are_always_neutral(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, empty_month=EmptyMonth.NEUTRAL)


@bug
def empty_months_are_always_below(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, empty_month=EmptyMonth.BELOW)


@bug
def measured_before_the_it_support(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, measure_from=None)


@bug
def rate_of_a_neighbouring_year(patch: pytest.MonkeyPatch) -> None:
    true = Rates.find

    def neighbour(self: Rates, series: str, year: int, form: Any) -> Rate | None:
        tries = (true(self, series, near, form) for near in (year, year - 1, year + 1, year - 2))
        return next((rate for rate in tries if rate), None)

    patch.setattr(Rates, "find", neighbour)


@bug
def rate_of_the_month_of_the_end(patch: pytest.MonkeyPatch) -> None:
    true = bill._charges

    def by_end(days: Any, one: Measured, prices: bill.Prices) -> Iterator[Any]:
        for charge in true(days, one, prices):
            rate = prices.of(one.terms, one.end.year, one.care_form)
            yield charge if rate is None else replace(charge, rate=rate)

    patch.setattr(bill, "_charges", by_end)


@bug
def one_rate_for_all_care_forms(patch: pytest.MonkeyPatch) -> None:
    true = Rates.find
    patch.setattr(Rates, "find", lambda self, series, year, _: true(self, series, year, "somatic"))  # type: ignore[arg-type]


@bug
def an_excess_below_zero_is_credited(patch: pytest.MonkeyPatch) -> None:
    _with_month_terms(patch, compare=Compare.AT_LEAST, threshold=Fraction())


@bug
def placement_is_overlooked(patch: pytest.MonkeyPatch) -> None:
    true = settle.collect
    patch.setattr(
        settle,
        "collect",
        lambda stays, *rest: true((s._replace(placing_municipality=None) for s in stays), *rest),
    )


@bug
def in_force_by_the_day_of_admission(patch: pytest.MonkeyPatch) -> None:
    true = settle.collect

    def by_start(stays: Any, choose: Any, end: date) -> Any:
        kept = list(stays)
        starts = {(s.liable, s.care_form, calendar.local_day(s.ended_at)): s.admitted_at for s in kept}

        def chosen(municipality: str, form: Any, day: date) -> Any:
            started: datetime | None = starts.get((municipality, form, day))
            return choose(municipality, form, calendar.local_day(started) if started else day)

        return true(kept, chosen, end)

    patch.setattr(settle, "collect", by_start)


@bug
def an_agreement_ends_a_day_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(life, "_DAY", timedelta())


@bug
def an_outsider_is_bound(patch: pytest.MonkeyPatch) -> None:
    true = life.party_of

    def any_party(agreement: Any, municipality: str) -> Any:
        parties = agreement.parties.municipalities
        return true(agreement, municipality) or (parties[0] if agreement.id.startswith("jamtland") else None)

    patch.setattr(life, "party_of", any_party)


@bug
def the_hospitals_region_does_not_count(patch: pytest.MonkeyPatch) -> None:
    true = account.in_force
    patch.setattr(account, "in_force", lambda *asked: true(*asked[:4], None))


@bug
def a_region_that_is_said_is_passed_over(patch: pytest.MonkeyPatch) -> None:
    true = account.Law.treating
    patch.setattr(account.Law, "treating", lambda self, _, municipality: true(self, None, municipality))


@bug
def money_as_floats(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        bill.Charge,
        "amount",
        property(lambda charge: Decimal(float(charge.days) / 3 * 3.0000001 * float(charge.rate.amount))),
    )


def _with_terms(patch: pytest.MonkeyPatch, module: Any, name: str, **changes: Any) -> None:
    """Plant a function that reads its terms otherwise than the agreement says."""
    true = getattr(module, name)

    def planted(*given: Any) -> Any:
        return true(*(replace(x, **changes) if isinstance(x, Terms) else x for x in given))

    patch.setattr(module, name, planted)
    for other in (measure, bill):
        if other is not module and getattr(other, name, None) is true:
            patch.setattr(other, name, planted)


def _with_month_terms(patch: pytest.MonkeyPatch, **changes: Any) -> None:
    true = account.mean_of
    patch.setattr(account, "mean_of", lambda month, terms, some: true(month, replace(terms, **changes), some))


@pytest.mark.parametrize("name", BUGS)
def test_the_tables_catch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)
    assert any(not row.holds() for row in [*COUNTING, *PAYING]), f"no row notices {name}"


def test_the_list_is_long_enough():
    assert len(BUGS) >= 12
