"""The joint follow-up folded: corrections, measures carried over, what is missing (Bilaga 9)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapter.losus.days import Month
from adapter.settlement.joint import Entry, Head, JointFollowUp, Progress, State, refused, series_of
from adapter.settlement.joint_entries import CONTENT, ENTERED, Party
from adapter.settlement.joint_view import view

START = datetime(2019, 5, 2, 9, tzinfo=UTC)
NOTHING = {"kept": 0, "of": 0}
OVER = {
    "kind": "judged", "status": "analysis", "over": True, "statement": "s", "stays": 3, "days": 12,
    "threshold": "3", "ended": 3, "means": [], "day_zero": NOTHING, "limits": {}, "returned": NOTHING,
    "missed": [{"name": "sip-call", "stay": "a", "due": "2019-03-15T11:00:00Z", "met_at": None}],
}  # fmt: skip
BELOW = OVER | {"over": False, "days": 3, "status": "follow-up", "missed": []}
OPENED = {"kind": "opened", "because": "over-threshold"}
REGION, TOWN = (
    {"party": "region", "name": "Anna"},
    {"party": "municipality", "name": "Bo", "role": "controller"},
)
MET = {"kind": "meeting", "held_on": "2019-05-02", "representatives": [REGION, TOWN]}
FOUND = {"kind": "finding", "text": "Calls to SIP are late."}
DO = {
    "kind": "measure",
    "text": "Call on the day.",
    "party": "region",
    "responsible": "Ward 5",
    "due": "2019-06-01",
}


def did(result: str, measure: str = "m3-5", **more: Any) -> dict[str, Any]:
    return {"kind": "outcome", "measure": measure, "result": result, **more}


def head(month: int) -> Head:
    return Head(f"m{month}", "a", "2380", "somatic", Month(2019, month))


def entries(*written: tuple[int, str | None, dict[str, Any]]) -> Iterator[Entry]:
    """Yield entries as they were written one after another: month, party, content."""
    numbers: dict[int, int] = {}
    for turn, (month, party, content) in enumerate(written):
        numbers[month] = numbers.get(month, 0) + 1
        at = START + timedelta(minutes=turn)
        made = None if party is None else Party(party)
        yield Entry(f"m{month}", numbers[month], at, made, "x", CONTENT.validate_python(content))


def folded(*written: tuple[int, str | None, dict[str, Any]]) -> dict[str, JointFollowUp]:
    return series_of([head(month) for month in (3, 4, 5)], entries(*written))


MARCH = [
    (3, None, OPENED),
    (3, None, OVER),
    (3, "region", MET),
    (3, "municipality", FOUND),
    (3, "region", DO),
]
APRIL = [(4, None, OPENED), (4, None, BELOW), (4, "region", MET)]

STATES: list[tuple[list[Any], str, set[str], str]] = [
    # what is written, state of March, what is missing, because
    (MARCH[:1], "open", {"representatives-region", "representatives-municipality"}, "nobody has met"),
    (
        MARCH[:2],
        "open",
        {"representatives-region", "representatives-municipality", "findings", "measures"},
        "over: «en gemensam analys och lämpliga åtgärder»",
    ),
    (
        [*MARCH[:2], (3, "region", MET | {"representatives": [REGION]})],
        "open",
        {"representatives-municipality", "findings", "measures"},
        "«Representanter från varje kommun och regionen»",
    ),
    (MARCH[:4], "open", {"measures"}, "an analysis without a measure is none"),
    (MARCH, "held", set(), "the measure is not done"),
    ([*MARCH, (3, "region", did("done"))], "completed", set(), "done within the month"),
    ([*MARCH, (3, "region", did("not-done"))], "held", set(), "not done"),
    (
        [(3, None, OPENED), (3, None, BELOW), (3, "region", MET)],
        "completed",
        set(),
        "below: a control is all",
    ),
]


@pytest.mark.parametrize(("written", "state", "missing", "because"), STATES)
def test_how_far_a_month_has_come(written: list[Any], state: str, missing: set[str], because: str) -> None:
    march = folded(*written)["m3"]
    assert (march.state.value, set(march.missing)) == (state, missing), because


CARRIED: list[tuple[list[Any], str | None, str, str]] = [
    # written beside March and April, the measure in April (None: not carried), April's state, because
    ([], "open", "open", "it is to be followed up"),
    ([(4, "region", did("done"))], "done", "completed", "followed up, and done"),
    ([(4, "region", did("not-done", text="Nobody was there."))], "open", "held", "followed up, not done"),
    ([(4, "region", did("moved", due="2019-07-01"))], "open", "held", "followed up, moved"),
    ([(3, "region", did("done"))], None, "completed", "done before April"),
    ([(3, "region", {"kind": "withdrawal", "corrects": 5, "text": "No."})], None, "completed", "withdrawn"),
]


@pytest.mark.parametrize(("more", "progress", "state", "because"), CARRIED)
def test_a_measure_is_carried_until_it_is_done(
    more: list[Any], progress: str | None, state: str, because: str
) -> None:
    series = folded(*MARCH, *APRIL, *more)
    assert [one.progress.value for one in series["m4"].carried] == ([] if progress is None else [progress]), (
        because
    )
    assert series["m4"].state.value == state, because


def test_one_that_is_not_done_is_carried_from_month_to_month() -> None:
    may = [(5, None, OPENED), (5, None, BELOW)]
    moved = (4, "region", did("moved", due="2019-07-01"))
    series = folded(*MARCH, *APRIL, moved, *may, (5, "municipality", did("done")))
    march, april, last = (series[name] for name in ("m3", "m4", "m5"))
    assert [(one.progress, one.due.isoformat()) for one in march.measures] == [(Progress.DONE, "2019-07-01")]
    assert [one.progress for one in april.carried] == [Progress.OPEN], "as it was in April"
    assert [one.progress for one in last.carried] == [Progress.DONE]
    assert [one.version for one in (*march.measures, *april.carried, *last.carried)] == [3, 2, 3]
    assert [each.result.value for each in march.measures[0].outcomes] == ["moved", "done"]
    assert (march.state, april.state) == (State.COMPLETED, State.HELD)


def test_a_correction_is_an_entry_and_the_first_stays() -> None:
    again = DO | {"corrects": 5, "due": "2019-06-15"}
    series = folded(
        *MARCH, (3, "region", again), (3, "region", {"kind": "withdrawal", "corrects": 3, "text": "x"})
    )
    march = series["m3"]
    assert [(one.id, one.due.isoformat()) for one in march.measures] == [("m3-5", "2019-06-15")], (
        "its id stays"
    )
    assert march.meetings == ()
    assert march.replaced == {5: 6, 3: 7}
    assert [one.number for one in march.entries] == [1, 2, 3, 4, 5, 6, 7]
    shown = view(march, 7)
    assert [one["replaced_by"] for one in shown["entries"]] == [None, None, 7, None, 6, None, None]


REFUSED: list[tuple[str, str, dict[str, Any], str, str]] = [
    # where, party, what, expression of the fault (empty: taken), because
    ("m3", "municipality", FOUND, "", "each party enters its own"),
    ("m3", "municipality", FOUND | {"corrects": 4}, "", "its own entry"),
    ("m3", "region", FOUND | {"corrects": 4}, "corrects", "the other party's entry"),
    ("m3", "region", FOUND | {"corrects": 3}, "corrects", "another kind"),
    ("m3", "region", FOUND | {"corrects": 99}, "corrects", "there is none"),
    ("m3", "region", FOUND | {"corrects": 1}, "corrects", "the adapter's own"),
    ("m3", "region", DO | {"corrects": 5}, "corrects", "corrected already, by entry 6"),
    ("m3", "region", DO | {"corrects": 6}, "", "the newer one"),
    ("m3", "region", {"kind": "withdrawal", "corrects": 6, "text": "x"}, "", "a measure is taken back"),
    ("m4", "region", did("done"), "", "carried over to April"),
    ("m3", "region", did("done"), "", "decided here"),
    ("m4", "region", did("done", "m3-4"), "measure", "no measure"),
    ("m4", "region", did("done", due="2019-07-01"), "due", "only what is moved has a new day"),
    ("m4", "region", did("moved"), "due", "what is moved has a new day"),
]


@pytest.mark.parametrize(("where", "party", "content", "expression", "because"), REFUSED)
def test_what_may_be_entered(
    where: str, party: str, content: dict[str, Any], expression: str, because: str
) -> None:
    series = folded(*MARCH, (3, "region", DO | {"corrects": 5}), *APRIL)
    found = refused(series, where, Party(party), ENTERED.validate_python(content))
    assert [one.expression for one in found] == ([expression] if expression else []), because


def test_one_that_is_done_is_done_once() -> None:
    series = folded(*MARCH, *APRIL, (4, "region", did("done")))
    again = ENTERED.validate_python(did("not-done"))
    assert [one.expression for one in refused(series, "m4", Party.REGION, again)] == ["measure"]
    corrected = ENTERED.validate_python(did("not-done", corrects=4))
    assert refused(series, "m4", Party.REGION, corrected) == []


TEXTS = [
    # text, whether it may be entered, because
    ("Calls to SIP are late.", True, "words"),
    ("Stay 5f3b: called on 2019-05-02.", True, "a date is no number of a person"),
    ("Ring 063-14 75 00.", True, "a telephone number"),
    ("Patient 19121212-1212 waited.", False, "a personnummer, with its century"),
    ("Patient 121212-1212 waited.", False, "without"),
    ("Patient 1212121212 waited.", False, "digits alone"),
    ("Patient 121212+1212 waited.", False, "over a hundred years old"),
    ("Patient 121272-1219 waited.", False, "a samordningsnummer"),
    ("Number 121212-1213.", True, "its checksum is wrong: an order number"),
    ("A\0B", False, "no text of PostgreSQL or XML"),
    ("  ", False, "nothing"),
    ("x" * 4001, False, "longer than a page"),
]


@pytest.mark.parametrize(("text", "is_taken", "because"), TEXTS)
def test_text_names_nobody_by_number(text: str, is_taken: bool, because: str) -> None:
    for content in (FOUND | {"text": text}, DO | {"text": text}):
        try:
            ENTERED.validate_python(content)
        except ValidationError:
            assert not is_taken, because
        else:
            assert is_taken, because


def test_authors_of_the_region_are_the_regions_own() -> None:
    march = folded(*MARCH)["m3"]
    assert {one["author"] for one in view(march, 5)["entries"]} == {"x"}
    seen = view(march, 5, "2380")["entries"]
    assert [one["author"] for one in seen] == [None, None, None, "x", None]
    assert [one.get("text") for one in seen] == [one.get("text") for one in view(march, 5)["entries"]]


RESULTS = st.sampled_from(["done", "not-done", "moved"])


@given(st.lists(st.tuples(st.sampled_from([3, 4, 5]), RESULTS), max_size=8))
def test_a_measure_is_in_no_month_after_it_is_done_and_never_lost(told: list[tuple[int, str]]) -> None:
    """Whatever is entered, in whatever month: carried into each month until done, and into none after."""
    written: list[Any] = [*MARCH, *APRIL, (5, None, OPENED), (5, None, BELOW)]
    for month, result in told:
        content = did(result, **({"due": "2019-09-01"} if result == "moved" else {}))
        series = folded(*written)
        if not refused(series, f"m{month}", Party.REGION, ENTERED.validate_python(content)):
            written.append((month, "region", content))
    series = folded(*written)
    outcomes = series["m3"].measures[0].outcomes
    for month in (4, 5):
        before = [one.result.value for one in outcomes if one.month < Month(2019, month)]
        assert bool(series[f"m{month}"].carried) == (before[-1:] != ["done"])
    last = [one.result.value for one in outcomes][-1:]
    assert (series["m3"].measures[0].progress is Progress.DONE) == (last == ["done"])
    assert date(2019, 1, 1) < series["m3"].measures[0].due
