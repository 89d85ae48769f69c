"""What headers say of formats: the body's, and the one that is wanted back."""

import pytest

from adapter.errors import (
    FormatError,
    NotAcceptableError,
)
from adapter.fhir.model import FhirVersion
from adapter.web.media import Accepted, Return, accepted, is_gzipped, is_strict, preferred, sent

R4, R4B, R5 = FhirVersion
JSON, XML = "application/fhir+json", "application/fhir+xml"


SENT = [
    # Content-Type, written as, FHIR version, because
    (None, None, None, "not said: the body tells (RFC 9110, 8.3)"),
    ("application/fhir+json", "json", None, "FHIR's own type"),
    ("application/json", "json", None, "the generic type"),
    ("application/json+fhir", "json", None, "DSTU2's name"),
    ("application/xml+fhir;charset=utf-8", "xml", None, "DSTU2's name"),
    ("text/json", "json", None, "the generic type of old"),
    ("application/fhir+xml", "xml", None, "FHIR's own type"),
    ("application/xml", "xml", None, "the generic type"),
    ("text/xml", "xml", None, "the generic type of old"),
    ("Application/FHIR+JSON", "json", None, "types are compared without case (RFC 9110, 8.3.1)"),
    ("application/fhir+json; charset=UTF-8", "json", None, "FHIR is written in UTF-8"),
    ('application/fhir+json;charset="utf-8"', "json", None, "a parameter may be quoted"),
    ("application/fhir+json; fhirVersion=4.0", "json", R4, "R4"),
    ("application/fhir+xml;fhirVersion=4.3", "xml", R4B, "R4B"),
    ('application/fhir+json; charset=utf-8; fhirVersion="5.0"', "json", R5, "R5"),
    ("application/json; profile=x", "json", None, "a parameter that means nothing here"),
]


@pytest.mark.parametrize(("content_type", "media", "fhir", "because"), SENT)
def test_what_a_body_is_said_to_be(
    content_type: str | None, media: str | None, fhir: FhirVersion | None, because: str
) -> None:
    said = sent(content_type)
    assert (said.media, said.fhir) == (media, fhir), because


NOT_READ = [
    # Content-Type, because
    ("text/plain", "no FHIR"),
    ("application/x-www-form-urlencoded", "what curl says where it is not told"),
    ("application/fhir+turtle", "Turtle is not read"),
    ("application/fhir+ndjson", "a file of many, not one"),
    ("", "an empty type is none"),
    ("application/fhir+json; charset=iso-8859-1", "FHIR is UTF-8"),
    ("application/fhir+json; fhirVersion=3.0", "STU3 is not spoken"),
    ("application/fhir+json; fhirVersion=4", "the version is written 4.0"),
    ("application/fhir+json; fhirVersion=6.0", "R6 is not spoken"),
]


@pytest.mark.parametrize(("content_type", "because"), NOT_READ)
def test_what_is_not_read_is_415(content_type: str, because: str) -> None:
    with pytest.raises(FormatError) as caught:
        sent(content_type)
    assert (caught.value.status, caught.value.problems[0].code) == (415, "not-supported"), because


WANTED = [
    # Accept, _format, media type, FHIR version, because
    ("", None, JSON, None, "nothing is asked for"),
    ("*/*", None, JSON, None, "anything"),
    ("application/*", None, JSON, None, "anything of that kind"),
    ("text/*", None, "text/json", None, "anything of that kind"),
    (JSON, None, JSON, None, "JSON"),
    (XML, None, XML, None, "XML"),
    ("application/json", None, "application/json", None, "the generic type is answered under its name"),
    ("text/xml", None, "text/xml", None, "same"),
    (f"{JSON};q=0.5, {XML}", None, XML, None, "the higher weight wins, 1 where none is said"),
    (f"{XML};q=0.4, {JSON};q=0.5", None, JSON, None, "the higher weight wins"),
    (f"{XML}, {JSON}", None, XML, None, "of equal ones the first"),
    (f"*/*, {XML}", None, XML, None, "of equal ones the more specific"),
    ("*/*;q=0.8, text/html, application/xml;q=0.9", None, "application/xml", None, "what a browser says"),
    (f"{JSON};q=0, */*", None, XML, None, "a weight of 0 refuses"),
    (f"text/html, {JSON};q=0.1", None, JSON, None, "what cannot be given is passed over"),
    (f"{JSON}; fhirVersion=5.0", None, JSON, R5, "the version is asked for"),
    (f"{JSON}; fhirVersion=3.0, {XML};fhirVersion=4.3;q=0.2", None, XML, R4B, "STU3 cannot be given"),
    (f'{JSON};fhirVersion="4.0";q=0.9', None, JSON, R4, "a parameter may be quoted"),
    (f"{XML};q=nonsense, {JSON};q=0.1", None, JSON, None, "a weight that is none: the range is passed over"),
    (XML, "json", JSON, None, "_format goes before Accept"),
    ("", "xml", XML, None, "_format by its short name"),
    ("", "application/fhir+xml", XML, None, "_format by its media type"),
    ("", "application/fhir xml", XML, None, "a + that was not encoded in the URL"),
    ("", "text/json", "text/json", None, "_format by a generic type"),
    ("", f"{XML}; fhirVersion=5.0", XML, R5, "_format with a version"),
    (XML, "", XML, None, "an empty _format says nothing"),
    ("application/json+fhir", None, "application/json+fhir", None, "DSTU2's name is answered under its name"),
    (
        "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9",
        None,
        XML,
        None,
        "what HAPI's client says",
    ),
    ("", "application/json fhir", "application/json+fhir", None, "a + that was not encoded"),
]


