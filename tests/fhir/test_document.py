"""Bytes into a document: what is JSON enough, within which limits, and what two readers might differ in."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import InputError, MalformedError, ResourceError, TooLargeError
from adapter.fhir.document import Limits, parse_json, read_document
from adapter.fhir.model import FhirVersion
from adapter.fhir.places import place_of
from tests.fhir.real_messages import exact, resources

R4, R4B, R5 = FhirVersion
PLANTED = ("191212121212", "Tolvansson")
NAME = '{"resourceType":"Patient","name":[{"family":%s}]}'

Fault = type[InputError]
REFUSED: list[tuple[bytes, Fault, str, str | None, str]] = [
    # body, fault, code, expression, because
    (b"", MalformedError, "structure", None, "nothing"),
    (b'{"resourceType": "191212121212', MalformedError, "structure", None, "it ends too early"),
    (b'["191212121212"]', MalformedError, "structure", None, "no object"),
    (b"{} {}", MalformedError, "structure", None, "two documents"),
    (b'{"a": NaN}', MalformedError, "structure", None, "NaN is no JSON"),
    (b'{"a": Infinity}', MalformedError, "structure", None, "nor is Infinity (RFC 8259, 6)"),
    (b'{"a": -Infinity}', MalformedError, "structure", None, "nor its opposite"),
    (b'{"a": 1e400}', ResourceError, "value", None, "JSON, but no double holds it (RFC 8259, 6)"),
    (b'{"a": -1e400}', ResourceError, "value", None, "JSON, but no double holds it"),
    (b'{"a": ' + b"9" * 400 + b"}", ResourceError, "value", None, "a whole number that is as large"),
    ((NAME % "1e999").encode(), ResourceError, "value", "Patient.name[0].family", "where it stands"),
    ((NAME % "NaN").encode(), MalformedError, "structure", "Patient.name[0].family", "where it stands"),
    ((NAME % r'"\udead"').encode(), ResourceError, "value", "Patient.name[0].family", "where it stands"),
    (b"\xef\xbb\xbf\xef\xbb\xbf{}", MalformedError, "structure", None, "a second byte order mark"),
    (b"\xfe\xff\0{\0}", MalformedError, "structure", None, "UTF-16 with its mark"),
    ("{}".encode("utf-16-le"), MalformedError, "structure", None, "UTF-16 without one"),
    ("{}".encode("utf-32"), MalformedError, "structure", None, "UTF-32"),
    (b"{'a': 1}", MalformedError, "structure", None, "Python's quotes"),
    (b'{"a": 1,}', MalformedError, "structure", None, "a comma too many"),
    (b'{"a":' * 5_000, ResourceError, "too-costly", None, "deeper than a parser goes"),
    (b"[1e400]", MalformedError, "structure", None, "no object"),
    ('{"a": "å"}'.encode("latin-1"), MalformedError, "structure", None, "ISO 8859-1"),
    ('{"a": "å"}'.encode("utf-16"), MalformedError, "structure", None, "UTF-16"),
    (b'{"a": "\\ud800"}', ResourceError, "value", None, "half a character (RFC 8259, 8.2)"),
    (b'{"a": "\xed\xa0\x80"}', MalformedError, "structure", None, "half a character in UTF-8"),
    (b'{"\\udc00": 1}', ResourceError, "value", None, "half a character in a name"),
    (b'{"a": "\x01"}', MalformedError, "structure", None, "a control character that is not escaped"),
    ((NAME % r'"Tolvansson\u0000"').encode(), ResourceError, "value", "Patient.name[0].family", "a NUL"),
    ((NAME % r'"Tolvansson\u001F"').encode(), ResourceError, "value", "Patient.name[0].family", "U+001F"),
    ((NAME % r'"Tolvansson\b"').encode(), ResourceError, "value", "Patient.name[0].family", "a backspace"),
    ((NAME % r'"\\\f"').encode(), ResourceError, "value", "Patient.name[0].family", "behind a backslash"),
    (b'{"resourceType":"Patient","id":"1","id":"2"}', MalformedError, "structure", "Patient", "a name twice"),
    (
        b'{"resourceType" : "Patient", "id" : "1", "id" : "1"}',
        MalformedError,
        "structure",
        "Patient",
        "twice",
    ),
    (b'{"id"\n:1,"\\u0069d":2}', MalformedError, "structure", None, "the same name written in two ways"),
    ((NAME % '"a","family":"b"').encode(), MalformedError, "structure", "Patient.name[0]", "twice, inside"),
    (
        b'{"resourceType":"Patient","Tolvansson":{"a":1,"a":2}}',
        MalformedError,
        "structure",
        "Patient",
        "inside what nobody knows: the place is told as far as it is known",
    ),
    (
        b'{"resourceType":"Bundle","entry":[{},{"resource":{"resourceType":"Task","id":1,"id":2}}]}',
        MalformedError,
        "structure",
        "Bundle.entry[1].resource",
        "twice, in a resource of a Bundle",
    ),
    (
        b'{"resourceType":"Tolvansson","a":1,"a":2}',
        MalformedError,
        "structure",
        None,
        "of a type that nobody knows",
    ),
    (
        b'{"a":":","b":{"a":1,"a":":"}}',
        MalformedError,
        "structure",
        None,
        "beside texts that begin with a colon",
    ),
    (b'{"a":' + b"9" * 300 + b',"a":1}', MalformedError, "structure", None, "beside a very long number"),
]


@pytest.mark.parametrize(("body", "fault", "code", "expression", "because"), REFUSED)
def test_what_is_refused(body: bytes, fault: Fault, code: str, expression: str | None, because: str) -> None:
    with pytest.raises(fault) as caught:
        parse_json(body)
    (problem,) = caught.value.problems
    assert (problem.code, problem.expression) == (code, expression), because
    assert not any(value in str(caught.value) for value in PLANTED)


WORDS = [
    # body, what is said, because
    (b"", "empty", "nothing was sent"),
    (b'{"a": 1e999}', "double", "well-formed JSON is not called none"),
    (b'{"a": NaN}', "NaN", "a word of JavaScript"),
    (b'{"a": 1e999, "a": 1}', "a value that cannot be taken, at line 1, column", "of a name said twice"),
    (b'{"a": "\\ud800"}', "surrogate", "half a character"),
    ('{"a": "å"}'.encode("latin-1"), "byte 8 ", "where another encoding begins"),
    ('{"a": "å"}'.encode("utf-16"), "UTF-16", "which encoding it is"),
    (b'{"a": "\x01"}', "line 1, column 8", "RFC 8259, 7"),
    (b'{"a": 1,\n}', "line 2, column 1", "where JSON ends"),
    (b'{"a": 1, "a": 2}', "twice", "orjson would take the last"),
    (b'{"a":' * 5_000, "deeper than 60", "the limit"),
]


@pytest.mark.parametrize(("body", "words", "because"), WORDS)
def test_what_is_wrong_is_said(body: bytes, words: str, because: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_json(body)
    assert words in caught.value.problems[0].rule, because


def test_a_byte_order_mark_is_passed_over() -> None:
    """RFC 8259, 8.1: parsers may ignore it rather than treat it as an error."""
    body = b'\xef\xbb\xbf{"resourceType":"Patient"}'
    assert parse_json(body) == {"resourceType": "Patient"}
    assert read_document(body, "json", R4) == {"resourceType": "Patient"}


READ = [
    # body, because
    (rb'{"a": "\\u0000"}', "a backslash and letters, no NUL"),
    (rb'{"a": "\\b \\\\f"}', "a backslash and a letter, no backspace"),
    (rb'{"a": "\t\r\n\u000a\u0009\u000D"}', "the three that FHIR allows"),
    (rb'{"a": "\u0085\u007f"}', "above 31 FHIR forbids none"),
    (rb'{"a": "\ud83d\ude00"}', "a whole character in two halves"),
    (b'{"a": ":", "b": ": ", "c": {"a": ":x"}}', "texts that begin with a colon"),
    (rb'{"a": "\":", "b": "\" :"}', "texts with a quote and a colon"),
    (b'{"a"\t:\n1, "b"\r\n:2}', "spaces where JSON allows them"),
    (b'{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 1}]}', "the same name in other objects"),
    (b'{"": 1, " ": 2}', "names without letters"),
]


@pytest.mark.parametrize(("body", "because"), READ)
def test_what_is_read(body: bytes, because: str) -> None:
    assert parse_json(body) == json.loads(body), because


TEXTS = st.text(
    st.sampled_from('ab": \\{}[],\t') | st.characters(codec="utf-8", min_codepoint=32), max_size=6
)
VALUES = st.recursive(
    TEXTS | st.integers(-9, 9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))
def test_no_document_without_a_repeat_is_refused(document: dict[str, Any], style: tuple[str, str]) -> None:
    for ascii_ in (True, False):
        assert parse_json(json.dumps(document, separators=style, ensure_ascii=ascii_).encode()) == document


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), st.data())
def test_no_repeat_is_passed_over(document: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(document)))
    body = f"{{{json.dumps(name)}:{data.draw(st.sampled_from(['1', 'true', chr(34) + ':' + chr(34)]))},"
    body += json.dumps(document)[1:]
    for whole in (body, f'{{"out":[{body}]}}'):
        with pytest.raises(MalformedError):
            parse_json(whole.encode())


@pytest.mark.parametrize(
    ("body", "because"),
    [
        (b'{"a": {"a": {"a": 1}}}', "objects"),
        (b'{"a": [[1]]}', "lists"),
        (b'{"a": [{"a": []}]}', "an empty one counts too"),
    ],
)
def test_the_limit_of_depth(body: bytes, because: str) -> None:
    deep = 4 if b"[]" in body else 3
    assert parse_json(body, max_depth=deep), because
    with pytest.raises(ResourceError) as caught:
        parse_json(body, max_depth=deep - 1)
    assert caught.value.problems[0].code == "too-costly"


def test_the_limit_of_size() -> None:
    assert parse_json(b'{"a": 1}', max_bytes=8)
    with pytest.raises(TooLargeError) as caught:
        parse_json(b'{"a": 1}', max_bytes=7)
    assert caught.value.status == 413


JSON = b'{"resourceType":"Bundle","type":"batch","entry":[%s]}'
XML = b'<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/>%s</Bundle>'


def test_the_limit_of_entries() -> None:
    for kind, form in (("json", (JSON, b"{}", b",")), ("xml", (XML, b'<entry id="x"/>', b""))):
        whole, one, between = form
        for number, fits in ((3, True), (4, False)):
            body = whole % between.join([one] * number)
            if fits:
                assert len(read_document(body, kind, R4, Limits(max_entries=3))["entry"]) == number
                continue
            with pytest.raises(TooLargeError) as caught:
                read_document(body, kind, R4, Limits(max_entries=3))
            (problem,) = caught.value.problems
            assert (caught.value.status, problem.expression) == (413, "Bundle.entry")


def test_both_ways_of_writing_are_read_into_the_same() -> None:
    json_body = b'{"resourceType":"Encounter","id":"e","status":"planned","class":{"code":"IMP"}}'
    xml_body = (
        b'<Encounter xmlns="http://hl7.org/fhir"><id value="e"/><status value="planned"/>'
        b'<class><code value="IMP"/></class></Encounter>'
    )
    assert read_document(json_body, "json", R4) == read_document(xml_body, "xml", R4)
    with pytest.raises(ResourceError):
        read_document(b'<Encounter xmlns="http://hl7.org/fhir"><period/></Encounter>', "xml", R5)


@pytest.mark.parametrize(
    "number", ["1", "1.50", "-0.10", "1e3", "12345678901234567890.5", "9" * 30, "1e-300", "0"]
)
def test_numbers_are_read_into_the_same(number: str) -> None:
    """What is kept, hashed and compared is the same, however it was sent."""
    json_body = f'{{"resourceType":"Basic","extension":[{{"url":"u","valueDecimal":{number}}}]}}'
    xml_body = (
        '<Basic xmlns="http://hl7.org/fhir"><extension url="u">'
        f'<valueDecimal value="{number}"/></extension></Basic>'
    )
    read = [read_document(json_body.encode(), "json", R4), read_document(xml_body.encode(), "xml", R4)]
    assert exact(read[0]) == exact(read[1])
    assert orjson.dumps(read[0], option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        read[1], option=orjson.OPT_SORT_KEYS
    )


def test_real_messages_are_read_as_they_are() -> None:
    for name, _, resource in resources():
        body = json.dumps(resource, default=float).encode()
        assert parse_json(body) == json.loads(body), name


def test_a_place_is_told_in_the_words_of_fhir_alone() -> None:
    for step, expected in (
        ({"actualPeriod": {"start": 7}}, "Encounter.actualPeriod.start"),
        ({"hospitalization": {"id": 7}}, "Encounter.hospitalization.id"),
        ({"_status": {"extension": [{"url": 7}]}}, "Encounter.status"),
        ({"contained": [{"resourceType": "Patient", "active": 7}]}, "Encounter.contained[0].active"),
        ({"contained": [{"resourceType": "Tolvansson", "active": 7}]}, "Encounter.contained[0]"),
        ({"Tolvansson": 7}, "Encounter"),
    ):
        assert place_of({"resourceType": "Encounter", **step}, lambda value: value == 7) == expected
    assert place_of({"resourceType": "Encounter"}, lambda value: value == 7) is None
