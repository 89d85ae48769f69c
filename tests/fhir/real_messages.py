"""Messages that others wrote, and our own: what the tests of formats and rules are run over."""

import json
from collections.abc import Iterator
from typing import Any

from adapter.fhir.decimals import loads
from adapter.fhir.model import FhirVersion
from tests.servers import REPOSITORY, shared_folder

OURS = REPOSITORY / "mappings" / "examples" / "losus-r4"


def resources() -> Iterator[tuple[str, FhirVersion, dict[str, Any]]]:
    """HL7's, MedCom's, Da Vinci's and the backport's messages, and our own: name, version, resource."""
    for path in (*sorted(OURS.glob("**/*.json")), *sorted(shared_folder().glob("data/*/*.json"))):
        resource = loads(path.read_bytes())
        if "resourceType" in resource:  # else a fragment that makes the body of another
            yield path.name, FhirVersion.R5 if path.parent.name == "hl7-r5" else FhirVersion.R4, resource


def exact(value: Any) -> str:
    """A value with the kinds of its parts and the scale of its decimals, but not the order of its names."""
    return json.dumps(value, default=repr, sort_keys=True)
