"""Settlement rules 8: the reason of an adjustment is what changed, and nothing else.

One payer, Östersund (2380), under Bilaga 9: nine months are issued, the last of which opened the gate for the
second time; then things change, and the next month's statement corrects.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.agreements.load import Book, load_book
from adapter.fhir.reason_words import in_words
from adapter.losus.days import Month
from adapter.settlement.difference import Adjustment, Issued
from adapter.settlement.holding import Dispute
from adapter.settlement.inputs import Moved
from adapter.settlement.reasons import (
    NOT_RECORDED,
    ORDER,
    AdjustmentReason,
    FactChange,
    FactReason,
    GateReason,
    MeanChange,
    MunicipalityReason,
    parts_of,
    reason_json,
)
from adapter.settlement.stay import Stay
from adapter.settling.owing import Owing
from adapter.store.closed import Closed
from adapter.store.statements import pack, unpack
from tests.settlement.making import JH, at, days_of, one_price, span, stay

NOW = datetime(2019, 12, 1, tzinfo=UTC)
TOWN = "2380"


@cache
def base() -> Book:
    shipped = load_book()
    return replace(shipped, rates=one_price(), regions=replace(shipped.regions, home="23"))


@dataclass(frozen=True)
class Facts:
    """What a settlement rests on: to be changed in one way or several."""

    stays: tuple[Stay, ...]
    book: Book = field(default_factory=base)
    disputed: tuple[Dispute, ...] = ()
    moved: dict[str, Moved] = field(default_factory=dict)


def issued(facts: Facts, month: Month, history: Sequence[Issued]) -> list[Issued]:
    """Issue a month, and read it back as the store would."""
    owing = Owing(TOWN, facts.stays, Closed(), list(history), facts.disputed, {}, facts.moved)
    drafts = [one.statement for one in owing.told(facts.book, month, NOW) if not one.issued]
    return [*history, *(unpack(pack(one)) for one in drafts)]


def corrections(facts: Facts, month: Month, history: Sequence[Issued]) -> list[Adjustment]:
    return [one for each in issued(facts, month, history)[len(history) :] for one in each.adjustments]


#: The means of 2018-09 to 2019-05: 4 4 4 opens the gate for 2018-12; 0 0 0 closes it; 4 4 4 opens it again.
MEANS = "444000444"
MONTHS = span("2018-09", "2019-05")
NEXT = Month(2019, 6)


@cache
def before() -> Facts:
    """Two stays a month: each of four days pays one (Bilaga 9)."""
    stays = [
        one for month, days in zip(MONTHS, MEANS, strict=True) for one in days_of(2, int(days), str(month))
    ]
    return Facts(tuple(stays))


@cache
def history() -> tuple[Issued, ...]:
    done: list[Issued] = []
    for month in MONTHS:
        done = issued(before(), month, done)
    return tuple(done)


def changed(name: str, **fields: Any) -> Callable[[Facts], Facts]:
    """Change fields of one stay."""
    return lambda facts: replace(
        facts, stays=tuple(one._replace(**fields) if one.stay == name else one for one in facts.stays)
    )


FIRST = "2019-03/4/0"
SECOND = "2019-03/4/1"


def fact(facts: Facts) -> Facts:
    """The stay ended two days later."""
    return changed(FIRST, ended_at=at("2019-03-07 15:00"))(facts)


def municipality(facts: Facts) -> Facts:
    """The stay was another municipality's all the time; one of the same length is Östersund's instead."""
    stays = tuple(one._replace(stay="in-its-place") if one.stay == FIRST else one for one in facts.stays)
    moved = {FIRST: Moved(date(2019, 3, 1), corrected=True), "in-its-place": Moved(None, corrected=True)}
    return replace(facts, stays=stays, moved=moved)


def gate(facts: Facts) -> Facts:
    """May's mean was 0: the gate opened never again, and March to May are no longer retroactive."""
    stays = [one for one in facts.stays if not one.stay.startswith("2019-05/")]
    return replace(facts, stays=(*stays, *days_of(2, 0, "2019-05")))


