"""The year ahead from the months at hand: hand-computed amounts, ranges, and what the command says and refuses.

Document 004 asks for the yearly cost of a level by the mean days of four months («bedöms kommunernas sammantagna
kostnader per år … vara omkring 30 miljoner»), how it grows «när fristdagarna sänks», how many municipalities lie
over 2,0 days a month, and names the share that can be billed as unknown.
"""

# ruff: noqa: E501 - a row stands on one line

import csv
import io
import json
import time
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import orjson
import pytest
import typer
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm
from adapter.commands.compare import compare_command
from adapter.commands.forecast import forecast_command
from adapter.losus.days import Month
from adapter.settlement.columns import Columns
from adapter.settlement.compare import hypothetical
from adapter.settlement.forecast import Premises, Step, flat_rates, forecast, hypothetical_rules
from adapter.settlement.ledger import by_name
from adapter.settlement.plain import columns_of_rows
from adapter.settlement.settle import settle
from adapter.settlement.stay import Stay, row_of
from tests.examples import examples
from tests.settlement.making import JH, LUS, STHLM, days_of, one_price, rules, span

ONE = Fraction(1)
app = typer.Typer()
app.command("forecast")(forecast_command)
app.command("compare")(compare_command)


def of(town: str, stays: Sequence[Stay]) -> list[Stay]:
    return [one._replace(municipality=town, stay=f"{town}/{one.stay}") for one in stays]


#: 2380: ten stays of 4 days in May, of 2 in June. 2321: four of 1 day in May, of 3 in June.
TWO_MONTHS = [
    *of("2380", [*days_of(10, 4, "2019-05"), *days_of(10, 2, "2019-06")]),
    *of("2321", [*days_of(4, 1, "2019-05"), *days_of(4, 3, "2019-06")]),
]


def steps_of(
    stays: Sequence[Stay],
    chosen: Rules | str,
    first: str,
    last: str,
    rate: str = "8200",
    share: tuple[Fraction, Fraction] = (ONE, ONE),
    seed: int = 1,
    **grid: Sequence[str],
) -> list[Step]:
    asked = span(first, last)
    named = rules(chosen) if isinstance(chosen, str) else chosen
    terms = hypothetical_rules(named, asked[-1].end)
    ledger = by_name(next(columns_of_rows(stays, [])), terms, asked[-1].end)
    premises = Premises(asked, Decimal(rate), *share, replicates=2_000)
    steps = {name: tuple(map(Decimal, values)) for name, values in grid.items()}
    return list(forecast(ledger, terms, premises, steps, np.random.default_rng(seed)))


@pytest.mark.parametrize(
    ("threshold", "by_town", "because"),
    [
        ("4", {"2321": 0, "2380": 0}, "a mean of 4 is not over 4"),
        ("3", {"2321": 0, "2380": 6 * 10}, "(4 − 3) × 10 in May; 3 is not over 3"),
        ("2", {"2321": 6 * 4, "2380": 6 * 20}, "(4 − 2) × 10 in May, (3 − 2) × 4 in June"),
        ("1", {"2321": 6 * 8, "2380": 6 * 40}, "(4 − 1) × 10 and (2 − 1) × 10; (3 − 1) × 4, and 1 is not over 1"),
        ("2.5", {"2321": 6 * 2, "2380": 6 * 15}, "1.5 × 10 and 0.5 × 4"),
    ],
)  # fmt: skip
def test_the_excess_of_two_months_times_six(threshold, by_town, because):
    (step,) = steps_of(TWO_MONTHS, STHLM, "2019-05", "2019-06", threshold=[threshold])
    assert {town: one.payable_days for town, one in step.by_municipality.items()} == by_town, because
    assert step.total.amount == 8200 * sum(by_town.values()), because


