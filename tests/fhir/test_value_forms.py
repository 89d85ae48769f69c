"""The forms of ids, times, uris, references and periods: both sides of each edge."""

from typing import Any

import pytest

from adapter.fhir.forms import ends_before_it_starts
from adapter.fhir.model import FhirVersion, validate
from tests.fhir.rule_cases import (
    ENCOUNTER,
    ENCOUNTER_R5,
    PATIENT,
    R4,
    R5,
    TASK,
    WRONG_WAY,
    extended,
    faults,
)

PERIODS = [
    # start, end, whether it ends before it starts, because
    ("2024-03-04T14:00:00+01:00", "2024-03-04T14:00:00+01:00", False, "an instant"),
    ("2024-03-04T14:00:01+01:00", "2024-03-04T14:00:00+01:00", True, "a second"),
    ("2024-03-04T14:00:00+01:00", "2024-03-04T13:00:00Z", False, "the same instant in other zones"),
    ("2024-03-04T14:00:00+01:00", "2024-03-04T13:00:01Z", False, "a second later"),
    ("2024-03-04T14:00:00+01:00", "2024-03-04T12:59:59Z", True, "a second earlier"),
    ("2024-10-27T02:30:00+02:00", "2024-10-27T02:15:00+01:00", False, "the hour that comes twice"),
    ("2024-03-04T14:00:00.5Z", "2024-03-04T14:00:00.25Z", True, "parts of a second"),
    ("2024-03-04T14:00:00.5Z", "2024-03-04T14:00:00.50Z", False, "the same part"),
    ("2024-03-04", "2024-03-04", False, "a day"),
    ("2024-03-05", "2024-03-04", True, "a day earlier"),
    ("2024-03-04", "2024-03", False, "the month that holds it"),
    ("2024-03-04", "2024-02", True, "a month earlier"),
    ("2024", "2024-01-01", False, "the year that begins with it"),
    ("2024-03-04T23:59:00+01:00", "2024-03-04", False, "the day that holds it"),
    ("2024-03-05T00:00:00+01:00", "2024-03-04", True, "the day before it"),
]


def test_a_leap_second_is_one_fault_not_two() -> None:
    period = {"start": "2016-12-31T23:59:60Z", "end": "2016-12-31T23:59:59.5Z"}
    assert faults(ENCOUNTER | {"period": period}) == [("value", "Encounter.period.start")]


@pytest.mark.parametrize(("start", "end", "backwards", "because"), PERIODS)
def test_a_period_does_not_end_before_it_starts(start: str, end: str, backwards: bool, because: str) -> None:
    assert ends_before_it_starts(start, end) is backwards, because
    found = faults(ENCOUNTER | {"period": {"start": start, "end": end}})
    assert found == ([("invariant", "Encounter.period")] if backwards else []), because


EVERY_PERIOD = [
    # resource, version, expression
    (ENCOUNTER_R5 | {"actualPeriod": WRONG_WAY}, R5, "Encounter.actualPeriod"),
    (
        ENCOUNTER | {"location": [{"location": {"display": "x"}, "period": WRONG_WAY}]},
        R4,
        "Encounter.location[0].period",
    ),
    (
        ENCOUNTER | {"statusHistory": [{"status": "planned", "period": WRONG_WAY}]},
        R4,
        "Encounter.statusHistory[0].period",
    ),
    (TASK | {"executionPeriod": WRONG_WAY}, R4, "Task.executionPeriod"),
    (TASK | {"restriction": {"period": WRONG_WAY}}, R4, "Task.restriction.period"),
    (PATIENT | {"name": [{"period": WRONG_WAY}]}, R4, "Patient.name[0].period"),
    (PATIENT | {"address": [{"use": "home"}, {"period": WRONG_WAY}]}, R4, "Patient.address[1].period"),
    (
        PATIENT | {"extension": [{"url": "u", "valuePeriod": WRONG_WAY}]},
        R4,
        "Patient.extension[0].valuePeriod",
    ),
    (
        PATIENT | {"_birthDate": {"extension": [{"url": "u", "valuePeriod": WRONG_WAY}]}},
        R4,
        "Patient.birthDate.extension[0].valuePeriod",
    ),
    (
        PATIENT | {"contained": [TASK | {"executionPeriod": WRONG_WAY}]},
        R4,
        "Patient.contained[0].executionPeriod",
    ),
]


@pytest.mark.parametrize(("resource", "version", "expression"), EVERY_PERIOD)
def test_every_period_is_held_to_it(resource: dict[str, Any], version: FhirVersion, expression: str) -> None:
    assert validate(resource, version) == []
    assert faults(resource, version) == [("invariant", expression)]


