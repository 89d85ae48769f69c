"""Fetch and build all that tests need of Maven Central, npm and Go: `make fetch`, while something else runs.

The tests fetch what is missing themselves, but a worker waits for it then. What cannot be fetched is left to
the test that needs it, which says so: this exits with 0 all the same.
"""

import sys
from collections.abc import Callable

import pytest

from adapter.fhir.model import FhirVersion
from tests.clients.conftest import hapi_class_path, kit_folder
from tests.consumers.running import java_class_path
from tests.fhir.validator.validator import class_path
from tests.hapi.libraries import libraries
from tests.helm.definitions import definitions
from tests.kafka.libraries import kafka_libraries
from tests.outbound.asyncapi_specification import specification
from tests.store.encrypted import fetch_server

WANTED: tuple[tuple[str, Callable[[], object]], ...] = (
    ("Apache Kafka", kafka_libraries),
    ("HAPI FHIR", lambda: libraries(FhirVersion.R4)),
    ("HL7's validator", class_path),
    ("HAPI's client", hapi_class_path),
    ("the consumer in Java", java_class_path),
    ("PostgreSQL with TLS", fetch_server),
    ("fhir-kit-client", kit_folder),
    ("the JSON Schema of AsyncAPI", specification),
    ("helm, its checkers and definitions", definitions),
)


def main() -> None:
    """Fetch one after the other, and say what became of it."""
    for name, fetch in WANTED:
        try:
            fetch()
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as fault:  # noqa: BLE001 - see above
            print(f"not fetched: {name}: {fault}", file=sys.stderr)
        else:
            print(f"fetched: {name}")


if __name__ == "__main__":
    main()
