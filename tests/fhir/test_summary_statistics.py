"""What the public may see: no patients, no amounts, no small counts (domain 6.3)."""

import json
from typing import Any

import pytest

from adapter.fhir.decimals import dumps
from adapter.fhir.elements import Edition, Resource
from adapter.fhir.model import FhirVersion
from adapter.fhir.sheet import Sheet
from adapter.fhir.statistics import counts_of, statistics, statistics_bundle
from adapter.losus.days import Month
from adapter.settlement.difference import Issued
from adapter.settlement.settle import settle
from adapter.settlement.statement import Statement
from adapter.settlement.withholding import withhold
from tests.fhir import summary_cases as cases

MAY = Month(2018, 5)
FEWEST = 5


def month_of(*days: int, not_ready: int = 0) -> Statement:
    """Make a month of stays that lasted so many days, and of some that were never ready."""
    stays = [cases.stay(f"d-{number}", MAY.first, length, "2380") for number, length in enumerate(days)]
    stays += [cases.stay(f"n-{number}", MAY.first, 3, "2380", ready=()) for number in range(not_ready)]
    rules, rates = cases.book().get(cases.JAMTLAND), cases.book().rates
    (made,) = settle(stays, rules, rates, (MAY,), also=(("2380", "somatic"),))
    return made


def alone(told: Statement | Issued, edition: Edition, *, fewest: int) -> Resource:
    """What is told of one municipality, where there is no sum to subtract from."""
    sheet = Sheet.of(told, edition)
    hidden, _ = withhold([counts_of(sheet.statement)], fewest)
    return statistics(sheet, hidden[0])


def seen(told: Resource) -> dict[str, Any]:
    """Read counts and scores as a table: None where masked, `score` absent where there is none."""
    table: dict[str, Any] = {}
    for group in told["group"]:
        name = "mean" if group["code"]["coding"][0]["code"] == "mean-days" else "zero"
        for one in group["population"]:
            masked = one.get("_count", {}).get("extension", [{}])[0].get("valueCode") == "masked"
            assert masked != ("count" in one)
            table[f"{name}.{one['code']['coding'][0]['code']}"] = one.get("count")
        score = group.get("measureScore")
        if score is not None:
            table[f"{name}.score"] = None if "value" not in score else str(score["value"])
    return table


def row(*values: Any) -> dict[str, Any]:
    names = (
        "mean.initial-population",
        "mean.measure-population-exclusion",
        "mean.measure-population",
        "mean.score",
        "zero.initial-population",
        "zero.denominator",
        "zero.numerator",
        "zero.score",
    )
    return {name: value for name, value in zip(names, values, strict=True) if value != "-"}


_ = None
# days of the stays, never ready; then: all, left out, in the mean, mean; in the mean twice, home day 0, share
MONTHS = [
    ((0,) * 5 + (2,) * 5, 0, row(10, 0, 10, "1", 10, 10, 5, "0.5"), "all counts are 0 or at least five"),
    ((0,) * 4 + (2,) * 6, 0, row(10, 0, 10, "1.2", 10, 10, _, _), "four home on day zero"),
    ((0,) * 6 + (2,) * 4, 0, row(10, 0, 10, _, 10, 10, _, _), "four others make the whole mean"),
    ((2,) * 5, 0, row(5, 0, 5, "2", 5, 5, 0, "0"), "nobody on day zero shows nobody"),
    ((0,) * 5, 0, row(5, 0, 5, "0", 5, 5, 5, "1"), "all on day zero"),
    ((2,) * 4, 0, row(_, 0, _, _, _, _, _, _), "four stays"),
    ((2,) * 5, 4, row(_, _, 5, "2", 5, 5, 0, "0"), "four left out: the whole goes with the part"),
    ((2,) * 5, 5, row(10, 5, 5, "2", 5, 5, 0, "0"), "five left out"),
    ((), 5, row(5, 5, 0, "-", 0, 0, 0, "-"), "no stay in the mean: no mean, nothing to hide"),
    ((), 0, row(0, 0, 0, "-", 0, 0, 0, "-"), "no stay at all"),
    ((), 1, row(_, _, 0, "-", 0, 0, 0, "-"), "one stay, left out"),
    ((2,), 5, row(_, 5, _, _, _, _, _, _), "one in the mean"),
]


@pytest.mark.parametrize(("days", "not_ready", "expected", "because"), MONTHS)
def test_small_counts(days: tuple[int, ...], not_ready: int, expected: dict[str, Any], because: str) -> None:
    told = alone(month_of(*days, not_ready=not_ready), cases.edition(), fewest=FEWEST)
    table = seen(told)
    if not days:  # nobody on day zero of none: 0 of 0
        assert "zero.score" not in table
    assert table == expected, because


