"""What a record of a person says at a time: the value of a field, with the version that it rests on.

The field is the municipality, the days are those of March 2026; a version holds from 8 o'clock of its day on.
"""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

import json

import pytest

from adapter.losus.facts import corrected, select
from adapter.losus.person import protects
from adapter.losus.record import Record
from tests.losus.tables.states import ADMITTED
from tests.losus.telling import at, facts, shown, tell

A, B, C = "2380", "2326", "2309"


def version(number: int, day: str, code: str | None, *over: tuple[str | None, str | None]) -> str:
    """A version of that day; `over`: the municipality by a period from a day on (None: since ever, none)."""
    says = f" municipality={code}" if code else ""
    held = [[start, {"municipality": named} if named else {}] for start, named in over]
    stretches = f" over={json.dumps(held, separators=(',', ':'))}" if held else ""
    return f"Patient/1@{number}/2026-03-{day}T07:00:00Z patient {day} 08:00{says}{stretches}"


FIRST = version(1, "04", A)
MOVED = version(2, "20", B)
#: At A until the 9th and then at B, as was said on the 20th.
DATED = version(2, "20", B, (None, A), ("10", B))
#: At A until the 9th, nobody knows where until the 15th, then at B.
GAP = version(2, "20", B, (None, A), ("10", None), ("15", B))

# versions; at which time which value by which version; because
TABLE: list[tuple[str, list[tuple[str, str | None]], str]] = [
    (FIRST, [("04 07:59", "2380 by 1"), ("04 08:00", "2380 by 1"), ("31 08:00", "2380 by 1")], "settlement 1a: what is known first holds backwards"),
    (f"{MOVED}\n{FIRST}", [("03 08:00", "2380 by 1"), ("20 07:59:59", "2380 by 1"), ("20 08:00", "2326 by 2")], "settlement 1a: the newest version whose time has come"),
    (f"{FIRST}\n{version(2, '20', A)}", [("04 08:00", "2380 by 1"), ("20 08:00", "2380 by 1")], "the version that first says it"),
    (f"{FIRST}\n{MOVED}\n{version(3, '25', A)}", [("19 08:00", "2380 by 1"), ("24 08:00", "2326 by 2"), ("25 08:00", "2380 by 3")], "there and back: a new statement"),
    (f"{FIRST}\n{DATED}", [("03 08:00", "2380 by 1"), ("09 23:59:59", "2380 by 1"), ("10 00:00", "2326 by 2"), ("19 08:00", "2326 by 2")], "R4 datatypes#Period: a period that begins earlier is a correction"),
    (f"{FIRST}\n{version(2, '20', B, (None, None), ('10', B))}", [("09 23:59:59", "2380 by 1"), ("10 00:00", "2326 by 2")], "of the time before the period the older version is the word"),
    (f"{FIRST}\n{version(2, '20', A, (None, A), ('25', B))}", [("24 23:59:59", "2380 by 1"), ("25 00:00", "2326 by 2")], "a move to come, said before"),
    (GAP, [("09 12:00", "2380 by 2"), ("12 12:00", "2326 by 2"), ("15 12:00", "2326 by 2")], "what has ended gives way to the next that the version says"),
    (f"{FIRST}\n{version(2, '20', None, (None, A), ('10', None))}", [("09 12:00", "2380 by 1"), ("12 12:00", None), ("21 12:00", None)], "it has ended, and nothing follows: not known, never guessed"),
    (f"{FIRST}\n{version(2, '10', None)}\n{version(3, '20', B)}", [("09 12:00", "2380 by 1"), ("12 12:00", None), ("20 08:00", "2326 by 3")], "a version is whole: what it leaves out is no longer said"),
    (f"{version(1, '04', None)}\n{MOVED}", [("05 08:00", "2326 by 2")], "no statement of it is that old: what is known first"),
    (f"{DATED}\n{version(3, '25', B, (None, A), ('10', B))}", [("09 12:00", "2380 by 2"), ("26 12:00", "2326 by 2")], "the same periods again: the version that first says them"),
    (f"{DATED}\n{version(3, '25', B, (None, A), ('12', B))}", [("11 12:00", "2380 by 3"), ("12 12:00", "2326 by 2")], "the day of the move corrected"),
    (f"{FIRST}\nPatient/1@2 void\n{version(3, '20', B)}", [("05 08:00", "2326 by 3")], "entered in error takes back what was said of any time"),
    (f"{FIRST}\nPatient/1@2/2026-03-10T07:00:00Z nothing", [("09 08:00", "2380 by 1"), ("10 08:00", None)], "a version that says nothing of the person, from its time on"),
    (f"{FIRST}\nPatient/1@2 nothing", [("09 08:00", None)], "the same, of no known time"),
    (f"{FIRST}\nPatient/1@2 patient* 20 08:00 name=Ny", [("21 08:00", "2380 by 1")], "an occurrence of its own replaces nothing"),
    ("Patient/1@1 patient 04 08:00 municipality=2380\nPatient/1@1 patient 10 08:00 municipality=2326", [("09 08:00", "2380 by 1"), ("10 08:00", "2326 by 1")], "two rules of one mapping, each with its time"),
]  # fmt: skip


