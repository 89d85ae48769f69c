"""Rest-hooks as HAPI FHIR sends them: by criteria in R4; by topic in R4, R4B and R5.

What is odd is told as it is, for the door has to take it: HAPI makes no handshake and sends no heartbeat,
knows neither $status nor $events, and numbers events as it builds the message, so that a number may come
twice, or not in order.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapter.fhir.model import FhirVersion
from tests.hapi.fhir import client, encounter, encounter_r5
from tests.hapi.receiver import Answer, Received, Receiver
from tests.hapi.server import HapiServer
from tests.hapi.subscriptions import SECRET, TOPIC, by_criteria, by_topic, register, topic

R4, R4B, R5 = FhirVersion
BUNDLE = b'{"resourceType":"Bundle","type":"transaction-response"}'
OUTCOME = b'{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}'
FHIR = "application/fhir+json"


class TestByCriteria:
    def test_with_payload_the_resource_is_put(self, hapi):
        with Receiver() as hook:
            register(hapi, by_criteria(hook.url, "Encounter?status=in-progress"))
            hapi.put(encounter("other", "finished"))
            stored = hapi.put(encounter("e1"))
            came = hook.next()
        assert (came.method, came.path) == ("PUT", "/hook/Encounter/e1"), (
            "the other does not meet the criteria"
        )
        assert came.json() == stored
        assert came.headers["x-secret"] == SECRET
        assert came.headers["if-match"] == 'W/"1"', "the version that it has with the sender, not with us"

    def test_without_payload_nothing_is_told_but_that_something_was(self, hapi):
        with Receiver() as hook:
            register(hapi, by_criteria(hook.url, "Encounter?", has_payload=False))
            hapi.put(encounter("e1"))
            came = hook.next()
        assert (came.method, came.path, came.body) == ("POST", "/hook", b"")
        assert came.headers["x-secret"] == SECRET
        assert came.headers["content-type"].startswith("application/x-www-form-urlencoded")

    def test_a_delete_is_told_where_that_was_asked_for(self, hapi):
        with Receiver() as hook, client(hapi) as fhir:
            register(hapi, by_criteria(hook.url, "Encounter?", tells_deletes=True))
            hapi.put(encounter("e1"))
            hook.next()
            fhir.delete("Encounter/e1")
            came = hook.next()
        assert (came.method, came.path, came.body) == ("DELETE", "/hook/Encounter/e1", b"")

    def test_what_was_not_taken_comes_again(self, hapi):
        with Receiver(Answer(503)) as hook:
            register(hapi, by_criteria(hook.url, "Encounter?"))
            hapi.put(encounter("e1"))
            first, second = hook.next(), hook.next()
        assert first.body == second.body

    def test_criteria_that_make_no_sense_are_refused(self, hapi):
        with client(hapi) as fhir:
            answer = fhir.post("Subscription", json=by_criteria("http://127.0.0.1:9/hook", "Nonsense?x=1"))
        assert answer.status_code == 422

    def test_reset_ends_it(self, hapi):
        with Receiver() as hook:
            register(hapi, by_criteria(hook.url, "Encounter?"))
            hapi.reset()
            register(hapi, by_criteria(f"{hook.url}/second", "Encounter?"))
            hapi.put(encounter("e1"))
            assert hook.next().path == "/hook/second/Encounter/e1"
            assert hook.is_empty


def subscribed(
    hapi_of: Callable[[FhirVersion], HapiServer], version: FhirVersion, hook: Receiver, content: str
) -> HapiServer:
    server = hapi_of(version)
    server.put(topic(version, "create", "update", "delete"))
    server.load_topics()
    register(server, by_topic(version, hook.url, content))
    return server


def first_told(
    hapi_of: Callable[[FhirVersion], HapiServer], version: FhirVersion, content: str
) -> tuple[Received, dict[str, Any], list[dict[str, Any]]]:
    """The first notification of one Encounter: the request, its status entry, the other entries."""
    with Receiver() as hook:
        server = subscribed(hapi_of, version, hook, content)
        server.put(encounter_r5("e1") if version is R5 else encounter("e1"))
        came = hook.next()
    assert (came.method, came.path) == ("POST", "/hook")
    status, *others = came.json()["entry"]
    return came, status["resource"], others


def parameter(status: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in status["parameter"] if one["name"] == name)


class TestByTopic:
    @pytest.mark.parametrize("version", FhirVersion)
    @pytest.mark.parametrize(
        ("content", "others", "because"),
        [
            ("empty", [], "that something happened, and no more"),
            ("id-only", [None], "an entry without resource: it is to be fetched"),
            ("full-resource", ["e1"], "the resource as it was then"),
        ],
    )
    def test_content(self, hapi_of, version, content, others, because):
        _, _, entries = first_told(hapi_of, version, content)
        told = [entry.get("resource", {}).get("id") for entry in entries]
        assert told == others, because
        assert [entry["request"] for entry in entries] == [{"method": "POST", "url": "Encounter"}] * len(
            others
        )

    @pytest.mark.parametrize(
        ("version", "kind", "status", "has_secret", "because"),
        [
            (R4, "history", "Parameters", True, "Backport IG 1.1, R4 has no SubscriptionStatus"),
            (R4B, "history", "SubscriptionStatus", True, "R4B would have subscription-notification"),
            (R5, "subscription-notification", "SubscriptionStatus", False, "8.4 sends no R5 `parameter`"),
        ],
    )
    def test_envelope(self, hapi_of, version, kind, status, has_secret, because):
        came, told, _ = first_told(hapi_of, version, "empty")
        assert (came.json()["type"], told["resourceType"]) == (kind, status), because
        assert (came.headers.get("x-secret") == SECRET) is has_secret, because

    def test_numbers_of_r4_are_strings_and_its_instant_a_day(self, hapi_of):
        _, status, _ = first_told(hapi_of, R4, "id-only")
        assert parameter(status, "topic")["valueCanonical"] == TOPIC
        assert parameter(status, "type")["valueCode"] == "event-notification"
        assert int(parameter(status, "events-since-subscription-start")["valueString"]) >= 1
        parts = {part["name"]: part for part in parameter(status, "notification-event")["part"]}
        assert parts["event-number"]["valueString"].isdigit()
        assert len(parts["timestamp"]["valueDate"]) == len("2026-11-22")
        assert parts["focus"]["valueReference"] == {"reference": "Encounter/e1"}

    @pytest.mark.parametrize(
        ("version", "kind", "because"),
        [
            (R4B, str, "HAPI has FHIR's integer64, which JSON has as a string"),
            (R5, int, "HAPI writes a number, though R5's integer64 is a string in JSON too"),
        ],
    )
    def test_numbers_of_later_versions(self, hapi_of, version, kind, because):
        _, status, _ = first_told(hapi_of, version, "id-only")
        assert isinstance(status["eventsSinceSubscriptionStart"], kind), because
        assert isinstance(status["notificationEvent"][0]["eventNumber"], kind), because
        assert status["notificationEvent"][0]["focus"] == {"reference": "Encounter/e1"}

    @pytest.mark.parametrize(
        ("answer", "is_taken", "because"),
        [
            (Answer(204), True, "no content is asked for"),
            (Answer(200, BUNDLE, FHIR), True, "HAPI sends it as a transaction, and reads a Bundle"),
            (Answer(202, BUNDLE, FHIR), True, "any 2xx"),
            (Answer(200), False, "no Content-Type: nothing that it could read"),
            (Answer(200, OUTCOME, FHIR), False, "FHIR, but no Bundle"),
            (Answer(503), False, "not taken"),
        ],
    )
    def test_which_answer_counts_as_taken(self, hapi_of, answer, is_taken, because):
        with Receiver(answer) as hook:
            server = subscribed(hapi_of, R4, hook, "full-resource")
            server.put(encounter("e1"))
            first = focus_and_body(hook.next())
            server.put(encounter("e2"))
            following = {focus_and_body(hook.next()) for _ in range(1 if is_taken else 2)}
        assert (first in following) is not is_taken, because
        assert {focus for focus, _ in following} - {"Encounter/e1"} == {"Encounter/e2"}

    @pytest.mark.parametrize("operation", ["$status", "$events"])
    def test_what_the_backport_guide_has_and_hapi_has_not(self, hapi_of, operation):
        with Receiver() as hook, client(subscribed(hapi_of, R4, hook, "empty")) as fhir:
            (subscription,) = fhir.get("Subscription").json()["entry"]
            answer = fhir.get(f"{subscription['fullUrl']}/{operation}")
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["code"] == "not-supported"


def focus_and_body(came: Received) -> tuple[str, bytes]:
    status = json.loads(came.body)["entry"][0]["resource"]
    parts = {part["name"]: part for part in parameter(status, "notification-event")["part"]}
    return parts["focus"]["valueReference"]["reference"], came.body
