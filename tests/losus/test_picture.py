"""What of a case is shown, withheld and told to a municipality that it has left."""

import json
from dataclasses import replace
from datetime import date, timedelta

import jsonschema
import pytest

from adapter.losus.case import fold
from adapter.losus.picture import CasePicture, changed_fields, closing, schema, withhold
from adapter.losus.ready import day_zero
from adapter.losus.terms import STATE_LABELS, State
from tests.losus.tables.people import PERSON
from tests.losus.tables.rows import ROWS
from tests.losus.tables.states import HOME_READY, NOTICED, READY
from tests.losus.telling import JAMTLAND, Row, at, facts, tell

CHECK = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
FULL = f"""
    {PERSON}
    {HOME_READY}
    Encounter/t@1 transferred 03 08:00 unit={{"id":"w1","name":"Kirurgen"}}
    Task/k@1 care-contact-appointed 03 09:00 contact={{"name":"Ada"}}
    Task/e@1 expected-discharge 03 09:00 expected=2026-03-06
    Encounter/2@1 discharged 06 14:00 destination=home"""


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_picture_obeys_its_schema_and_can_be_read_back(row: Row) -> None:
    picture = tell(row.facts, row.terms, row.now).picture
    written = picture.model_dump_json()
    CHECK.validate(json.loads(written))
    assert CasePicture.model_validate_json(written) == picture
    assert picture.label == (STATE_LABELS[picture.state] if picture.state else None)


def test_schema_is_one_of_2020_12_and_describes() -> None:
    shape = schema()
    jsonschema.Draft202012Validator.check_schema(shape)
    assert shape["$id"] == "urn:losus:schema:case.v1"
    assert shape["properties"]["state"]["anyOf"][0]["$ref"].endswith("State")
    assert "no name" in shape["properties"]["protected"]["description"]


def test_instants_are_written_in_utc() -> None:
    written = json.loads(tell("Encounter/1@1 admitted 2026-07-01 08:00").picture.model_dump_json())
    assert written["since"] == "2026-07-01T06:00:00Z"
    assert written["deadlines"][0]["due"] == "2026-07-02T06:00:00Z"


def test_a_planned_day_stays_a_day() -> None:
    written = json.loads(tell(f"{NOTICED} expected=2026-03-06").picture.model_dump_json())
    assert written["statutory"]["expected_discharge"] == "2026-03-06"
    written = json.loads(tell(f"{NOTICED} expected=2026-03-06T00:00:00Z").picture.model_dump_json())
    assert written["statutory"]["expected_discharge"] == "2026-03-06T00:00:00Z"


def test_statutory_payload_keeps_the_four_fields_and_the_state() -> None:
    picture = tell(FULL).picture.model_copy(update={"revision": 7, "changed": ("state", "unit")})
    sent = withhold(picture, "statutory")
    said = {k: v for k, v in sent.model_dump(mode="json").items() if v not in (None, [], {}, False)}
    assert said == {
        "case_id": "c",
        "revision": 7,
        "payload": "statutory",
        "state": "discharged",
        "label": "utskriven",
        "since": "2026-03-06T13:00:00Z",
        "previous_state": "home-ready",
        "changed": ["state"],
        "municipality": "2380",
        "statutory": {
            "name": "Tolvan",
            "identifier": {
                "kind": "personnummer",
                "system": "http://electronichealth.se/identifier/personnummer",
                "value": "191212121212",
            },
            "address": "Gatan",
            "expected_discharge": "2026-03-06",
        },
    }


def test_full_payload_is_the_picture_itself() -> None:
    picture = tell(FULL).picture
    assert withhold(picture, "full") is picture


def test_closing_says_nothing_of_the_person_or_the_place() -> None:
    picture = tell(FULL).picture.model_copy(update={"revision": 7})
    sent = closing(picture)
    said = {k: v for k, v in sent.model_dump(mode="json").items() if v not in (None, [], {}, False)}
    assert said.pop("statutory") == dict.fromkeys(["name", "identifier", "address", "expected_discharge"])
    assert said == {
        "case_id": "c",
        "revision": 7,
        "payload": "full",
        "state": "discharged",
        "label": "utskriven",
        "moved": True,
        "changed": ["moved"],
    }


def test_changed_fields() -> None:
    before, after = tell(READY).picture, tell(HOME_READY).picture
    assert changed_fields(before, after) == (
        "state",
        "label",
        "since",
        "previous_state",
        "times",
        "ready_episodes",
        "criteria",
        "deadlines",
        "day_zero",
        "sources",
    )
    assert changed_fields(after, after.model_copy(update={"revision": 9, "changed": ("state",)})) == ()


def test_of_a_first_picture_all_that_says_something_has_changed() -> None:
    changed = changed_fields(None, tell(NOTICED).picture)
    assert {"state", "times", "deadlines", "sources"} <= set(changed)
    assert not {"case_id", "unit", "care_contact", "day_zero", "moved"} & set(changed)


def test_a_missed_limit_is_a_change() -> None:
    in_time = tell("Encounter/1@1 admitted 02 08:00", now="03 08:00")
    late = tell("Encounter/1@1 admitted 02 08:00", now="03 08:00:01")
    assert changed_fields(in_time.picture, late.picture) == ("deadlines",)
    assert in_time.next_change == at("03 08:00") + timedelta(microseconds=1)
    assert late.next_change is None


def test_an_absorbed_case_is_voided_and_says_by_whom() -> None:
    case = fold("c", facts(READY), terms=JAMTLAND, route={}, now=at("31 12:00"), absorbed_by="d")
    assert (case.state, case.picture.merged_into, case.deadlines) == (State.VOIDED, "d", ())
    again = fold("c", facts("E/1@1 void"), terms=JAMTLAND, route={}, now=at("31 12:00"), absorbed_by="d")
    assert [step.state for step in again.standing.history] == [State.VOIDED]


def test_a_merge_is_told_to_the_flow_and_not_shown() -> None:
    case = tell(
        f"{READY}\n{PERSON} merged_into=19850709-9805\nPatient/2@1 patient 02 08:00 merged_into=Patient/9"
    )
    assert case.merge_keys == ("19850709-9805", "Patient/9")
    assert "19850709" not in case.picture.model_dump_json()


def test_without_a_cut_off_the_day_is_the_notice_day() -> None:
    episodes = tell("Task/r@1 ready* 04 23:00").standing.episodes
    assert day_zero(episodes, replace(JAMTLAND, cutoff=None, clock="ready")) == date(2026, 3, 4)


def test_without_criteria_no_one_is_home_ready() -> None:
    case = tell(HOME_READY, replace(JAMTLAND, criteria=()))
    assert (case.state, case.picture.criteria, case.picture.day_zero) == (State.READY, (), None)


def test_an_agreement_may_ask_for_fewer_criteria() -> None:
    case = tell(READY, replace(JAMTLAND, criteria=JAMTLAND.criteria[:1]))
    assert case.state is State.HOME_READY


@pytest.mark.parametrize(
    ("facts_told", "receiver", "because"),
    [
        (f"{PERSON}\n{NOTICED}", "2380", "LUS 5:2 1 st.: folkbokförd"),
        (
            f"{PERSON} placing_municipality=2326\n{NOTICED}",
            "2326",
            "LUS 5:2 2 st.: who decided the placement",
        ),
        (f"{PERSON} placing_municipality=2326 protected=true\n{NOTICED}", "2326", "the same when protected"),
        (NOTICED, None, "unrouted"),
    ],
)
def test_who_is_told(facts_told: str, receiver: str | None, because: str) -> None:
    case = tell(facts_told)
    assert case.picture.receiver == case.municipality == receiver, because
