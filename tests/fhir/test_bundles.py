"""The invariants of a Bundle that matter, bdl-3 to bdl-13: both sides of each."""

from typing import Any

import pytest

from adapter.fhir.model import FhirVersion
from adapter.fhir.rules import check

R4, R4B, R5 = FhirVersion
PATIENT = {"resourceType": "Patient", "id": "p"}
HEADER = {"resourceType": "MessageHeader", "id": "h"}
COMPOSITION = {"resourceType": "Composition"}
STATUS = {
    "resourceType": "SubscriptionStatus",
    "type": "heartbeat",
    "subscription": {"reference": "Subscription/1"},
}
REQUEST = {"method": "PUT", "url": "Patient/p"}
RESPONSE = {"status": "200"}
NAMED = {"identifier": {"system": "urn:x", "value": "1"}, "timestamp": "2024-03-04T14:00:00Z"}


def url(text: str, version: str | None = None) -> dict[str, Any]:
    meta = {} if version is None else {"meta": {"versionId": version}}
    return {"fullUrl": text, "resource": PATIENT | meta}


ROWS: list[tuple[str, FhirVersion, list[dict[str, Any]], list[str], str]] = [
    # type, version, entries, where a fault is (inside of the Bundle), because
    ("transaction", R4, [{"resource": PATIENT, "request": REQUEST}], [], "bdl-3: it says its request"),
    ("transaction", R4, [{"resource": PATIENT}], ["entry[0].request"], "bdl-3: it does not"),
    ("batch", R5, [{"request": {"method": "GET", "url": "Patient/p"}}], [], "bdl-5: a request is enough"),
    ("batch", R5, [{"resource": PATIENT}], ["entry[0].request"], "bdl-3c"),
    (
        "message",
        R4,
        [{"resource": HEADER, "request": REQUEST}],
        ["entry[0].request"],
        "bdl-3: a message has none",
    ),
    ("collection", R4, [{"resource": PATIENT, "request": REQUEST}], ["entry[0].request"], "bdl-3"),
    ("searchset", R4, [{"resource": PATIENT, "request": REQUEST}], [], "a server's page is read as it comes"),
    ("history", R4, [{"resource": PATIENT, "request": REQUEST, "response": RESPONSE}], [], "bdl-3, bdl-4"),
    ("history", R4B, [{"resource": PATIENT}], [], "a notification, of a server that says neither"),
    ("transaction-response", R4, [{"response": RESPONSE}], [], "bdl-4, bdl-5"),
    ("transaction-response", R4, [{"resource": PATIENT}], ["entry[0].response"], "bdl-4"),
    ("batch-response", R4, [{"response": RESPONSE, "request": REQUEST}], ["entry[0].request"], "bdl-3"),
    ("message", R4, [{"resource": HEADER, "response": RESPONSE}], ["entry[0].response"], "bdl-4"),
    (
        "transaction",
        R4,
        [{"resource": PATIENT, "request": REQUEST, "response": RESPONSE}],
        ["entry[0].response"],
        "bdl-4",
    ),
    ("collection", R4, [{"fullUrl": "urn:uuid:1"}], ["entry[0].resource"], "bdl-5: nothing in it"),
    ("collection", R4, [url("urn:uuid:1"), url("urn:uuid:2")], [], "bdl-7: two things"),
    (
        "collection",
        R4,
        [url("urn:uuid:1"), url("urn:uuid:1")],
        ["entry[1].fullUrl"],
        "bdl-7: one thing twice",
    ),
    ("collection", R4, [url("http://a/1", "1"), url("http://a/1", "2")], [], "bdl-7: two versions of one"),
    (
        "collection",
        R4,
        [url("http://a/1", "1"), url("http://a/1", "1")],
        ["entry[1].fullUrl"],
        "bdl-7: one version",
    ),
    ("collection", R4, [url("http://a/1"), url("http://a/1", "1")], [], "bdl-7: one says its version"),
    ("history", R4, [url("http://a/1"), url("http://a/1")], [], "bdl-7: a history says things again"),
    ("collection", R4, [{"resource": PATIENT}, {"resource": PATIENT}], [], "bdl-7: without a fullUrl"),
    ("collection", R4, [url("http://a/Patient/1")], [], "bdl-8: of no version"),
    ("collection", R4, [url("http://a/Patient/1/_history/2")], ["entry[0].fullUrl"], "bdl-8"),
    ("document", R4, [{"resource": COMPOSITION}], [], "bdl-11"),
    ("document", R4, [{"resource": PATIENT}], ["entry[0].resource"], "bdl-11"),
    ("message", R4, [{"resource": HEADER}, {"resource": PATIENT}], [], "bdl-12"),
    ("message", R4, [{"resource": PATIENT}, {"resource": HEADER}], ["entry[0].resource"], "bdl-12"),
    ("message", R4, [], ["entry[0].resource"], "bdl-12"),
    ("subscription-notification", R5, [{"resource": STATUS}], [], "bdl-13"),
    ("subscription-notification", R5, [{"resource": PATIENT}], ["entry[0].resource"], "bdl-13"),
    (
        "subscription-notification",
        R5,
        [{"resource": STATUS}, url("http://a/1"), url("http://a/1")],
        [],
        "bdl-7: two events of one thing",
    ),
]


@pytest.mark.parametrize(("kind", "version", "entries", "places", "because"), ROWS)
def test_invariants(
    kind: str, version: FhirVersion, entries: list[dict[str, Any]], places: list[str], because: str
) -> None:
    bundle = {"resourceType": "Bundle", "type": kind} | ({"entry": entries} if entries else {})
    bundle |= NAMED if kind == "document" else {}
    problems = list(check(bundle, version, "Bundle"))
    assert [(one.code, one.expression) for one in problems] == [
        ("invariant", f"Bundle.{place}") for place in places
    ], because


DOCUMENTS = [
    # the Bundle's head, where a fault is, because
    (NAMED, [], "bdl-9, bdl-10"),
    ({"identifier": NAMED["identifier"]}, ["Bundle.timestamp"], "bdl-10"),
    ({"timestamp": NAMED["timestamp"]}, ["Bundle.identifier"], "bdl-9"),
    (NAMED | {"identifier": {"value": "1"}}, ["Bundle.identifier"], "bdl-9: without a system"),
    (NAMED | {"identifier": {"system": "urn:x"}}, ["Bundle.identifier"], "bdl-9: without a value"),
]


@pytest.mark.parametrize(("head", "places", "because"), DOCUMENTS)
def test_documents(head: dict[str, Any], places: list[str], because: str) -> None:
    entries = [{"resource": COMPOSITION}]
    bundle = {"resourceType": "Bundle", "type": "document", "entry": entries} | head
    assert [one.expression for one in check(bundle, R4, "Bundle")] == places, because


def test_a_bundle_inside_a_bundle_is_held_to_them_too() -> None:
    inner = {"resourceType": "Bundle", "type": "message"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}
    (problem,) = check(bundle, R4, "Bundle")
    assert problem.expression == "Bundle.entry[0].resource.entry[0].resource"
