"""What subscribers have of a case, put together from Kafka and from what a restored database still knows."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapter.losus.picture import CasePicture
from adapter.losus.terms import State
from adapter.outbound.events import CASE_CHANGED, CASE_EXPIRED, Payload, decide
from adapter.recovery.told import mend, row_after
from adapter.store.intake import CaseRow
from adapter.store.putting_back import Ours, Staged

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def told(lane: str, revision: int, at: int, *, closing: bool = False, ce_id: str = "") -> Staged:
    """An event of the case, `at` minutes after noon."""
    picture = CasePicture(
        case_id="case", revision=revision, state=State.PLANNING, label="planering påbörjad",
        municipality=lane, moved=closing, reason=f"{lane} {revision}",
    )  # fmt: skip
    return Staged(
        lane, "case", revision, CASE_CHANGED, ce_id or f"{lane}-{revision}",
        picture.model_dump_json().encode(), closing, NOON + timedelta(minutes=at),
    )  # fmt: skip


def ours(number: int, event: Staged, *, gone: bool = False) -> Ours:
    return Ours(number, event, gone)


A1, A2, A3 = (told("2380", n, n) for n in (1, 2, 3))
A3_HERE = told("2380", 3, 30, ce_id="decided after the restore")
A4_HERE = told("2380", 4, 40, ce_id="and another one")
A_LEFT, B1 = told("2380", 3, 3, closing=True), told("2309", 1, 3)
UNROUTED = told("unrouted", 1, 1)
Z1, Z2, F1 = told("region.zata", 1, 1), told("region.zata", 2, 2), told("region.froso", 1, 3)
Z_LEFT = told("region.zata", 2, 3, closing=True)

TABLE = [
    # on Kafka and not here, here, put back, superseded, owed (lane, revision), revisions, has it, ours
    ("two more", [A2, A3], [ours(1, A1)], [A2, A3], {}, [], [("2380", 3)], "2380", False),
    ("a case that is not known", [A1, A2], [], [A1, A2], {}, [], [("2380", 2)], "2380", False),
    ("the same revision, other contents", [A2, A3], [ours(1, A1), ours(2, A3_HERE)], [A2], {2: "2380-3"},
     [], [("2380", 3)], "2380", False),
    ("what was superseded before stays so", [A3], [ours(1, A1), ours(3, A2), ours(2, A3_HERE, gone=True)], [],
     {}, [], [("2380", 3)], "2380", False),
    ("decided after the restore, beyond what Kafka has", [A3],
     [ours(1, A1), ours(2, A2), ours(3, A3_HERE), ours(4, A4_HERE)], [], {3: "2380-3"}, [], [("2380", 4)],
     "2380", True),
    ("moved away", [A_LEFT, B1], [ours(1, A1), ours(2, A2)], [A_LEFT, B1], {}, [],
     [("2380", 3), ("2309", 1)], "2309", False),
    ("moved, and the last word was not told yet", [B1], [ours(1, A1), ours(2, A2)], [B1], {},
     [("2380", 3)], [("2380", 3), ("2309", 1)], "2309", False),
    ("moved, and where to was not told yet", [A_LEFT], [ours(1, A1), ours(2, A2)], [A_LEFT], {}, [],
     [("2380", 3)], None, False),
    ("found a home after nobody's", [A2], [ours(1, UNROUTED), ours(2, A1)], [A2], {}, [],
     [("", 1), ("2380", 2)], "2380", False),
    ("of nobody any more", [UNROUTED, told("2380", 1, 0, closing=True)], [], None, {}, [],
     [("2380", 1), ("", 1)], "", False),
    ("a unit of open care beside the municipality", [A2, Z2], [ours(1, A1), ours(2, Z1)], [A2, Z2], {}, [],
     [("region.zata", 2), ("2380", 2), ("region.", 1)], "2380", False),
    ("the last word to a unit is owed", [F1], [ours(1, A1), ours(2, Z1)], [F1], {}, [("region.zata", 2)],
     [("region.zata", 2), ("region.froso", 1), ("2380", 1), ("region.", 1)], "2380", True),
    ("a unit that it has left, and no other", [Z_LEFT], [ours(1, A1), ours(2, Z1)], [Z_LEFT], {}, [],
     [("region.zata", 2), ("2380", 1), ("region.", 0)], "2380", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "kafka", "here", "back", "superseded", "owed", "revisions", "has_it", "is_ours"), TABLE
)
def test_kafka_and_the_database_put_together(
    what: str,
    kafka: list[Staged],
    here: list[Ours],
    back: list[Staged] | None,
    superseded: dict[int, str],
    owed: list[tuple[str, int]],
    revisions: list[tuple[str, int]],
    has_it: str | None,
    is_ours: bool,
) -> None:
    found = mend(kafka, here)
    assert list(found.put_back) == (kafka if back is None else back), what
    assert found.superseded == superseded, what
    assert [(one.municipality, one.revision) for one in found.closings] == owed, what
    assert all(one.closing and b"Tolvan" not in one.payload for one in found.closings)
    assert list(found.told.items()) == revisions, what
    assert (found.has_it, found.ours) == (has_it, is_ours), what
    row = row_after(CaseRow("case", "s", "k", "admitted", "9999", b"{}", {"9999": 1}), found)
    assert list(row.revisions.items()) == revisions
    if is_ours:
        assert (row.municipality, row.picture) == ("9999", b"{}"), "what stands here goes out"
    elif has_it is None:
        assert row.picture is None
    else:
        assert row.picture is not None
        last = CasePicture.model_validate_json(row.picture)
        assert (last.revision, row.state) == (dict(revisions)[has_it], State.PLANNING)


def test_taken_off_cases_at_a_revision_that_its_id_names() -> None:
    seed = f"{CASE_EXPIRED}\0case\0002380\0002"
    off = replace(
        A2, revision=0, type=CASE_EXPIRED, payload=b"", ce_id=hashlib.sha256(seed.encode()).hexdigest()[:32]
    )
    found = mend([off, A2], [ours(1, A1)])
    assert [one.revision for one in found.put_back] == [-2, 2]
    assert dict(found.told) == {"2380": 2}
    strange = replace(off, ce_id="of a revision that nobody knows")
    assert mend([strange], [ours(1, A1)]).put_back == ()


def test_what_was_told_in_part_is_compared_in_part() -> None:
    """A municipality that is sent LUS 2:2 alone: after a restore that is all that is known of what it has."""
    whole = CasePicture(
        case_id="case", state=State.PLANNING, label="planering påbörjad", municipality="2309", consent="given"
    )
    sent: dict[str, Payload] = {"2309": "statutory"}
    row, [first] = decide(CaseRow("case", "s", "k", None, None, None, {}), whole, "2309", sent)
    lost = replace(row, picture=first.payload)
    same, events = decide(lost, whole, "2309", sent)
    assert events == (), "it has that already"
    kept = CasePicture.model_validate_json(same.picture or b"")
    assert (kept.revision, kept.payload, kept.consent) == (1, "full", "given"), "kept whole again"
    ready = whole.model_copy(update={"state": State.READY, "label": "utskrivningsklar"})
    _, [second] = decide(lost, ready, "2309", sent)
    assert (second.revision, CasePicture.model_validate_json(second.payload).changed) == (
        2,
        ("state", "label"),
    )
