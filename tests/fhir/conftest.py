"""HL7's validator, started once for all tests of this room."""

from collections.abc import Iterator

import pytest

from adapter.fhir.decimals import loads
from adapter.fhir.definitions import definitions
from adapter.fhir.model import FhirVersion
from tests.fhir.validator.validator import PROFILES, FhirValidator


@pytest.fixture(scope="session")
def fhir_validator() -> Iterator[FhirValidator]:
    """HL7's validator, which knows our definitions. Without Java and Maven: skipped, in CI failed."""
    with FhirValidator() as running:
        for version in (FhirVersion.R4, FhirVersion.R5):
            running.define(version, definitions(version))
            running.define(version, [loads(file.read_bytes()) for file in PROFILES])
        yield running
