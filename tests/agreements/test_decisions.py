"""Who decided what, prolongations of a party's own, an early end, renegotiations, and the IT support's start.

Each check has its broken twin. The words cited are those of documents 002, 003 and 004.
"""

# ruff: noqa: E501 - a row stands on one line

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.agreements.check import check
from adapter.agreements.in_force import in_force
from adapter.agreements.load import Book, default_folder, load_book
from adapter.agreements.terms import CareForm
from adapter.commands.agreements import agreements_app
from adapter.errors import SetupError
from adapter.losus.days import Month
from adapter.settlement.bulk import bulk
from adapter.settlement.ledger import by_name
from adapter.settlement.plain import columns_of_rows
from adapter.settlement.render import json_lines, statement_json
from adapter.settlement.settle import settle
from tests.settlement.making import JH, STHLM, days_of, one_price, rules

TODAY = date(2026, 11, 22)
LAW = "lus-2017-612"
CITED = "source: {document: svom-2024-10-11, section: § 31, words: till och med 30 juni 2025}, checked: 2026-11-22"
PROLONGED = "    - through: 2025-06-30\n"
OPEN_END = "    through: null            # Bilaga 9 itself names no last day"
EACH = ((OPEN_END, "    through: 2024-12-31"), (PROLONGED, f"{PROLONGED}      each_decides: true\n"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_folder(), tmp_path / "agreements"))


def change(folder: Path, name: str, *changes: tuple[str, str]) -> Book:
    path = folder / f"{name}.yaml"
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    return load_book(folder)


def own(name: str, more: str) -> tuple[str, str]:
    """Give a party of Jämtland's agreement fields of its own."""
    return f"name: {name}, adopted: 2018-01-01}}", f"name: {name}, adopted: 2018-01-01, {more}}}"


def prolonged(on: str, through: str = "2025-06-30") -> str:
    return f"prolonged: [{{through: {through}, decided: {{by: Kommunfullmäktige, on: {on}}}, {CITED}}}]"


def held(book: Book, day: str, municipality: str = "2380") -> tuple[str, str]:
    agreements = {name: rules.agreement for name, rules in book.rules.items()}
    found = in_force(agreements, date.fromisoformat(day), municipality, CareForm.SOMATIC)
    return found.agreement.id, found.because


def found(book: Book, severity: str = "fault", today: date = TODAY) -> list[tuple[str, str]]:
    findings = check(book.files, book.rates, book.municipalities, today)
    return [(one.rule, one.words) for one in findings if one.severity == severity]


# --- who decided what -------------------------------------------------------------------------------


def test_norrtalje_is_bound_by_a_recorded_assumption_not_by_a_committee():
    """Document 004 reports a committee's decision (2019-10-17) and a proposal to decide on 2019-12-02."""
    (party,) = [
        one
        for one in load_book().get(STHLM).agreement.parties.municipalities
        if not isinstance(one, str) and one.code == "0188"
    ]
    assert party.adopted == date(2020, 1, 1)
    assert party.assumption == "antagen-av-alla"
    assert [(one.on, one.binds) for one in party.decided] == [(date(2019, 10, 17), False)]
    assert [(one.by, one.on) for one in party.proposed] == [
        ("Kommunstyrelsens arbetsutskott, Norrtälje kommun", date(2019, 11, 20))
    ]


NORRTALJE = "      adopted: 2020-01-01      # the executive board's own decision was not found\n      assumption: antagen-av-alla\n"
PARTIES = '  assumption: antagen-av-alla\n  checked: 2026-11-22\n  municipalities:\n    - {code: "0114"'
BOARD = "        - {by: Kommunstyrelsen, on: %s, what: Att anta, source: {document: norrtalje-2019, section: Tidplaner, words: 2 december 2019}, checked: 2026-11-22}\n"


