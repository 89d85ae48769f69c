"""What holds for any stays: order, repetition, sums, the gate told anew, issued + difference = owed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm, Clock
from adapter.losus.days import Month, local_day
from adapter.settlement.difference import Issued, difference, issue, positions, posted_on
from adapter.settlement.render import json_lines
from adapter.settlement.settle import settle, settle_in_force
from adapter.settlement.statement import Statement
from adapter.settlement.stay import Episode, Residence, Stay, row_of, stay_of
from tests.examples import examples
from tests.settlement.making import JH, LUS, STHLM, VGR, book, one_price, rules, span

#: Other work on the machine must not fail a property.
calm = settings(deadline=None, max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow])
ASKED = span("2019-01", "2019-12")
RATES = one_price()
START = datetime(2018, 12, 20, tzinfo=UTC)

#: Choices of a stay, drawn as one number so that examples are made quickly: how many of each.
_RADIX = (400, 96, 15, 96, 15, 96, 3, 15, 2, 3, 5, 4, 2, 3, 2, 2, 4, 2, 5, 3, 3, 4)
_ALL = 1
for _ in _RADIX:
    _ALL *= _


WHERE = ("2380", "2321", "0188", "1480", "1280")
PLACED = (None, None, None, "2305")


def made(name: str, number: int) -> Stay:
    """The stay that a number stands for, digit by digit in the radix above."""
    digits = []
    for radix in _RADIX:
        number, digit = divmod(number, radix)
        digits.append(digit)
    day, quarter, days_in, quarters, days_on, late, home, home_days, *rest = digits
    (
        withdrawn,
        count,
        where,
        placed,
        form,
        notice,
        compulsory,
        sip,
        available,
        opposed,
        still,
        region,
        hidden,
        moved,
    ) = rest
    admitted = START + timedelta(days=day, minutes=15 * quarter)
    ready = admitted + timedelta(days=days_in, minutes=15 * quarters)
    ended = ready + timedelta(days=days_on, minutes=15 * late)
    home_ready = None if home == 0 else ready + timedelta(days=home_days)
    episodes = (
        Episode(ready, ready + timedelta(hours=1) if withdrawn else None, home_ready),
        Episode(ready + timedelta(days=1), None, ready + timedelta(days=home_days)),
    )[:count]
    if still:
        standing = [one for one in episodes if one.withdrawn_at is None]
        ended = max([ended, *(at for one in standing for at in (one.sent_at, one.home_ready_at) if at)])
    return Stay(
        stay=name,
        municipality=WHERE[where],
        placing_municipality=PLACED[placed],
        care_form=tuple(CareForm)[form],
        compulsory=bool(compulsory),
        admitted_at=admitted,
        notice_sent_at=(None, admitted, admitted + timedelta(days=2))[notice],
        ready=episodes,
        sip_required=bool(sip),
        sip_called_at=None if sip and opposed else ready + timedelta(days=home_days),
        open_care_available=(True, True, False, None)[available],
        opposed=bool(opposed),
        ended_at=ended if still else None,
        need_assessed_at=(None, admitted + timedelta(days=1), admitted - timedelta(hours=3))[quarters % 3],
        region=(None, "23", "22")[region],
        protected=hidden == 1,
        entered=hidden == 2,
        municipalities=residences(where, placed, admitted) if moved == 0 else (),
    )


def residences(where: int, placed: int, admitted: datetime) -> tuple[Residence, ...]:
    """Somebody who lived elsewhere before, or who was placed from the first day on."""
    home, placing = WHERE[where], PLACED[placed]
    return (
        Residence(admitted - timedelta(days=90), WHERE[(where + placed) % len(WHERE)], None),
        Residence(admitted, home, placing),
    )


def some_stays() -> st.SearchStrategy[list[Stay]]:
    numbers = st.lists(st.integers(0, _ALL - 1), max_size=30)
    return numbers.map(lambda all_of: [made(f"s{i}", number) for i, number in enumerate(all_of)])


agreements = st.sampled_from((JH, LUS, STHLM, VGR, "pooled"))


def named(name: str) -> Rules:
    return rules(JH, pool_care_forms=True, start_after=1) if name == "pooled" else rules(name)


def told(statements: Sequence[Statement]) -> bytes:
    return b"".join(json_lines(statements))


@calm
@given(some_stays(), st.randoms(use_true_random=False), agreements)
def test_the_order_of_stays_does_not_matter(stays, random, name):
    shuffled = stays.copy()
    random.shuffle(shuffled)
    assert told(settle(stays, named(name), RATES, ASKED)) == told(settle(shuffled, named(name), RATES, ASKED))


@calm
@given(some_stays(), st.randoms(use_true_random=False))
def test_nor_by_what_is_in_force(stays, random):
    shuffled = stays.copy()
    random.shuffle(shuffled)
    first = settle_in_force(stays, book().rules, RATES, ASKED)
    assert told(first) == told(settle_in_force(shuffled, book().rules, RATES, ASKED))
    assert told(first) == told(settle_in_force(stays, book().rules, RATES, ASKED)), (
        "twice gives the same bytes"
    )


@calm
@given(some_stays(), agreements)
def test_the_lines_of_a_statement_add_up(stays, name):
    for one in settle(stays, named(name), RATES, ASKED):
        assert one.amount == sum((line.amount for line in one.lines), Decimal())
        assert one.payable_days == sum((line.payable_days for line in one.lines), Fraction())
        for line in one.lines:
            assert line.amount == sum((charge.amount for charge in line.charges), Decimal()) > 0
            assert line.payable_days == sum(charge.days for charge in line.charges)
            assert line.clauses
            assert line.reasons


@calm
@given(some_stays(), agreements)
def test_every_stay_is_told_of_once(stays, name):
    """A stay that ended in the year is in a mean, excluded from it, or long; an open one is listed once."""
    statements = settle(stays, named(name), RATES, ASKED)
    last = ASKED[-1].end
    ended = [s for s in stays if s.ended_at and ASKED[0].first <= local_day(s.ended_at) < last]
    still = [s for s in stays if not s.ended_at and local_day(s.admitted_at) < last]
    out = [e for one in statements for e in one.excluded if e.reasons[0] in ("not-ready", "not-home-ready")]
    counted = sum(one.mean.stays + one.long_stays for one in statements)
    assert counted + len(out) == len(ended)
    assert sum(one.excluded_by().get("open", 0) for one in statements) == len(still)


def naive_mean(stays: Sequence[Stay], month: Month) -> Fraction | None:
    """Bilaga 9's own sum, told without a line of the product's: local dates by UTC offset of the year."""
    lengths = []
    for stay in stays:
        standing = [e for e in stay.ready if e.withdrawn_at is None]
        if stay.ended_at is None or not standing or standing[-1].home_ready_at is None:
            continue
        end = swedish(stay.ended_at).date()
        if (end.year, end.month) != (month.year, month.month):
            continue
        sent = swedish(standing[-1].sent_at)
        notice = sent.date() + timedelta(days=1 if sent.hour >= 12 else 0)
        lengths.append(max(0, (end - max(notice, swedish(standing[-1].home_ready_at).date())).days))
    return Fraction(sum(lengths), len(lengths)) if lengths else None


def swedish(at: datetime) -> datetime:
    """Local time from the rule of the European Union: last Sundays of March and October, 01:00 UTC."""
    at = at.astimezone(UTC)
    begins, ends = (last_sunday(at.year, month) for month in (3, 10))
    return at + timedelta(hours=2 if begins <= at < ends else 1)


def last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def naive_gate(over: Sequence[bool]) -> list[str]:
    """Tell the gate of Bilaga 9 by looking back, with no memory but the list itself."""
    told = []
    opened = [i for i in range(len(over)) if i >= 2 and all(over[i - 2 : i + 1])]
    liable_from: list[tuple[int, int]] = []
    for month in opened:
        if liable_from and month < liable_from[-1][1]:
            continue
        stop = next((i for i in range(month + 3, len(over)) if not any(over[i - 2 : i + 1])), len(over))
        if not liable_from or all(i > liable_from[-1][1] - 1 for i in (month - 2, month - 1, month)):
            liable_from.append((month + 1, stop + 1))
    for i, is_over in enumerate(over):
        status = "analysis" if is_over else "follow-up"
        for nth, (start, stop) in enumerate(liable_from):
            if start <= i < stop:
                status = "liable"
            elif nth and start - 3 <= i < start:
                status = "liable-retroactive"
        told.append(status)
    return told


@calm
@given(some_stays())
def test_mean_and_gate_told_naively(stays):
    stays = [
        s._replace(municipality="2380", placing_municipality=None, care_form=CareForm.SOMATIC) for s in stays
    ]
    made = settle(stays, rules(JH), RATES, span("2018-12", "2020-03"))
    means = [naive_mean(stays, one.month) for one in made]
    assert [one.mean.mean for one in made] == means
    over = [mean is not None and mean > 3 for mean in means]
    assert [one.status.value for one in made] == naive_gate(over)


@calm
@given(st.lists(st.booleans(), min_size=0, max_size=30))
def test_the_gate_told_naively(over):
    first = Month(2018, 3)
    stays = []
    for offset, is_over in enumerate(over):
        zero = datetime(first.plus(offset).year, first.plus(offset).month, 2, 8, tzinfo=UTC)
        made = Episode(zero, None, zero)
        template = book_stay(made, zero + timedelta(days=4 if is_over else 3), f"s{offset}")
        stays.append(template)
    asked = [first.plus(i) for i in range(len(over))]
    assert [one.status.value for one in settle(stays, rules(JH), RATES, asked)] == naive_gate(over)


def book_stay(episode: Episode, ended: datetime, name: str) -> Stay:
    return Stay(
        name,
        "2380",
        None,
        CareForm.SOMATIC,
        False,
        episode.sent_at,
        None,
        (episode,),
        False,
        None,
        None,
        False,
        ended,
    )


# --- corrections ----------------------------------------------------------------------------------


def total(history: Sequence[Issued]) -> Decimal:
    return sum((one.due for one in history), Decimal())


@calm
@given(some_stays(), some_stays(), some_stays(), agreements)
def test_issued_and_difference_come_to_what_is_owed(first, second, third, name):
    """Facts change as they like between the months; each month is issued once, the rest is adjusted."""
    chosen = named(name)
    history: list[Issued] = []
    for number, facts in enumerate((first, second, third), 3):
        asked = ASKED[:number]
        payers = {(one.statement.municipality, one.statement.care_form) for one in history}
        owed = settle(facts, chosen, RATES, asked, also=payers)
        for month in asked[-1:] if history else asked:
            history += issue(
                owed, history, month, lambda one: f"{one.municipality}/{one.care_form}/{one.month}", START
            )
        done = {(one.statement.municipality, one.statement.care_form, one.statement.month) for one in history}
        mine = [one for one in owed if (one.municipality, one.care_form, one.month) in done]
        assert difference(history, mine) == ()
        assert posted_on(history) == positions(mine)
        assert total(history) == sum((one.due for one in mine), Decimal())


@calm
@given(some_stays(), agreements)
def test_the_same_facts_make_no_adjustment(stays, name):
    owed = settle(stays, named(name), RATES, ASKED)
    history = [Issued(str(i), START, one, ()) for i, one in enumerate(owed)]
    assert difference(history, settle(list(reversed(stays)), named(name), RATES, ASKED)) == ()


@calm
@given(some_stays())
def test_a_row_is_read_as_it_was_written(stays):
    assert [stay_of(row_of(stay)) for stay in stays] == stays


@calm
@given(some_stays())
def test_means_grow_with_the_clock_of_the_notice(stays):
    """Day zero is never earlier with home-ready than with ready, so no day count is longer."""
    by_ready = settle(stays, rules(JH, clock=Clock.READY), RATES, ASKED)
    by_home = settle(stays, rules(JH), RATES, ASKED)
    assert all(home.mean.days <= ready.mean.days for home, ready in zip(by_home, by_ready, strict=True))


@pytest.mark.parametrize("month", [3, 10])
def test_the_naive_clock_knows_the_days_of_change(month):
    change = last_sunday(2019, month)
    around = [swedish(change + timedelta(seconds=s)).hour for s in (-1, 0)]
    assert around == ([1, 3] if month == 3 else [2, 2])


def test_statements_are_ordered_by_payer_and_month():
    keys = [
        (one.municipality, one.care_form, one.month)
        for one in settle_in_force([], book().rules, RATES, ASKED)
    ]
    assert [key for key, _ in groupby(keys)] == sorted(keys)
