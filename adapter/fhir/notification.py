"""A Subscription's notification as a value, whichever version it is written in.

Owns where R4's backport (Parameters), R4B's and R5's (SubscriptionStatus) put the same things; does not own
what is done about a gap. Read leniently where servers differ: numbers may be texts, references relative. No
fault holds a value.
Source: FHIR R5, SubscriptionStatus; Subscriptions R5 Backport 1.1, «Topic-Based Subscription Notifications».
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.errors import MalformedError, Problem, ResourceError

Resource = dict[str, Any]

_BUNDLES = frozenset({"history", "subscription-notification"})
_KINDS = frozenset({"handshake", "heartbeat", "event-notification", "query-status", "query-event"})
_AT = "Bundle.entry[0].resource"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its `number`, and what it is about, as a reference; None where the notification is empty."""

    number: int
    focus: str | None


@dataclass(frozen=True, slots=True)
class Notification:
    """What a server tells of one Subscription.

    `subscription` is its reference; `status` as the server has it (`error` asks to be activated anew);
    `total` the number of events since the Subscription began, None where it is not said. `resources` are
    those sent along, by full URL and by Type/id.
    """

    kind: str
    subscription: str
    status: str | None
    total: int | None
    events: tuple[Event, ...]
    resources: Mapping[str, Resource]


def read_notification(bundle: Resource) -> Notification:
    """`bundle` as a notification; MalformedError where it is none, ResourceError where it lacks something."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in _BUNDLES:
        rule = "a notification is a Bundle of type history (R4, R4B) or subscription-notification (R5)"
        raise MalformedError(Problem("structure", rule, "Bundle.type"))
    entries = bundle.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else None
    status = first.get("resource") if isinstance(first, dict) else None
    if not isinstance(status, dict) or status.get("resourceType") not in {"Parameters", "SubscriptionStatus"}:
        raise MalformedError(
            Problem("structure", "its first resource tells the status of the Subscription", _AT)
        )
    said = _of_parameters(status) if status["resourceType"] == "Parameters" else _of_status(status)
    if said.kind not in _KINDS:
        raise ResourceError(
            Problem("code-invalid", "the type of a notification is not in its value set", _AT)
        )
    if not said.subscription:
        raise ResourceError(Problem("required", "a notification names its Subscription", _AT))
    return Notification(
        said.kind, said.subscription, said.status, said.total, said.events, dict(_resources(entries or []))
    )


def _of_status(status: Resource) -> Notification:
    told = status.get("notificationEvent")
    events = tuple(
        Event(_number(one.get("eventNumber"), "notificationEvent.eventNumber"), _reference(one.get("focus")))
        for one in (told if isinstance(told, list) else ())
        if isinstance(one, dict)
    )
    total = status.get("eventsSinceSubscriptionStart")
    return Notification(
        str(status.get("type")),
        _reference(status.get("subscription")) or "",
        _text(status.get("status")),
        _number(total, "eventsSinceSubscriptionStart") if total is not None else None,
        events,
        {},
    )


def _of_parameters(status: Resource) -> Notification:
    said = dict(_parameters(status.get("parameter")))
    events = tuple(
        Event(_number(part.get("event-number"), "parameter.part"), _reference(part.get("focus")))
        for part in _events(status.get("parameter"))
    )
    total = said.get("events-since-subscription-start")
    return Notification(
        str(said.get("type")),
        _reference(said.get("subscription")) or "",
        _text(said.get("status")),
        _number(total, "parameter") if total is not None else None,
        events,
        {},
    )


def _events(parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    for one in parameters if isinstance(parameters, list) else ():
        if isinstance(one, dict) and one.get("name") == "notification-event":
            yield dict(_parameters(one.get("part")))


def _parameters(parameters: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    """Name and value of each parameter that has one, whatever type the server gave it."""
    for one in parameters if isinstance(parameters, list) else ():
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            for name, value in one.items():
                if name.startswith("value"):
                    yield one["name"], value


def _number(value: Any, where: str) -> int:  # noqa: ANN401 - JSON
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19:
        return int(value)
    raise ResourceError(Problem("value", "the number of an event is a whole number", f"{_AT}.{where}"))


def _reference(value: Any) -> str | None:  # noqa: ANN401 - JSON
    found = value.get("reference") if isinstance(value, dict) else value
    return _text(found)


def _text(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) and value else None


def _resources(entries: list[Any]) -> Iterator[tuple[str, Resource]]:
    for entry in entries[1:]:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            continue
        if isinstance(entry.get("fullUrl"), str):
            yield entry["fullUrl"], resource
        if isinstance(resource.get("id"), str):
            yield f"{resource['resourceType']}/{resource['id']}", resource
