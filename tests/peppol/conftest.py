"""Peppol's validator, started once for all tests of this room."""

from collections.abc import Iterator

import pytest

from tests.peppol.validator.validator import PeppolValidator


@pytest.fixture(scope="session")
def peppol_validator() -> Iterator[PeppolValidator]:
    """Peppol's rules. Without Java and Maven: skipped, in CI failed."""
    with PeppolValidator() as running:
        yield running
