"""A region's own amounts per day: laid over the shipped ones, added in one step, refused where unsound."""

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapter.agreements.check import check
from adapter.agreements.load import OWN_RATES, default_folder, load_book, read_rates
from adapter.agreements.rates import RateEntry, Rates
from adapter.agreements.rates_file import NewAmount, rates_text, with_amount
from adapter.agreements.terms import CareForm
from adapter.cli import app

NOWHERE = dict.fromkeys(("LOSUS_DATABASE", "LOSUS_SETTINGS", "LOSUS_SECRETS", "LOSUS_RATES"), "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_folder(), tmp_path / "agreements"))


def rates(folder: Path, *words: str, **environment: str) -> Result:
    more = ("--agreements", str(folder))
    return CliRunner().invoke(app, ["rates", *words, *more], env=NOWHERE | environment)


def add(folder: Path, *words: str, **environment: str) -> Result:
    return rates(folder, "add", *words, "--source", "HSLF-FS 2020:73, 1 §", **environment)


def found(folder: Path, year: int, form: CareForm = CareForm.SOMATIC, series: str = "varddygn") -> object:
    rate = load_book(folder).rates.find(series, year, form)
    return rate and (rate.amount, rate.verified, rate.source)


OWN = "HSLF-FS 2020:73, 1 §"
ADDED = [
    # year, amount and options; what holds then of 2021, 2018 and BAL's 2016 psychiatric; because
    (("2021", "8700"), (8700, True, OWN), 7100, 4085, "a year that had none"),
    (("2021", "8700.50"), (Decimal("8700.50"), True, OWN), 7100, 4085, "two decimals"),
    (("2021", "8 700"), (8700, True, OWN), 7100, 4085, "as a person writes it"),
    (("2021", "8700", "--unverified"), (8700, False, OWN), 7100, 4085, "a secondary source: provisional"),
    (("2018", "7100", "--section", "2 §"), None, 7100, 4085, "of a year that has one"),
    (("2021", "8700", "--care-form", "psychiatric"), None, 7100, 4085, "for the other care form alone"),
    (("2016", "5000", "--series", "betalningsansvarslagen"), None, 7100, 5000, "for all care forms"),
    (
        ("2016", "5000", "--series", "betalningsansvarslagen", "--care-form", "somatic"),
        None, 7100, 4085, "the other care form keeps its own",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("words", "of_2021", "of_2018", "bal", "because"), ADDED)
def test_an_added_amount_lies_over_the_shipped_ones(folder, words, of_2021, of_2018, bal, because):
    done = add(folder, *words)
    assert done.exit_code == 0, done.output
    assert found(folder, 2021) == of_2021, because
    assert found(folder, 2018)[0] == of_2018, because
    assert found(folder, 2016, CareForm.PSYCHIATRIC, "betalningsansvarslagen")[0] == bal, because
    assert found(folder, 2019) == found(default_folder(), 2019), "settlement 5: nothing else changes"


REFUSED = [
    (("2021", "0"), "over 0"),
    (("2021", "-5"), "No such option"),
    (("2021", "8700.505"), "at most two decimals"),
    (("2021", "NaN"), "over 0"),
    (("2021", "1e400"), "over 0"),
    (("2021", "many"), "8700 or 8700.50"),
    (("1891", "8700"), "a year from"),
    (("2021", "8700", "--series", "vardygn"), "no such series; there are: betalningsansvarslagen, varddygn"),
    (("2021", "8700", "--checked", "2399-01-01"), "yet to come"),
    (("2021", "8700", "--words", "har föreslagit 8700"), "a proposal is not verified"),
    (("2021", "8700", "--section", "Förslag till föreskrifter"), "a proposal is not verified"),
    (("2021", "8700", "--care-form", "dental"), "dental"),
]


@pytest.mark.parametrize(("words", "rule"), REFUSED)
def test_an_unsound_amount_is_refused_and_nothing_is_written(folder, words, rule):
    done = add(folder, *words)
    assert done.exit_code != 0
    assert rule in done.output + str(getattr(done.exception, "problems", "")), done.output
    assert not (folder / OWN_RATES).exists()


def test_a_proposal_is_added_unverified_and_verified_once_it_is_decided(folder):
    assert add(folder, "2021", "8700", "--words", "föreslår 8700", "--unverified").exit_code == 0
    assert found(folder, 2021) == (8700, False, OWN)
    assert add(folder, "2021", "8700", "--words", "fastställs till 8 700 kronor").exit_code == 0
    assert found(folder, 2021) == (8700, True, OWN)
    own = read_rates(folder / OWN_RATES)
    assert [entry.year for _, entry in own.entries()] == [2021], "each year once"


def test_the_check_finds_a_proposal_that_is_said_to_be_verified(folder):
    path = folder / "rates.yaml"
    path.write_text(
        path.read_text().replace(
            "verified: false\n        because: >-\n          Bilaga 9",
            "verified: true\n        because: >-\n          Bilaga 9",
            1,
        )
    )
    book = load_book(folder)
    findings = check(book.files, book.rates, book.municipalities, date(2026, 11, 29))
    assert [(one.rule, one.where) for one in findings if one.severity == "fault"] == [
        ("proposal", "rates.yaml series.varddygn.2018")
    ]


def test_the_check_names_the_own_file(folder):
    add(folder, "2021", "8700", "--checked", "2025-01-01")
    book = load_book(folder)
    stale = [
        one.where
        for one in check(book.files, book.rates, book.municipalities, date(2026, 11, 29))
        if one.rule == "stale"
    ]
    assert stale == ["rates.own.yaml series.varddygn.2021"]


def test_another_place_by_the_setting(folder, tmp_path):
    place = tmp_path / "region" / "amounts.yaml"
    missing = add(folder, "2021", "8700", LOSUS_RATES=str(place))
    assert "LOSUS_RATES names another place" in str(missing.exception.problems)
    place.parent.mkdir()
    assert add(folder, "2021", "8700", LOSUS_RATES=str(place)).exit_code == 0
    assert list(place.parent.iterdir()) == [place], "no half-written file stays behind"
    assert found(folder, 2021) is None, "only where the setting names it"
    listed = rates(folder, "list", "--format", "json", LOSUS_RATES=str(place))
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["amount"], row["verified"], row["file"]) for row in rows if row["year"] == 2021] == [
        ("8700", True, "amounts.yaml")
    ]
    assert [(row["amount"], row["verified"], row["file"]) for row in rows if row["year"] == 2018] == [
        ("7100", False, "rates.yaml")
    ]


