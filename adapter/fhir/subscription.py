"""The Subscriptions that the adapter asks of a source's server: plain R4, R4 backport, R5.

Owns how each is written; does not own whether and when they are asked for (`inbound.subscribing`).
Source: FHIR R4, Subscription; Subscriptions R5 Backport 1.1, «backport-subscription»; FHIR R5, Subscription.
"""

from collections.abc import Mapping
from typing import Any

Resource = dict[str, Any]

HOOK_HEADER = "x-losus-hook"

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
_REASON = "LOSUS: lag (2017:612) om samverkan vid utskrivning"
_JSON = "application/fhir+json"
_HEARTBEAT_S = 300
_TIMEOUT_S = 30


def plain(criteria: str, endpoint: str, secret: str | None, end: str, *, with_payload: bool) -> Resource:
    """Plain R4: a search (`Encounter?`); the resource is put to `endpoint`/Type/id, or it only knocks."""
    channel: Resource = {"type": "rest-hook", "endpoint": endpoint}
    if with_payload:
        channel["payload"] = _JSON
    if secret is not None:
        channel["header"] = [f"{HOOK_HEADER}: {secret}"]
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "end": end,
        "reason": _REASON,
        "criteria": criteria,
        "channel": channel,
    }


def backport(
    topic: str, filters: tuple[str, ...], endpoint: str, secret: str | None, end: str, content: str
) -> Resource:
    """R4 and R4B by the backport: a topic's canonical, filters (`Encounter?status=finished`), a heartbeat."""
    written = plain(topic, endpoint, secret, end, with_payload=True)
    written["meta"] = {"profile": [_BACKPORT + "backport-subscription"]}
    if filters:
        written["_criteria"] = {
            "extension": [
                {"url": _BACKPORT + "backport-filter-criteria", "valueString": one} for one in filters
            ]
        }
    written["channel"]["extension"] = [
        {"url": _BACKPORT + "backport-heartbeat-period", "valueUnsignedInt": _HEARTBEAT_S},
        {"url": _BACKPORT + "backport-timeout", "valueUnsignedInt": _TIMEOUT_S},
    ]
    written["channel"]["_payload"] = {
        "extension": [{"url": _BACKPORT + "backport-payload-content", "valueCode": content}]
    }
    return written


def r5(
    topic: str, filters: tuple[str, ...], endpoint: str, secret: str | None, end: str, content: str
) -> Resource:
    """R5: a topic, `filterBy` (`Encounter?status=completed`), a heartbeat."""
    written: Resource = {
        "resourceType": "Subscription",
        "status": "requested",
        "end": end,
        "reason": _REASON,
        "topic": topic,
        "channelType": {
            "system": "http://terminology.hl7.org/CodeSystem/subscription-channel-type",
            "code": "rest-hook",
        },
        "endpoint": endpoint,
        "heartbeatPeriod": _HEARTBEAT_S,
        "timeout": _TIMEOUT_S,
        "contentType": _JSON,
        "content": content,
    }
    if secret is not None:
        written["parameter"] = [{"name": HOOK_HEADER, "value": secret}]
    if filters:
        written["filterBy"] = [_filter(one) for one in filters]
    return written


def _filter(written: str) -> Mapping[str, str]:
    kind, _, query = written.partition("?")
    name, _, value = query.partition("=")
    return {"resourceType": kind, "filterParameter": name, "value": value}
