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
    ("2024-03-05T00:30:00+02:00", "2024-03-04", False, "half past eleven here: that day"),
    ("2024-03-04T22:59:59Z", "2024-03-04", False, "the last second of that day here"),
    ("2024-03-04T23:00:00Z", "2024-03-04", True, "midnight here: the next day"),
    ("2024-07-04T21:59:59Z", "2024-07-04", False, "the last second of that day here, in summer"),
    ("2024-07-04T22:00:00Z", "2024-07-04", True, "midnight here, in summer"),
    ("2024-03-31T23:30:00+02:00", "2024-03", False, "the month that holds it"),
    ("2024-03-31T22:00:00Z", "2024-03", True, "April here"),
    ("2024-03-04", "2024-03-03T23:00:00Z", False, "ends as the day begins"),
    ("2024-03-04", "2024-03-03T22:59:59Z", True, "ends before the day begins"),
    ("2024-03", "2024-03-01", False, "the first day of the month"),
    ("2024-03", "2024-02-29", True, "the day before the month"),
    (
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:59.5Z",
        True,
        "R4 datatypes#dateTime: a leap second is the last",
    ),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:59:59.999999+01:00", False, "the last microsecond"),
    ("2016-12-31T23:59:60+01:00", "2016-12-31", False, "the day that ends with it"),
    ("2024-03-04T14:00:00+01:00", "9999-12-31", False, "never"),
    ("2024-03-04T14:00:00+01:00", "9999-12-31T23:59:59+14:00", False, "never"),
    ("0001-01-01T00:00:00+14:00", "2024-03-04", False, "not known"),
    ("2024-03-04", "0001-01-01T00:00:00Z", True, "before all that is reckoned in"),
    ("9999-12-31", "2024-03-04T14:00:00+01:00", True, "after all that is reckoned in"),
]


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
    (ENCOUNTER | {"period": {"start": "2016-12-31T23:59:60Z"}}, None, "dateTime: a leap second"),
    (PATIENT | {"meta": {"lastUpdated": "2016-12-31T23:59:60Z"}}, None, "instant: a leap second"),
    (ENCOUNTER | {"period": {"end": "9999-12-31T23:59:59-14:00"}}, None, "dateTime: the last there is"),
    (ENCOUNTER | {"period": {"end": "9999-12-31"}}, None, "dateTime: the last day"),
    (ENCOUNTER | {"period": {"start": "0001"}}, None, "dateTime: the first year"),
    (PATIENT | {"meta": {"lastUpdated": "0001-01-01T00:00:00+14:00"}}, None, "instant: the first there is"),
    (PATIENT | {"birthDate": "0001-01"}, None, "date: the first month"),
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


ENDS_OF_TIME = [
    # a dateTime that FHIR allows, whether an instant may be it
    ("0001", False),
    ("9999-12", False),
    ("9999-12-31", False),
    ("0001-01-01T00:00:00+14:00", True),
    ("0001-01-01T00:00:00-14:00", True),
    ("9999-12-31T23:59:59.999+14:00", True),
    ("9999-12-31T23:59:59-14:00", True),
    ("2016-12-31T23:59:60Z", True),
    ("2016-12-31T23:59:60.5+01:00", True),
]


@pytest.mark.parametrize("version", [R4, R5])
@pytest.mark.parametrize(("value", "is_instant"), ENDS_OF_TIME)
def test_what_the_models_take_of_all_times(version: FhirVersion, value: str, is_instant: bool) -> None:
    """R4 and R5 datatypes, dateTime and instant: we rely on fhir.resources for it, so it is tried."""
    for element, allowed in (("valueDateTime", True), ("valueInstant", is_instant)):
        resource = PATIENT | {"extension": [{"url": "https://x.example", element: value}]}
        assert (validate(resource, version) == []) is allowed
        if allowed:
            assert faults(resource, version) == []
