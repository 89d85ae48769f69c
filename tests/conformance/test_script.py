"""The scripted month: repeatable, as the adapter would publish it, and judged by what it says."""

import json
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest

from adapter.conformance.check import Known, at_end, judge
from adapter.conformance.script import Script
from adapter.conformance.telling import Delivery, Kept, Story
from tests.outbound.published import faults

SCRIPT = Script(11, "2380", 3)
STORIES = {one.name: one for one in SCRIPT.stories}


def parsed(one: Delivery) -> list[tuple[str, str, dict[str, str], Any]]:
    return [
        (
            topic,
            key.decode(),
            {name: text.decode() for name, text in headers},
            json.loads(value) if value else None,
        )
        for topic, key, value, headers in one.records
    ]


def everything() -> list[Delivery]:
    return [*SCRIPT.history(), *SCRIPT.rest(), *SCRIPT.farewell()]


def test_the_same_seed_plays_the_same_and_another_one_other_cases() -> None:
    again, other = Script(11, "2380", 3), Script(12, "2380", 3)
    assert (again.history(), again.rest(), again.farewell()) == (
        SCRIPT.history(), SCRIPT.rest(), SCRIPT.farewell(),
    )  # fmt: skip
    assert not {one.case_id for one in SCRIPT.stories} & {one.case_id for one in other.stories}
    assert not {one.case_id for one in SCRIPT.stories} & {
        one.case_id for one in Script(11, "2309", 3).stories
    }


def test_every_record_is_as_the_schemas_promise_but_for_what_no_version_knows() -> None:
    strange = set()
    for one in everything():
        for topic, key, headers, value in parsed(one):
            assert topic in {"losus.2380.events", "losus.2380.cases"}
            if headers["ce_type"] == "se.losus.case.rumour.v1":
                strange.add(key)
            else:
                assert faults(headers, value) == []
    assert strange == {STORIES["unknown"].case_id}


def test_the_snapshot_is_what_the_stories_end_in() -> None:
    """Of what is not taken back, the newest record of a key on `.cases`."""
    newest: dict[str, Any] = {}
    for one in [*SCRIPT.history(), *SCRIPT.rest()]:
        for topic, key, _, value in parsed(one):
            if topic.endswith(".cases") and not one.aborted:
                newest |= {key: value}
    for story in (*SCRIPT.stories, *SCRIPT.ends):
        found = newest[story.case_id]
        assert (found is None) == (story.kept is not Kept.YES), story.name
        assert found is None or {name: found[name] for name in story.picture} == story.picture


def test_revisions_are_contiguous_but_for_the_gap() -> None:
    seen = defaultdict(set)
    for one in [*SCRIPT.history(), *SCRIPT.rest()]:
        for topic, key, headers, value in parsed(one):
            if topic.endswith(".events") and not one.aborted and "rumour" not in headers["ce_type"]:
                seen[key].add(value["revision"])
    for story in SCRIPT.stories:
        whole = set(range(1, story.picture["revision"] + 1))
        assert whole - seen[story.case_id] == set(story.missing), story.name
        assert story.handled == len(seen[story.case_id])


def test_in_the_end_nothing_is_left() -> None:
    last: dict[str, Any] = {}
    for one in everything():
        last |= {
            key: value for topic, key, _, value in parsed(one) if topic.endswith(".cases") and not one.aborted
        }
    assert set(last.values()) == {None}


def perfect() -> dict[str, Known]:
    """What a consumer knows that keeps every rule."""
    return {
        story.case_id: Known(story.picture, story.handled, story.missing)
        for story in SCRIPT.stories
        if story.kept is not Kept.NO
    }


def test_who_keeps_every_rule_passes_all() -> None:
    assert [one.name for one in judge(SCRIPT, perfect()) if not one.passed] == []


def test_the_end_is_known_by_the_last_case_of_each_partition() -> None:
    ends = {one.case_id: Known(one.picture) for one in SCRIPT.ends}
    assert at_end(SCRIPT, ends)
    for name in ends:
        assert not at_end(SCRIPT, {**ends, name: Known(None)})


WAY = STORIES["whole way"]


def telling(story: Story, **fields: Any) -> Known:
    return Known({**story.picture, **fields}, story.handled, story.missing)


def keeping(*names: str) -> Known:
    return Known({name: WAY.picture[name] for name in names}, WAY.handled)


ANSWERS = [
    # story, what the consumer answers, checks that fail, because
    ("whole way", telling(WAY, ward="w1"), set(), "a field of its own is its own"),
    ("whole way", keeping("case_id", "revision", "state"), set(), "keeps what it needs"),
    ("whole way", keeping("case_id", "state"), {"whole way"}, "its revision is asked for"),
    ("whole way", telling(WAY, since="2026-03-09T15:00:00+01:00"), set(), "the same instant"),
    ("whole way", telling(WAY, since="2026-03-09T14:00:00"), {"whole way"}, "no instant without a zone"),
    ("whole way", telling(WAY, since="2026-03-09T15:00:00Z"), {"whole way"}, "another instant"),
    ("whole way", telling(WAY, criteria=[]), {"whole way"}, "a list is told whole"),
    ("whole way", telling(WAY, label=None), {"whole way"}, "known, and not told"),
    ("whole way", Known(None), {"whole way"}, "not known"),
    ("moved", Known(STORIES["moved"].picture, 4, ()), {"moved"}, "to be forgotten"),
    ("expired", Known(None), set(), "may be forgotten"),
    ("expired", telling(STORIES["expired"], state="ready"), {"expired"}, "but not be another"),
    ("protected", telling(STORIES["protected"], note="Tolvan Tolvansson"), {"protected"}, "under any name"),
    ("repeat", replace(telling(STORIES["repeat"]), handled=8), {"counts once"}, "once too often"),
    ("repeat", replace(telling(STORIES["repeat"]), handled=6), {"counts once"}, "one left out"),
    ("late", replace(telling(STORIES["late"]), handled=3), set(), "the snapshot is one for many"),
    ("late", replace(telling(STORIES["late"]), handled=99), {"counts once"}, "more than there were"),
    ("gap", replace(telling(STORIES["gap"]), missed=()), {"notices a gap"}, "none found"),
    ("gap", replace(telling(STORIES["gap"]), missed=(3, 4)), {"notices a gap"}, "one too many"),
]  # fmt: skip


@pytest.mark.parametrize(("story", "answer", "fails", "because"), ANSWERS)
def test_an_answer_is_held_against_the_story(
    story: str, answer: Known, fails: set[str], because: str
) -> None:
    known = {**perfect(), STORIES[story].case_id: answer}
    assert {one.name for one in judge(SCRIPT, known) if one.passed is False} == fails, because


def test_what_is_not_told_is_not_judged() -> None:
    silent = {case_id: Known(one.picture) for case_id, one in perfect().items()}
    assert [one.name for one in judge(SCRIPT, silent) if one.passed is None] == [
        "counts once",
        "notices a gap",
    ]


def test_no_reason_holds_a_value_of_a_case() -> None:
    """A verdict may be shown to anybody: it names fields and revisions."""
    for story in SCRIPT.stories:
        known = {
            **perfect(),
            story.case_id: telling(story, state="deceased", statutory={"name": "Tolvan Tolvansson"}),
        }
        for one in judge(SCRIPT, known):
            assert not any(word in one.reason for word in ("Tolvan", "deceased", *story.secret))
