"""Notifications as servers write them: R4 by the backport, R4B, R5; empty, by name, whole."""

from collections.abc import Sequence
from typing import Any

Resource = dict[str, Any]
BASE = "https://ehr.example/fhir"
SUBSCRIPTION = f"{BASE}/Subscription/s1"


def notice(
    version: str,
    kind: str,
    total: int,
    events: Sequence[tuple[int, Resource | None]] = (),
    content: str = "full-resource",
) -> Resource:
    """A notification of `kind`, `total` events so far, with these numbered events."""
    foci = [
        (number, f"{BASE}/{one['resourceType']}/{one['id']}" if one and content != "empty" else None)
        for number, one in events
    ]
    status = _parameters(kind, total, foci) if version == "R4" else _status(version, kind, total, foci)
    request = {"request": {"method": "GET", "url": f"{SUBSCRIPTION}/$status"}, "response": {"status": "200"}}
    entries: list[Resource] = [{"resource": status, **({} if version == "R5" else request)}]
    if content != "empty":
        for (_, one), (_, focus) in zip(events, foci, strict=True):
            asked = {"request": {"method": "PUT", "url": focus}, "response": {"status": "200"}}
            whole = {"resource": one} if content == "full-resource" else {}
            entries.append({"fullUrl": focus, **asked, **whole})
    kind_of_bundle = "subscription-notification" if version == "R5" else "history"
    return {"resourceType": "Bundle", "type": kind_of_bundle, "entry": entries}


def _status(version: str, kind: str, total: int, foci: Sequence[tuple[int, str | None]]) -> Resource:
    """SubscriptionStatus: numbers are texts in R4B, and integer64 (texts in JSON) in R5."""
    del version
    told = [
        {"eventNumber": str(number), **({"focus": {"reference": focus}} if focus else {})}
        for number, focus in foci
    ]
    return {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": kind,
        "eventsSinceSubscriptionStart": str(total),
        "subscription": {"reference": SUBSCRIPTION},
        "topic": "http://example.org/topics/encounter",
        **({"notificationEvent": told} if told else {}),
    }


def _parameters(kind: str, total: int, foci: Sequence[tuple[int, str | None]]) -> Resource:
    parameter: list[Resource] = [
        {"name": "subscription", "valueReference": {"reference": SUBSCRIPTION}},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(total)},
    ]
    for number, focus in foci:
        part: list[Resource] = [{"name": "event-number", "valueString": str(number)}]
        if focus:
            part.append({"name": "focus", "valueReference": {"reference": focus}})
        parameter.append({"name": "notification-event", "part": part})
    return {"resourceType": "Parameters", "parameter": parameter}