def test_the_list_for_people(folder):
    shown = rates(folder, "list").stdout
    assert "7 100   no" in shown
    assert "HSLF-FS 2018:67, Socialstyrelsens föreskrifter" in shown


def test_a_broken_own_file_is_a_fault_with_its_line(folder):
    (folder / OWN_RATES).write_text(
        "documents: {}\nseries: {varddygn: {title: t, amounts: [{year: 2021}]}}\n"
    )
    done = rates(folder, "list")
    assert [problem.expression for problem in done.exception.problems] == [
        "rates.own.yaml:2 series.varddygn.amounts.0.amount"
    ]


def test_documents_of_one_name_are_told_apart(folder):
    (folder / OWN_RATES).write_text(
        "documents: {gits-2020: {title: Another text}}\nseries: {varddygn: {title: t, amounts: [{year: 2021,"
        " amount: 1, source: {document: gits-2020, section: '', words: w}}]}}\n"
    )
    assert found(folder, 2021) == (1, False, "Another text")
    assert found(folder, 2020) == found(default_folder(), 2020)


AMOUNTS = st.integers(1, 10**9).map(lambda ore: Decimal(ore) / 100)
NEW = st.builds(
    NewAmount,
    series=st.sampled_from(("varddygn", "other")),
    year=st.integers(2017, 2030),
    care_form=st.sampled_from((None, *CareForm)),
    amount=AMOUNTS,
    verified=st.booleans(),
    title=st.text(min_size=1),
    section=st.text(),
    words=st.text(),
    address=st.none() | st.text(),
    checked=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)


@settings(deadline=None)
@given(st.lists(NEW, min_size=1, max_size=6))
def test_what_is_written_is_read_again(tmp_path_factory, news):
    """Any source in any words: the file that is written reads as the value that was meant."""
    own: Rates | None = None
    for new in news:
        own = with_amount(own, new, "Belopp")
    path = tmp_path_factory.mktemp("own") / "rates.yaml"
    path.write_text(rates_text(own))
    assert read_rates(path) == own
    last = {(new.series, new.year, new.care_form): new for new in news}
    entries: dict[object, RateEntry] = {(name, one.year, one.care_form): one for name, one in own.entries()}
    assert {key: (one.amount, one.verified) for key, one in entries.items()} == {
        key: (new.amount, new.verified) for key, new in last.items()
    }
    for key, one in entries.items():
        assert own.documents[one.source.document].title == last[key].title
