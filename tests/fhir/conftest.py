"""HL7's validator, started once for all tests of this room."""

from collections.abc import Iterator

import pytest

from adapter.fhir.decimals import loads
from adapter.fhir.definitions import definitions
from adapter.fhir.measure import POPULATION_BASIS
from adapter.fhir.model import FhirVersion
from tests.fhir.validator.validator import PROFILES, FhirValidator

#: The extension of HL7's Quality Measure guide as far as it is used here: address, place and type.
POPULATION_BASIS_DEFINITION = {
    "resourceType": "StructureDefinition",
    "id": "cqm-populationBasis",
    "url": POPULATION_BASIS,
    "name": "PopulationBasis",
    "status": "active",
    "fhirVersion": "4.0.1",
    "kind": "complex-type",
    "abstract": False,
    "context": [{"type": "element", "expression": one} for one in ("Measure", "Measure.group")],
    "type": "Extension",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Extension", "path": "Extension"},
            {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
            {"id": "Extension.url", "path": "Extension.url", "fixedUri": POPULATION_BASIS},
            {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]},
        ]
    },
}


@pytest.fixture(scope="session")
def fhir_validator() -> Iterator[FhirValidator]:
    """HL7's validator, which knows our definitions. Without Java and Maven: skipped, in CI failed."""
    with FhirValidator() as running:
        for version in (FhirVersion.R4, FhirVersion.R5):
            running.define(version, definitions(version))
            running.define(version, [POPULATION_BASIS_DEFINITION])
            running.define(version, [loads(file.read_bytes()) for file in PROFILES])
        yield running
