"""Which events a case's change calls for, and to whom."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.losus.deadlines import Deadline, DeadlineName, DeadlineStatus
from adapter.losus.picture import CasePicture
from adapter.losus.terms import State
from adapter.outbound.events import DEADLINE_MISSED, decide
from adapter.outbound.open_care import decide_open_care
from adapter.store.intake import CaseRow, EventRow
from adapter.streams import NOBODY, STALE, is_open_care, municipality_of, unit_of

AT = datetime(2026, 3, 2, 16, tzinfo=UTC)

PAYLOADS = {"2380": "full", "2309": "statutory"}
NEW = CaseRow("c1", "ehr", "k1", None, None, None, {})


def picture(
    state: State | None = State.ADMITTED, municipality: str | None = "2380", **more: object
) -> CasePicture:
    return CasePicture(case_id="c1", state=state, label=state, municipality=municipality, **more)


def told(*steps: tuple[CasePicture, str | None]) -> list[tuple[str | None, int, str, bool]]:
    """The events that pictures one after the other call for: to whom, revision, state, closing."""
    row, seen = NEW, []
    for one, concerned in steps:
        row, events = decide(row, one, concerned, PAYLOADS)
        for event in events:
            shown = CasePicture.model_validate_json(event.payload)
            seen.append((event.municipality, event.revision, str(shown.state), event.closing))
    return seen


ADMITTED, READY, VOIDED = picture(), picture(State.READY), picture(State.VOIDED, None)

CASES = [
    # pictures and who is concerned, events (to whom, revision, state, closing), because
    ([(picture(None), "2380")], [], "nothing establishes a state: nothing is told"),
    ([(ADMITTED, "2380")], [("2380", 1, "admitted", False)], "revisions begin at 1"),
    ([(ADMITTED, "2380")] * 3, [("2380", 1, "admitted", False)], "a repeat changes nothing"),
    (
        [(ADMITTED, "2380"), (READY, "2380")],
        [("2380", 1, "admitted", False), ("2380", 2, "ready", False)],
        "revisions are contiguous",
    ),
    ([(ADMITTED, "1280")], [(None, 1, "admitted", False)], "Malmö does not subscribe: the region alone"),
    ([(ADMITTED, None)], [(None, 1, "admitted", False)], "nobody is known: the region alone"),
    (
        [(ADMITTED, "2380"), (READY, "2309")],
        [("2380", 1, "admitted", False), ("2380", 2, "admitted", True), ("2309", 1, "ready", False)],
        "the old municipality gets a closing event, of what it knew, and nothing more",
    ),
    (
        [(ADMITTED, "2380"), (READY, "2309"), (READY, "2380")],
        [
            ("2380", 1, "admitted", False),
            ("2380", 2, "admitted", True),
            ("2309", 1, "ready", False),
            ("2309", 2, "ready", True),
            ("2380", 3, "ready", False),
        ],
        "and back again: each municipality's revisions go on where they were",
    ),
    (
        [(ADMITTED, None), (ADMITTED, "2380")],
        [(None, 1, "admitted", False), ("2380", 1, "admitted", False)],
        "found later: the unrouted need no closing",
    ),
    ([(VOIDED, "2380")], [], "a plan that came to nothing: nobody was told of it, and nobody is"),
    (
        [(VOIDED, None), (ADMITTED, "2380")],
        [("2380", 1, "admitted", False)],
        "entered again: told from its first revision on",
    ),
    (
        [(ADMITTED, "2380"), (VOIDED, None)],
        [("2380", 1, "admitted", False), ("2380", 2, "voided", False)],
        "a voided case names nobody; who was told of it is told that it is void",
    ),
]


@pytest.mark.parametrize(("steps", "events", "because"), CASES)
def test_events_of_a_change(
    steps: list[tuple[CasePicture, str | None]], events: list[tuple[str | None, int, str, bool]], because: str
) -> None:
    assert told(*steps) == events, because


def test_the_same_change_has_the_same_id_and_another_one_another() -> None:
    _, [first] = decide(NEW, ADMITTED, "2380", PAYLOADS)
    _, [again] = decide(NEW, ADMITTED, "2380", PAYLOADS)
    _, [other] = decide(NEW, READY, "2380", PAYLOADS)
    assert first.ce_id == again.ce_id != other.ce_id


ZATA, FROSO, ELSEWHERE = "region.zata", "region.froso", ""
UNITS = {ZATA: "full", FROSO: "statutory"}


def care(*steps: tuple[CasePicture, str | None]) -> list[tuple[str, int, str, bool]]:
    """The events for units of open care that snapshots one after the other call for, all of Östersund."""
    row, seen = NEW, []
    for one, unit in steps:
        new, _ = decide(row, one, None if one.state is State.VOIDED else "2380", PAYLOADS)
        row, events = decide_open_care(row, new, one, unit, UNITS)
        for event in events:
            shown = CasePicture.model_validate_json(event.payload)
            seen.append((event.municipality, event.revision, str(shown.state), event.closing))
    return seen


MOVED_ON = [(ADMITTED, ZATA), (READY, FROSO), (READY, ZATA)]
CARE = [
    # snapshots and whose case it is, events (stream, revision, state, closing), because
    ([(picture(None), ZATA)], [], "nothing establishes a state: nothing is published"),
    ([(ADMITTED, ZATA)], [(ZATA, 1, "admitted", False)], "LUS 2:1 2 st.: also to open care; from 1"),
    ([(ADMITTED, ZATA)] * 3, [(ZATA, 1, "admitted", False)], "a repeat changes nothing"),
    ([(ADMITTED, None)], [], "no unit is stated"),
    ([(ADMITTED, ELSEWHERE)], [], "the unit does not subscribe"),
    ([(ADMITTED, None), (ADMITTED, ZATA)], [(ZATA, 1, "admitted", False)], "found later: the whole"),
    ([(ADMITTED, ZATA), (READY, ZATA)], [(ZATA, 1, "admitted", False), (ZATA, 2, "ready", False)], "contiguous"),
    ([(ADMITTED, ZATA), (READY, None)], [(ZATA, 1, "admitted", False), (ZATA, 2, "ready", False)], "nothing stated: it keeps it"),
    (
        [(ADMITTED, ZATA), (READY, ELSEWHERE), (READY, ELSEWHERE), (ADMITTED, ELSEWHERE)],
        [(ZATA, 1, "admitted", False), (ZATA, 2, "admitted", True)],
        "the last word, once, of what it knew",
    ),
    (
        MOVED_ON,
        [
            (ZATA, 1, "admitted", False),
            (ZATA, 2, "admitted", True),
            (FROSO, 1, "ready", False),
            (FROSO, 2, "ready", True),
            (ZATA, 3, "ready", False),
        ],
        "another unit and back: each one's revisions go on",
    ),
    (
        [(ADMITTED, ZATA), (READY, ELSEWHERE), (READY, ZATA)],
        [(ZATA, 1, "admitted", False), (ZATA, 2, "admitted", True), (ZATA, 3, "ready", False)],
        "away and back: no number is left out",
    ),
    ([(ADMITTED, ZATA), (VOIDED, None)], [(ZATA, 1, "admitted", False), (ZATA, 2, "voided", False)], "void is published"),
    ([(VOIDED, ZATA)], [], "void before anything was published"),
    (
        [(ADMITTED, FROSO), (picture(unit={"id": "w"}), FROSO)],
        [(FROSO, 1, "admitted", False)],
        "a ward is none of the four fields of LUS 2:2",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "events", "because"), CARE)
def test_events_for_open_care(
    steps: list[tuple[CasePicture, str | None]], events: list[tuple[str, int, str, bool]], because: str
) -> None:
    assert care(*steps) == events, because


def test_a_municipality_and_a_unit_have_revisions_of_their_own() -> None:
    row = NEW
    for one, home, unit in ((ADMITTED, "2380", ZATA), (READY, "2309", ZATA), (READY, "2309", FROSO)):
        new, _ = decide(row, one, home, PAYLOADS)
        row, _ = decide_open_care(row, new, one, unit, UNITS)
    assert row.revisions == {"2380": 2, "2309": 1, ZATA: 3, FROSO: 1}
    assert (municipality_of(row.revisions), unit_of(row.revisions)) == ("2309", (FROSO, False))
    assert row.municipality == "2309"


def test_a_unit_is_not_sent_the_municipality_of_a_protected_person() -> None:
    """SFL 17 a §, OSL: as for municipalities; where a protected person lives is nobody's to know."""
    protected = picture(protected=True, manual_handling="protected-identity")
    new, _ = decide(NEW, protected, "2380", PAYLOADS)
    _, [event] = decide_open_care(NEW, new, protected, ZATA, UNITS)
    shown = CasePicture.model_validate_json(event.payload)
    assert (shown.municipality, shown.placing_municipality, shown.protected) == (None, None, True)


