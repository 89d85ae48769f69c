"""Every Bundle that tells a statement, held against FHIR by HL7's own validator, in R4 and in R5.

No error and no warning is allowed. What the validator merely notes is listed in `NOTES` with the reason
why it stands. `test_bites` shows that the validator sees what is wrong.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import Problem, ResourceError
from adapter.fhir.definitions import definitions
from adapter.fhir.elements import Resource
from adapter.fhir.message import read_message
from adapter.fhir.model import FhirVersion, validate
from adapter.fhir.outcome import response_message
from adapter.fhir.statistics import statistics_bundle
from adapter.fhir.summary import bundle
from tests.fhir import summary_cases as cases
from tests.fhir.validator.validator import PROFILES, FhirValidator
from tests.servers import REPOSITORY

VERSIONS = (FhirVersion.R4, FhirVersion.R5)
EXAMPLES = sorted((REPOSITORY / "mappings" / "examples" / "losus-r4").glob("**/*.json"))

DOMAIN_RESOURCE = "http://hl7.org/fhir/StructureDefinition/DomainResource"

#: What the validator may note (never a warning), and because.
NOTES = {
    "MEASURE_MR_M_SCORING_UNK": "Measure.scoring is one for all groups; ours have one each (see `measure`)",
    "Details_for__matching_against_Profile_": "which slice of a profile an extension was held against",
}


#: Warnings that are allowed of the profile of the messages, which is not ours to tell here, and because.
ALLOWED_OF_MESSAGES = {
    f"{DOMAIN_RESOURCE}#dom-6": "no narrative: machines read messages, definitions have a description",
    "Terminology_TX_NoValid_13": "meta.security: hl7.se's `sekretessmarkering` is outside FHIR's set, "
    "which is extensible",
}


def assert_sound(validator: FhirValidator, version: FhirVersion, resource: Resource) -> None:
    issues = validator.check(version, resource)
    assert [one for one in issues if one.severity != "information"] == []
    assert {one.id for one in issues} <= NOTES.keys()


def assert_no_error(validator: FhirValidator, version: FhirVersion, resource: Resource | bytes) -> None:
    issues = validator.check(version, resource)
    assert [one for one in issues if one.is_error] == []
    assert {one.id for one in issues if one.severity == "warning"} <= ALLOWED_OF_MESSAGES.keys()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", cases.STATEMENTS)
def test_statement_and_its_statistics(fhir_validator: FhirValidator, name: str, version: FhirVersion) -> None:
    told = cases.STATEMENTS[name]()
    edition = cases.edition(version, sources={"billed": ("ehr Encounter/1 2", "ehr Task/7 1")})
    assert_sound(fhir_validator, version, bundle([told], edition))
    assert_sound(fhir_validator, version, statistics_bundle([told], edition, fewest=5))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("base", [None, "https://losus.example.se/fhir"])
def test_bilaga_9_in_one_bundle(
    fhir_validator: FhirValidator, version: FhirVersion, base: str | None
) -> None:
    assert_sound(fhir_validator, version, bundle(cases.bilaga_9(), cases.edition(version, base=base)))


@pytest.mark.parametrize("version", VERSIONS)
def test_bilaga_9_month_by_month(fhir_validator: FhirValidator, version: FhirVersion) -> None:
    for told in cases.bilaga_9():
        assert_sound(fhir_validator, version, bundle([told], cases.edition(version)))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("agreement", [cases.JAMTLAND, cases.LAW])
def test_statistics_of_a_region(fhir_validator: FhirValidator, agreement: str, version: FhirVersion) -> None:
    """Some municipalities with few stays, one with many; the statute names no region."""
    told = cases.region_month(agreement, {"2380": (0,) * 9 + (2,) * 9, "2309": (0, 1), "2305": ()})
    made = statistics_bundle(told, cases.edition(version), fewest=5)
    assert [entry["resource"]["resourceType"] for entry in made["entry"]].count("MeasureReport") == 4
    assert_sound(fhir_validator, version, made)


@pytest.mark.parametrize("version", VERSIONS)
def test_definitions(fhir_validator: FhirValidator, version: FhirVersion) -> None:
    for definition in definitions(version):
        assert_sound(fhir_validator, version, definition)
    assert {one.name for one in PROFILES} >= {"CodeSystem-care-form.json"}, "settlement uses its codes"


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.name)
def test_profiles_of_the_messages(fhir_validator: FhirValidator, file: Path) -> None:
    assert_no_error(fhir_validator, FhirVersion.R4, file.read_bytes())


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_example_messages(fhir_validator: FhirValidator, file: Path) -> None:
    assert_no_error(fhir_validator, FhirVersion.R4, file.read_bytes())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "error",
    [
        None,
        ResourceError(
            Problem("required", "a required element is missing", "Bundle.entry[1].resource.status")
        ),
    ],
    ids=["ok", "fatal-error"],
)
def test_response_messages(
    fhir_validator: FhirValidator, version: FhirVersion, error: ResourceError | None
) -> None:
    header = {
        "resourceType": "MessageHeader",
        "id": "1a2b",
        "eventCoding": {
            "system": "http://terminology.hl7.org/CodeSystem/message-events",
            "code": "admin-notify",
        },
        "source": {"endpoint": "urn:example:ehr"}
        if version is FhirVersion.R4
        else {"endpointUrl": "urn:example:ehr"},
    }
    entry = {"fullUrl": "urn:uuid:5f0b7b0e-5c0c-4a57-9f0c-5b8f2d7c1a11", "resource": header}
    asked = {"resourceType": "Bundle", "id": "3c4d", "type": "message", "entry": [entry]}
    message = read_message(asked, version)
    answer = response_message(
        message, "https://losus.example.se/fhir/ehr", "2026-01-02T03:04:05Z", version, error
    )
    assert_no_error(fhir_validator, version, answer)


Break = Callable[[dict[str, Any]], object]


def _resource(told: Resource, kind: str) -> dict[str, Any]:
    return next(one["resource"] for one in told["entry"] if one["resource"]["resourceType"] == kind)


#: A Bundle of Bilaga 9's month 5, broken in one place each → the rule that the validator names.
BROKEN: dict[str, tuple[Break, str, str]] = {
    "status of no FHIR code": (
        lambda b: _resource(b, "Invoice").update(status="skickad"),
        "Terminology_TX_NoValid_16",
        "required value set of Invoice.status",
    ),
    "a code that our code system has not": (
        lambda b: _resource(b, "Invoice")["type"]["coding"][0].update(code="yearly"),
        "Terminology_PassThrough_TX_Message",
        "our code systems are loaded and complete",
    ),
    "an extension that nobody defined": (
        lambda b: _resource(b, "Invoice")["extension"][0].update(url="https://losus-adapter.se/fhir/x"),
        "Extension_EXT_Unknown_NotHere",
        "unknown extensions are errors here",
    ),
    "an extension in the wrong place": (
        lambda b: _resource(b, "ChargeItem").update(extension=_resource(b, "Invoice")["extension"][:1]),
        "Extension_EXTP_Context_Wrong",
        "StructureDefinition.context",
    ),
    "a part of an extension left out": (
        lambda b: _resource(b, "MeasureReport")["extension"][2]["extension"].pop(),
        "Validation_VAL_Profile_Minimum_SLICE",
        "all parts of settlement-outcome must stand",
    ),
    "a reference to nothing in the Bundle": (
        lambda b: _resource(b, "Invoice")["recipient"].update(
            reference="urn:uuid:00000000-0000-0000-0000-000000000000"
        ),
        "Bundle_BUNDLE_Not_Local",
        "a urn:uuid means an entry of the same Bundle",
    ),
    "a group that the Measure has not": (
        lambda b: _resource(b, "MeasureReport")["group"].pop(),
        "MEASURE_MR_GRP_MISSING_BY_CODE",
        "the report is held against its Measure",
    ),
    "no subject": (
        lambda b: _resource(b, "ChargeItem").pop("subject"),
        "Validation_VAL_Profile_Minimum",
        "R4: ChargeItem.subject 1..1",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_bites(fhir_validator: FhirValidator, broken: str) -> None:
    how, rule, because = BROKEN[broken]
    sound = bundle(cases.bilaga_9()[4:5], cases.edition())
    told = copy.deepcopy(sound)
    how(told)
    issues = fhir_validator.check(FhirVersion.R4, told)
    assert rule in {one.id for one in issues if one.severity != "information"}, because


@pytest.mark.parametrize("version", FhirVersion)
@pytest.mark.parametrize("name", cases.STATEMENTS)
def test_fhir_resources_agrees(name: str, version: FhirVersion) -> None:
    told = cases.STATEMENTS[name]()
    assert validate(bundle([told], cases.edition(version)), version) == []
    assert validate(statistics_bundle([told], cases.edition(version), fewest=5), version) == []
    assert all(validate(one, version) == [] for one in definitions(version))
