"""Subscriptions as HAPI FHIR takes them: by criteria (R4), and by topic in R4, R4B and R5.

In R4 a topic is a Basic with cross-version extensions, and a Subscription to it has the profile of the
Subscriptions R5 Backport IG; HAPI asks for a filter then.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from adapter.fhir.model import FhirVersion
from tests.hapi.server import HapiServer
from tests.servers import eventually

TOPIC = "http://losus.example/SubscriptionTopic/encounters"
SECRET = "a secret of the tests alone"
_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_CROSS = "http://hl7.org/fhir/{}/StructureDefinition/extension-SubscriptionTopic.{}"
_MEDIA_TYPE = "application/fhir+json"
_HEADERS = {"Content-Type": _MEDIA_TYPE}
_DELETES = "http://hapifhir.io/fhir/StructureDefinition/subscription-send-delete-messages"


def by_criteria(
    endpoint: str, criteria: str, *, has_payload: bool = True, tells_deletes: bool = False
) -> dict[str, Any]:
    """R4's own Subscription, with a rest-hook."""
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": endpoint, "header": [f"X-Secret: {SECRET}"]}
    if has_payload:
        channel["payload"] = _MEDIA_TYPE
    if tells_deletes:
        channel["extension"] = [{"url": _DELETES, "valueBoolean": True}]
    return _subscription(criteria=criteria, channel=channel)


def by_topic(
    version: FhirVersion, endpoint: str, content: str, criteria: str = "Encounter?class=IMP"
) -> dict[str, Any]:
    """A Subscription to `TOPIC`; `content` is empty, id-only or full-resource."""
    if version is FhirVersion.R5:
        system = "http://terminology.hl7.org/CodeSystem/subscription-channel-type"
        return _subscription(
            topic=TOPIC,
            channelType={"system": system, "code": "rest-hook"},
            endpoint=endpoint,
            parameter=[{"name": "X-Secret", "value": SECRET}],
            contentType=_MEDIA_TYPE,
            content=content,
        )
    kept = {"url": f"{_BACKPORT}/backport-payload-content", "valueCode": content}
    filtered = {"url": f"{_BACKPORT}/backport-filter-criteria", "valueString": criteria}
    return _subscription(
        meta={"profile": [f"{_BACKPORT}/backport-subscription"]},
        criteria=TOPIC,
        _criteria={"extension": [filtered]},
        channel={
            "type": "rest-hook",
            "endpoint": endpoint,
            "header": [f"X-Secret: {SECRET}"],
            "payload": _MEDIA_TYPE,
            "_payload": {"extension": [kept]},
        },
    )


def topic(version: FhirVersion, *interactions: str) -> dict[str, Any]:
    """The topic `TOPIC`: an Encounter was created, updated or deleted, as `interactions` say."""
    if version is not FhirVersion.R4:
        trigger = {"resource": "Encounter", "supportedInteraction": list(interactions)}
        return {
            "resourceType": "SubscriptionTopic",
            "id": "encounters",
            "url": TOPIC,
            "status": "active",
            "resourceTrigger": [trigger],
        }
    parts = [{"url": "resource", "valueUri": "Encounter"}]
    parts += [{"url": "supportedInteraction", "valueCode": code} for code in interactions]
    return {
        "resourceType": "Basic",
        "id": "encounters",
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
        "modifierExtension": [{"url": _CROSS.format("5.0", "status"), "valueCode": "active"}],
        "extension": [
            {"url": _CROSS.format("5.0", "url"), "valueUri": TOPIC},
            {"url": _CROSS.format("4.3", "resourceTrigger"), "extension": parts},
        ],
    }


def register(server: HapiServer, subscription: Mapping[str, Any]) -> str:
    """Give the Subscription to the server, wait until it is active, and give its id."""
    answer = httpx.post(f"{server.base_url}/Subscription", json=subscription, headers=_HEADERS, timeout=60)
    answer.raise_for_status()
    place = f"{server.base_url}/Subscription/{answer.json()['id']}"
    assert eventually(lambda: httpx.get(place, timeout=60).json()["status"] == "active", within_s=60)
    return str(answer.json()["id"])


def _subscription(**elements: Any) -> dict[str, Any]:
    common = {"resourceType": "Subscription", "status": "requested", "reason": "tests"}
    return {**common, **elements}
