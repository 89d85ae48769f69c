"""FHIR XML and FHIR JSON say the same: real messages there and back, faults by place, traps not sprung."""

import random
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import InputError, MalformedError, ResourceError, TooLargeError
from adapter.fhir.document import MAX_BYTES, MAX_DEPTH
from adapter.fhir.model import FhirVersion, validate
from adapter.fhir.xml import parse_xml, to_xml
from tests.fhir.real_messages import exact, resources

R4, R4B, R5 = FhirVersion
FHIR = "http://hl7.org/fhir"
NS = f'xmlns="{FHIR}"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PLANTED = ("191212121212", "Tolvansson", "Storgatan")


def read(body: bytes | str, version: FhirVersion = R4, **limits: int) -> dict[str, Any]:
    source = body if isinstance(body, bytes) else body.encode()
    return parse_xml(source, version, **({"max_bytes": MAX_BYTES, "max_depth": MAX_DEPTH} | limits))


def test_every_example_comes_back_the_same() -> None:
    seen = 0
    for name, version, resource in resources():
        back = read(to_xml(resource, version), version)
        assert exact(back) == exact(resource), name
        seen += 1
    assert seen > 45


def test_what_comes_back_is_as_sound_as_before() -> None:
    for name, version, resource in resources():
        back = read(to_xml(resource, version), version)
        assert validate(back, version) == validate(resource, version), name


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufffe\uffff\x7f", min_codepoint=32)
    | st.sampled_from("\t\n\r"),
    min_size=1,
)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
EXTENSIONS = st.lists(
    st.fixed_dictionaries({"url": st.just("http://example.org/x")}, optional={"id": st.just("e1")}).flatmap(
        lambda base: st.one_of(
            st.builds(lambda v: base | {"valueString": v}, TEXTS),
            st.builds(lambda v: base | {"valueDecimal": v}, DECIMALS),
            st.builds(lambda v: base | {"valueBoolean": v}, st.booleans()),
            st.builds(lambda v: base | {"valueInteger": v}, st.integers(-(2**31), 2**31 - 1)),
        )
    ),
    min_size=1,
    max_size=2,
)


@st.composite
def names(draw: st.DrawFn) -> dict[str, Any]:
    """A HumanName whose given names have values, ids and extensions in every mixture."""
    name: dict[str, Any] = {"family": draw(TEXTS)}
    pairs = draw(
        st.lists(st.tuples(st.none() | TEXTS, st.none() | EXTENSIONS).filter(any), min_size=1, max_size=4)
    )
    if any(value is not None for value, _ in pairs):
        name["given"] = [value for value, _ in pairs]
    if any(extension for _, extension in pairs):
        name["_given"] = [None if extension is None else {"extension": extension} for _, extension in pairs]
    return name


@settings(deadline=None)  # the first one makes the models
@given(
    found=st.fixed_dictionaries(
        {"resourceType": st.just("Patient")},
        optional={
            "id": st.just("p1"),
            "active": st.booleans(),
            "multipleBirthInteger": st.integers(-(2**31), 2**31 - 1),
            "name": st.lists(names(), min_size=1, max_size=3),
            "extension": EXTENSIONS,
            "_gender": st.builds(lambda e: {"id": "g", "extension": e}, EXTENSIONS),
            "contained": st.just([{"resourceType": "Organization", "id": "o", "name": "x"}]),
        },
    ),
    seed=st.integers(0, 2**32),
)
def test_any_patient_comes_back_the_same(found: dict[str, Any], seed: int) -> None:
    written = to_xml(found, R4)
    assert exact(read(written)) == exact(found)
    names_ = list(found)
    random.Random(seed).shuffle(names_)  # noqa: S311 - an order, no secret
    assert to_xml({name: found[name] for name in names_}, R4) == written, (
        "the schema's order, not the sender's"
    )


def test_elements_are_written_in_the_order_of_the_schema() -> None:
    resource = {
        "resourceType": "Encounter",
        "period": {"end": "2024-03-05", "start": "2024-03-04"},
        "class": {"code": "IMP", "system": "urn:x"},
        "status": "finished",
        "id": "e1",
    }
    assert to_xml(resource, R4).decode() == (
        f'<?xml version="1.0" encoding="UTF-8"?><Encounter {NS}><id value="e1"/><status value="finished"/>'
        '<class><system value="urn:x"/><code value="IMP"/></class>'
        '<period><start value="2024-03-04"/><end value="2024-03-05"/></period></Encounter>'
    )


