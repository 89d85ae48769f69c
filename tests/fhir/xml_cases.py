"""What the tests of FHIR XML share: documents to put things in, and how they are read."""

from typing import Any

from adapter.fhir.document import MAX_BYTES, MAX_DEPTH
from adapter.fhir.model import FhirVersion
from adapter.fhir.xml import parse_xml

R4, R4B, R5 = FhirVersion
FHIR = "http://hl7.org/fhir"
NS = f'xmlns="{FHIR}"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PLANTED = ("191212121212", "Tolvansson", "Storgatan")
X = "http://www.w3.org/1999/xhtml"
PATIENT = f"<Patient {NS}>%s</Patient>"


def read(body: bytes | str, version: FhirVersion = R4, **limits: int) -> dict[str, Any]:
    source = body if isinstance(body, bytes) else body.encode()
    return parse_xml(source, version, **({"max_bytes": MAX_BYTES, "max_depth": MAX_DEPTH} | limits))