def record(text: str) -> Record:
    (found,) = select(facts(text)).people
    return found


@pytest.mark.parametrize(("versions", "values", "because"), TABLE, ids=[row[2] for row in TABLE])
def test_the_value_at_a_time(versions: str, values: list[tuple[str, str | None]], because: str) -> None:
    found = record(versions)
    said = {when: found.at("municipality", at(when)) for when, _ in values}
    told = {when: _by(found, when, one[0].value) if one else None for when, one in said.items()}
    assert told == dict(values), because


def _by(found: Record, when: str, value: str) -> str:
    return f"{value} by {found.first_by('municipality', at(when), value).fact.version}"


# versions, those that are corrected by which, because
CORRECTED = [
    (f"{FIRST}\n{MOVED}", [], "a move corrects nothing: the older holds of the time before it"),
    (f"{FIRST}\n{version(2, '20', A)}\n{MOVED.replace('@2', '@3')}", [], "said again, then moved"),
    (
        f"{FIRST}\n{version(2, '20', B, (None, B))}",
        [("1", "2")],
        "a newer version says otherwise of all its time",
    ),
    (f"{FIRST}\n{DATED}", [], "of the time until the move it is right"),
    (
        f"{FIRST}\n{version(2, '20', B, (None, C), ('10', B))}\nPatient/1@3 void\n{version(4, '25', A)}",
        [("1", "2"), ("2", "3")],
        "taken back after it was corrected",
    ),
    (
        f"{FIRST}\n{version(2, '20', B, (None, None), ('10', B))}",
        [],
        "of the time before the 10th it still holds",
    ),
    (f"{FIRST}\n{version(2, '04', B)}", [("1", "2")], "another value of the same time"),
    (f"{FIRST}\n{MOVED}\nPatient/1@3/2026-03-25T07:00:00Z void", [("1", "3"), ("2", "3")], "all taken back"),
    (f"{FIRST}\nPatient/1@2 nothing", [("1", "2")], "said no longer, of any time"),
]


@pytest.mark.parametrize(("versions", "expected", "because"), CORRECTED)
def test_a_statement_is_corrected_where_it_holds_of_no_time(
    versions: str, expected: list[tuple[str, str]], because: str
) -> None:
    found = corrected(select(facts(versions)))
    assert [(one.said.version, one.by.version) for one in found] == expected, because


HOME = f"{ADMITTED}\nEncounter/2@1 discharged 24 14:00"
# versions, whom the stay concerned from when on, because
COURSE = [
    (f"{HOME}\n{FIRST}", [("02 08:00", A)], "one and the same"),
    (f"{HOME}\n{FIRST}\n{MOVED}", [("02 08:00", A), ("20 08:00", B)], "moved in the stay"),
    (f"{HOME}\n{FIRST}\n{DATED}", [("02 08:00", A), ("10 00:00", B)], "by the period"),
    (f"{HOME}\n{FIRST}\n{version(2, '25', B)}", [("02 08:00", A)], "moved after the end"),
    (f"{HOME}\n{FIRST}\n{version(2, '10', A)} placing_municipality={C}", [("02 08:00", A), ("10 08:00", C)], "LUS 5:2 2 st."),
    (HOME, [("02 08:00", None)], "not known"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "expected", "because"), COURSE)
def test_the_municipalities_in_the_course_of_a_stay(
    told: str, expected: list[tuple[str, str | None]], because: str
) -> None:
    during = tell(told).person.municipalities.during
    assert [(shown(start), code) for start, code in during] == expected, because


def test_the_newest_version_of_any_record_protects() -> None:
    other = "Patient/2@1 patient 01 08:00 protected=true"
    assert protects(select(facts(f"{FIRST}\n{other}")).people)
    assert not protects(select(facts(f"{FIRST}\n{other}\nPatient/2@2 patient 20 08:00 name=Ny")).people)


def test_a_case_changes_when_what_is_to_come_begins() -> None:
    moves = f"{ADMITTED}\n{version(1, '04', A, (None, A), ('25', B))}"
    case = tell(moves, "statute", now="24 12:00")
    assert (shown(case.next_change), case.municipality) == ("25 00:00", A), "settlement 1a, while it goes on"
    assert tell(moves, "statute", now="25 00:00").municipality == B
    ended = tell(f"{moves}\nEncounter/2@1 discharged 10 14:00", "statute", now="24 12:00")
    assert ended.next_change is None, "and not when it is over"
