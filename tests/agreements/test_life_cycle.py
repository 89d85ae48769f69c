"""What is in force, and what `losus agreements check` finds; each check has its broken twin."""

# ruff: noqa: E501 - a row stands on one line

import shutil
from datetime import date
from pathlib import Path

import pytest

from adapter.agreements.check import check
from adapter.agreements.in_force import in_force, party_of
from adapter.agreements.load import Book, default_folder, load_book
from adapter.agreements.terms import CareForm
from adapter.errors import SetupError

TODAY = date(2026, 11, 22)
JH, HSL, STHLM = "jamtland-harjedalen-losus-2018", "jamtland-harjedalen-hsl", "stockholm-2020"


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


def held(
    book: Book, day: str, municipality: str = "2380", form: CareForm = CareForm.SOMATIC
) -> tuple[str, str]:
    agreements = {name: rules.agreement for name, rules in book.rules.items()}
    found = in_force(agreements, date.fromisoformat(day), municipality, form)
    return found.agreement.id, found.because


def found(book: Book, today: date = TODAY) -> list[tuple[str, str]]:
    return [
        (one.rule, one.words)
        for one in check(book.files, book.rates, book.municipalities, today)
        if one.severity == "fault"
    ]


def successor(
    folder: Path, begins: str = "2025-03-01", adopted: str = "2025-02-10", status: str = "active"
) -> Book:
    """A new agreement of the same parties; Åre (2321) has not adopted it."""
    text = (folder / f"{JH}.yaml").read_text()
    head, life = text[: text.index("\nlife:\n")], text[text.index("\nscope:\n") :]
    head = head.replace(f"id: {JH}", "id: jamtland-harjedalen-losus-2025").replace(
        "adopted: 2018-01-01", f"adopted: {adopted}"
    )
    head = head.replace(f"name: Åre, adopted: {adopted}", "name: Åre, adopted: null").replace(
        "value: active", f"value: {status}"
    )
    middle = f"\nlife:\n  valid: {{from: {begins}, through: null, assumption: antagen-av-alla, checked: 2026-11-22}}\n"
    (folder / "jamtland-harjedalen-losus-2025.yaml").write_text(head + middle + life)
    return change(folder, JH, ("superseded_by: null", "superseded_by: jamtland-harjedalen-losus-2025"))


@pytest.mark.parametrize(
    ("day", "municipality", "agreement", "words", "because"),
    [
        ("2017-12-31", "2380", "bal-1990-1404", "begins 2018-01-01", "the day before"),
        ("2018-01-01", "2380", JH, "valid from 2018-01-01", "Bilaga 9 «fr o m 1 januari 2018»"),
        ("2025-06-30", "2380", JH, "prolonged through 2025-06-30", "document 002 § 31 «till och med»"),
        ("2025-07-01", "2380", "lus-2017-612", "§ 31", "nothing is agreed any more"),
        (
            "2019-12-31",
            "0188",
            "lus-2017-612",
            "begins 2020-01-01",
            "document 004 «börjar gälla från och med den 1 januari 2020»",
        ),
        (
            "2020-01-01",
            "0188",
            STHLM,
            "adopted by Norrtälje (0188) 2020-01-01 (assumption antagen-av-alla)",
            "document 004 proposes a decision on 2019-12-02, and reports none",
        ),
        ("2018-09-24", "1480", "lus-2017-612", "begins 2018-09-25", "the day before"),
        ("2018-09-25", "1480", "vastra-gotaland-2018", "valid from 2018-09-25", "from 2018-09-25"),
        ("2020-01-01", "0980", "lus-2017-612", "no agreement has municipality 0980 as a party", "Gotland"),
    ],
)
def test_in_force(day, municipality, agreement, words, because):
    chosen, told = held(load_book(), day, municipality)
    assert chosen == agreement, because
    assert words in told, because


def test_no_law_at_all():
    with pytest.raises(SetupError, match="neither an agreement nor a statute holds on 1991-12-31"):
        held(load_book(), "1991-12-31")


def test_a_party_that_has_not_adopted_is_settled_by_the_statute(folder):
    book = change(folder, JH, ("name: Berg, adopted: 2018-01-01", "name: Berg, adopted: null"))
    assert held(book, "2019-01-01", "2326") == (
        "lus-2017-612",
        "The statute lus-2017-612 applies: jamtland-harjedalen-losus-2018: Berg has not adopted it.",
    )
    assert held(book, "2019-01-01", "2380")[0] == JH


def test_a_party_that_adopted_later_is_bound_from_then(folder):
    book = change(folder, JH, ("name: Berg, adopted: 2018-01-01", "name: Berg, adopted: 2018-04-15"))
    assert [held(book, day, "2326")[0] for day in ("2018-04-14", "2018-04-15")] == ["lus-2017-612", JH]


def test_a_care_form_that_is_not_covered(folder):
    book = change(folder, JH, ("value: [somatic, psychiatric]", "value: [somatic]"))
    assert held(book, "2019-01-01", form=CareForm.PSYCHIATRIC)[1] == (
        "The statute lus-2017-612 applies: jamtland-harjedalen-losus-2018 does not cover psychiatric care."
    )