@pytest.mark.parametrize(("accept", "format_", "kind", "fhir", "because"), WANTED)
def test_what_is_wanted(
    accept: str, format_: str | None, kind: str, fhir: FhirVersion | None, because: str
) -> None:
    found = accepted(accept, format_)
    assert found == Accepted(kind, "xml" if kind.endswith("xml") else "json", fhir), because


NOT_GIVEN = [
    # Accept, _format, because
    ("text/html", None, "no page is made"),
    ("application/fhir+turtle", None, "Turtle is not written"),
    (f"{JSON};q=0, {XML};q=0", None, "all that could be given is refused"),
    (f"*/*;q=0, {JSON};q=0", None, "same"),
    (f"{JSON};fhirVersion=3.0", None, "STU3 is not spoken"),
    (";;;", None, "no media range"),
    (JSON, "html", "_format goes before Accept, and cannot be given"),
    (JSON, "xml;fhirVersion=1.0", "no such version"),
]


@pytest.mark.parametrize(("accept", "format_", "because"), NOT_GIVEN)
def test_what_cannot_be_given_is_406(accept: str, format_: str | None, because: str) -> None:
    with pytest.raises(NotAcceptableError) as caught:
        accepted(accept, format_)
    assert caught.value.status == 406, because


def test_the_version_is_told_where_it_was_asked_for() -> None:
    assert accepted(JSON, None).content_type == JSON
    assert accepted(f"{XML}; fhirVersion=4.3", None).content_type == f"{XML}; fhirVersion=4.3"


@pytest.mark.parametrize(
    ("prefer", "asked", "because"),
    [
        ("", None, "nothing is asked for"),
        ("return=minimal", Return.MINIMAL, "RFC 7240, 4.2"),
        ("return=representation", Return.REPRESENTATION, "RFC 7240, 4.2"),
        ("return=OperationOutcome", Return.OUTCOME, "FHIR's own"),
        ('Return="Minimal"', Return.MINIMAL, "names without case; the value may be quoted"),
        ("respond-async, return=representation; wait=10", Return.REPRESENTATION, "among others"),
        ("return=everything", None, "a preference that is not known is passed over (RFC 7240, 2)"),
        ("respond-async", None, "a preference that is not known is passed over"),
    ],
)
def test_what_is_preferred(prefer: str, asked: Return | None, because: str) -> None:
    assert preferred(prefer) is asked, because


HANDLING = [
    # Prefer, whether it is strict, because
    ("handling=strict", True, "R4 search#errors"),
    ("return=minimal, Handling = Strict", True, "among others; names without case (RFC 7240, 2)"),
    ('respond-async; x=1, handling="strict"', True, "quoted"),
    ("handling=lenient", False, "the other value"),
    ("handling=lenient, handling=strict", False, "RFC 7240, 2: the first of a name counts"),
    ("return=representation", False, "another preference"),
    ("", False, "nothing is said"),
]


@pytest.mark.parametrize(("prefer", "strict", "because"), HANDLING)
def test_how_strictly_a_search_is_read(prefer: str, strict: bool, because: str) -> None:
    assert is_strict(prefer) is strict, because


def test_no_coding_but_gzip() -> None:
    assert [is_gzipped(one) for one in (None, "", "identity", "gzip", "X-GZIP")] == [
        False,
        False,
        False,
        True,
        True,
    ]
    for coding in ("br", "deflate", "gzip, gzip", "zstd"):
        with pytest.raises(FormatError):
            is_gzipped(coding)