FORMS = [
    # resource, expression of the fault or None, because
    (PATIENT | {"id": "A-z.0"}, None, "id"),
    (PATIENT | {"id": "a" * 64}, None, "id: 64 characters"),
    (PATIENT | {"id": "a" * 65}, "Patient.id", "id: 65 characters"),
    (PATIENT | {"id": "a_b"}, "Patient.id", "id: no underscore"),
    (PATIENT | {"id": "ab\n"}, "Patient.id", "id: no line end behind it"),
    (PATIENT | {"id": "å"}, "Patient.id", "id: ASCII"),
    (PATIENT | {"meta": {"versionId": "a/b"}}, "Patient.meta.versionId", "a version is an id"),
    (extended(valueUri="urn:oid:1.2.752"), None, "uri"),
    (extended(valueUri="a b"), "Patient.extension[0].valueUri", "uri: no spaces"),
    (extended(valueUri=""), "Patient.extension[0].valueUri", "uri: not empty"),
    (extended(valueUrl="http://a b"), "Patient.extension[0].valueUrl", "url: no spaces"),
    (extended(valueUrl="mailto:a@example.org"), None, "url: not only http"),
    (extended(valueCanonical="http://a|1 2"), "Patient.extension[0].valueCanonical", "canonical: no spaces"),
    (extended(valueUuid="urn:uuid:c757873d-ec9a-4326-a141-556f43239520"), None, "uuid"),
    (
        extended(valueUuid="c757873d-ec9a-4326-a141-556f43239520"),
        "Patient.extension[0].valueUuid",
        "uuid: a urn",
    ),
    (PATIENT | {"identifier": [{"system": "a b"}]}, "Patient.identifier[0].system", "system is a uri"),
    (PATIENT | {"extension": [{"url": "a b", "valueCode": "x"}]}, "Patient.extension[0].url", "url is a uri"),
    (ENCOUNTER | {"period": {"start": "2016-12-31T23:59:59Z"}}, None, "the second before a leap second"),
    (ENCOUNTER | {"period": {"start": "2016-12-31T23:59:60Z"}}, "Encounter.period.start", "a leap second"),
    (ENCOUNTER | {"period": {"start": "9998-12-31T23:59:59-14:00"}}, None, "a far year"),
    (
        ENCOUNTER | {"period": {"end": "9999-12-31T23:59:59-14:00"}},
        "Encounter.period.end",
        "its UTC is in 10000",
    ),
    (ENCOUNTER | {"period": {"end": "9999-12-31"}}, None, "a day has no zone"),
    (
        PATIENT | {"meta": {"lastUpdated": "0001-01-01T00:00:00+14:00"}},
        "Patient.meta.lastUpdated",
        "UTC: year 0",
    ),
]


@pytest.mark.parametrize(("resource", "expression", "because"), FORMS)
def test_forms(resource: dict[str, Any], expression: str | None, because: str) -> None:
    assert faults(resource) == ([] if expression is None else [("value", expression)]), because


REFERENCES = [
    # Reference.reference, whether it has the form, because
    ("Patient/1", True, "relative"),
    ("Patient/1/_history/2", True, "of one version"),
    ("https://ehr.example/fhir/Patient/1", True, "absolute"),
    ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", True, "by what the Bundle calls it"),
    ("urn:uuid:p1", True, "no UUID, and still the name of an entry"),
    ("urn:oid:1.2.752.1", True, "by an oid"),
    ("Patient?identifier=urn:x|1", True, "conditional, in a transaction"),
    ("#", True, "the resource that contains this one"),
    ("Patient/", False, "no id"),
    ("Patient/a_b", False, "an id has no underscore"),
    ("Patient/" + "1" * 65, False, "an id has 64 characters"),
    ("Patient/1/2", False, "neither a version nor anything"),
    ("Patient/1 ", False, "a space"),
    ("Tolvansson Tolv", False, "a space"),
    ("", False, "empty"),
]


@pytest.mark.parametrize(("reference", "sound", "because"), REFERENCES)
def test_references(reference: str, sound: bool, because: str) -> None:
    found = faults(ENCOUNTER | {"subject": {"reference": reference}})
    assert found == ([] if sound else [("value", "Encounter.subject.reference")]), because


ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "x"}
CONTAINED = [
    # resource, expression of the fault or None, because
    (ENCOUNTER | {"contained": [ORGANIZATION], "serviceProvider": {"reference": "#o"}}, None, "it is there"),
    (
        ENCOUNTER | {"contained": [ORGANIZATION], "serviceProvider": {"reference": "#p"}},
        "Encounter.serviceProvider.reference",
        "another is there",
    ),
    (
        ENCOUNTER | {"serviceProvider": {"reference": "#o"}},
        "Encounter.serviceProvider.reference",
        "none is there",
    ),
    (
        ENCOUNTER
        | {
            "contained": [
                ORGANIZATION,
                {"resourceType": "Location", "managingOrganization": {"reference": "#o"}},
            ],
        },
        None,
        "contained resources point at each other",
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"resource": ENCOUNTER | {"contained": [ORGANIZATION]}},
                {"resource": ENCOUNTER | {"serviceProvider": {"reference": "#o"}}},
            ],
        },
        "Bundle.entry[1].resource.serviceProvider.reference",
        "it is there in another entry",
    ),
]


@pytest.mark.parametrize(("resource", "expression", "because"), CONTAINED)
def test_references_to_contained_resources(
    resource: dict[str, Any], expression: str | None, because: str
) -> None:
    assert faults(resource) == ([] if expression is None else [("invariant", expression)]), because
