"""FHIR XML and FHIR JSON say the same: real messages there and back, and XML as others write it."""

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.model import validate
from adapter.fhir.xml import to_xml
from tests.fhir.real_messages import exact, resources
from tests.fhir.xml_cases import FHIR, NS, PATIENT, R4, XSI, X, read


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
    (
        f'<h:div xmlns:h="{X}"><p xmlns="{X}">x</p></h:div>',
        f'<div xmlns="{X}"><p>x</p></div>',
        "a prefix outside, none inside",
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
