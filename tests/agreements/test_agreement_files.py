"""Reading agreement files: every fault of a file at once, with file, line and rule."""

# ruff: noqa: E501 - a row stands on one line

import json
import shutil
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from adapter.agreements.load import default_folder, load_book, read_agreement, read_rates
from adapter.agreements.process import process_terms
from adapter.agreements.rules import rules_of
from adapter.agreements.schema import agreement_schema, rates_schema
from adapter.agreements.terms import CareForm
from adapter.errors import SetupError
from adapter.losus.days import Hours, LongHoliday
from adapter.losus.process import STATUTE
from adapter.losus.terms import Criterion
from adapter.marks import Marked

FOLDER = default_folder()
JH = FOLDER / "jamtland-harjedalen-losus-2018.yaml"
LUS = FOLDER / "lus-2017-612.yaml"
SHIPPED = {
    "bal-1990-1404",
    "jamtland-harjedalen-hsl",
    "jamtland-harjedalen-losus-2018",
    "lus-2017-612",
    "stockholm-2020",
    "vastra-gotaland-2018",
}


def faults(path: Path) -> list[str]:
    with pytest.raises(SetupError) as found:
        rules_of(read_agreement(path))
    return [f"{problem.expression}: {problem.rule}" for problem in found.value.problems]


def broken(tmp_path: Path, *changes: tuple[str, str], source: Path = JH) -> Path:
    text = source.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    return path


def line_of(text: str, source: Path = JH) -> int:
    return next(i for i, line in enumerate(source.read_text().splitlines(), 1) if text in line)


def test_the_shipped_files_are_read():
    book = load_book()
    assert set(book.rules) == SHIPPED
    assert len(book.municipalities) == 290
    parties = {name: len(rules.agreement.parties.municipalities) for name, rules in book.rules.items()}
    assert parties == dict.fromkeys(SHIPPED, 3) | {
        "jamtland-harjedalen-hsl": 8,
        "jamtland-harjedalen-losus-2018": 8,
        "stockholm-2020": 26,
        "vastra-gotaland-2018": 49,
    }, "len('all') is 3"
    with pytest.raises(SetupError, match="there are: bal-1990-1404, jamtland"):
        book.get("jamtland")


@pytest.mark.parametrize(
    ("old", "new", "expected", "because"),
    [
        ("    value: home-ready", "    value: homeready", "days.clock.value", "a value that is none of its words"),
        ("kind: agreement", "kind: deal", "kind", "an unknown kind"),
        ("  unit:\n", "  units:\n", "days.units", "a field that does not exist"),
        ("    value: calendar-days", "    valeu: calendar-days", "days.unit.valeu", "a slip of the pen in a term"),
        ('    value: "12:00"', "    value: noon", "days.cutoff.value", "no time of day"),
        ("    - value: 30\n", "    - value: -1\n", "gate.threshold.1.value", "a threshold below 0"),
        ("      through: 2018-12-31", "      through: 2018-02-30", "", "no such date"),
        ("    - through: 2025-06-30", "    - through: soon", "life.prolonged.0.through", "no date"),
        ('{code: "2303"', '{code: "23"', "parties.municipalities.0.code", "no kommunkod"),
        ('from: "08:00", to: "17:00"', 'from: "17:00", to: "08:00"', "process.reception.value", "hours that end before they start"),
        ("    document: bilaga-9\n    section: Övergångsbestämmelse\n    words: Denna", "    document: bilaga-8\n    section: Övergångsbestämmelse\n    words: Denna", "status.source.document", "a document that is not listed"),
        ("    assumption: tvangsvard", "    assumption: tvang", "scope.compulsory.0.assumption" , "an assumption that is not listed"),
        ("      care_form: psychiatric\n      through: 2018-12-31\n      source: &trettio", "      source: &trettio", "gate.threshold", "two values of the same rank"),
        ("      through: 2018-12-31\n      source: &trettio", "      from: 2019-01-01\n      through: 2018-12-31\n      source: &trettio", "gate.threshold.1", "a span that ends before it begins"),
        ("  first_payable_day:\n", "  first_payable_days:\n", "bill.first_payable_days", "a misspelt term"),
    ],
)  # fmt: skip
def test_a_broken_twin(tmp_path, old, new, expected, because):
    found = faults(broken(tmp_path, (old, new)))
    assert any(expected in fault for fault in found), (because, found)
    assert all(fault.startswith("broken.yaml:") and fault.split(":")[1][0].isdigit() for fault in found)


def test_the_line_of_a_fault(tmp_path):
    (found,) = faults(broken(tmp_path, ("    value: home-ready", "    value: homeready")))
    assert found == (
        f"broken.yaml:{line_of('value: home-ready')} days.clock.value: Input should be 'ready' or 'home-ready'"
    )