@pytest.mark.parametrize(
    ("changes", "words", "because"),
    [
        ([(NORRTALJE, "      adopted: 2019-10-17\n")], "Norrtälje: on 2019-10-17 Socialnämnden, Norrtälje kommun decided nothing that binds: «Att anta överenskommelsen; kommunstyrelsens beslut återstod»", "a committee's decision"),
        ([(NORRTALJE, "      adopted: 2019-11-20\n")], "Norrtälje: on 2019-11-20 Kommunstyrelsens arbetsutskott, Norrtälje kommun decided nothing that binds: «Att kommunstyrelsen godkänner överenskommelsen på sitt möte den 2 december 2019»", "a proposal"),
        ([(NORRTALJE, "      adopted: 2019-12-01\n"), ("      decided:\n", "      decided:\n" + BOARD % "2019-12-02")], "Norrtälje: 2019-12-01 is before Kommunstyrelsen decided on 2019-12-02", "the day before"),
        ([(NORRTALJE, "      adopted: 2019-12-02\n"), ("      decided:\n", "      decided:\n" + BOARD % "2019-12-02")], None, "the day itself"),
        ([(NORRTALJE, "      adopted: null\n"), ("      decided:\n", "      decided:\n" + BOARD % "2019-12-02")], "Norrtälje: Kommunstyrelsen decided on 2019-12-02, and `adopted` is null", "decided, not written"),
        ([(NORRTALJE, "      adopted: null\n")], None, "not adopted: the statute"),
        ([(NORRTALJE, "      adopted: 2020-01-01\n"), (PARTIES, PARTIES.replace("  assumption: antagen-av-alla\n", ""))], "Norrtälje: neither a decision that binds nor an assumption says that it was adopted", "no reason at all"),
    ],
)  # fmt: skip
def test_adopted_is_a_decision_that_binds(folder, changes, words, because):
    faults = [one for one in found(change(folder, STHLM, *changes)) if one[0] == "adopted"]
    assert faults == ([("adopted", words)] if words else []), because


def test_a_decision_is_said_with_the_adoption(folder):
    book = change(
        folder,
        STHLM,
        (NORRTALJE, "      adopted: 2019-12-02\n"),
        ("      decided:\n", "      decided:\n" + BOARD % "2019-12-02"),
    )
    assert (
        "adopted by Norrtälje (0188) 2019-12-02, decided by Kommunstyrelsen on 2019-12-02"
        in held(book, "2020-01-01", "0188")[1]
    )


@pytest.mark.parametrize(
    ("name", "change_", "because"),
    [
        (STHLM, ("on: 2019-06-13", "on: 2026-11-23"), "a recommendation"),
        (STHLM, ("on: 2019-11-20", "on: 2026-11-23"), "a party's proposal"),
        (JH, own("Berg", prolonged("2026-11-23")), "a party's prolongation"),
        (JH, ("  superseded_by: null", f"  ended_early: {{on: 2025-01-31, by: SVOM, decided: 2026-11-23, {CITED}}}\n  superseded_by: null"), "an early end"),
        (JH, own("Berg", f"ended_early: {{on: 2025-01-31, by: KS, decided: 2026-11-23, {CITED}}}"), "an early end of a party"),
        (JH, ("    outcome: null ", f"    outcome: {{by: SVOM, on: 2026-11-23, what: Oförändrat, {CITED}}} "), "an outcome"),
    ],
)  # fmt: skip
def test_nothing_was_decided_tomorrow(folder, name, change_, because):
    book = change(folder, name, change_)
    assert ("yet-to-come", "2026-11-23 is yet to come") in found(book), because
    assert "yet-to-come" not in {rule for rule, _ in found(book, today=date(2026, 11, 23))}, because


def test_a_partys_decision_needs_its_own_source(folder):
    text = prolonged("2024-11-26").replace(f", {CITED}", "")
    assert found(change(folder, JH, own("Berg", text))) == [
        ("uncited", "neither `source` nor `assumption`"),
        ("unchecked", "no `checked` date"),
    ]