def dispute(facts: Facts) -> Facts:
    asked = Dispute("d-1", TOWN, FIRST, Month(2019, 3), upheld=True, reason="Kommunen har rätt.")
    return replace(facts, disputed=(asked,))


def rate(facts: Facts) -> Facts:
    series = facts.book.rates.series
    dearer = {
        name: one.model_copy(
            update={
                "amounts": tuple(
                    entry.model_copy(update={"amount": Decimal(7000)}) if entry.year == 2019 else entry
                    for entry in one.amounts
                )
            }
        )
        for name, one in series.items()
    }
    rates = facts.book.rates.model_copy(update={"series": dearer})
    return replace(facts, book=replace(facts.book, rates=rates))


def agreement(facts: Facts) -> Facts:
    rules = facts.book.rules[JH].changed(first_payable_day=3)
    return replace(facts, book=replace(facts.book, rules={**facts.book.rules, JH: rules}))


def of(adjustments: Sequence[Adjustment], name: str) -> list[AdjustmentReason]:
    return [reason for one in adjustments if one.post.stay == name for reason in one.reasons]


def somatic() -> dict[str, Issued]:
    return {str(one.statement.month): one for one in history() if one.statement.care_form == "somatic"}


def test_what_was_issued_opened_the_gate_twice() -> None:
    status = {month: one.statement.status.value for month, one in somatic().items()}
    assert status["2018-12"] == "liable"
    assert [status[f"2019-0{month}"] for month in (3, 4, 5)] == ["analysis", "analysis", "liable-retroactive"]
    assert corrections(before(), NEXT, history()) == [], "nothing changed"


def test_a_retroactive_opening_names_the_month_that_opened_the_gate() -> None:
    """Bilaga 9: at a later activation the three months before are billed as well."""
    may = somatic()["2019-05"]
    found = {one.post.month: [reason_json(each) for each in one.reasons] for one in may.adjustments}
    assert set(found) == set(span("2019-03", "2019-04"))
    for reasons in found.values():
        [one] = reasons
        assert one["reason"] == "gate"
        assert [tuple(each.values()) for each in one["changes"]] == [
            ("status", "analysis", "liable-retroactive"),
            ("2019-05", None, "4"),
        ]
        assert {"threshold", "start_after", "retroactive"} <= {each["term"] for each in one["clauses"]}


ONE = [
    # change, the kinds of the reasons of the first stay of March, because
    (fact, ["fact"], "its end changed"),
    (municipality, ["municipality"], "another municipality is liable"),
    (gate, ["gate"], "a mean of May that never came"),
    (dispute, ["dispute"], "upheld: it is not owed"),
    (rate, ["rate"], "the amount of 2019"),
    (agreement, ["agreement"], "payable from another day"),
]


@pytest.mark.parametrize(("change", "kinds", "because"), ONE)
def test_one_change_is_one_reason(change: Callable[[Facts], Facts], kinds: list[str], because: str) -> None:
    found = corrections(change(before()), NEXT, history())
    assert [one.kind for one in of(found, FIRST)] == kinds, because
    others = [one for one in found if str(one.post.month) != "2019-05"]  # whose own stays `gate` changes
    assert {tuple(reason.kind for reason in one.reasons) for one in others} == {tuple(kinds)}, because


#: Without `municipality`: a stay that is another's now has no fact or terms here that could matter.
CHANGES = {"fact": fact, "gate": gate, "dispute": dispute, "rate": rate, "agreement": agreement}


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(sorted(CHANGES)), min_size=1))
def test_several_changes_are_all_named_in_a_fixed_order(kinds: set[str]) -> None:
    facts = before()
    for kind in sorted(kinds, key=ORDER.index):
        facts = CHANGES[kind](facts)
    found = [one.kind for one in of(corrections(facts, NEXT, history()), FIRST)]
    assert found == [kind for kind in ORDER if kind in kinds]


