"""Which events a case's change calls for, and to whom."""

import pytest

from adapter.losus.picture import CasePicture
from adapter.losus.terms import State
from adapter.outbound.events import decide
from adapter.store.intake import CaseRow

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