PATIENT = f"<Patient {NS}>%s</Patient>"
READ: list[tuple[str, dict[str, Any], str]] = [
    # inside a Patient, what JSON has, because
    ("", {}, "nothing said"),
    ('<name><given value="Siv"/></name>', {"name": [{"given": ["Siv"]}]}, "a list of one stays a list"),
    ('<id value="p1"/>', {"id": "p1"}, "the id of a resource is an element"),
    ('<name id="n1"/>', {"name": [{"id": "n1"}]}, "the id of an element is an attribute"),
    ('<gender id="g1"/>', {"_gender": {"id": "g1"}}, "and of a primitive without a value"),
    (
        '<extension url="urn:x"><valueDecimal value="1.10"/></extension>',
        {"extension": [{"url": "urn:x", "valueDecimal": Decimal("1.10")}]},
        "a decimal keeps its scale; url is an attribute",
    ),
    (
        '<extension url="urn:x"><valueDecimal value="7"/></extension>',
        {"extension": [{"url": "urn:x", "valueDecimal": 7}]},
        "a whole decimal is a whole number, as in JSON",
    ),
    ('<active value="true"/>', {"active": True}, "a boolean"),
    (
        '<name><family value="a&#10;b &amp; &quot;c&quot;"/></name>',
        {"name": [{"family": 'a\nb & "c"'}]},
        "escapes",
    ),
    ("<!-- a remark --><active value='false'/>", {"active": False}, "a comment says nothing"),
    (
        '<name><given value="A"/></name><active value="true"/><name><given value="B"/></name>',
        {"name": [{"given": ["A"]}, {"given": ["B"]}], "active": True},
        "out of the schema's order, and still clear",
    ),
    (
        '<contained><Organization><id value="o"/></Organization></contained>',
        {"contained": [{"resourceType": "Organization", "id": "o"}]},
        "a contained resource stands under its own name",
    ),
]


@pytest.mark.parametrize(("inside", "expected", "because"), READ)
def test_what_is_read(inside: str, expected: dict[str, Any], because: str) -> None:
    assert exact(read(PATIENT % inside)) == exact({"resourceType": "Patient", **expected}), because


FOREIGN = [
    # document, because
    (
        f'\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<Patient {NS}><active value="true"/></Patient>\n',
        "a byte order mark",
    ),
    ('<f:Patient xmlns:f="http://hl7.org/fhir"><f:active value="true"/></f:Patient>', "a prefix"),
    (
        f'<Patient {NS} {XSI} xsi:schemaLocation="{FHIR} ../fhir.xsd"><active value="true"/></Patient>',
        "HL7's own examples name their schema; nobody fetches it",
    ),
    (f'<Patient {NS}>\n\t<active\r\n  value = "true" ></active> </Patient>', "spaces where XML allows them"),
]


@pytest.mark.parametrize(("document", "because"), FOREIGN)
def test_xml_as_others_write_it(document: str, because: str) -> None:
    assert read(document) == {"resourceType": "Patient", "active": True}, because


X = "http://www.w3.org/1999/xhtml"
NARRATIVES = [
    # in XML, in JSON, because
    (f'<div xmlns="{X}"><p>a</p></div>', f'<div xmlns="{X}"><p>a</p></div>', "as it stands"),
    (f"<div xmlns='{X}' ><br></br>&#xA0;</div>", f"<div xmlns='{X}' ><br></br>&#xA0;</div>", "to the letter"),
    (f'<div xmlns="{X}">a\r\nb</div>', f'<div xmlns="{X}">a\nb</div>', "line ends are XML's"),
    (f'<div xmlns="{X}"/>', f'<div xmlns="{X}"/>', "an empty one"),
    (f'<div xmlns="{X}" ></div>', f'<div xmlns="{X}" ></div>', "an empty one in two tags"),
    (f'<div xmlns="{X}"><div><a/></div></div>', f'<div xmlns="{X}"><div><a/></div></div>', "a div in it"),
    (
        f'<h:div xmlns:h="{X}"><h:p class="a&quot;&lt;">x &amp; y<h:br/></h:p></h:div>',
        f'<div xmlns="{X}"><p class="a&quot;&lt;">x &amp; y<br/></p></div>',
        "a prefix is written without: JSON's text stands alone",
    ),
]


@pytest.mark.parametrize(("markup", "text", "because"), NARRATIVES)
def test_a_narrative_is_kept(markup: str, text: str, because: str) -> None:
    inside = f'<text><status value="generated"/>{markup}</text><active value="true"/>'
    found = read(PATIENT % inside)
    assert found == {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": text},
        "active": True,
    }, because
    assert read(to_xml(found, R4)) == found


def test_a_prefix_that_is_declared_outside_the_narrative() -> None:
    narrative = '<h:div>a<h:b xml:lang="sv">b</h:b></h:div>'
    document = f'<Patient {NS} xmlns:h="{X}"><text>{narrative}</text></Patient>'
    assert read(document)["text"]["div"] == f'<div xmlns="{X}">a<b xml:lang="sv">b</b></div>'


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
        PATIENT % '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>',
        "resource",
        "structure",
        "Patient",
        "XInclude is another namespace, and nothing is included",
    ),
]
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
    (f'<?xml-stylesheet href="file:///etc/passwd"?>{PATIENT % ""}', "a processing instruction"),
    (PATIENT % "<?php Tolvansson ?>", "a processing instruction inside"),
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


