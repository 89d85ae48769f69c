"""The CapabilityStatement held against FHIR by HL7's own validator, in R4 and in R5."""

import pytest

from adapter.fhir.capability import capability_statement
from adapter.fhir.model import FhirVersion
from tests.fhir.validator.validator import FhirValidator


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_the_validator_of_hl7_finds_nothing_wrong(fhir_validator: FhirValidator, version: str) -> None:
    told = capability_statement(FhirVersion(version), "1", "https://losus.example", 60)
    assert [issue for issue in fhir_validator.check(version, told) if issue.is_error] == []