@pytest.mark.parametrize(
    ("first_payable_day", "days", "because"),
    [
        ("4", 0, "a stay of four days pays its days 4 to 3: LUS 5:4, the end day not counted"),
        ("3", 6 * 10, "day 3 of ten stays of four days"),
        ("2", 6 * (20 + 4), "days 2 and 3 of those of four, day 2 of those of three days"),
        ("1", 6 * (30 + 10 + 8), "one day less than each is long"),
    ],
)
def test_individual_days_by_steps_of_the_first_payable_day(first_payable_day, days, because):
    (step,) = steps_of(TWO_MONTHS, LUS, "2019-05", "2019-06", first_payable_day=[first_payable_day])
    assert step.total.payable_days == days, because


def test_the_gate_of_bilaga_9_is_closed_when_the_year_begins():
    """Four months over 3 go round for a year: three of analysis, then nine times 10 stays × day 4."""
    stays = [one for month in ("01", "02", "03", "04") for one in days_of(10, 4, f"2019-{month}")]
    (step,) = steps_of(stays, JH, "2019-01", "2019-04")
    assert step.total.payable_days == 90
    assert (step.total.low, step.total.high) == (90 * 8200, 90 * 8200), "every drawn year is the same"


def test_the_gate_remembers_across_months_that_go_round():
    """Over, over, over, below (3 stays of day zero): which of them begins the year decides when it opens."""
    stays = [one for month in ("01", "02", "03") for one in days_of(10, 4, f"2019-{month}")]
    (step,) = steps_of([*stays, *days_of(3, 0, "2019-04")], JH, "2019-01", "2019-04")
    # From month 1: 1–3 analysis, then liable to the end (one month below does not close): 2 × 3 months × 10 days.
    # From 2: over, over, below, 1–3 analysis; months 7–12 are 4 1 2 3 4 1: 4 over.
    # From 3: over, below, 1–3 analysis; months 6–12 are 4 1 2 3 4 1 2: 5 over.
    # From 4: below, 1–3 analysis; months 5–12 are 4 1 2 3 4 1 2 3: 6 over.
    assert step.total.payable_days == Fraction(60 + 40 + 50 + 60, 4)


@pytest.mark.parametrize(
    ("threshold", "low", "high", "because"),
    [
        ("3", 3 * 10, 9 * 10, "of twelve months 3 to 9 are May: P(≤ 2) = 1.9 %, P(≤ 3) = 7.3 %"),
        ("4", 0, 0, "nothing to vary"),
        (
            "2",
            3 * 20 + 9 * 4,
            9 * 20 + 3 * 4,
            "May 20 days in 2380, June 4 in 2321: both draw the same months",
        ),
    ],
)
def test_the_range_is_that_of_years_drawn_from_the_months(threshold, low, high, because):
    (step,) = steps_of(TWO_MONTHS, STHLM, "2019-05", "2019-06", threshold=[threshold])
    assert (step.total.low, step.total.high) == (low * 8200, high * 8200), because


@pytest.mark.parametrize(
    ("share", "days", "low", "high"),
    [
        ((ONE, ONE), 60, "1.000", "1.000"),
        ((Fraction(1, 2), Fraction(1, 2)), 30, None, None),
        ((Fraction(0), Fraction(0)), 0, "0.000", "0.000"),
        ((Fraction(2, 5), Fraction(3, 5)), 30, None, None),
    ],
)
def test_the_share_that_is_billable_is_a_premise(share, days, low, high):
    (step,) = steps_of(TWO_MONTHS, STHLM, "2019-05", "2019-06", share=share, threshold=["3"])
    assert step.total.payable_days == days
    if low is not None:
        assert (str(step.share_low), str(step.share_high)) == (low, high)
    else:
        assert step.share_low < Decimal("0.5") < step.share_high
        assert step.total.low < days * 8200 < step.total.high


def test_a_wider_premise_makes_a_wider_range():
    sure, unsure = (
        steps_of(TWO_MONTHS, STHLM, "2019-05", "2019-06", share=share, threshold=["1"])[0]
        for share in ((Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 10), Fraction(9, 10)))
    )
    assert unsure.total.low < sure.total.low
    assert unsure.total.high > sure.total.high
    assert unsure.total.amount == sure.total.amount