def test_a_last_day_of_its_own(folder):
    book = change(folder, STHLM, ("    through: null", "    through: 2021-12-31"))
    assert [held(book, day, "0180")[0] for day in ("2021-12-31", "2022-01-01")] == [STHLM, "lus-2017-612"]
    assert "valid through 2021-12-31" in held(book, "2022-01-01", "0180")[1]


def test_a_prolongation_never_shortens(folder):
    book = change(
        folder,
        JH,
        ("    through: null            # Bilaga 9 itself names no last day", "    through: 2026-12-31"),
    )
    assert held(book, "2026-12-31")[0] == JH


def test_a_statute_has_no_parties():
    assert party_of(load_book().get("lus-2017-612").agreement, "2380") is None


def test_a_draft_is_never_in_force(folder):
    assert (
        held(change(folder, STHLM, ("value: suspended", "value: draft")), "2020-05-01", "0180")[0]
        == "lus-2017-612"
    )


def test_it_ends_early_when_a_successor_is_adopted(folder):
    """Document 002 § 31 «kan upphöra att gälla i förtid för det fall att ett nytt avtal har beslutats»."""
    book = successor(folder)
    new = "jamtland-harjedalen-losus-2025"
    assert [held(book, day)[0] for day in ("2025-02-28", "2025-03-01", "2025-07-01")] == [JH, new, new]
    assert [held(book, day, "2321")[0] for day in ("2025-03-01", "2025-06-30", "2025-07-01")] == [
        JH,
        JH,
        "lus-2017-612",
    ]
    assert (
        "ended early by jamtland-harjedalen-losus-2025, in force for Östersund from 2025-03-01"
        in held(book, "2025-02-28")[1]
    )


def test_a_successor_that_begins_later_ends_nothing_early(folder):
    book = successor(folder, begins="2025-09-01")
    assert [held(book, day)[0] for day in ("2025-06-30", "2025-07-01", "2025-09-01")] == [
        JH,
        "lus-2017-612",
        "jamtland-harjedalen-losus-2025",
    ]


def test_a_draft_of_a_successor_ends_nothing(folder):
    assert held(successor(folder, status="draft"), "2025-05-01")[0] == JH


def test_two_agreements_at_once_are_refused(folder):
    successor(folder)
    book = change(
        folder,
        JH,
        ("    value: when-superseded\n", "    value: when-superseded\n"),
        ("superseded_by: jamtland-harjedalen-losus-2025", "superseded_by: null"),
    )
    with pytest.raises(SetupError, match="two agreements bind 2380 on 2025-03-01"):
        held(book, "2025-03-01")


# --- check ------------------------------------------------------------------------------------------


def test_the_shipped_files_have_no_fault():
    book = load_book()
    assert found(book) == []
    renegotiate, note = check(book.files, book.rates, book.municipalities, TODAY)
    assert (renegotiate.severity, renegotiate.rule) == ("note", "renegotiate")
    assert renegotiate.words.startswith("to be renegotiated by 2018-12-31, and no `outcome` is written")
    assert (note.severity, note.rule) == ("note", "gap")
    assert note.words.startswith("nothing is agreed from 2025-07-01 on, the statute applies")
    assert note.words.endswith("(2303, 2305, 2309, 2313, 2321, 2326, 2361, 2380)")


def test_while_it_is_in_force_there_is_nothing_to_note():
    book = load_book()
    assert [
        one.rule
        for one in check(book.files, book.rates, book.municipalities, date(2025, 6, 30))
        if one.rule == "gap"
    ] == []


def test_one_that_never_adopted_has_no_gap(folder):
    book = change(folder, JH, ("name: Berg, adopted: 2018-01-01", "name: Berg, adopted: null"))
    notes = check(book.files, book.rates, book.municipalities, TODAY)
    assert [one.words for one in notes if one.rule == "gap" and "2326" in one.words] == []


def test_overlap(folder):
    successor(folder)
    book = change(folder, JH, ("superseded_by: jamtland-harjedalen-losus-2025", "superseded_by: null"))
    ((_, words),) = [one for one in found(book) if one[0] == "overlap"]
    assert words.startswith(
        "jamtland-harjedalen-losus-2025 begins 2025-03-01, before this one ends (2303, 2305"
    )
    assert "2321" not in words, "Åre has not adopted it"


def test_a_successor_on_the_next_day_is_no_overlap(folder):
    rules = {rule for rule, _ in found(successor(folder, begins="2025-07-01", adopted="2025-07-01"))}
    assert not rules & {"overlap", "gap"}


def test_gap(folder):
    ((_, words),) = [one for one in found(successor(folder, begins="2025-07-02")) if one[0] == "gap"]
    assert words.startswith(
        "nothing is agreed from 2025-07-01 until jamtland-harjedalen-losus-2025 begins 2025-07-02"
    )


def test_an_open_agreement_followed_by_another_overlaps(folder):
    text = (folder / f"{STHLM}.yaml").read_text()
    (folder / "new.yaml").write_text(
        text.replace(f"id: {STHLM}", "id: stockholm-2024").replace(
            "from: 2020-01-01\n    through", "from: 2024-01-01\n    through"
        )
    )
    assert [words.split(" (")[0] for rule, words in found(load_book(folder)) if rule == "overlap"] == [
        "stockholm-2024 begins 2024-01-01, before this one ends"
    ]