# --- each party's decision on a prolongation ----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "day", "agreement", "words", "because"),
    [
        ((), "2025-06-30", JH, "prolonged through 2025-06-30", "no party's own decision is asked for"),
        ((own("Berg", prolonged("2024-11-26")),), "2025-06-30", JH, "§ 31, decided by Kommunfullmäktige on 2024-11-26", "it is told where it is known"),
        (EACH, "2024-12-31", JH, "valid through 2024-12-31", "the last day without one"),
        (EACH, "2025-01-01", LAW, "valid through 2024-12-31, and Berg has not decided in time to prolong it through 2025-06-30", "§ 31 «rekommenderar»: a recommendation binds nobody"),
        ((*EACH, own("Berg", prolonged("2024-12-31"))), "2025-01-01", JH, "decided by Kommunfullmäktige on 2024-12-31", "decided on the last day"),
        ((*EACH, own("Berg", prolonged("2024-12-31"))), "2025-07-01", LAW, "prolonged through 2025-06-30", "and no longer"),
        ((*EACH, own("Berg", prolonged("2025-01-01"))), "2025-01-02", LAW, "has not decided in time", "what has ended is not prolonged"),
        ((*EACH, own("Östersund", prolonged("2024-11-26"))), "2025-01-01", LAW, "Berg has not decided in time", "another party's decision"),
    ],
)  # fmt: skip
def test_a_prolongation_that_each_decides(folder, changes, day, agreement, words, because):
    book = change(folder, JH, *changes) if changes else load_book(folder)
    chosen, told = held(book, day, "2326")
    assert (chosen, words in told) == (agreement, True), (because, told)


def test_each_decides_needs_the_day_that_is_prolonged(folder):
    with pytest.raises(SetupError, match="`each_decides` needs the last day that is prolonged"):
        change(folder, JH, EACH[1])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (prolonged("2024-11-26", "2025-12-31"), "Berg: `life.prolonged` has no prolongation through 2025-12-31"),
        (prolonged("2025-01-01"), "Berg: decided on 2025-01-01, after the agreement had ended; an agreement that has ended is not prolonged"),
        (prolonged("2024-11-26").replace("}]", "}, ") + prolonged("2024-11-27").removeprefix("prolonged: ["), "Berg: 2025-06-30 is listed twice"),
    ],
)  # fmt: skip
def test_a_prolongation_that_does_not_fit(folder, more, words):
    assert ("prolonged", words) in found(change(folder, JH, *EACH, own("Berg", more)))


def test_who_has_not_decided_is_noted(folder):
    book = change(folder, JH, *EACH, own("Berg", prolonged("2024-11-26")))
    ((_, words),) = [one for one in found(book, "note") if one[0] == "prolonged"]
    assert words == (
        "no decision on the prolongation through 2025-06-30: 2303, 2305, 2309, 2313, 2321, 2361, 2380"
    )


# --- an early end without a successor -----------------------------------------------------------------


def early(on: str = "2025-01-31", decided: str = "2024-12-10") -> str:
    return f"ended_early: {{on: {on}, by: SVOM, decided: {decided}, {CITED}}}"


def ended(on: str = "2025-01-31", decided: str = "2024-12-10") -> tuple[str, str]:
    return "  superseded_by: null", f"  {early(on, decided)}\n  superseded_by: null"


def test_an_agreement_ends_early_by_a_decision(folder):
    """Document 002 § 31 «kan upphöra att gälla i förtid»; the last day is the day written."""
    book = change(folder, JH, ended())
    assert [held(book, day)[0] for day in ("2025-01-31", "2025-02-01")] == [JH, LAW]
    assert (
        "ended early, 2025-01-31 the last day, decided by SVOM on 2024-12-10 (Protokoll, Sociala vård och omsorgsgruppen 2024-10-11 § 31)"
        in held(book, "2025-02-01")[1]
    )


def test_it_ends_early_for_one_party_alone(folder):
    book = change(folder, JH, own("Berg", early()))
    assert [held(book, "2025-02-01", code)[0] for code in ("2326", "2380")] == [LAW, JH]


def test_the_earlier_of_two_ends_holds(folder):
    book = change(folder, JH, ended("2025-03-31"), own("Berg", early("2025-01-31")))
    assert [held(book, "2025-02-01", code)[0] for code in ("2326", "2380")] == [LAW, JH]
    assert [held(book, "2025-04-01", code)[0] for code in ("2326", "2380")] == [LAW, LAW]


