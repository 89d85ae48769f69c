"""A resource as it holds at an instant: `use` and `period` of its own elements decide, at any depth."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

import json
from datetime import datetime
from typing import Any

import pytest

from adapter.fhir.model import FhirVersion
from adapter.fhir.plans import plan_of
from adapter.losus.moments import as_end, as_start
from adapter.mapping.in_force import in_force, over_time

R4, R5 = FhirVersion.R4, FhirVersion.R5


def at(text: str) -> datetime:
    return as_start(text)


def period(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    return {"period": {name: text for name, text in (("start", start), ("end", end)) if text}}


# period, instant, whether it is in force, because
EDGES = [
    ({}, "2024-03-04", True, "no period: always"),
    ({"period": {}}, "2024-03-04", True, "R4 datatypes#Period: a missing bound is open"),
    (period(end="2020-01-01"), "2020-01-01T23:59:59+01:00", True, "R4 datatypes#Period: an end given as a date includes the day"),
    (period(end="2020-01-01"), "2020-01-02T00:00:00+01:00", False, "the day after, by Swedish time"),
    (period(end="2020-06-01"), "2020-06-01T21:59:59Z", True, "summer time"),
    (period(end="2020-06-01"), "2020-06-01T22:00:00Z", False, "summer time"),
    (period(end="2020-02"), "2020-02-29T23:59:59+01:00", True, "a month includes its last day"),
    (period(end="2020-02"), "2020-03-01T00:00:00+01:00", False, "the month after"),
    (period(end="2020"), "2020-12-31T23:59:59+01:00", True, "a year includes its last day"),
    (period(end="2020"), "2021-01-01T00:00:00+01:00", False, "the year after"),
    (period(end="2020-01-01T10:00:00+01:00"), "2020-01-01T09:00:00Z", True, "the end itself is in it"),
    (period(end="2020-01-01T10:00:00+01:00"), "2020-01-01T09:00:01Z", False, "after it"),
    (period(start="2020-01-01"), "2020-01-01T00:00:00+01:00", True, "a start is the first instant of its day"),
    (period(start="2020-01-01"), "2019-12-31T23:59:59+01:00", False, "before it"),
    (period(start="2020"), "2019-12-31T23:59:59+01:00", False, "before the year"),
    (period(end="9999-12-31"), "2024-03-04", True, "11 row 6: open"),
    (period(end="9999-12-31T23:59:59-01:00"), "2024-03-04", True, "open, though no calendar reaches so far"),
    (period(end="0001-01-01"), "2024-03-04", True, "not known, as some systems write it"),
    (period(start="0001-01-01"), "2024-03-04", True, "since ever"),
    (period(start="2020-13-01"), "2019-03-04", True, "no date: as if it were not there"),
    (period(start="9999-12-31"), "2024-03-04", False, "it never begins"),
    ({"use": "old"}, "2024-03-04", False, "never what is old"),
    ({"use": "old", **period(start="2020")}, "2024-03-04", False, "whatever its period"),
    ({"use": "temp", **period("2024-03-01", "2024-03-31")}, "2024-03-04", True, "both bounds"),
]  # fmt: skip


@pytest.mark.parametrize(("dated", "when", "expected", "because"), EDGES)
@pytest.mark.parametrize("name", ["address", "name", "identifier", "telecom"])
def test_the_period_decides(
    name: str, dated: dict[str, Any], when: str, expected: bool, because: str
) -> None:
    patient = {"resourceType": "Patient", "id": "p", name: [{"use": "usual", "id": "x"} | dated]}
    seen = in_force(patient, R4, at(when))
    assert (name in seen) is expected, because
    assert (seen is patient) is expected, "what holds whole is the resource itself"


OVER = {"use": "old"}
# version, resource, what is left, because
DEEP: list[tuple[FhirVersion, dict[str, Any], dict[str, Any], str]] = [
    (R4, {"resourceType": "Organization", "identifier": [OVER, {"value": "1"}]}, {"resourceType": "Organization", "identifier": [{"value": "1"}]}, "any resource"),
    (R4, {"resourceType": "Patient", "contact": [{"name": OVER, "telecom": [OVER], "gender": "female"}]}, {"resourceType": "Patient", "contact": [{"gender": "female"}]}, "a backbone element, one alone"),
    (R4, {"resourceType": "Patient", "extension": [{"url": "u", "valueAddress": OVER}]}, {"resourceType": "Patient", "extension": [{"url": "u"}]}, "an extension's value"),
    (R4, {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "u", "valueHumanName": OVER}]}}, {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "u"}]}}, "beside a primitive"),
    (R4, {"resourceType": "Patient", "name": [{"given": ["A"], "_given": [None, {"extension": [{"url": "u", "valueContactPoint": OVER}]}]}]}, {"resourceType": "Patient", "name": [{"given": ["A"], "_given": [None, {"extension": [{"url": "u"}]}]}]}, "beside one of several"),
    (R4, {"resourceType": "Encounter", "contained": [{"resourceType": "Practitioner", "id": "c", "name": [OVER]}]}, {"resourceType": "Encounter", "contained": [{"resourceType": "Practitioner", "id": "c"}]}, "contained"),
    (R4, {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Location", "address": OVER}}]}, {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Location"}}]}, "a Bundle"),
    (R5, {"resourceType": "Organization", "contact": [{"address": OVER, "telecom": [{"value": "1"}]}]}, {"resourceType": "Organization", "contact": [{"telecom": [{"value": "1"}]}]}, "R5 ExtendedContactDetail"),
    (R4, {"resourceType": "Task", "encounter": {"identifier": OVER}}, {"resourceType": "Task", "encounter": {"identifier": OVER}}, "a reference points, whatever is in use now"),
    (R4, {"resourceType": "Encounter", "period": {"end": "2020"}, "location": [{"period": {"end": "2020"}}]}, {"resourceType": "Encounter", "period": {"end": "2020"}, "location": [{"period": {"end": "2020"}}]}, "a period without a `use` is the mapping's to read"),
    (R4, {"resourceType": "Nonsense", "name": [OVER]}, {"resourceType": "Nonsense", "name": [OVER]}, "no type that FHIR knows"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "resource", "left", "because"), DEEP)
def test_at_any_depth(
    version: FhirVersion, resource: dict[str, Any], left: dict[str, Any], because: str
) -> None:
    before = json.dumps(resource)
    seen = in_force(resource, version, at("2024-03-04"))
    assert seen == left, because
    assert (seen is resource) is (resource == left)
    assert json.dumps(resource) == before, "what goes in is not touched"


def test_the_datatypes_with_use_and_period() -> None:
    for version in (R4, R5):
        patient = plan_of("Patient", version)
        assert patient is not None
        for name in ("address", "name", "identifier", "telecom"):
            plan = patient.steps[name].plan
            assert plan is not None
            assert {"use", "period"} <= plan.steps.keys()


def test_of_equals_the_latest_start_comes_first() -> None:
    addresses = [{"id": "a"}, {"id": "b", **period("2020")}, {"id": "c"}, {"id": "d", **period("2023")}]
    patient = {"resourceType": "Patient", "address": addresses, "name": addresses, "telecom": addresses}
    seen = in_force(patient, R4, at("2024-03-04"))
    assert [one["id"] for one in seen["address"]] == ["d", "b", "a", "c"]
    assert [one["id"] for one in seen["name"]] == ["d", "b", "a", "c"]
    assert seen["telecom"] is addresses, "in the order in which they were given"


def test_nothing_dated_is_the_same_at_any_time() -> None:
    assert over_time({"resourceType": "Patient", "address": [{"use": "home"}]}, R4) is None
    found = over_time({"resourceType": "Patient", "address": [period("2020", "2021")]}, R4)
    assert found is not None
    assert found.boundaries == (at("2020"), at("2022"))
    assert found.at(at("2020-05")) is found.at(at("2021-05")), "one view between two boundaries"


# text, first, last, because
MOMENTS = [
    ("2024", "2023-12-31T23:00:00+00:00", "2024-12-31T22:59:59.999999+00:00", "R4 datatypes#date"),
    ("2024-03", "2024-02-29T23:00:00+00:00", "2024-03-31T21:59:59.999999+00:00", "the spring change within"),
    ("2024-03-31", "2024-03-30T23:00:00+00:00", "2024-03-31T21:59:59.999999+00:00", "a day of 23 hours"),
    ("2024-03-04T10:00:00+01:00", "2024-03-04T09:00:00+00:00", "2024-03-04T09:00:00+00:00", "an instant"),
]


@pytest.mark.parametrize(("text", "first", "last", "because"), MOMENTS)
def test_a_time_as_a_start_and_as_an_end(text: str, first: str, last: str, because: str) -> None:
    assert (as_start(text).isoformat(), as_end(text).isoformat()) == (first, last), because


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13", "2024-03-04T10:00:00"])
def test_what_names_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        as_start(text)
