"""Our FHIR XML beside HAPI FHIR's, which most of the field reads and writes with: both say the same.

HAPI writes narratives in its own way, so they are compared as markup. Nothing else is left out.
"""

from typing import Any
from xml.etree.ElementTree import canonicalize

from adapter.fhir.decimals import dumps, loads
from adapter.fhir.model import FhirVersion
from adapter.fhir.xml import parse_xml, to_xml
from tests.fhir.real_messages import exact, resources
from tests.fhir.validator.validator import FhirValidator


def comparable(value: Any) -> Any:
    """A resource with its narratives in XML's canonical form."""
    if isinstance(value, dict):
        return {
            name: canonicalize(one, strip_text=True) if name == "div" else comparable(one)
            for name, one in value.items()
        }
    return [comparable(one) for one in value] if isinstance(value, list) else value


def test_hapi_reads_what_we_write(fhir_validator: FhirValidator) -> None:
    for name, version, resource in resources():
        told = loads(fhir_validator.convert(version, to_xml(resource, version)))
        assert exact(comparable(told)) == exact(comparable(resource)), name


def test_we_read_what_hapi_writes(fhir_validator: FhirValidator) -> None:
    for name, version, resource in resources():
        written = fhir_validator.convert(version, dumps(resource))
        found = parse_xml(written, version, max_bytes=10**6, max_depth=60)
        assert exact(comparable(found)) == exact(comparable(resource)), name


def out_of_order(validator: FhirValidator, version: FhirVersion, body: bytes) -> list[str]:
    return [one.message for one in validator.check(version, body) if "order" in one.message.lower()]


def test_the_validator_finds_our_elements_in_order(fhir_validator: FhirValidator) -> None:
    for name, version, resource in resources():
        assert out_of_order(fhir_validator, version, to_xml(resource, version)) == [], name


def test_the_validator_sees_what_is_out_of_order(fhir_validator: FhirValidator) -> None:
    body = to_xml({"resourceType": "Patient", "active": True, "gender": "other"}, FhirVersion.R4)
    swapped = body.replace(b'<active value="true"/>', b"").replace(
        b"</Patient>", b'<active value="true"/></Patient>'
    )
    assert out_of_order(fhir_validator, FhirVersion.R4, swapped)