def test_a_missed_deadline_is_an_event_of_its_own_for_open_care_too() -> None:
    def with_(status: DeadlineStatus) -> CasePicture:
        return picture(deadlines=(Deadline(DeadlineName.NOTICE_RECEIPT, status, AT, None, "LUS 4:4"),))

    first, _ = decide_open_care(
        NEW,
        decide(NEW, with_(DeadlineStatus.PENDING), "2380", PAYLOADS)[0],
        with_(DeadlineStatus.PENDING),
        ZATA,
        UNITS,
    )
    missed = with_(DeadlineStatus.MISSED)
    new, _ = decide(first, missed, "2380", PAYLOADS)
    _, [event] = decide_open_care(first, new, missed, ZATA, UNITS)
    assert (event.type, event.revision, event.ground) == (DEADLINE_MISSED, 2, "LUS 4:4")


def test_after_a_restore_a_unit_is_sent_the_whole_under_the_next_revision() -> None:
    """What the unit was sent last is not known: `losus recover` marks it stale."""
    stale = replace(
        NEW,
        state="admitted",
        municipality="2380",
        picture=ADMITTED.model_dump_json().encode(),
        revisions={ZATA: 4, NOBODY: STALE, "2380": 2},
    )
    new, told = decide(stale, ADMITTED, "2380", PAYLOADS)
    assert told == ()
    row, [event] = decide_open_care(stale, new, ADMITTED, ZATA, UNITS)
    assert (event.municipality, event.revision) == (ZATA, 5)
    assert unit_of(row.revisions) == (ZATA, False)
    left, [last] = decide_open_care(stale, new, ADMITTED, ELSEWHERE, UNITS)
    assert (last.municipality, last.revision, last.closing) == (ZATA, 5, True)
    assert unit_of(left.revisions) == (None, False)