UNWRITABLE: list[tuple[dict[str, Any], str, str]] = [
    # a Patient with this, expression, because
    ({"Tolvansson": 1}, "Patient", "an unknown element"),
    ({"Xactive": True}, "Patient", "an unknown element that ends as a known one"),
    ({"name": {"family": "x"}}, "Patient.name", "a list that is none"),
    ({"name": ["Tolvansson"]}, "Patient.name[0]", "an object that is none"),
    ({"_name": [{"id": "x"}]}, "Patient.name[0]", "only primitives have something beside them"),
    ({"birthDate": ["1912-12-12"]}, "Patient.birthDate", "a list where none may be"),
    ({"birthDate": "19\x0112"}, "Patient.birthDate", "a character that XML cannot hold"),
    ({"birthDate": "19\ud80012"}, "Patient.birthDate", "half a character"),
    ({"multipleBirthInteger": float("nan")}, "Patient.multipleBirthInteger", "no number"),
    ({"contained": [{"resourceType": "Tolvansson"}]}, "Patient.contained[0]", "no such type"),
    ({"contained": [{"id": "x"}]}, "Patient.contained[0]", "a resource says its type"),
    ({"text": {"status": "generated", "div": "<div>a<b></div>"}}, "Patient.text.div", "no XML"),
    ({"text": {"status": "generated", "div": "<p>a</p>"}}, "Patient.text.div", "no div"),
    (
        {"text": {"status": "generated", "div": f'<div xmlns="{X}"/><x/>'}},
        "Patient.text.div",
        "more than a div",
    ),
    (
        {"text": {"status": "generated", "div": f'<div xmlns="{X}"/></text><x/>'}},
        "Patient.text.div",
        "a way out",
    ),
    (
        {"text": {"status": "generated", "div": f'<div xmlns="{X}"><?php x?></div>'}},
        "Patient.text.div",
        "a PI",
    ),
    ({"text": {"status": "generated", "div": '<!DOCTYPE a><div xmlns="x"/>'}}, "Patient.text.div", "a DTD"),
    ({"text": {"status": "generated", "div": 7}}, "Patient.text.div", "no text"),
]


@pytest.mark.parametrize(("more", "expression", "because"), UNWRITABLE)
def test_what_cannot_be_written(more: dict[str, Any], expression: str, because: str) -> None:
    with pytest.raises(ResourceError) as caught:
        to_xml({"resourceType": "Patient"} | more, R4)
    (problem,) = caught.value.problems
    assert problem.expression == expression, because
    assert not any(value in str(caught.value) for value in PLANTED)


def test_a_resource_without_a_type_cannot_be_written() -> None:
    for resource in ({}, {"resourceType": "Tolvansson"}, {"resourceType": 7}):
        with pytest.raises(ResourceError) as caught:
            to_xml(resource, R4)
        assert caught.value.problems[0].expression == "resourceType"


def test_null_says_nothing() -> None:
    written = to_xml({"resourceType": "Patient", "gender": None, "name": [{"given": [None, "a"]}]}, R4)
    assert read(written) == {"resourceType": "Patient", "name": [{"given": ["a"]}]}


def test_a_narrative_in_json_may_leave_its_namespace_out() -> None:
    text = {"status": "generated", "div": "<div>a<div>b</div></div>"}
    back = read(to_xml({"resourceType": "Patient", "text": text}, R4))
    assert back["text"]["div"] == f'<div xmlns="{X}">a<div>b</div></div>'


BY_VERSION = [
    # document, version, whether it is known there, because
    (f"<Encounter {NS}><actualPeriod/></Encounter>", R5, True, "R5: actualPeriod"),
    (f"<Encounter {NS}><actualPeriod/></Encounter>", R4, False, "R4: period"),
    (f"<Encounter {NS}><hospitalization/></Encounter>", R4, True, "R4: hospitalization"),
    (f"<Encounter {NS}><hospitalization/></Encounter>", R4B, True, "R4B: as R4"),
    (f"<Encounter {NS}><hospitalization/></Encounter>", R5, False, "R5: admission"),
    (f"<EncounterHistory {NS}/>", R5, True, "new in R5"),
    (f"<EncounterHistory {NS}/>", R4B, False, "new in R5"),
]


@pytest.mark.parametrize(("document", "version", "known", "because"), BY_VERSION)
def test_each_version_has_its_own_elements(
    document: str, version: FhirVersion, known: bool, because: str
) -> None:
    try:
        read(document, version)
    except ResourceError:
        assert not known, because
    else:
        assert known, because


def test_integer64_is_text_in_json() -> None:
    """R5, JSON: «integer64 … represented as a JSON string»; the counter of events is one."""
    document = f'<SubscriptionStatus {NS}><eventsSinceSubscriptionStart value="310"/></SubscriptionStatus>'
    assert read(document, R5)["eventsSinceSubscriptionStart"] == "310"
