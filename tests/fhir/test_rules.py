"""What FHIR demands and fhir.resources lets through: a table per rule, both sides of each edge."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.forms import ends_before_it_starts
from adapter.fhir.model import FhirVersion, model, validate
from adapter.fhir.rules import check
from adapter.fhir.structure import of_model
from adapter.fhir.valuesets import REQUIRED
from tests.fhir.real_messages import resources

R4, R4B, R5 = FhirVersion
PLANTED = ("191212121212", "Tolvansson")

ENCOUNTER = {"resourceType": "Encounter", "status": "planned", "class": {"code": "IMP"}}
ENCOUNTER_R5 = {"resourceType": "Encounter", "status": "planned"}
PATIENT = {"resourceType": "Patient"}
TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}
PLAN = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/p"},
}

Found = list[tuple[str, str | None]]


def faults(resource: dict[str, Any], version: FhirVersion = R4) -> Found:
    problems = list(check(resource, version, resource["resourceType"]))
    assert not any(value in str(problems) for value in PLANTED)
    return [(problem.code, problem.expression) for problem in problems]


def test_real_messages_are_sound() -> None:
    for name, version, resource in resources():
        assert list(check(resource, version, resource["resourceType"])) == [], name


CODES = [
    # resource, version, expression of the fault or None, because
    (ENCOUNTER | {"status": "finished"}, R4, None, "R4"),
    (ENCOUNTER | {"status": "finished"}, R4B, None, "R4B, as R4"),
    (ENCOUNTER_R5 | {"status": "finished"}, R5, "Encounter.status", "R5 says completed"),
    (ENCOUNTER_R5 | {"status": "discharged"}, R5, None, "new in R5"),
    (ENCOUNTER | {"status": "discharged"}, R4, "Encounter.status", "new in R5"),
    (ENCOUNTER | {"status": "utskrivningsklar"}, R4, "Encounter.status", "a state, no status"),
    (ENCOUNTER | {"status": "Finished"}, R4, "Encounter.status", "codes are compared with their case"),
    (
        ENCOUNTER | {"statusHistory": [{"status": "x", "period": {}}]},
        R4,
        "Encounter.statusHistory[0].status",
        "the same set",
    ),
    (
        ENCOUNTER | {"location": [{"location": {}, "status": "gone"}]},
        R4,
        "Encounter.location[0].status",
        "EncounterLocationStatus",
    ),
    (
        ENCOUNTER | {"location": [{"location": {}, "status": "completed"}]},
        R4,
        None,
        "EncounterLocationStatus",
    ),
    (ENCOUNTER | {"class": {"code": "Tolvansson"}}, R4, None, "Encounter.class is extensible"),
    (TASK | {"status": "entered-in-error"}, R4, None, "TaskStatus"),
    (TASK | {"status": "done"}, R4, "Task.status", "TaskStatus"),
    (TASK | {"intent": "reflex-order"}, R5, None, "TaskIntent"),
    (TASK | {"intent": "directive"}, R5, "Task.intent", "TaskIntent has no directive"),
    (TASK | {"priority": "now"}, R4, "Task.priority", "RequestPriority"),
    (PLAN | {"status": "ended"}, R4, "CarePlan.status", "RequestStatus"),
    (PLAN | {"intent": "directive"}, R5, None, "new in R5"),
    (PLAN | {"intent": "directive"}, R4, "CarePlan.intent", "new in R5"),
    (
        PLAN | {"activity": [{"detail": {"status": "x"}}]},
        R4,
        "CarePlan.activity[0].detail.status",
        "CarePlanActivityStatus",
    ),
    (PATIENT | {"gender": "other"}, R4, None, "AdministrativeGender"),
    (PATIENT | {"gender": "kvinna"}, R4, "Patient.gender", "AdministrativeGender"),
    (
        PATIENT | {"link": [{"other": {}, "type": "merged"}]},
        R4,
        "Patient.link[0].type",
        "LinkType: a merge hangs on it",
    ),
    (PATIENT | {"identifier": [{"use": "older"}]}, R4, "Patient.identifier[0].use", "IdentifierUse"),
    (PATIENT | {"identifier": [{"use": "old"}]}, R4, None, "IdentifierUse"),
    (PATIENT | {"telecom": [{"use": "Tolvansson"}]}, R4, None, "nothing here hangs on it"),
    ({"resourceType": "Bundle", "type": "messages"}, R4, "Bundle.type", "BundleType"),
    ({"resourceType": "Bundle", "type": "subscription-notification"}, R4B, "Bundle.type", "new in R5"),
    (
        {"resourceType": "SubscriptionStatus", "type": "event", "subscription": {}},
        R5,
        "SubscriptionStatus.type",
        "SubscriptionNotificationType",
    ),
    (
        {"resourceType": "SubscriptionStatus", "type": "heartbeat", "subscription": {}, "status": "on"},
        R4B,
        "SubscriptionStatus.status",
        "SubscriptionStatusCodes",
    ),
    (
        {"resourceType": "MessageHeader", "response": {"code": "fine"}},
        R4,
        "MessageHeader.response.code",
        "ResponseType",
    ),
]


@pytest.mark.parametrize(("resource", "version", "expression", "because"), CODES)
def test_required_codes(
    resource: dict[str, Any], version: FhirVersion, expression: str | None, because: str
) -> None:
    found = [fault for fault in faults(resource, version) if fault[0] == "code-invalid"]
    assert found == ([] if expression is None else [("code-invalid", expression)]), because


def test_the_codes_are_those_that_the_models_know() -> None:
    """fhir.resources' own lists, where they are whole; they end with + where they are not."""
    held = 0
    for (kind, element, version), codes in REQUIRED.items():
        field = _field(kind, element, version)
        known = (field.json_schema_extra or {}).get("enum_values", [])
        assert known, (kind, element)
        assert set(known) - {"+"} <= codes, (kind, element, version)
        if "+" not in known:
            assert set(known) == codes, (kind, element, version)
            held += 1
    assert held > 70