_steps = st.lists(
    st.tuples(
        st.sampled_from([ADMITTED, READY, VOIDED, picture(on_leave=True), picture(protected=True)]),
        st.sampled_from(["2380", "2309", "1280", None]),
        st.sampled_from([ZATA, FROSO, ELSEWHERE, None]),
    ),
    max_size=12,
)


@given(_steps)
def test_every_stream_has_contiguous_revisions_and_nothing_after_its_last_word(
    steps: list[tuple[CasePicture, str | None, str | None]],
) -> None:
    row, seen = NEW, dict[str, list[EventRow]]()
    for one, home, unit in steps:
        new, told = decide(row, one, home, PAYLOADS)
        row, also = decide_open_care(row, new, one, unit, UNITS)
        for event in (*told, *also):
            seen.setdefault(event.municipality or "", []).append(event)
    for stream, events in seen.items():
        assert [event.revision for event in events] == list(range(1, len(events) + 1))
        assert row.revisions[stream] == len(events)
        shown = [CasePicture.model_validate_json(event.payload) for event in events]
        bare = [one.model_copy(update={"revision": 0, "changed": ()}) for one in shown]
        if is_open_care(stream):
            assert all(before != after for before, after in pairwise(bare))
    has = [stream for stream, events in seen.items() if is_open_care(stream) and not events[-1].closing]
    assert len(has) <= 1
    assert has == ([] if unit_of(row.revisions)[0] is None else [unit_of(row.revisions)[0]])