def test_the_municipalities_over_the_level_of_each_month():
    three, two = steps_of(TWO_MONTHS, STHLM, "2019-05", "2019-06", threshold=["3", "2"])
    assert [(str(one.month), one.municipalities, one.of) for one in three.over] == [
        ("2019-05", 1, 2),
        ("2019-06", 0, 2),
    ]
    assert [one.municipalities for one in two.over] == [1, 1]


def test_a_municipality_without_stays_in_a_month_is_not_counted_there():
    stays = [*days_of(2, 4, "2019-05"), *of("2321", days_of(2, 4, "2019-06"))]
    (step,) = steps_of(stays, STHLM, "2019-05", "2019-06")
    assert [(one.municipalities, one.of) for one in step.over] == [(1, 1), (1, 1)]


def test_the_terms_are_those_of_the_year_ahead():
    """Bilaga 9: psychiatric care by 30 days in 2018 and by three from 2019."""
    stays = [one._replace(care_form=CareForm.PSYCHIATRIC) for one in days_of(10, 5, "2018-12")]
    (step,) = steps_of(stays, JH, "2018-12", "2018-12")
    assert step.total.payable_days == 9 * 10 * 2, "days 4 and 5, from the fourth month on"


def test_the_same_seed_is_the_same_forecast_and_another_one_is_not():
    def ranges(seed: int) -> list[Decimal]:
        share = (Fraction(1, 3), Fraction(2, 3))
        (step,) = steps_of(TWO_MONTHS, STHLM, "2019-05", "2019-06", share=share, seed=seed, threshold=["1"])
        return [step.total.low, step.total.high]

    assert ranges(1) == ranges(1)
    assert ranges(1) != ranges(2)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6), st.sampled_from(("2380", "2321"))), min_size=1, max_size=20),
    st.sampled_from(("1", "2", "2.5", "7")),
)  # fmt: skip
@settings(deadline=None, max_examples=examples(60))
def test_a_year_of_a_gate_without_a_memory_is_what_its_months_cost(lengths, threshold):
    """The differential: twelve months at hand come to what `settle` makes of them."""
    stays = [
        one._replace(stay=f"{number}", municipality=town)
        for number, (days, month, town) in enumerate(lengths)
        for one in days_of(1, days, f"2020-{month:02d}")
    ]
    asked = span("2020-01", "2020-12")
    changed = rules(STHLM, threshold=Fraction(threshold))
    owed = settle(stays, changed, one_price("8200"), asked)
    (step,) = steps_of(stays, changed, "2020-01", "2020-12")
    assert step.total.amount == sum((one.amount for one in owed), Decimal())


def test_every_year_of_the_stays_has_the_rate():
    stays = days_of(1, 4, "2031-05")
    terms = hypothetical_rules(rules(LUS), Month(2031, 6).first)
    ledger = by_name(next(columns_of_rows(stays, [])), terms, Month(2031, 6).first)
    assert flat_rates(terms, Decimal(5), ledger).find("varddygn", 2031, CareForm.SOMATIC)


# --- the command ------------------------------------------------------------------------------------


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def two_months(tmp_path: Path) -> Path:
    path = tmp_path / "stays.ndjson"
    path.write_bytes(b"".join(orjson.dumps(row_of(one)) + b"\n" for one in TWO_MONTHS))
    return path


def test_json_has_a_line_for_each_step(two_months):
    result = run(
        "forecast",
        "--stays",
        two_months,
        "--agreement",
        STHLM,
        "--threshold",
        "3,2",
        "--rate",
        "8200",
        "--format",
        "json",
    )
    three, two = map(json.loads, result.stdout.splitlines())
    assert (three["step"], three["amount"], three["payable_days"]) == ({"threshold": 3}, 492000, 60)
    assert [(one["municipality"], one["name"], one["amount"]) for one in two["municipalities"]] == [
        ("2321", "Åre", 196800),
        ("2380", "Östersund", 984000),
    ]
    assert three["over"][0] == {"month": "2019-05", "care_form": "somatic", "municipalities": 1, "of": 2}
    assert three["rate"] == {"amount": 8200, "year": None, "verified": None}
    assert (three["seed"], three["replicates"]) == (2017612, 1000)
    assert any(
        words.startswith("Hypothetical: the terms of stockholm-2020 as on 2019-07-01")
        for words in three["assumptions"]
    )