def test_stays_of_the_month_in_which_it_ends_are_settled_apart(folder):
    """The columnar way asks anew at every day on which something changes for a party."""
    book = change(folder, JH, own("Berg", early("2018-05-15")))
    from adapter.settlement.bulk import bulk_in_force  # noqa: PLC0415
    from adapter.settlement.ledger import Lasting, by_law  # noqa: PLC0415
    from adapter.settlement.settle import settle_in_force  # noqa: PLC0415

    stays = [
        one._replace(municipality="2326", stay=f"{one.stay}-{length}")
        for length in (13, 14, 15, 16)
        for one in days_of(1, length, "2018-05")
    ]
    months = (Month(2018, 5),)
    whole = settle_in_force(stays, book.rules, one_price(), months)
    law = Lasting(book.rules)
    ledger = by_law(next(columns_of_rows(stays, [])), law, months[-1].end)
    assert b"".join(bulk_in_force(ledger, law, one_price(), months).json_lines()) == b"".join(
        json_lines(whole)
    )
    assert {one.agreement: one.mean.stays for one in whole} == {JH: 2, LAW: 2}


@pytest.mark.parametrize(
    ("on", "decided", "words", "because"),
    [
        (
            "2025-06-30",
            "2024-12-10",
            "2025-06-30 is not before its stated last day 2025-06-30",
            "no early end",
        ),
        ("2025-06-29", "2024-12-10", None, "the day before the last one"),
        (
            "2025-01-31",
            "2025-02-01",
            "decided on 2025-02-01, after its last day 2025-01-31",
            "an end in hindsight",
        ),
        ("2025-01-31", "2025-01-31", None, "decided on the last day"),
        ("2017-12-31", "2017-12-01", "2017-12-31 is before it began 2018-01-01", "before it began"),
    ],
)
def test_an_early_end_that_does_not_fit(folder, on, decided, words, because):
    book = change(folder, JH, ended(on, decided))
    assert [one for rule, one in found(book) if rule == "ended-early"] == ([words] if words else []), because
    book = change(folder, JH, (ended(on, decided)[1], ended()[0]), own("Berg", early(on, decided)))
    faults = [one for rule, one in found(book) if rule == "ended-early"]
    assert faults == ([f"Berg: {words}"] if words else []), because


def test_an_early_end_without_a_clause_is_noted(folder):
    text = (folder / f"{JH}.yaml").read_text()
    start, end = text.index("  ends_early:\n"), text.index("  superseded_by: null")
    (folder / f"{JH}.yaml").write_text(text[:start] + text[end:])
    notes = found(change(folder, JH, ended()), "note")
    assert ("ended-early", "the agreement has no clause that it may end early (`ends_early`)") in notes


# --- renegotiation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "noted", "because"),
    [
        ("2018-12-31", False, "«hösten 2018» is not over"),
        ("2019-01-01", True, "it is, and nothing is written"),
    ],
)
def test_check_notes_a_renegotiation_without_an_outcome(today, noted, because):
    rules_ = {rule for rule, _ in found(load_book(), "note", date.fromisoformat(today))}
    assert ("renegotiate" in rules_) is noted, because


def assumed(book_rules, month: str) -> list[str]:
    asked = (Month.parse(month),)
    stays = days_of(1, 2, month)
    (statement,) = settle(stays, book_rules, one_price(), asked)
    ledger = by_name(next(columns_of_rows(stays, [])), book_rules, asked[-1].end)
    assert b"".join(bulk(ledger, book_rules, one_price(), asked).json_lines()) == b"".join(
        json_lines([statement])
    )
    return [one["what"] for one in statement_json(statement)["assumptions"]]


NOT_KNOWN = "The terms hold on as they were after 2018-12-31: the outcome is not known."


@pytest.mark.parametrize(
    ("month", "said"), [("2018-11", False), ("2018-12", False), ("2019-01", True), ("2025-06", True)]
)
def test_statements_of_later_years_say_that_the_outcome_is_not_known(month, said):
    """Document 003: «förhandlas på nytt hösten 2018 (inför 2019)»."""
    assert (NOT_KNOWN in assumed(rules(JH), month)) is said


