"""Settlement rules 8: what was issued stays, what differs is posted, naming statement and stay."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from adapter.fhir.adjustment import adjustment_json
from adapter.fhir.elements import uuid_of
from adapter.settlement.difference import Issued, difference, issue
from adapter.settlement.render import json_lines
from adapter.settlement.settle import settle
from adapter.settlement.stay import Stay
from tests.settlement.making import JH, LUS, STHLM, at, book, days_of, one_price, rules, span, stay

LATER = datetime(2019, 7, 1, tzinfo=UTC)


def issued(
    stays: list[Stay], name: str, first: str, last: str, month: str, history: list[Issued]
) -> list[Issued]:
    payers = {(one.statement.municipality, one.statement.care_form) for one in history}
    owed = settle(stays, rules(name), book().rates, span(first, last), also=payers)
    (asked,) = span(month, month)
    return [*history, *issue(owed, history, asked, lambda one: f"{one.municipality}-{one.month}", LATER)]


MAY = stay("2019-05-13 10:00", "2019-05-20 15:00", "a")


def lines(history: list[Issued]) -> list[tuple[str, str, str, str | None, str, str, str]]:
    return [
        (one.id, a.corrects, a.kind, a.post.stay, str(a.post.month), str(a.payable_days), f"{a.amount:f}")
        for one in history
        for a in one.adjustments
    ]


def test_a_shorter_stay_is_credited():
    history = issued([MAY], LUS, "2019-05", "2019-05", "2019-05", [])
    shorter = MAY._replace(ended_at=at("2019-05-18 10:00"))
    history = issued([shorter], LUS, "2019-05", "2019-06", "2019-06", history)
    assert [f"{one.due:f}" for one in history] == ["31200", "-15600"]
    assert lines(history) == [("2380-2019-06", "2380-2019-05", "credit", "a", "2019-05", "-2", "-15600")]


def test_a_longer_stay_is_debited_and_then_taken_back():
    history = issued([MAY], LUS, "2019-05", "2019-05", "2019-05", [])
    longer = MAY._replace(ended_at=at("2019-05-22 10:00"))
    history = issued([longer], LUS, "2019-05", "2019-06", "2019-06", history)
    history = issued([MAY], LUS, "2019-05", "2019-07", "2019-07", history)
    assert [f"{one.due:f}" for one in history] == ["31200", "15600", "-15600"]
    assert [line[2] for line in lines(history)] == ["debit", "credit"]


def test_a_stay_that_moves_to_another_month_is_credited_there_and_billed_here():
    history = issued([MAY], LUS, "2019-05", "2019-05", "2019-05", [])
    moved = MAY._replace(ended_at=at("2019-06-02 10:00"))
    history = issued([moved], LUS, "2019-05", "2019-06", "2019-06", history)
    assert lines(history) == [("2380-2019-06", "2380-2019-05", "credit", "a", "2019-05", "-4", "-31200")]
    assert history[1].statement.amount == 17 * Decimal(7800)
    assert sum(one.due for one in history) == 17 * Decimal(7800)


def test_a_stay_that_another_municipality_is_liable_for():
    history = issued([MAY], LUS, "2019-05", "2019-05", "2019-05", [])
    placed = MAY._replace(placing_municipality="2321")
    history = issued([placed], LUS, "2019-05", "2019-06", "2019-06", history)
    assert lines(history) == [("2380-2019-06", "2380-2019-05", "credit", "a", "2019-05", "-4", "-31200")]
    (asked,) = span("2019-05", "2019-05")
    owed = settle([placed], rules(LUS), book().rates, span("2019-05", "2019-06"), also={("2380", "somatic")})
    (late,) = issue(owed, history, asked, lambda one: one.municipality, LATER)
    assert (late.statement.municipality, f"{late.due:f}") == ("2321", "31200"), (
        "its May was never issued: its own statement"
    )


def test_retroactive_months_come_as_adjustments():
    """The second opening bills three months that were issued as analysis (Bilaga 9, retroaktivitet)."""
    prices = one_price()
    stays = [
        s
        for m, d in zip(span("2018-03", "2018-12"), "4440004440", strict=True)
        for s in days_of(2, int(d), str(m))
    ]
    history: list[Issued] = []
    for month in span("2018-03", "2018-12"):
        owed = settle(stays, rules(JH), prices, span("2018-03", str(month)))
        history += issue(owed, history, month, lambda one: str(one.month), LATER)
    adjusted = [
        (one.id, [(a.corrects, f"{a.amount:f}") for a in one.adjustments])
        for one in history
        if one.adjustments
    ]
    assert adjusted == [
        ("2018-11", [("2018-09", "7100"), ("2018-09", "7100"), ("2018-10", "7100"), ("2018-10", "7100")])
    ]
    assert [one.statement.status.value for one in history][6:9] == [
        "analysis",
        "analysis",
        "liable-retroactive",
    ]


def test_an_excess_is_adjusted_as_a_whole():
    prices = one_price("8200")
    owed = settle(days_of(3, 3), rules(STHLM).changed(measure_from=None), prices, span("2019-05", "2019-05"))
    unsuspended = [_active(one) for one in owed]
    history = [Issued("may", LATER, unsuspended[0], ())]
    again = settle(days_of(2, 3), rules(STHLM).changed(measure_from=None), prices, span("2019-05", "2019-05"))
    (found,) = difference(history, [_active(one) for one in again])
    assert (found.post.stay, found.payable_days, f"{found.amount:f}") == (None, Fraction(-1), "-8200")
    line = uuid_of("ChargeItem", "may", "charge", "", "excess-over-mean", "2019")
    told = adjustment_json(found)
    assert told.pop("lines") == [
        {"statement": "may", "invoice": uuid_of("Invoice", "may"), "charge_item": line, "year": 2019}
    ]
    assert told == {
        "reasons": [],
        "words": {"sv": [], "en": []},
        "clauses": [],
        "corrects": "may",
        "agreement": STHLM,
        "month": "2019-05",
        "stay": None,
        "basis": "excess-over-mean",
        "kind": "credit",
        "payable_days": -1,
        "amount": Decimal(-8200),
        "amount_before": Decimal(24600),
        "amount_after": Decimal(16400),
    }


def _active(statement):
    return replace(statement, suspended=False)


def test_nothing_is_posted_on_a_suspended_statement():
    owed = settle(days_of(3, 3, "2020-05"), rules(STHLM), book().rates, span("2020-05", "2020-05"))
    history = [Issued("may", LATER, owed[0], ())]
    assert owed[0].amount > 0
    assert history[0].due == 0
    assert difference(history, settle([], rules(STHLM), book().rates, span("2020-05", "2020-05"))) == ()


def test_issuing_twice_issues_nothing_more():
    history = issued([MAY], LUS, "2019-05", "2019-05", "2019-05", [])
    assert issued([MAY], LUS, "2019-05", "2019-05", "2019-05", history) == history


def test_the_same_facts_give_the_same_bytes():
    first, second = (
        b"".join(json_lines(settle([MAY], rules(LUS), book().rates, span("2019-05", "2019-06"))))
        for _ in "ab"
    )
    assert first == second
