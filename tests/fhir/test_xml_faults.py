"""What is no FHIR XML: faults are told by place and never by value, traps are not sprung, limits hold."""

import time

import pytest

from adapter.errors import InputError, MalformedError, ResourceError, TooLargeError
from tests.fhir.xml_cases import NS, PATIENT, PLANTED, X, read

FAULTS: list[tuple[str, str, str, str | None, str]] = [
    # document, kind of fault, code, expression, because
    ("", "malformed", "structure", None, "nothing"),
    ("Tolvansson", "malformed", "structure", None, "no XML"),
    (f"<Patient {NS}><name>", "malformed", "structure", None, "it ends too early"),
    (f"<Patient {NS}/><Patient {NS}/>", "malformed", "structure", None, "two documents"),
    (
        f'<Patient {NS}><id value="a" value="b"/></Patient>',
        "malformed",
        "structure",
        None,
        "an attribute twice",
    ),
    (
        PATIENT % '<id value="&Tolvansson;"/>',
        "malformed",
        "structure",
        None,
        "an entity that is not XML's own",
    ),
    (PATIENT % '<id value="&#1;"/>', "malformed", "structure", None, "a control character"),
    (PATIENT % '<id value="&#0;"/>', "malformed", "structure", None, "a NUL"),
    (PATIENT % '<id value="&#xD800;"/>', "malformed", "structure", None, "half a character"),
    ("<Patient/>", "resource", "structure", None, "no namespace"),
    ('<Patient xmlns="urn:hl7-org:v3"/>', "resource", "structure", None, "another namespace"),
    (
        f"<Tolvansson {NS}/>",
        "resource",
        "not-supported",
        "resourceType",
        "no such type; its name is not told",
    ),
    (f"<Period {NS}/>", "resource", "not-supported", "resourceType", "a data type is no resource"),
    (f'<Patient {NS} id="p1"/>', "resource", "structure", "Patient", "a resource's id is an element"),
    (PATIENT % '<Tolvansson value="1"/>', "resource", "structure", "Patient", "an unknown element"),
    (
        PATIENT % '<active value="true"/><active value="false"/>',
        "resource",
        "structure",
        "Patient.active",
        "twice",
    ),
    (PATIENT % '<active value="yes"/>', "resource", "value", "Patient.active", "no boolean"),
    (PATIENT % '<active value="1"/>', "resource", "value", "Patient.active", "FHIR's booleans are words"),
    (PATIENT % '<active Tolvansson="1"/>', "resource", "structure", "Patient.active", "an unknown attribute"),
    (PATIENT % '<name value="Tolvansson"/>', "resource", "structure", "Patient.name[0]", "no primitive"),
    (
        PATIENT % '<name/><name><given value="a"/><given value="b"><x/></given></name>',
        "resource",
        "structure",
        "Patient.name[1].given[1]",
        "the place is counted",
    ),
    (
        PATIENT % "<active>Tolvansson</active>",
        "resource",
        "structure",
        "Patient.active",
        "text in an element",
    ),
    (
        PATIENT % '<multipleBirthInteger value="1.0"/>',
        "resource",
        "value",
        "Patient.multipleBirthInteger",
        "whole",
    ),
    (
        PATIENT % f'<multipleBirthInteger value="{"9" * 5_000}"/>',
        "resource",
        "value",
        "Patient.multipleBirthInteger",
        "a number that takes long to read",
    ),
    (
        PATIENT % '<extension url="x"><valueDecimal value="1e999"/></extension>',
        "resource",
        "value",
        "Patient.extension[0].valueDecimal",
        "a number that JSON could not hold",
    ),
    (
        PATIENT % '<extension url="x"><valueDecimal value="NaN"/></extension>',
        "resource",
        "value",
        "Patient.extension[0].valueDecimal",
        "no number",
    ),
    (
        PATIENT % '<extension><url value="x"/></extension>',
        "resource",
        "structure",
        "Patient.extension[0]",
        "an extension's url is an attribute",
    ),
    (
        PATIENT % '<contained id="c"/>',
        "resource",
        "structure",
        "Patient.contained[0]",
        "nothing but a resource",
    ),
    (
        PATIENT % f'<h:name xmlns:h="{X}"/>',
        "resource",
        "structure",
        "Patient.name[0]",
        "an element of FHIR in XHTML's namespace",
    ),
    (PATIENT % "<contained/>", "resource", "structure", "Patient.contained[0]", "no resource in it"),
    (
        PATIENT % "<contained><Patient/><Patient/></contained>",
        "resource",
        "structure",
        "Patient.contained[0]",
        "two resources in it",
    ),
    (
        PATIENT % "<contained><Tolvansson/></contained>",
        "resource",
        "not-supported",
        "Patient.contained[0]",
        "no such type",
    ),
    (
        PATIENT % '<text><status value="generated"/><div>a</div></text>',
        "resource",
        "structure",
        "Patient.text.div",
        "a narrative in FHIR's namespace",
    ),
    (
        PATIENT % f'<div xmlns="{X}">a</div>',
        "resource",
        "structure",
        "Patient",
        "a narrative where none may be",
    ),
    (
        PATIENT % f'<text><div xmlns="{X}"><Tolvansson xmlns="urn:x"/></div></text>',
        "resource",
        "structure",
        "Patient.text.div",
        "a narrative of another namespace",
    ),
    (
        PATIENT % f'<text><div xmlns="{X}"/><div xmlns="{X}"/></text>',
        "resource",
        "structure",
        "Patient.text.div",
        "two narratives",
    ),
    (
        PATIENT % f'<text><div xmlns="{X}"><?php Tolvansson ?></div></text>',
        "resource",
        "structure",
        "Patient.text.div",
        "a processing instruction in what is kept as it is written",
    ),
    (
        PATIENT % '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>',
        "resource",
        "structure",
        "Patient",
        "XInclude is another namespace, and nothing is included",
    ),
]
ID = '<id value="p"/>'
KINDS: dict[str, type[InputError]] = {"malformed": MalformedError, "resource": ResourceError}


