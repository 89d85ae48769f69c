"""Which addresses are the server's own, and that no other is ever asked for."""

import pytest

from adapter.client.faults import RefusedError
from adapter.client.urls import Base

BASE = Base("https://ehr.example/fhir", ("http://inner:8080/r4", "https://alias.example"))

LITERALS = [
    # reference, what is asked for below the base, because
    ("Patient/1", "Patient/1", "relative"),
    ("Patient/1/_history/2", "Patient/1/_history/2", "relative, of one version"),
    ("https://ehr.example/fhir/Patient/1", "Patient/1", "absolute, below the base"),
    ("https://EHR.example:443/fhir/Patient/1", "Patient/1", "RFC 3986, 6.2: the same host and port"),
    ("https://ehr.example/fhir/Patient/%31", "Patient/1", "RFC 3986, 6.2.2.2: the same path"),
    ("http://inner:8080/r4/Patient/1", "Patient/1", "below another name of the server's"),
    ("https://alias.example/Patient/1", "Patient/1", "below a name without a path"),
    ("Patient/" + "a" * 64, "Patient/" + "a" * 64, "FHIR id: 64 characters"),
    ("Patient/" + "a" * 65, None, "FHIR id: not 65"),
    ("Patient/a_b", None, "FHIR id: no underscore"),
    ("Patient/..", None, "a step up the path"),
    ("Patient/1/_history/..", None, "a step up the path"),
    ("Patient/a..b", "Patient/a..b", "two dots in an id are no step"),
    ("https://ehr.example/fhir/../Patient/1", None, "not below the base"),
    ("https://ehr.example/fhir/%2e%2e/admin/1", None, "not below the base"),
    ("https://ehr.example/fhirx/Patient/1", None, "another base that begins alike"),
    ("https://ehr.example/fhir//Patient/1", None, "another path"),
    ("https://ehr.example/Patient/1", None, "above the base"),
    ("https://elsewhere.example/fhir/Patient/1", None, "another host"),
    ("http://ehr.example/fhir/Patient/1", None, "without TLS it is another origin"),
    ("https://ehr.example:8443/fhir/Patient/1", None, "another port"),
    ("https://ehr.example@elsewhere.example/fhir/Patient/1", None, "a user name that looks like the host"),
    ("https://ehr.example\\@elsewhere.example/fhir/Patient/1", None, "a backslash is no slash"),
    ("https://user:word@ehr.example/fhir/Patient/1", None, "credentials in a reference"),
    ("//ehr.example/fhir/Patient/1", None, "no FHIR reference"),
    ("Patient?identifier=1", None, "conditional: no literal reference"),
    ("https://ehr.example/fhir/Patient/1?x=1", None, "a query is no part of a reference"),
    ("https://ehr.example/fhir/Patient/1#a", None, "a fragment is no part of a reference"),
    ("patient/1", None, "no resource type"),
    ("#patient", None, "contained"),
    ("urn:uuid:9d9f5c0e-9a7d-4b57-a9f0-a6b1b3b7d1c2", None, "of the Bundle alone"),
    ("file:///etc/passwd", None, "no HTTP"),
    ("https://[::1/fhir/Patient/1", None, "no address"),
    ("Patient/1\r\nX-Header: 1", None, "no line end passes into a request"),
    ("", None, "nothing"),
]


@pytest.mark.parametrize(("reference", "path", "because"), LITERALS)
def test_a_reference_means_a_resource_of_this_server_or_nothing(
    reference: str, path: str | None, because: str
) -> None:
    literal = BASE.literal(reference)
    assert (literal and literal.path) == path, because


def test_a_base_without_a_path() -> None:
    base = Base("https://ehr.example")
    literal = base.literal("https://ehr.example/Patient/1")
    assert literal
    assert literal.path == "Patient/1"
    assert base.own("Patient/1", base.url + "/") == "https://ehr.example/Patient/1"


LINKS = [
    # link, where it leads (None: it is refused), because
    ("https://ehr.example/fhir?p=a%2Fb&x=%C3%A5", "https://ehr.example/fhir?p=a%2Fb&x=%C3%A5", "opaque"),
    ("https://ehr.example/export/1", "https://ehr.example/export/1", "the origin is the server's own"),
    ("https://ehr.example:443/fhir/Task", "https://ehr.example/fhir/Task", "the same origin"),
    ("?page=2", "https://ehr.example/fhir/Task?page=2", "relative to the page before"),
    ("Task?page=2", "https://ehr.example/fhir/Task?page=2", "relative to the page before"),
    ("https://ehr.example/fhir#a", "https://ehr.example/fhir", "a fragment is not sent"),
    ("http://inner:8080/r4?p=2", "https://ehr.example/fhir?p=2", "another name of the server's"),
    ("http://inner:8080/r4/Task?p=2", "https://ehr.example/fhir/Task?p=2", "another name of the server's"),
    ("http://inner:8080/r4x/Task", None, "not below that name"),
    ("http://inner:8080/", None, "not below that name"),
    ("http://inner:8080/r4/../admin", None, "not below that name"),
    ("http://ehr.example/fhir?p=2", None, "without TLS it is another origin"),
    ("https://ehr.example:8443/fhir", None, "another port"),
    ("https://elsewhere.example/fhir", None, "another host"),
    ("//elsewhere.example/fhir", None, "another host"),
    ("https://user:word@ehr.example/fhir", None, "credentials in a link"),
    ("https://ehr.example@elsewhere.example/", None, "another host"),
    ("https://ehr.example\\@elsewhere.example/", None, "another host"),
    ("https://ehr.example./fhir", None, "another name in DNS"),
    ("http://169.254.169.254/latest/meta-data", None, "a cloud's own address"),
    ("file:///etc/passwd", None, "no HTTP"),
    ("https://[::1", None, "no address"),
]  # fmt: skip


@pytest.mark.parametrize(("link", "leads_to", "because"), LINKS)
def test_a_link_leads_to_this_server_or_is_refused(link: str, leads_to: str | None, because: str) -> None:
    at = "https://ehr.example/fhir/Task"
    if leads_to is not None:
        assert BASE.own(link, at) == leads_to, because
        return
    with pytest.raises(RefusedError) as refused:
        BASE.own(link, at)
    assert link not in str(refused.value), because