def _field(kind: str, element: str, version: FhirVersion) -> Any:
    """The field of fhir.resources for an element of a resource, or of a type inside of one."""
    waiting = [
        model(name, version) for name in ("Patient", "Encounter", "CarePlan", "EpisodeOfCare", "Bundle")
    ]
    waiting += [model(name, version) for name in ("MessageHeader", "Provenance", kind)]
    seen = set()
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.add(one)
        if one.get_resource_type() == kind:
            return one.model_fields[one.get_alias_mapping()[element]]
        waiting += [each.inner for each in of_model(one).elements.values()]
    raise AssertionError(f"{kind} is no type of {version}")


LIFE = [
    # resource, because
    (
        {name: one for name, one in resource.items() if name != "status"}
        | {"_status": {"extension": [{"url": "x"}]}}
    )
    for resource in (ENCOUNTER, TASK, PLAN)
]


@pytest.mark.parametrize("resource", LIFE)
def test_a_status_cannot_be_left_to_an_extension(resource: dict[str, Any]) -> None:
    """fhir.resources lets a required primitive be absent where an extension says why."""
    assert validate(resource, R4) == []
    assert faults(resource) == [("required", f"{resource['resourceType']}.status")]


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


WRONG_WAY = {"start": "2024-03-05", "end": "2024-03-04"}
EVERY_PERIOD = [
    # resource, version, expression
    (ENCOUNTER_R5 | {"actualPeriod": WRONG_WAY}, R5, "Encounter.actualPeriod"),
    (ENCOUNTER | {"location": [{"location": {}, "period": WRONG_WAY}]}, R4, "Encounter.location[0].period"),
    (
        ENCOUNTER | {"statusHistory": [{"status": "planned", "period": WRONG_WAY}]},
        R4,
        "Encounter.statusHistory[0].period",
    ),
    (TASK | {"executionPeriod": WRONG_WAY}, R4, "Task.executionPeriod"),
    (TASK | {"restriction": {"period": WRONG_WAY}}, R4, "Task.restriction.period"),
    (PATIENT | {"name": [{"period": WRONG_WAY}]}, R4, "Patient.name[0].period"),
    (PATIENT | {"address": [{}, {"period": WRONG_WAY}]}, R4, "Patient.address[1].period"),
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


def extended(**value: Any) -> dict[str, Any]:
    return PATIENT | {"extension": [{"url": "urn:x", **value}]}


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


KINDS = [
    # resource that fhir.resources takes, code, expression, because
    (
        ENCOUNTER | {"period": {"start": 1_700_000_000}},
        "value",
        "Encounter.period.start",
        "seconds since 1970",
    ),
    (PATIENT | {"active": "yes"}, "value", "Patient.active", "a word for a boolean"),
    (PATIENT | {"active": 1}, "value", "Patient.active", "a number for a boolean"),
    (PATIENT | {"multipleBirthInteger": "2"}, "value", "Patient.multipleBirthInteger", "a text for a number"),
    (
        PATIENT | {"multipleBirthInteger": 2.0},
        "value",
        "Patient.multipleBirthInteger",
        "a point in a whole number",
    ),
    (PATIENT | {"multipleBirthInteger": True}, "value", "Patient.multipleBirthInteger", "true is no number"),
    (extended(valueDecimal="5"), "value", "Patient.extension[0].valueDecimal", "a text for a number"),
    (
        PATIENT | {"name": ['{"family": "Tolvansson"}']},
        "structure",
        "Patient.name[0]",
        "a text for an object",
    ),
    (PATIENT | {"maritalStatus": "{}"}, "structure", "Patient.maritalStatus", "a text for an object"),
    (PATIENT | {"name": None}, "structure", "Patient.name", "null for a list"),
    (PATIENT | {"gender": None}, "value", "Patient.gender", "null for a value"),
    (PATIENT | {"maritalStatus": None}, "structure", "Patient.maritalStatus", "null for an object"),
    (
        PATIENT | {"name": [{"given": ["a", None]}]},
        "value",
        "Patient.name[0].given[1]",
        "null with nothing beside it",
    ),
    (
        {"resourceType": "Encounter", "status": "planned", "class_fhir": {"code": "IMP"}},
        "structure",
        "Encounter",
        "fhir.resources' own name for class",
    ),
    (PATIENT | {"active__ext": {"id": "x"}}, "structure", "Patient", "fhir.resources' own name for _active"),
    (PATIENT | {"resource_type": "Patient"}, "structure", "Patient", "fhir.resources' own name"),
    (PATIENT | {"contained": [{"id": "x"}]}, "not-supported", "Patient.contained[0].resourceType", "no type"),
]


@pytest.mark.parametrize(("resource", "code", "expression", "because"), KINDS)
def test_kinds_and_names_that_fhir_resources_lets_through(
    resource: dict[str, Any], code: str, expression: str, because: str
) -> None:
    assert validate(resource, R4) == [], "else this rule is not needed any more"
    assert faults(resource) == [(code, expression)], because


REFUSED_BY_THE_MODEL_TOO = [
    # resource, code, expression, because
    (PATIENT | {"Tolvansson": 1}, "structure", "Patient", "an unknown element; its name is not told"),
    (PATIENT | {"_Tolvansson": {}}, "structure", "Patient", "beside an unknown element"),
    (PATIENT | {"_name": [{"id": "x"}]}, "structure", "Patient", "beside what is no primitive"),
    (PATIENT | {"_gender": [{"id": "x"}]}, "structure", "Patient.gender", "a list beside one value"),
    (PATIENT | {"_gender": "Tolvansson"}, "structure", "Patient.gender", "a text beside a value"),
    (
        PATIENT | {"name": [{"_given": {"id": "x"}}]},
        "structure",
        "Patient.name[0].given",
        "no list beside a list",
    ),
    (
        PATIENT | {"name": [{"given": ["a"], "_given": [7]}]},
        "structure",
        "Patient.name[0].given[0]",
        "a number",
    ),
    (PATIENT | {"name": {"family": "x"}}, "structure", "Patient.name", "an object for a list"),
    (PATIENT | {"contained": ["Tolvansson"]}, "structure", "Patient.contained[0]", "a text for a resource"),
    (
        PATIENT | {"contained": [{"resourceType": "Tolvansson"}]},
        "not-supported",
        "Patient.contained[0].resourceType",
        "no type",
    ),
]


@pytest.mark.parametrize(("resource", "code", "expression", "because"), REFUSED_BY_THE_MODEL_TOO)
def test_the_walk_stands_on_its_own(
    resource: dict[str, Any], code: str, expression: str, because: str
) -> None:
    assert faults(resource) == [(code, expression)], because


def test_ids_and_extensions_beside_primitives_are_sound() -> None:
    given = {"given": ["a", None], "_given": [None, {"extension": [{"url": "u", "valueCode": "x"}]}]}
    resource = PATIENT | {"name": [given], "_gender": {"id": "g"}, "gender": "other"}
    assert validate(resource, R4) == []
    assert faults(resource) == []


def test_comments_of_dstu2_are_passed_over() -> None:
    assert faults(PATIENT | {"fhir_comments": ["x"]}) == []


def test_every_fault_is_told_not_the_first_alone() -> None:
    resource = ENCOUNTER | {"id": "a b", "status": "x", "period": WRONG_WAY, "subject": {"reference": ""}}
    assert set(faults(resource)) == {
        ("value", "Encounter.id"),
        ("code-invalid", "Encounter.status"),
        ("invariant", "Encounter.period"),
        ("value", "Encounter.subject.reference"),
    }


NESTED = [
    # where the unknown type stands, expression
    ({"contained": [{"resourceType": "Tolvansson"}]}, "Patient.contained[0].resourceType"),
    ({"contained": [PATIENT, {"resourceType": "Period"}]}, "Patient.contained[1].resourceType"),
    ({"contained": [{"resourceType": ["Patient"]}]}, "Patient.contained[0].resourceType"),
]


@pytest.mark.parametrize(("more", "expression"), NESTED)
def test_a_resource_of_no_known_type_inside_another(more: dict[str, Any], expression: str) -> None:
    problems = validate(PATIENT | more, R4)
    assert [(problem.code, problem.expression) for problem in problems] == [("not-supported", expression)]


def test_a_resource_of_no_known_type_in_a_bundle_in_a_bundle() -> None:
    inner = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Foo"}}]}
    outer = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}
    (problem,) = validate(outer, R4)
    place = "Bundle.entry[0].resource.entry[0].resource.resourceType"
    assert (problem.code, problem.expression) == ("not-supported", place)
    assert faults(outer) == [("not-supported", place)]


def test_the_type_of_an_unknown_resource_is_not_told() -> None:
    (problem,) = validate({"resourceType": "Tolvansson"}, R4)
    assert (problem.code, problem.expression) == ("not-supported", "resourceType")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "status",
                    "_status",
                    "period",
                    "start",
                    "end",
                    "subject",
                    "reference",
                    "contained",
                    "entry",
                    "resource",
                    "fullUrl",
                    "request",
                    "meta",
                    "versionId",
                    "type",
                    "name",
                    "given",
                    "_given",
                    "url",
                ]
            )
            | st.text(max_size=3),
            inner
            | st.sampled_from(("Patient", "message", "2024-03-04", "#", "#x", {"resourceType": "Bundle"})),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)  # the first one makes the models
@given(
    st.sampled_from(("Patient", "Encounter", "Bundle", "Task")),
    st.dictionaries(st.sampled_from(("status", "contained", "entry", "period", "type", "subject")), JSON),
    st.sampled_from(FhirVersion),
)
def test_whatever_json_it_is_the_walk_ends_in_problems(
    kind: str, more: dict[str, Any], version: FhirVersion
) -> None:
    for problem in check({"resourceType": kind, **more}, version, kind):
        assert problem.expression is not None
        assert problem.expression.startswith(kind)