@pytest.mark.parametrize(("document", "kind", "code", "expression", "because"), FAULTS)
def test_a_fault_tells_where_and_never_what(
    document: str, kind: str, code: str, expression: str | None, because: str
) -> None:
    with pytest.raises(KINDS[kind]) as caught:
        read(document)
    (problem,) = caught.value.problems
    assert (problem.code, problem.expression) == (code, expression), because
    assert not any(value in str(caught.value) for value in PLANTED)
    assert caught.value.__cause__ is None


PASSED_OVER = [
    # document, because
    (
        f'<?xml-stylesheet type="text/xsl" href="file:///etc/passwd"?>{PATIENT % ID}',
        "XML 1.0, 2.6: for a viewer",
    ),
    (PATIENT % f"<?php Tolvansson ?>{ID}<?x?>", "inside"),
    (f"<!-- Tolvansson -->{PATIENT % f'<!-- a --> {ID} <!-- <id/> -->'}<!-- b -->", "comments"),
]


@pytest.mark.parametrize(("document", "because"), PASSED_OVER)
def test_what_is_for_others_is_passed_over(document: str, because: str) -> None:
    assert read(document) == {"resourceType": "Patient", "id": "p"}, because


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
TRAPS = [
    # document, because
    (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]>{PATIENT % "<id value=%s/>"}' % '"&l9;"', "a billion laughs"),
    (
        f'<!DOCTYPE a [<!ENTITY l "{"h" * 50_000}">]>{PATIENT % "<id value=%s/>"}' % f'"{"&l;" * 5_000}"',
        "one long laugh",
    ),
    (f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{PATIENT % "&x;"}', "a file of this machine"),
    (f'<!DOCTYPE a [<!ENTITY x SYSTEM "http://169.254.169.254/">]>{PATIENT % "&x;"}', "an address within"),
    (f'<!DOCTYPE a SYSTEM "http://example.org/a.dtd">{PATIENT % ""}', "a document type from outside"),
    (
        f'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>{PATIENT % ""}'.replace("% ''", ""),
        "a parameter entity",
    ),
    (f"<!DOCTYPE a>{PATIENT % ''}", "any document type at all"),
    ((PATIENT % '<id value="å"/>').encode("utf-16"), "UTF-16"),
    ((PATIENT % '<id value="å"/>').encode("utf-16-be"), "UTF-16 without its mark"),
    (
        ('<?xml version="1.0" encoding="iso-8859-1"?>' + PATIENT % '<id value="å"/>').encode("latin-1"),
        "ISO 8859-1",
    ),
    (PATIENT.encode() % b'<id value="\xed\xa0\x80"/>', "half a character in UTF-8"),
    (PATIENT % '<id value="\0"/>', "a NUL"),
]


@pytest.mark.parametrize(("document", "because"), TRAPS)
def test_a_trap_is_not_sprung(document: str | bytes, because: str) -> None:
    started = time.process_time()
    with pytest.raises(MalformedError) as caught:
        read(document)
    assert caught.value.status == 400, because
    assert not any(value in str(caught.value) for value in (*PLANTED, "passwd", "root:"))
    assert time.process_time() - started < 1, because


def nested(levels: int) -> str:
    """A Patient with extensions in extensions, `levels` elements deep."""
    inside = levels - 1
    return PATIENT % ('<extension url="x">' * inside + "</extension>" * inside)


def test_the_limit_of_depth() -> None:
    assert read(nested(10), max_depth=10)["resourceType"] == "Patient"
    with pytest.raises(ResourceError) as caught:
        read(nested(11), max_depth=10)
    assert caught.value.problems[0].code == "too-costly"


def test_what_is_too_deep_is_not_read_on() -> None:
    for deep in (nested(100_000)[:1_900_000], PATIENT % (f'<text><div xmlns="{X}">' + "<b>" * 500_000)):
        started = time.process_time()
        with pytest.raises(ResourceError):
            read(deep)
        assert time.process_time() - started < 1


def test_the_limit_of_size() -> None:
    body = (PATIENT % "").encode()
    assert read(body, max_bytes=len(body)) == {"resourceType": "Patient"}
    with pytest.raises(TooLargeError):
        read(body, max_bytes=len(body) - 1)


def test_a_narrative_of_many_tags_takes_time_in_proportion() -> None:
    """A tag may look at its own source, not at all that follows."""

    def seconds(tags: int) -> float:
        document = PATIENT % (f'<text><div xmlns="{X}">' + "<b/>" * tags + "</div></text>")
        started = time.process_time()
        read(document)
        return time.process_time() - started

    assert seconds(400_000) < 100 * seconds(40_000)