# days, is the status shown, because
STATUS = [
    ((4,) * 5, True, "five stays"),
    ((4,) * 4, False, "the status says whether the mean of four is over"),
    ((0,) * 5 + (9,) * 4, False, "four make the mean"),
    ((), True, "an empty month shows nobody"),
]


@pytest.mark.parametrize(("days", "shown", "because"), STATUS)
def test_status(days: tuple[int, ...], shown: bool, because: str) -> None:
    text = dumps(alone(month_of(*days), cases.edition(), fewest=FEWEST)).decode()
    assert ("settlement-gate-status" in text) == shown, because


@pytest.mark.parametrize("version", FhirVersion)
@pytest.mark.parametrize("name", cases.STATEMENTS)
def test_nothing_of_a_stay_or_an_amount(name: str, version: FhirVersion) -> None:
    told = cases.STATEMENTS[name]()
    text = dumps(alone(told, cases.edition(version), fewest=FEWEST)).decode()
    statement = getattr(told, "statement", told)
    stays = [line.stay for line in statement.lines if line.stay] + [one.stay for one in statement.excluded]
    # `open` and the like are words of FHIR too: look for them as whole JSON strings
    assert not [stay for stay in stays if json.dumps(stay) in text]
    assert "SEK" not in text
    assert "settlement-outcome" not in text
    assert f'"value":"{statement.municipality}"' in text
    assert "urn:uuid:" not in text, "it stands alone: nothing to refer to"


@pytest.mark.parametrize("version", FhirVersion)
def test_exact_mean_goes_with_the_mean(version: FhirVersion) -> None:
    few, enough = month_of(*(0,) * 6, *(2,) * 4), month_of(*(2,) * 5)
    assert b"settlement-exact-mean" not in dumps(alone(few, cases.edition(version), fewest=FEWEST))
    assert b"settlement-exact-mean" in dumps(alone(enough, cases.edition(version), fewest=FEWEST))


def test_its_id_leads_to_no_statement() -> None:
    first, second = month_of(2, 2, 2, 2, 2), month_of(3, 3, 3, 3, 3)
    ids = {alone(one, cases.edition(), fewest=FEWEST)["id"] for one in (first, second)}
    assert len(ids) == 1
    assert "identifier" not in alone(first, cases.edition(), fewest=FEWEST)


def of_region(told: Resource) -> dict[str, dict[str, Any]]:
    reports = [one["resource"] for one in told["entry"] if one["resource"]["resourceType"] == "MeasureReport"]
    return {one["subject"]["identifier"]["value"]: seen(one) for one in reports}


def test_what_is_withheld_of_one_cannot_be_had_by_subtracting_the_others_from_all() -> None:
    """Krokom has four stays: their number, and what it leaves of the county's, stand nowhere."""
    days = {"2380": (0,) * 9 + (2,) * 9, "2309": (2,) * 4, "2305": (2,) * 20, "2313": ()}
    told = of_region(
        statistics_bundle(cases.region_month(cases.JAMTLAND, days), cases.edition(), fewest=FEWEST)
    )
    stays = {place: table["mean.measure-population"] for place, table in told.items()}
    assert stays == {"23": 42, "2380": 18, "2309": None, "2305": None, "2313": 0}, (
        "42 − 18 are 24 of two municipalities: Krokom's may be any of one to four"
    )
    assert told["2309"] == row(_, 0, _, _, _, _, _, _)


def test_the_sum_is_that_of_the_municipalities() -> None:
    days = {"2380": (0,) * 9 + (2,) * 9, "2305": (4,) * 20}
    told = of_region(
        statistics_bundle(cases.region_month(cases.JAMTLAND, days), cases.edition(), fewest=FEWEST)
    )
    assert told["23"] == row(38, 0, 38, "2.578947", 38, 38, 9, "0.236842"), "98 days by 38; 9 of 38"
    assert told["2380"] == row(18, 0, 18, "1", 18, 18, 9, "0.5")
    assert told["2305"] == row(20, 0, 20, "4", 20, 20, 0, "0")


def test_the_same_statements_are_the_same_bytes() -> None:
    months = [cases.region_month(cases.JAMTLAND, {"2380": (2,) * 9, "2309": (2,)}) for _ in "ab"]
    told = {dumps(statistics_bundle(one, cases.edition(), fewest=FEWEST)) for one in months}
    assert len(told) == 1
