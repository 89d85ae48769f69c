"""The Bundle of a joint follow-up, held against FHIR by HL7's own validator, in R4 and in R5."""

import copy
from typing import Any

import pytest

from adapter.fhir.decimals import dumps, loads
from adapter.fhir.elements import Edition, Resource
from adapter.fhir.joint import joint_bundle
from adapter.fhir.joint_read import read_entries, read_head
from adapter.fhir.model import FhirVersion
from adapter.fhir.rules import faults
from adapter.fhir.xml import to_xml
from adapter.losus.days import Month
from adapter.settlement.joint import Head, JointFollowUp, series_of
from tests.fhir.summary_cases import edition
from tests.fhir.test_summary_validator import VERSIONS, assert_sound
from tests.fhir.validator.validator import FhirValidator
from tests.settlement.test_joint_follow_up import APRIL, FOUND, MARCH, did, entries

SOME = {"kept": 2, "of": 3}
FIGURES: dict[str, Any] = {"day_zero": SOME, "limits": {"sip-call": SOME}, "returned": SOME}
REPORTED = {
    "kind": "deviation",
    "text": "Läkemedel <saknades> & mer.\nTvå rader.",
    "name": "medication",
    "stay": "a",
}


def figures(month: int) -> dict[str, Any]:
    means = [{"month": f"2019-0{month - back}", "stays": 3, "days": 4 + back} for back in range(3)]
    return {**FIGURES, "means": means}


def follow_ups() -> dict[str, JointFollowUp]:
    """Two months: all that can be entered, a correction, a withdrawal, a measure that is carried over."""
    written = [
        *MARCH,
        (3, "municipality", REPORTED),
        (3, "municipality", FOUND | {"corrects": 4}),
        (3, "region", {"kind": "withdrawal", "corrects": 3, "text": "Fel dag."}),
        *APRIL,
        (4, "region", did("moved", due="2019-07-01", text="Semester.")),
    ]
    judged = [(m, p, c | figures(m) if c["kind"] == "judged" else c) for m, p, c in written]
    heads = [
        Head(f"m{n}", "jamtland-harjedalen-losus-2018", "2380", "somatic", Month(2019, n)) for n in (3, 4)
    ]
    return series_of(heads, entries(*judged))


def made(version: FhirVersion) -> list[Resource]:
    told: Edition = edition(version, base="https://losus.example.se/fhir")
    return [loads(dumps(joint_bundle(one, 2, told))) for one in follow_ups().values()]


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_sound(fhir_validator: FhirValidator, version: FhirVersion) -> None:
    for bundle in made(version):
        assert faults(bundle, version, "Bundle") == []
        assert to_xml(bundle, version)
        assert_sound(fhir_validator, version, bundle)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_word_that_is_not_of_the_code_system_shows(
    fhir_validator: FhirValidator, version: FhirVersion
) -> None:
    bundle = copy.deepcopy(made(version)[0])
    head = bundle["entry"][0]["resource"]["extension"][0]["extension"]
    state = next(one for one in head if one["url"] == "state")
    state["valueCodeableConcept"]["coding"][0]["code"] = "nearly"
    assert any(one.severity == "error" for one in fhir_validator.check(version, bundle))


@pytest.mark.parametrize("version", tuple(FhirVersion))
def test_what_is_published_is_read_again(version: FhirVersion) -> None:
    for one, bundle in zip(follow_ups().values(), made(version), strict=True):
        report = bundle["entry"][0]["resource"]
        assert read_head(report) == one.head
        assert [(e.number, e.at, e.party, e.content) for e in read_entries(report)] == [
            (e.number, e.at, e.party, e.content) for e in one.entries
        ]