def test_all_faults_of_all_files_at_once(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "a")
    changed = {
        JH.name: ("    value: home-ready", "    value: homeready"),
        LUS.name: ("kind: statute", "kind: law"),
        "rates.yaml": ("amount: 7100", "amount: many"),
        "municipalities.yaml": ('"0114"', '"114"'),
        "regions.yaml": ('"01"', '"1"'),
    }
    for name, (old, new) in changed.items():
        path = tmp_path / "a" / name
        path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(SetupError) as found:
        load_book(tmp_path / "a")
    assert {(p.expression or "").split(":")[0] for p in found.value.problems} == set(changed)


def test_two_files_of_one_id_and_an_unknown_series(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "a")
    (tmp_path / "a" / "twin.yaml").write_text(LUS.read_text().replace("value: varddygn", "value: dygn"))
    with pytest.raises(SetupError) as found:
        load_book(tmp_path / "a")
    rules = [p.rule for p in found.value.problems]
    assert rules == ["the id is that of lus-2017-612.yaml too", "no such series in rates.yaml"]


def test_a_term_that_money_depends_on_is_missing(tmp_path):
    path = broken(tmp_path, ("  start_in:\n    value: next-month", "  empty_months:\n    value: next-month"))
    assert any("gate.empty_months" in fault for fault in faults(path))
    text = JH.read_text()
    start, end = text.index("  start_in:\n"), text.index("  stop_after:\n")
    path.write_text(text[:start] + text[end:])
    assert [fault.split(": ", 1)[1] for fault in faults(path)] == [
        "`start_in` has no value",
        "`start_in` has no value from 2019-01-01",
    ]


def test_a_group_that_is_missing_or_no_group(tmp_path):
    text = JH.read_text()
    path = tmp_path / "x.yaml"
    start, end = text.index("\ngate:\n") + 1, text.index("\nbill:\n")
    path.write_text(text[:start] + text[end:])
    assert {fault.split(": ", 1)[1].split(" from")[0] for fault in faults(path)} == {"`gate` has no value"}
    path.write_text(text[:start] + "gate: 7\n" + text[end:])
    assert any("gate: Input should be" in fault for fault in faults(path))


def test_a_value_that_begins_too_late(tmp_path):
    path = broken(
        tmp_path, ("  threshold:\n    - value: 3\n", "  threshold:\n    - value: 3\n      from: 2018-01-01\n")
    )
    assert any(fault.endswith("`threshold` has no value") for fault in faults(path)), "for days before 2018"


def test_a_list_without_a_value(tmp_path):
    path = broken(
        tmp_path, ("  unit:\n    value: calendar-days", "  unit: []\n  on_withdrawal:\n    value: restart")
    )
    assert any("lists no value" in fault for fault in faults(path))


def test_a_file_that_is_no_yaml_or_no_text(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: [1\n")
    (fault,) = faults(path)
    assert fault.startswith("x.yaml:2: no YAML")
    path.write_bytes(b"a: \xff")
    assert faults(path) == ["x.yaml:1: no UTF-8 text"]
    path.write_bytes(b"a: \x07")
    assert faults(path)[0].startswith("x.yaml:1: no YAML")
    path.unlink()
    assert faults(path) == ["x.yaml:1: cannot be read"]


@pytest.mark.parametrize(
    ("text", "value", "because"),
    [
        ("a: 12:00", {"a": "12:00"}, "not 720, as YAML 1.1 has it"),
        ("a: 0114", {"a": "0114"}, "not 76, as YAML 1.1 has it"),
        ("on: yes", {"on": "yes"}, "not True: True"),
        ("a: 3.10", {"a": Decimal("3.10")}, "exact, with its scale"),
        ("a: -3", {"a": -3}, "a whole number"),
        ("a: 2018-01-02", {"a": date(2018, 1, 2)}, "a date"),
        ("a: ~", {"a": None}, "null"),
        ("a:", {"a": None}, "null"),
        ("a: [true, 'true']", {"a": [True, "true"]}, "quotation marks make text"),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}, "an anchor saves writing a source twice"),
        ("", None, "an empty file"),
    ],
)
def test_how_yaml_is_read(text, value, because):
    marked = Marked(text)
    assert (marked.value, marked.faults) == (value, []), because


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: 2\na: 3", (3, "`a` stands twice")),
        ("a: &x [*x]", (1, "an anchor contains itself")),
        ("a: 2018-02-30", (1, "no such date")),
        ("a: !x 1", (1, "a tag that is not known here")),
        ("[a]: 1", (1, "a key is a word")),
    ],
)
def test_what_yaml_may_not_hold(text, fault):
    assert Marked(text).faults == [fault]