@pytest.mark.parametrize(
    ("old", "new", "words", "because"),
    [
        ('{code: "2303", name: Ragunda', '{code: "2304", name: Ragunda', "2304 is no municipality", "no such code"),
        ('{code: "2303", name: Ragunda', '{code: "2303", name: Berg', "2303 is Ragunda", "another's name"),
        ('{code: "2303", name: Ragunda', '{code: "2401", name: Nordmaling', "Nordmaling lies in another county than the region", "Västerbotten"),
        ('{code: "2303", name: Ragunda', '{code: "2305", name: Bräcke', "Bräcke is listed twice", "twice"),
    ],
)  # fmt: skip
def test_unknown_party(folder, old, new, words, because):
    book = change(folder, JH, (old, new))
    assert ("unknown-party", words) in found(book), because


def test_unknown_agreement(folder):
    book = change(
        folder,
        JH,
        ("superseded_by: null", "superseded_by: next"),
        ("in_step_with: [jamtland-harjedalen-hsl]", "in_step_with: [hsl]"),
    )
    rules = [one for one in found(book) if one[0] == "unknown-agreement"]
    assert rules == [("unknown-agreement", "no agreement next"), ("unknown-agreement", "no agreement hsl")]


def test_out_of_step(folder):
    """Document 002 § 31: «dessa båda avtal behöver synkroniseras»."""
    book = change(folder, HSL, ("    - through: 2025-06-30", "    - through: 2025-12-31"))
    rules = [words for rule, words in found(book) if rule == "out-of-step"]
    assert len(rules) == 2 * 8
    assert (
        rules[0]
        == "for 2303 the ends differ: this one ends before 2026-01-01, jamtland-harjedalen-losus-2018 ends before 2025-07-01"
    )


def test_out_of_step_where_one_has_no_end(folder):
    text = (folder / f"{HSL}.yaml").read_text()
    start, end = text.index("  prolonged:\n"), text.index("  ends_early:\n")
    (folder / f"{HSL}.yaml").write_text(text[:start] + text[end:])
    words = [words for rule, words in found(load_book(folder)) if rule == "out-of-step"]
    assert words[0].startswith("for 2303 the ends differ: this one has no end, ")


def test_in_step_with_one_that_does_not_know_of_it(folder):
    book = change(folder, HSL, ("in_step_with: [jamtland-harjedalen-losus-2018]", "in_step_with: []"))
    assert found(book) == [("out-of-step", "jamtland-harjedalen-hsl does not name this one in turn")]


@pytest.mark.parametrize(
    ("old", "new", "rule", "words", "because"),
    [
        ("    value: counted\n    assumption: tvangsvard\n", "    value: counted\n", "uncited", "neither `source` nor `assumption`", "a value from nowhere"),
        ("    assumption: tvangsvard\n    checked: 2026-11-22", "    assumption: tvangsvard", "unchecked", "no `checked` date", "never checked"),
        ("    assumption: tvangsvard\n    checked: 2026-11-22", "    assumption: tvangsvard\n    checked: 2026-11-23", "unchecked", "checked 2026-11-23, which is yet to come", "tomorrow"),
        ("    assumption: tvangsvard\n    checked: 2026-11-22", "    assumption: tvangsvard\n    checked: 2025-11-21", "stale", "last checked 2025-11-21, over a year ago", "366 days"),
    ],
)  # fmt: skip
def test_a_value_without_its_ground(folder, old, new, rule, words, because):
    book = change(folder, JH, (old, new))
    assert found(book) == [(rule, words)], because


def test_a_year_sharp_is_not_over_a_year(folder):
    book = change(
        folder,
        JH,
        (
            "    assumption: tvangsvard\n    checked: 2026-11-22",
            "    assumption: tvangsvard\n    checked: 2025-11-22",
        ),
    )
    assert found(book) == []


def test_the_place_of_a_finding(folder):
    book = change(folder, JH, ("    value: counted\n    assumption: tvangsvard\n", "    value: counted\n"))
    (one, *_) = check(book.files, book.rates, book.municipalities, TODAY)
    text = (folder / f"{JH}.yaml").read_text().splitlines()
    line = 1 + next(i for i, line in enumerate(text) if line == "  compulsory:")
    assert one.where == f"{JH}.yaml:{line} scope.compulsory.0"


def test_rates_are_checked_too(folder):
    book = change(
        folder,
        "rates",
        (
            "        verified: true\n        source:\n          document: gits-2020\n          section: första stycket\n          words: är av socialstyrelsen fastställt till 8200 kr för ett vårddygn\n        checked: 2026-11-22\n",
            "        verified: true\n",
        ),
    )
    assert found(book) == [("uncited", "an amount without `source`"), ("unchecked", "no `checked` date")]
    assert {rule for rule, _ in found(load_book(), date(2027, 11, 23))} == {"stale"}
    assert found(load_book(), date(2027, 11, 22)) == []
