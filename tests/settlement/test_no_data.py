"""No data is not the same as nobody waited: such a month neither counts nor breaks the gate."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.agreements.terms import CareForm, EmptyMonth
from adapter.fhir.followup import follow_up_bundle
from adapter.fhir.model import FhirVersion, validate
from adapter.fhir.statistics import statistics_bundle
from adapter.fhir.summary import bundle
from adapter.losus.days import Month
from adapter.settlement.bulk import bulk, bulk_in_force
from adapter.settlement.columns import Columns
from adapter.settlement.following import Followed, follow_ups
from adapter.settlement.gate import MonthMean, run_gate
from adapter.settlement.heard import ALL_KNOWN, FileSpan, StoreHeard
from adapter.settlement.ledger import Lasting, by_law, by_name
from adapter.settlement.plain import columns_of_rows
from adapter.settlement.render import dumps, statement_json, statement_row
from adapter.settlement.settle import settle, settle_in_force
from adapter.settlement.stay import Stay
from tests.fhir import summary_cases as cases
from tests.settlement.making import JH, LUS, STHLM, VGR, at, book, days_of, one_price, rules, span

FORM = CareForm.SOMATIC
F, A, L, R, N = "follow-up", "analysis", "liable", "liable-retroactive", "no-data"

GATES = [
    # agreement, means of a run of months (. no stay, ? no data), statuses, because
    (
        JH,
        "4?44 4",
        [A, N, A, A, L],
        "Bilaga 9: three in a row, and an unknown one between",
    ),
    (JH, "4.44 4", [A, F, A, A, A], "a month in which nobody waited breaks the row"),
    (JH, "444?4", [A, A, A, N, L], "the gate is open all the same"),
    (
        JH,
        "4440?004",
        [A, A, A, L, N, L, L, A],
        "three not over end it, the unknown is none of them",
    ),
    (JH, "4440?0", [A, A, A, L, N, L], "two of three"),
    (
        JH,
        "444000?4?44",
        [A, A, A, L, L, L, N, R, N, R, R],
        "the three that opened it are billed",
    ),
    (JH, "?444", [N, A, A, A], "before anything is known"),
    (STHLM, "3?1", [L, N, F], "no memory: the month is what it is"),
    (VGR, "4?", [L, N], "the same"),
    (LUS, "?1", [N, L], "the statute has no gate, and still nothing is known"),
]


@pytest.mark.parametrize(("agreement", "means", "statuses", "because"), GATES)
def test_the_gate(agreement: str, means: str, statuses: list[str], because: str) -> None:
    terms = replace(rules(agreement).on(Month(2020, 1).first, FORM), measure_from=None)
    run = [
        MonthMean(Month(2020, 1).plus(place), terms, *counts)
        for place, mean in enumerate(means.replace(" ", ""))
        for counts in ((0, 0, 0, mean == "?") if mean in "?." else (2, 2 * int(mean), 0),)
    ]
    assert [status.value for status in run_gate(run)] == statuses, because


@pytest.mark.parametrize("empty", EmptyMonth)
def test_no_data_is_neither_kind_of_empty_month(empty: EmptyMonth) -> None:
    """`below` and `neutral` are said of a month in which the hospital sent something."""
    terms = replace(rules(JH).on(Month(2020, 1).first, FORM), measure_from=None, empty_month=empty)
    run = [MonthMean(Month(2020, 1).plus(n), terms, 2, 8, 0) for n in range(5)]
    run[2] = MonthMean(run[2].month, terms, 0, 0, 0, no_data=True)
    assert [status.value for status in run_gate(run)] == [A, A, N, A, L]


def heard(**more: object) -> StoreHeard:
    """Two hospitals; only the first has had stays of Östersund, the second began in March."""
    found = StoreHeard(**more)  # type: ignore[arg-type]
    found.add("a", "somatic", span("2019-01", "2019-02"))
    found.add("a", "somatic", span("2019-05", "2019-05"))
    found.add("b", "somatic", span("2019-03", "2019-06"))
    found.add_stay("a", "somatic", "2380")
    found.add_stay("b", "somatic", "2313")
    return found


KNOWN = [
    # municipality, care form, month, known, because
    ("2380", "somatic", "2019-01", True, "its hospital sent something"),
    ("2380", "somatic", "2018-12", False, "before anybody sent anything"),
    ("2380", "somatic", "2019-03", False, "its hospital is silent, whatever the other sent"),
    ("2380", "somatic", "2019-07", False, "nobody sent anything"),
    ("2313", "somatic", "2019-03", True, "its own hospital sent something: the other's silence is not its"),
    ("2313", "somatic", "2019-02", True, "its own hospital had not begun, and the other sent something"),
    ("2303", "somatic", "2019-03", False, "no stay of it yet: it may be at either hospital"),
    ("2303", "somatic", "2019-05", True, "both sent something"),
    ("2380", "psychiatric", "2019-01", False, "a care form that nobody ever sent anything of"),
    ("2380", "pooled", "2019-01", False, "both are asked for"),
]


@pytest.mark.parametrize(("town", "form", "month", "known", "because"), KNOWN)
def test_what_a_store_knows(town: str, form: str, month: str, known: bool, because: str) -> None:
    assert heard().knows(town, form, Month.parse(month)) is known, because


def test_a_confirmed_month_is_known_and_a_source_that_is_gone_is_not_waited_for() -> None:
    march = Month(2019, 3)
    assert heard(confirmed={("somatic", march.index)}).knows("2380", "somatic", march)
    assert not heard(confirmed={("psychiatric", march.index)}).knows("2380", "somatic", march)
    assert heard(expected={"b"}).knows("2380", "somatic", march)
    assert heard().silent("2380", "somatic", march) == ("a",)


def test_a_file_is_complete_from_its_first_end_to_its_last() -> None:
    """Settlement row 25: between, a month without a stay is one in which nobody waited."""
    stays = [*days_of(2, 4, "2018-05"), *days_of(2, 4, "2018-07")]
    asked = span("2018-04", "2018-08")
    made = settle(stays, rules(JH), one_price(), asked, heard=FileSpan.of(span("2018-05", "2018-07")))
    assert [one.status.value for one in made] == [N, A, F, A, N]
    told = [statement_json(one) for one in made]
    assert [one["stays"] for one in told] == [None, 2, 0, 2, None]
    assert (told[0]["mean"], told[0]["status"], told[0]["amount"]) == (None, N, 0)
    assert (statement_row(made[0])["stays"], statement_row(made[0])["status"]) == ("", N)


def test_no_data_as_fhir_is_absent_and_not_zero() -> None:
    [made] = settle(
        [], rules(JH), one_price(), span("2018-05", "2018-05"), [("2380", "somatic")], FileSpan.of(())
    )
    for version in FhirVersion:
        told = bundle([made], cases.edition(version))
        validate(told, version)
        report = next(
            e["resource"] for e in told["entry"] if e["resource"]["resourceType"] == "MeasureReport"
        )
        for group in report["group"]:
            score = next(value for name, value in group.items() if name.startswith("measureScore"))
            absent = [score, *(one["_count"] for one in group["population"])]
            assert {one["extension"][0]["valueCode"] for one in absent} == {"unknown"}
            assert all("count" not in one for one in group["population"])


def columns_of(stays: list[Stay]) -> Columns:
    return Columns.joined(list(columns_of_rows(stays, [])))


@st.composite
def hospital(draw: st.DrawFn) -> list[Stay]:
    stays: list[Stay] = []
    for month in span("2019-01", "2019-08"):
        days = draw(st.sampled_from((None, 0, 3, 4, 9)))
        if days is not None:
            stays += days_of(draw(st.integers(1, 2)), days, str(month))
    return stays


@settings(deadline=None)
@given(hospital(), st.sampled_from((JH, LUS, STHLM, VGR)))
def test_columns_know_the_same_months(stays: list[Stay], agreement: str) -> None:
    asked = span("2018-11", "2019-10")
    known = FileSpan(Month(2019, 2), Month(2019, 7))
    end = asked[-1].end
    ledger = by_name(columns_of(stays), rules(agreement), end)
    made = bulk(ledger, rules(agreement), one_price(), asked, known)
    assert list(made.statements()) == list(settle(stays, rules(agreement), one_price(), asked, heard=known))
    law = Lasting(book().rules)
    lawful = bulk_in_force(by_law(columns_of(stays), law, end), law, one_price(), asked, known)
    assert b"".join(lawful.json_lines()) == b"".join(
        dumps(statement_json(one)) + b"\n"
        for one in settle_in_force(stays, book().rules, one_price(), asked, heard=known)
    )


def test_nothing_is_unknown_where_nobody_says_so() -> None:
    assert ALL_KNOWN.knows("2380", "somatic", Month(1999, 1))


def test_the_follow_up_says_of_which_months_nothing_is_known() -> None:
    """Bilaga 9 follows the trend of three months: one of which nothing is known has no mean and no count."""
    known = FileSpan(Month(2019, 4), Month(2019, 4))
    followed = Followed("s", "2380", None, at("2019-06-01 10:00"), at("2019-06-05 10:00"), True, 4, ())
    [told] = follow_ups([followed], [("2380", Month(2019, 6))], at("2019-07-02 10:00"), heard=known)
    assert [(one.stays, one.no_data) for one in told.means] == [(1, False), (0, True), (0, False)]
    for version in FhirVersion:
        made = follow_up_bundle(told, cases.edition(version))
        validate(made, version)
        groups = made["entry"][0]["resource"]["group"][:3]
        counts = [[one.get("count") for one in group["population"]] for group in groups]
        assert counts == [[1, 1], [None, None], [0, 0]]
        absent = [one["_count"]["extension"][0]["valueCode"] for one in groups[1]["population"]]
        assert absent == ["unknown", "unknown"]


def test_public_statistics_say_it_too_and_the_sum_is_of_what_is_known() -> None:
    may = Month(2018, 5)
    stays = [one._replace(municipality="2321") for one in days_of(9, 4, "2018-05")]
    made = settle(stays, rules(JH), one_price(), (may,), [("2380", "somatic")], FileSpan(None, None))
    assert [(one.municipality, one.status.value) for one in made] == [("2321", A), ("2380", N)]
    told = statistics_bundle(made, cases.edition(), fewest=5)
    reports = [e["resource"] for e in told["entry"] if e["resource"]["resourceType"] == "MeasureReport"]
    means = [[one.get("count") for one in report["group"][0]["population"]] for report in reports]
    assert means == [[9, 0, 9], [9, 0, 9], [None, None, None]], "the sum, Strömsund, Östersund"
