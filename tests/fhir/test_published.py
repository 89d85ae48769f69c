"""The definitions of settlement are published with the project, as they are made."""

import pytest

from adapter.fhir.definitions import definitions
from adapter.fhir.model import FhirVersion
from adapter.fhir.summary import bundle
from tests.fhir import summary_cases as cases
from tests.fhir.published import FOLDERS, texts

_PROFILED = {"Measure", "MeasureReport", "Invoice", "ChargeItem"}


@pytest.mark.parametrize("version", FOLDERS)
def test_the_files_are_what_is_made(version: FhirVersion) -> None:
    there = {file.name: file.read_text("utf-8") for file in FOLDERS[version].glob("*.json")}
    assert there == texts(version), "python -m tests.fhir.published"


@pytest.mark.parametrize("version", FOLDERS)
@pytest.mark.parametrize("name", cases.STATEMENTS)
def test_every_profile_that_a_resource_names_is_published(name: str, version: FhirVersion) -> None:
    urls = {one["url"] for one in definitions(version)}
    for entry in bundle([cases.STATEMENTS[name]()], cases.edition(version))["entry"]:
        resource = entry["resource"]
        profiles = resource.get("meta", {}).get("profile", [])
        assert bool(profiles) == (resource["resourceType"] in _PROFILED)
        assert set(profiles) <= urls