def test_what_changed_is_named_with_its_clause() -> None:
    [reason] = of(corrections(fact(before()), NEXT, history()), FIRST)
    assert isinstance(reason, FactReason)
    assert reason.changes == (FactChange(FIRST, "ended_at", "2019-03-05T14:00:00Z", "2019-03-07T14:00:00Z"),)
    assert {clause.term for clause in reason.clauses} == {"unit", "count_end_day"}


def test_a_fact_without_effect_is_no_reason() -> None:
    """Bilaga 9 asks for no admission notice: that it came an hour later explains nothing."""
    facts = rate(changed(FIRST, notice_sent_at=at("2019-03-01 02:00"))(before()))
    assert {one.kind for one in of(corrections(facts, NEXT, history()), FIRST)} == {"rate"}


def test_of_several_facts_those_are_named_that_matter() -> None:
    facts = changed(FIRST, notice_sent_at=at("2019-03-01 02:00"), ended_at=at("2019-03-07 15:00"))(before())
    [reason] = of(corrections(facts, NEXT, history()), FIRST)
    assert [part.what for part in parts_of(reason)] == ["ended_at"]


def test_a_stay_that_came_late_and_one_that_is_gone() -> None:
    late = stay("2019-04-01 10:00", "2019-04-05 15:00", "late")
    stays = (*(one for one in before().stays if one.stay != FIRST), late)
    found = corrections(replace(before(), stays=stays), NEXT, history())
    assert [part[:4] for each in of(found, "late") for part in parts_of(each)] == [
        ("stay", None, "recorded", "late")
    ]
    assert [part[:4] for each in of(found, FIRST) for part in parts_of(each)] == [
        ("stay", "recorded", None, FIRST)
    ]


def test_the_municipality_is_not_named() -> None:
    """Contract 4: no word of where to."""
    facts = changed(FIRST, municipality="2321", placing_municipality="2313")(before())
    gone = tuple(one for one in facts.stays if one.stay != FIRST)
    facts = replace(facts, stays=gone, moved={FIRST: Moved(date(2019, 3, 1), corrected=False)})
    [one] = [each for each in corrections(facts, NEXT, history()) if each.post.stay == FIRST]
    [reason] = one.reasons
    assert reason == MunicipalityReason(
        FIRST, liable=False, how="moved", since=date(2019, 3, 1), clauses=reason.clauses
    )
    told = f"{reason_json(reason)} {in_words(reason, 'sv')} {in_words(reason, 'en')}"
    assert "not-liable" in told
    assert "från 2019-03-01" in told
    assert "2321" not in told
    assert "2313" not in told


def test_a_mean_that_closes_the_gate_is_named_for_the_months_that_it_closed() -> None:
    """A correction of November 2018 below the threshold: the gate never opened for December (Bilaga 9)."""
    liable = replace(before(), stays=(*before().stays, *days_of(1, 4, "2018-12", "more/")))
    done: list[Issued] = []
    for month in span("2018-09", "2018-12"):
        done = issued(liable, month, done)
    short = [one for one in liable.stays if not one.stay.startswith("2018-11/")]
    corrected = replace(liable, stays=(*short, *days_of(2, 1, "2018-11")))
    [one] = corrections(corrected, Month(2019, 1), done)
    assert one.post.stay == "more/2018-12/4/0"
    assert one.reasons == (
        GateReason(
            one.reasons[0].before,
            one.reasons[0].after,
            (MeanChange(Month(2018, 11), "4", "1"),),
            one.reasons[0].clauses,
        ),
    )
    assert in_words(one.reasons[0], "en").endswith("liable to pay → follow-up (the mean of 2018-11: 4 → 1)")


def test_what_an_earlier_release_issued_has_no_record() -> None:
    old = [replace(one, recorded=None) for one in history()]
    found = corrections(fact(before()), NEXT, old)
    assert of(found, FIRST) == [NOT_RECORDED]
    assert "inte registrerat" in in_words(NOT_RECORDED, "sv")
    for change, kind in ((gate, "gate"), (dispute, "dispute"), (rate, "rate")):
        found = corrections(change(before()), NEXT, old)
        assert [one.kind for one in of(found, FIRST)] == [kind], "told by the statements themselves"