def test_a_kommunkod_without_quotation_marks_is_taken_for_what_it_is(tmp_path):
    agreement = read_agreement(broken(tmp_path, ('"2303"', "2303"), ('county: "23"', "county: 23"))).agreement
    assert agreement.parties.municipalities[0].code == "2303"
    assert agreement.region is not None
    assert agreement.region.county == "23"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("amount: 7100", "amount: 0", "greater than 0"),
        ("because: Neither the amount nor the number", "checked_by: Neither", "Extra inputs"),
        ("year: 2019", "year: 2018", "a year is listed twice"),
        ("document: gits-2020", "document: gits", "no such document"),
    ],
)
def test_broken_rates(tmp_path, old, new, rule):
    path = tmp_path / "rates.yaml"
    path.write_text((FOLDER / "rates.yaml").read_text().replace(old, new, 1))
    with pytest.raises(SetupError, match=rule):
        read_rates(path)


def test_an_unknown_amount_gives_its_reason(tmp_path):
    path = tmp_path / "rates.yaml"
    text = (FOLDER / "rates.yaml").read_text()
    start = text.index("        because: Neither")
    path.write_text(text[:start] + text[text.index("\n", start) + 1 :])
    with pytest.raises(SetupError, match="needs `because`"):
        read_rates(path)


@pytest.mark.parametrize(
    ("year", "amount", "verified"),
    [
        (2017, None, None),
        (2018, 7100, False),
        (2019, 7800, True),
        (2020, 8200, True),
        (2021, None, None),
        (2022, 9300, True),
        (2023, 10500, False),
        (2024, None, None),
        (2025, None, None),
        (2026, None, None),
        (2027, None, None),
    ],
)
def test_the_shipped_rates(year, amount, verified):
    rate = load_book().rates.find("varddygn", year, CareForm.SOMATIC)
    assert (rate and rate.amount, rate and rate.verified) == (amount, verified)


def test_a_rate_without_a_source_has_none_to_show(tmp_path):
    path = tmp_path / "rates.yaml"
    path.write_text("documents: {}\nseries: {x: {title: t, amounts: [{year: 2018, amount: 1}]}}\n")
    rate = read_rates(path).find("x", 2018, CareForm.SOMATIC)
    assert rate is not None
    assert rate.source == ""


# --- the schemas ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "made"), [("agreement", agreement_schema), ("rates", rates_schema)])
def test_the_published_schema_is_the_models(name, made):
    published = (FOLDER / f"{name}.schema.json").read_text()
    assert published == made(), "write it anew: losus agreements schema"
    jsonschema.Draft202012Validator.check_schema(json.loads(published))


@pytest.mark.parametrize(
    "path",
    sorted(
        set(FOLDER.glob("*.yaml"))
        - {FOLDER / name for name in ("municipalities.yaml", "regions.yaml", "federations.yaml")}
    ),
    ids=lambda path: path.stem,
)
def test_the_shipped_files_are_valid_by_the_schema(path):
    schema = json.loads(rates_schema() if path.name == "rates.yaml" else agreement_schema())
    value = json.loads(json.dumps(Marked(path.read_text()).value, default=_plain))
    jsonschema.Draft202012Validator(schema).validate(value)


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


# --- what the fold of a case is given ---------------------------------------------------------------


def test_the_process_of_bilaga_9():
    terms = process_terms(
        load_book().get("jamtland-harjedalen-losus-2018"), date(2019, 5, 1), CareForm.SOMATIC
    )
    assert terms.criteria == tuple(Criterion), "all seven"
    assert (terms.admission_notice_hours, terms.sip_call_days) == (24, 3)
    assert terms.reception == Hours("weekdays", time(8), time(17))
    assert terms.long_holiday == LongHoliday(2, 3)
    assert terms.eves_are_free
    assert terms.discharge == Hours("all", time(7), time(17))
    assert (terms.clock, terms.unit, terms.cutoff, terms.cutoff_inclusive) == (
        "home-ready",
        "calendar-days",
        time(12),
        False,
    )


def test_the_process_of_the_statute_is_the_folds_own():
    assert process_terms(load_book().get("lus-2017-612"), date(2019, 5, 1), CareForm.SOMATIC) == STATUTE


def test_an_agreement_that_is_silent_has_the_statutes_limits():
    terms = process_terms(load_book().get("vastra-gotaland-2018"), date(2019, 5, 1), CareForm.PSYCHIATRIC)
    assert (terms.admission_notice_hours, terms.sip_call_days, terms.reception, terms.discharge) == (
        24,
        3,
        None,
        None,
    )