def test_both_years_at_once_say_it_where_it_holds():
    asked = (Month(2018, 12), Month(2019, 1))
    stays = [*days_of(1, 2, "2018-12"), *days_of(1, 2, "2019-01")]
    ledger = by_name(next(columns_of_rows(stays, [])), rules(JH), asked[-1].end)
    made = [json.loads(one) for one in bulk(ledger, rules(JH), one_price(), asked).json_lines()]
    assert [NOT_KNOWN in [one["what"] for one in each["assumptions"]] for each in made] == [False, True]


def test_with_an_outcome_nothing_is_said(folder):
    outcome = f"    outcome: {{by: SVOM, on: 2018-12-07, what: Oförändrat, {CITED}}} "
    book = change(folder, JH, ("    outcome: null ", outcome))
    assert NOT_KNOWN not in assumed(book.get(JH), "2019-01")
    assert "renegotiate" not in {rule for rule, _ in found(book, "note")}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    by: 2018-12-31", "    by: 2017-12-31", "2017-12-31 is before the agreement began"),
        (
            "    from: 2019-01-01",
            "    from: 2018-12-30",
            "2018-12-30 is before the outcome was due, 2018-12-31",
        ),
    ],
)
def test_a_renegotiation_that_does_not_fit(folder, old, new, words):
    assert ("renegotiate", words) in found(change(folder, JH, (old, new)))


def test_several_renegotiations_and_the_day_after(folder):
    text = (folder / f"{JH}.yaml").read_text()
    start, end = text.index("  renegotiate:\n"), text.index("\nscope:")
    entries = f"  renegotiate:\n    - {{by: 2019-12-31, about: a, {CITED}}}\n    - {{by: 2020-12-31, about: b, {CITED}}}\n"
    (folder / f"{JH}.yaml").write_text(text[:start] + entries + text[end:])
    chosen = load_book(folder).get(JH)
    counts = [
        sum("outcome is not known" in one for one in assumed(chosen, month))
        for month in ("2019-12", "2020-01", "2021-01")
    ]
    assert counts == [0, 1, 2]


def test_a_partys_own_decision_takes_the_place_of_an_assumption(folder):
    book = change(folder, JH, own("Östersund", prolonged("2024-11-26")))
    words = "The parties adopted the prolongation to 2025-06-30 that SVOM recommended."
    assert words in assumed(load_book().get(JH), "2019-01")
    assert words not in assumed(book.get(JH), "2019-01")


# --- the start of the IT support ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("started", "first", "because"),
    [
        ("2018-02-20", date(2018, 3, 1), "document 003: «fr o m den 1:a i nästkommande månad»"),
        ("2018-02-28", date(2018, 3, 1), "the last day of a month"),
        ("2018-03-01", date(2018, 4, 1), "the first: still the month after"),
        ("2018-12-31", date(2019, 1, 1), "over new year"),
    ],
)
def test_the_measure_starts_in_the_month_after(folder, started, first, because):
    terms = (
        change(folder, JH, ("value: 2018-02-20", f"value: {started}"))
        .get(JH)
        .on(date(2018, 5, 1), CareForm.SOMATIC)
    )
    assert terms.measure_from == first, because
    clause = terms.clauses["measure_from"]
    assert (clause.term, clause.assumption) == ("measure_from", "it-stod-i-drift")
    assert "IT-stöd i drift 20-feb" in clause.words


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ("2018-03-01", []),
        ("2018-04-01", [("measure-from", "2018-04-01; the start of the IT support gives 2018-03-01, which is used: leave one of them out")]),
    ],
)  # fmt: skip
def test_both_the_start_and_the_measure(folder, given, faults):
    more = (
        f"  measure_from: {{value: {given}, assumption: tvangsvard, checked: 2026-11-22}}\n  start_after:\n"
    )
    book = change(folder, JH, ("  start_after:\n", more))
    assert found(book) == faults
    assert book.get(JH).on(date(2018, 5, 1), CareForm.SOMATIC).measure_from == date(2018, 3, 1)