def test_the_newest_known_rate_is_an_assumption_that_is_printed(two_months):
    result = run("forecast", "--stays", two_months, "--agreement", STHLM)
    assert "A day costs 10500 SEK: the newest known amount, of 2023, not verified." in result.stdout
    assert "The share that is billable is 1. Every stay at hand is taken to be billable." in result.stdout
    assert "(seed 2017612)" in result.stdout
    assert "stockholm-2020: The first level is 2.0 days" in result.stdout


def test_the_agreement_in_force_is_taken(two_months):
    result = run("forecast", "--stays", two_months, "--format", "json")
    assert json.loads(result.stdout)["agreement"] == JH
    assert "to be renegotiated by 2018-12-31" in result.stdout


def test_csv_has_a_row_for_each_municipality_and_one_for_all(two_months):
    result = run(
        "forecast",
        "--stays",
        two_months,
        "--agreement",
        LUS,
        "--first-payable-day",
        "3,2",
        "--rate",
        "8200",
        "--billable",
        "0.25..0.75",
        "--format",
        "csv",
    )
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["first_payable_day"], row["municipality"], row["amount"]) for row in rows] == [
        ("3", "2321", "0.00"),
        ("3", "2380", "246000.00"),
        ("3", "", "246000.00"),
        ("2", "2321", "98400.00"),
        ("2", "2380", "492000.00"),
        ("2", "", "590400.00"),
    ]
    assert (rows[0]["billable_low"], rows[0]["billable_high"], rows[0]["months"]) == (
        "0.25",
        "0.75",
        "2019-05..2019-06",
    )


def test_one_care_form_alone(tmp_path):
    """Document 004: «Det finns idag ingen statistik över utskrivningsklara dagar för psykiatrisk slutenvård.»"""
    stays = [
        *TWO_MONTHS,
        *(one._replace(care_form=CareForm.PSYCHIATRIC, stay=f"p{one.stay}") for one in TWO_MONTHS),
    ]
    path = tmp_path / "stays.ndjson"
    path.write_bytes(b"".join(orjson.dumps(row_of(one)) + b"\n" for one in stays))
    given_ = (
        "forecast",
        "--stays",
        path,
        "--agreement",
        STHLM,
        "--threshold",
        "3",
        "--rate",
        "8200",
        "--format",
        "json",
    )
    assert json.loads(run(*given_).stdout)["amount"] == 2 * 492000
    alone = json.loads(run(*given_, "--care-form", "somatic").stdout)
    assert (alone["amount"], {one["care_form"] for one in alone["over"]}) == (492000, {"somatic"})


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (("--threshold", "x"), "threshold: write"),
        (("--threshold", "-1"), "threshold: write"),
        (("--first-payable-day", "3", "--agreement", STHLM), "no amount of stockholm-2020 depends on it"),
        (("--threshold", "3", "--agreement", LUS), "no amount of lus-2017-612 depends on it"),
        (("--billable", "1.1"), "is between 0 and 1"),
        (("--billable", "0.9..0.6"), "is between 0 and 1"),
        (("--billable", "half"), "is between 0 and 1"),
        (("--rate", "0"), "is an amount in SEK"),
        (("--rate", "many"), "is an amount in SEK"),
        (("--replicates", "1"), "--replicates"),
        (("--from", "2020-01", "--to", "2019-01"), "is before --from"),
        (("--from", "2010-01", "--to", "2010-12"), "no stay has ended in these months"),
    ],
)  # fmt: skip
def test_used_wrongly(two_months, given_, words):
    result = run("forecast", "--stays", two_months, *given_)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_two_agreements_in_force_have_to_be_told_apart(tmp_path):
    stays = [*days_of(1, 2, "2020-05"), *of("0180", days_of(1, 2, "2020-05"))]
    path = tmp_path / "stays.ndjson"
    path.write_bytes(b"".join(orjson.dumps(row_of(one)) + b"\n" for one in stays))
    result = run("forecast", "--stays", path)
    assert result.exit_code == 2
    assert f"{JH}, {STHLM}" in " ".join(result.stderr.replace("│", " ").split())


