"""Real messages, broken anywhere: what comes of it is a message or faults of the sender, never anything else.

No fault tells what was said: each break plants a value, and no fault holds it.
"""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.errors import InputError
from adapter.fhir.document import parse_json, read_document
from adapter.fhir.message import read_entries, read_message
from adapter.fhir.model import FhirVersion
from adapter.fhir.xml import to_xml
from tests.examples import examples
from tests.fhir.real_messages import exact, resources

PLANTED = "Tolvansson191212121212"

Message = tuple[FhirVersion, dict[str, Any]]
calm = settings(
    deadline=None,
    max_examples=examples(150),
    suppress_health_check=[HealthCheck.too_slow],
)


@cache
def messages() -> tuple[Message, ...]:
    return tuple((version, resource) for _, version, resource in resources())


VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2**60,
        1.5,
        "",
        " ",
        PLANTED,
        PLANTED + "\0",
        "😀",
        "2024-02-30",
        "9999-12-31T23:59:59-14:00",
        "2016-12-31T23:59:60Z",
        "#",
        "#" + PLANTED,
        "Patient/" + PLANTED,
        "Bundle",
        [],
        [PLANTED],
        [None],
        [[PLANTED]],
        {},
        {PLANTED: PLANTED},
        {"resourceType": PLANTED},
        {"resourceType": "Patient", "name": PLANTED},
        {"resourceType": "Bundle", "type": "message", "entry": [{"resource": {"resourceType": PLANTED}}]},
        '{"resourceType": "Patient"}',
        "<div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;</div>",
    ]
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys if isinstance(one[key], dict | list)]
    return found


@st.composite
def breaks(draw: st.DrawFn) -> Any:
    """One to three breaks; each a function that breaks a document in place."""
    kinds = draw(
        st.lists(st.sampled_from(("put", "drop", "name", "twice", "beside")), min_size=1, max_size=3)
    )
    return [(kind, draw(st.integers(0, 10**6)), draw(VALUES)) for kind in kinds]


def broken(document: dict[str, Any], how: list[tuple[str, int, Any]]) -> dict[str, Any]:
    made = copy.deepcopy(document)
    for kind, number, value in how:
        there = places(made)
        container, key = there[number % len(there)]
        if kind == "drop":
            del container[key]
        elif kind == "name" and isinstance(container, dict):
            container[PLANTED] = container.pop(key)
        elif kind == "beside" and isinstance(container, dict):
            container["_" + key] = copy.deepcopy(value)
        elif kind == "twice" and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        else:
            container[key] = copy.deepcopy(value)
        if not made:
            break
    return made


def refusal(read: Callable[[], object]) -> InputError | None:
    """The fault that it is refused with, None where it is taken; any other error fails the test."""
    try:
        read()
    except InputError as error:
        return error
    return None


def refused(document: dict[str, Any], version: FhirVersion) -> InputError | None:
    read = read_message if document.get("type") == "message" else read_entries
    found = refusal(lambda: read(document, version))
    assert PLANTED not in f"{found} {found and found.problems}"
    return found


@calm
@given(st.integers(0, 10**6), breaks())
def test_a_broken_message_is_taken_or_refused(number: int, how: list[tuple[str, int, Any]]) -> None:
    version, whole = messages()[number % len(messages())]
    body = orjson.dumps(broken(whole, how), default=float)
    found = refusal(lambda: parse_json(body))
    assert PLANTED not in str(found)
    if found is None:
        refused(parse_json(body), version)


@calm
@given(st.integers(0, 10**6), breaks())
def test_what_is_taken_says_the_same_in_xml(number: int, how: list[tuple[str, int, Any]]) -> None:
    """What is sound JSON can be written as XML, unless its narrative is none; and is the same read back."""
    version, whole = messages()[number % len(messages())]
    document = _said(broken(whole, how))
    body = orjson.dumps(document, default=float)
    if refusal(lambda: parse_json(body)) or refused(document, version):
        return
    if found := refusal(lambda: to_xml(document, version)):
        assert all((one.expression or "").endswith(".div") for one in found.problems)
        return
    back = read_document(to_xml(document, version), "xml", version)
    assert refused(back, version) is None
    assert exact(back) == exact(read_document(body, "json", version))


def _said(value: Any) -> Any:
    """A resource without what says nothing: empty lists, which XML cannot hold."""
    if isinstance(value, dict):
        return {name: _said(one) for name, one in value.items() if one != []}
    return [_said(one) for one in value] if isinstance(value, list) else value


CUTS = st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=4)), min_size=1, max_size=3)


@calm
@given(st.integers(0, 10**6), CUTS)
def test_broken_bytes_are_taken_or_refused(number: int, cuts: list[tuple[int, bytes]]) -> None:
    version, whole = messages()[number % len(messages())]
    for media, sound in (("json", orjson.dumps(whole, default=float)), ("xml", to_xml(whole, version))):
        body = sound.replace(b"http://hl7.org/fhir/", PLANTED.encode())
        for at, piece in cuts:
            place = at % len(body)
            body = body[:place] + piece + body[place + len(piece) :]
        found = refusal(lambda body=body, media=media: read_document(body, media, version))
        assert PLANTED not in str(found)
        if found is None:
            refused(read_document(body, media, version), version)