def test_a_start_of_its_own_for_a_care_form(folder):
    more = "  it_support_started:        # `measure_from` follows: 2018-03-01\n    - {value: 2018-05-02, care_form: psychiatric, assumption: tvangsvard, checked: 2026-11-22}\n    - "
    text = (folder / f"{JH}.yaml").read_text()
    start, end = text.index("  it_support_started:"), text.index("  start_after:\n")
    block = text[start:end].split("\n", 1)[1].strip("\n").replace("\n    ", "\n      ").lstrip()
    (folder / f"{JH}.yaml").write_text(text[:start] + more + block + "\n" + text[end:])
    chosen = load_book(folder).get(JH)
    firsts = [chosen.on(date(2018, 5, 1), form).measure_from for form in CareForm]
    assert firsts == [date(2018, 3, 1), date(2018, 6, 1)]


# --- what is printed ------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    result = CliRunner().invoke(agreements_app, list(arguments))
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_list_prints_the_life_cycles():
    printed = run("list")
    assert "recommended 2024-10-11 by Sociala vård och omsorgsgruppen (SVOM)" in printed
    assert "to be renegotiated by 2018-12-31, for 2019-01-01 and on" in printed
    assert "outcome: not known" in printed
    (told,) = map(json.loads, run("list", "--format", "json").splitlines())
    assert [one["agreement"] for one in told["agreements"]] == sorted(load_book().rules)


def test_show_prints_an_agreement(folder):
    change(
        folder,
        JH,
        *EACH,
        ended(),
        own("Berg", prolonged("2024-11-26")),
        own("Åre", early("2024-06-30", "2024-01-02")),
    )
    printed = run("show", JH, "--agreements", str(folder))
    for words in (
        "prolonged through 2025-06-30, binding who decided so itself",
        "ended early, 2025-01-31 the last day: decided 2024-12-10 by SVOM",
        "2326 Berg: bound from 2018-01-01 through 2025-01-31",
        "    prolonged through 2025-06-30: decided 2024-11-26 by Kommunfullmäktige",
        "2321 Åre: bound from 2018-01-01 through 2024-06-30",
        "2380 Östersund: bound from 2018-01-01 through 2024-12-31",
    ):
        assert words in printed, words
    told = json.loads(run("show", JH, "--agreements", str(folder), "--format", "json"))
    bound = {one["code"]: one["bound"] for one in told["parties"]}
    assert bound["2326"] == {"from": "2018-01-01", "through": "2025-01-31"}
    assert told["ended_early"]["decided"] == "2024-12-10"
    assert told["renegotiate"][0]["outcome"] is None


def test_show_prints_what_a_municipality_rests_on():
    printed = run("show", "--on", "2020-05-01", "--municipality", "0188")
    assert "Assumed: All 26 municipalities have adopted the agreement" in printed
    assert "To be renegotiated by 2018-12-31" in run("show", "--on", "2019-05-01", "--municipality", "2380")
    told = json.loads(run("show", "--on", "2019-05-01", "--municipality", "2380", "--format", "json"))
    assert told["in_force"]["somatic"]["renegotiate"][0]["by"] == "2018-12-31"


def test_a_superseded_agreement_and_one_that_was_not_adopted(folder):
    change(
        folder,
        JH,
        ("name: Berg, adopted: 2018-01-01", "name: Berg, adopted: null"),
        ("superseded_by: null", f"superseded_by: {STHLM}"),
    )
    printed = run("show", JH, "--agreements", str(folder))
    assert "2326 Berg: not bound, it has not adopted the agreement" in printed
    assert f"superseded by {STHLM}" in printed


@pytest.mark.parametrize(
    "given",
    [
        ("show",),
        ("show", JH, "--on", "2020-01-01"),
        ("show", "--on", "2020-01-01"),
        ("show", "--on", "2020-01-01", "--municipality", "0001"),
    ],
)
def test_show_used_wrongly(given):
    assert CliRunner().invoke(agreements_app, list(given)).exit_code == 2