def test_a_hundred_thousand_stays_take_a_few_seconds():
    """Measured in processor time: five steps of Bilaga 9, whose gate remembers, 26 municipalities, twelve months."""
    stays = [
        one._replace(stay=f"{town}/{one.stay}", municipality=town)
        for town in [f"01{number:02d}" for number in range(14, 40)]
        for month in range(1, 13)
        for days in range(8)
        for one in days_of(40, days, f"2019-{month:02d}")
    ]
    assert len(stays) > 99_000
    asked = span("2019-01", "2019-12")
    terms = hypothetical_rules(rules(JH), asked[-1].end)
    columns = Columns.joined(list(columns_of_rows(stays, [])))
    begun = time.process_time()
    ledger = by_name(columns, terms, asked[-1].end)
    premises = Premises(asked, Decimal(8200), Fraction(1, 2), ONE, 1_000)
    grid = {"threshold": tuple(map(Decimal, ("5", "4", "3", "2", "1")))}
    made = list(forecast(ledger, terms, premises, grid, np.random.default_rng(1)))
    assert time.process_time() - begun < 10, "1.5 s where it was measured"
    assert len(made) == 5


# --- compare before the measure starts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "moved", "because"),
    [
        ("2019-05", "2019-06", True, "Stockholm is measured from 2020-01-01"),
        ("2019-12", "2020-02", True, "one month before it"),
        ("2020-01", "2020-02", False, "from its first month on its terms hold by themselves"),
    ],
)
def test_the_measure_starts_no_later_than_the_first_month_asked_for(first, last, moved, because):
    changed = hypothetical(rules(STHLM), span(first, last))
    assert (changed is not rules(STHLM)) is moved, because
    starts = {period.terms.measure_from for periods in changed.periods.values() for period in periods}
    assert starts == {min(Month.parse(first), Month(2020, 1)).first}, because


def test_nothing_asked_for_changes_nothing():
    assert hypothetical(rules(STHLM), ()) is rules(STHLM)


def test_compare_says_what_is_hypothetical(two_months):
    """Document 004: the stays of December 2018 to March 2019 by an agreement of 2020."""
    given_ = ("compare", LUS, STHLM, "--stays", two_months)
    rows = [json.loads(line) for line in run(*given_, "--format", "json").stdout.splitlines()]
    assert [
        (one["b"]["status"], one["b"]["amount"], one["b"]["hypothetical"])
        for one in rows
        if one["municipality"] == "2380"
    ] == [
        ("liable", 20 * 7800, True),
        ("follow-up", 0, True),
    ]
    assert not any("hypothetical" in one["a"] for one in rows)
    printed = run(*given_).stdout
    assert (
        "B stockholm-2020 is measured from 2020-01-01; hypothetical: its terms are taken to hold for all months asked for, from 2019-05."
        in printed
    )
    assert {
        row["hypothetical"] for row in csv.DictReader(io.StringIO(run(*given_, "--format", "csv").stdout))
    } == {"b"}
    assert "stockholm-2020 (hypothetical)" in run(*given_, "--format", "svg").stdout


def test_compare_from_the_measure_on_is_as_agreed(two_months):
    result = run("compare", LUS, JH, "--stays", two_months, "--format", "json")
    assert not any("hypothetical" in json.loads(line)["b"] for line in result.stdout.splitlines())


def test_variants_say_so_too(two_months):
    given_ = ("compare", LUS, STHLM, "--stays", two_months, "--sweep", "threshold=2,3")
    rows = [json.loads(line) for line in run(*given_, "--format", "json").stdout.splitlines()]
    assert [(one["sweep"], one["amount"], one["hypothetical"]) for one in rows if "sweep" in one] == [
        ({"threshold": 2}, 24 * 7800, True),
        ({"threshold": 3}, 10 * 7800, True),
    ]
    assert {
        row["hypothetical"] for row in csv.DictReader(io.StringIO(run(*given_, "--format", "csv").stdout))
    } == {"b"}