def test_a_second_correction_is_explained_by_what_changed_since_the_first() -> None:
    done = issued(fact(before()), NEXT, history())
    found = corrections(rate(fact(before())), NEXT.plus(1), done)
    assert {one.kind for one in of(found, FIRST)} == {"rate"}
    [one] = [each for each in found if each.post.stay == FIRST]
    assert [line.year for line in one.lines] == [None, None], "both the retroactive line and its correction"
    assert corrections(fact(before()), NEXT.plus(1), done) == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_adjustment_is_without_a_reason(data: st.DataObject) -> None:
    """Whatever changes, month after month: each adjustment has reasons, each once and in order."""
    done: list[Issued] = []
    for month in span("2019-01", "2019-06"):
        stays = []
        for number in range(5):
            ended = data.draw(st.sampled_from(span("2019-01", "2019-06")))
            days = data.draw(st.integers(0, 9))
            if data.draw(st.booleans()):
                made = stay(f"{ended}-05 10:00", f"{ended}-{5 + days:02d} 15:00", f"s-{number}")
                open_care = data.draw(st.sampled_from((True, None)))
                stays.append(made._replace(open_care_available=open_care))
        asked = [
            Dispute(f"d{number}", TOWN, f"s-{number}", Month(2019, 2), upheld)
            for number in range(5)
            if (upheld := data.draw(st.sampled_from((None, True, False, "none")))) != "none"
        ]
        done = issued(Facts(tuple(stays), disputed=tuple(asked)), month, done)
    for one in done:
        for adjustment in one.adjustments:
            kinds = [ORDER.index(reason.kind) for reason in adjustment.reasons]
            assert kinds, adjustment
            assert kinds == sorted(kinds), adjustment
            assert unpack(pack(one)) == one


def after(facts: Facts, month: Month = NEXT, done: Sequence[Issued] | None = None) -> list[Issued]:
    """Give what is issued for a month."""
    known = history() if done is None else done
    return issued(facts, month, known)[len(known) :]


def test_a_measure_is_issued_again_where_it_counts_otherwise() -> None:
    """Settlement rules 8: the month's own statement stays, the next one carries the measure as it is now."""
    fresh = after(fact(before()))
    [again] = [each for one in fresh for each in one.measures]
    march = somatic()["2019-03"]
    assert (again.corrects, again.number, again.statement.month) == (march.id, 3, march.statement.month), (
        "the second was that of the opening"
    )
    assert (march.statement.mean.days, again.statement.mean.days) == (8, 10)
    done = [*history(), *fresh]
    fresh = after(fact(before()), NEXT.plus(1), done)
    assert [one.measures for one in fresh] == [(), ()], "once"
    back = after(before(), NEXT.plus(2), [*done, *fresh])
    assert [each.number for one in back for each in one.measures] == [4], "again when it is as it was"


def test_a_measure_is_issued_again_also_where_no_amount_changes() -> None:
    longer = changed("2018-10/4/0", ended_at=at("2018-10-06 15:00"))  # in a month of analysis
    [june] = [one for one in after(longer(before())) if one.measures]
    assert june.adjustments == ()
    assert [str(one.statement.month) for one in june.measures] == ["2018-10"]


def test_an_opening_issues_the_measures_of_its_months_again() -> None:
    told = [(str(one.statement.month), one.statement.status.value) for one in somatic()["2019-05"].measures]
    assert told == [("2019-03", "liable-retroactive"), ("2019-04", "liable-retroactive")]


@pytest.mark.parametrize("change", [dispute, rate, agreement])
def test_an_amount_alone_is_no_measure(change: Callable[[Facts], Facts]) -> None:
    assert [one.measures for one in after(change(before()))] == [(), ()]
