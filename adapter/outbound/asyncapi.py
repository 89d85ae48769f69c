"""The AsyncAPI 3.0 document: which topics a municipality reads, what stands on them, and how to come in.

Owns channels, messages, operations and bindings, as a subscriber sees them (its operations `receive`).
Does not own the topics' names and settings (`topics`), the payloads (`schemas`) nor the examples
(`examples`). Pure. Payloads stand in AsyncAPI's own schema format, which is a superset of JSON Schema
draft 7: tools must know that one, while 2020-12 is theirs to know or not. The schemas use no keyword in
which the two differ, but for where definitions stand.

Specification: https://www.asyncapi.com/docs/reference/specification/v3.0.0; Kafka bindings 0.5.0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from adapter.outbound.events import (
    CASE_CHANGED,
    CASE_EXPIRED,
    DEADLINE_MISSED,
    FOLLOW_UP_RECORDED,
    IN_FHIR,
    RATE_ANNOUNCED,
    SCHEMAS,
    SETTLEMENT_ISSUED,
    name_of,
)
from adapter.outbound.examples import Example
from adapter.outbound.parked import MESSAGE_PARKED
from adapter.outbound.schemas import HEADERS, Schema, schemas
from adapter.outbound.topics import (
    DEAD_LETTER,
    UNROUTED,
    TopicTerms,
    cases_topic,
    events_topic,
    settlements_topic,
    topics_of,
)
from adapter.streams import OPEN_CARE

Scheme = Literal["scram-sha-512", "scram-sha-256", "plain", "mtls"]

_BINDING = "0.5.0"
#: Of the region's own readers, and of units of its open care (`losus.region.<unit>.`).
_GROUP_OF_REGION = r"^losus\.region\."
_PLACE = "{kommunkod}"
_UNIT = "{unit}"
_OPEN_CARE = OPEN_CARE + _UNIT
_CASE_ID = "^[0-9a-f]{32}$"
_STATEMENT_ID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_REMOVED = "caseRemoved"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the document tells of one installation.

    `bootstrap`: `HOST:PORT`, several by comma. `municipalities`: names of the subscribers by kommunkod, and
    `units` those of open care by stream; empty means that any may be one. `terms`: how topics are made.
    `schemas_url`: where the schemas are
    served, None: not said. `is_encrypted`: the broker speaks TLS; `scheme` is then how a reader shows who it
    is, as the adapter does itself; None: it is not said.
    """

    version: str
    bootstrap: str
    municipalities: Mapping[str, str]
    terms: TopicTerms
    schemas_url: str | None = None
    is_encrypted: bool = False
    scheme: Scheme | None = None
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Channel:
    """One kind of topic, and its messages by name."""

    title: str
    address: str
    messages: tuple[str, ...]
    description: str


_CASE = ("caseChanged", "caseDeadline")
#: CloudEvents type of each message, its key, and what it says.
_MESSAGES = {
    "caseChanged": (
        CASE_CHANGED,
        _CASE_ID,
        "A case has changed: its whole new picture, also when it is left or void.",
    ),
    "caseDeadline": (DEADLINE_MISSED, _CASE_ID, "A limit of time has passed without being kept."),
    "settlementIssued": (SETTLEMENT_ISSUED, _STATEMENT_ID, "A statement was issued: a FHIR Bundle."),
    "followUpRecorded": (
        FOLLOW_UP_RECORDED,
        _STATEMENT_ID,
        "A joint follow-up was opened or written in: a FHIR Bundle, whole.",
    ),
    "rateAnnounced": (RATE_ANNOUNCED, _STATEMENT_ID, "The amount of a year, or another version of it."),
    "messageParked": (MESSAGE_PARKED, "^message-[0-9]+$", "A message was kept and waits for a person."),
}
_CHANNELS = {
    "events": _Channel(
        "Every change",
        events_topic(_PLACE),
        _CASE,
        "Every change of the municipality's cases, in order per case: read it from where the snapshot of "
        "`cases` began. `revision` counts 1, 2, 3 … for each case: one that is not greater than what you "
        "have is a repeat, one that leaves numbers out shows that something was missed.",
    ),
    "cases": _Channel(
        "Newest picture of each case",
        cases_topic(_PLACE),
        (*_CASE, _REMOVED),
        "Compacted: the newest picture of each case, to begin from. A tombstone (no payload): the case is "
        "no longer this municipality's, or the region keeps it no longer.",
    ),
    "settlements": _Channel(
        "Statements",
        settlements_topic(_PLACE),
        ("settlementIssued", "followUpRecorded", "rateAnnounced"),
        "The statements issued to the municipality: what was issued never changes, corrections are lines of "
        "a later statement. Joint follow-ups: every version whole, the last one holds. Amounts of coming "
        "years. Pass over types that you do not know.",
    ),
    "openCareEvents": _Channel(
        "Every change, for a unit of open care",
        events_topic(_OPEN_CARE),
        _CASE,
        "Every change of the cases whose unit of the region's open care (vårdcentral) it is (LUS 2:1 2 st.), "
        "as `events` of a municipality: revisions are of the case and this unit.",
    ),
    "openCareCases": _Channel(
        "Newest picture of each case, for a unit of open care",
        cases_topic(_OPEN_CARE),
        (*_CASE, _REMOVED),
        "Compacted: the newest picture of each case. A tombstone: the case is another unit's now, or the "
        "region keeps it no longer.",
    ),
    "unrouted": _Channel(
        "Cases without a subscriber",
        UNROUTED,
        (*_CASE, "settlementIssued", "followUpRecorded"),
        "For the region alone: cases, statements and joint follow-ups of municipalities that do not "
        "subscribe.",
    ),
    "deadLetter": _Channel(
        "Messages that wait for a person",
        DEAD_LETTER,
        ("messageParked",),
        "For the region alone: cause and place, never the message, which stays in the database.",
    ),
}


def document(deployment: Deployment, examples: Sequence[Example]) -> dict[str, Any]:
    """The AsyncAPI document of one installation, ready to be written as JSON or YAML."""
    shapes, parts = _in_one(schemas())
    return {
        "asyncapi": "3.0.0",
        "id": "urn:losus:asyncapi",
        "info": _info(deployment),
        "defaultContentType": "application/json",
        "servers": {"kafka": _server(deployment)},
        "channels": {name: _channel(one, deployment) for name, one in _CHANNELS.items()},
        "operations": {_operation_name(name): _operation(name, one) for name, one in _CHANNELS.items()},
        "components": {
            "messages": _messages(examples),
            "schemas": {**shapes, **parts},
            "securitySchemes": _security(),
        },
    }


def _info(deployment: Deployment) -> dict[str, Any]:
    served = deployment.schemas_url
    more = {"externalDocs": {"url": served, "description": "JSON Schemas (2020-12)"}} if served else {}
    return {
        "title": "LOSUS cases of a municipality",
        "version": deployment.version,
        "description": "What a municipality is told of its patients in hospital under lag (2017:612), LOSUS, "
        "and of what it owes: CloudEvents 1.0 in Kafka's binary mode. Records are written in transactions: "
        "read with `isolation.level=read_committed`.",
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        **more,
    }


def _server(deployment: Deployment) -> dict[str, Any]:
    """The broker, and what it asks for: nothing is said of that where the settings do not."""
    first, *others = deployment.bootstrap.split(",")
    words = f"More brokers: {', '.join(others)}." if others else "The broker to begin at."
    scheme = deployment.scheme if deployment.is_encrypted else None
    if scheme is None:
        words += " The region says which of the security schemes of `components` it asks for."
    return {
        "host": first,
        "protocol": "kafka-secure" if deployment.is_encrypted else "kafka",
        "description": words,
        **({"security": [{"$ref": f"#/components/securitySchemes/{scheme}"}]} if scheme else {}),
    }


def _security() -> dict[Scheme, Any]:
    return {
        "scram-sha-512": {"type": "scramSha512", "description": "SASL/SCRAM-SHA-512 over TLS"},
        "scram-sha-256": {"type": "scramSha256", "description": "SASL/SCRAM-SHA-256 over TLS"},
        "plain": {"type": "plain", "description": "SASL/PLAIN over TLS"},
        "mtls": {"type": "X509", "description": "a client certificate (mTLS)"},
    }


def _channel(one: _Channel, deployment: Deployment) -> dict[str, Any]:
    return {
        "address": one.address,
        "title": one.title,
        "description": one.description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in one.messages},
        **_parameters(one, deployment),
        "bindings": {"kafka": _topic(one, deployment)},
    }


def _parameters(one: _Channel, deployment: Deployment) -> dict[str, Any]:
    """Return what stands for the subscriber in the address, with those that there are."""
    if _PLACE in one.address:
        place, words, names, example = (
            _PLACE,
            "Kommunkod (SCB), four digits",
            deployment.municipalities,
            "2380",
        )
    elif _UNIT in one.address:
        names = {stream.removeprefix(OPEN_CARE): name for stream, name in deployment.units.items()}
        place, words, example = _UNIT, "Unit of the region's open care", "zatagrand"
    else:
        return {}
    listed = "; ".join(f"{code} {name}" for code, name in sorted(names.items()))
    code = {
        "description": words + (f": {listed}" if listed else "") + ".",
        **({"enum": sorted(names)} if names else {"examples": [example]}),
    }
    return {"parameters": {place.strip("{}"): code}}


def _topic(one: _Channel, deployment: Deployment) -> dict[str, Any]:
    configured = topics_of((_PLACE, _OPEN_CARE), deployment.terms)[one.address]
    return {
        "topic": one.address,
        "partitions": deployment.terms.partitions,
        "replicas": deployment.terms.replication,
        "topicConfiguration": {
            "cleanup.policy": configured.get("cleanup.policy", "delete").split(","),
            **{name: int(value) for name, value in configured.items() if value.lstrip("-").isdigit()},
        },
        "bindingVersion": _BINDING,
    }


def _operation_name(channel: str) -> str:
    return "receive" + channel[0].upper() + channel[1:]


def _operation(name: str, one: _Channel) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "title": one.title,
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in one.messages],
        "bindings": {
            "kafka": {
                "groupId": {
                    "type": "string",
                    "pattern": r"^losus\.[0-9]{4}\." if _PLACE in one.address else _GROUP_OF_REGION,
                    "description": "yours: the access lists allow no other",
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _messages(examples: Sequence[Example]) -> dict[str, Any]:
    made = {name: _message(name, *told, examples) for name, told in _MESSAGES.items()}
    removed = {
        "name": _REMOVED,
        "title": "A tombstone",
        "summary": "The case is to be forgotten: Kafka's record with a key and no value.",
        "headers": _headers({"enum": [CASE_CHANGED, CASE_EXPIRED]}, "application/json"),
        "payload": {"type": "null"},
        "bindings": {"kafka": _key(_CASE_ID)},
    }
    return {**made, _REMOVED: removed}


def _message(name: str, ce_type: str, key: str, words: str, examples: Iterable[Example]) -> dict[str, Any]:
    media = "application/fhir+json" if ce_type in IN_FHIR else "application/json"
    return {
        "name": ce_type,
        "title": name,
        "summary": words,
        "contentType": media,
        "headers": _headers({"const": ce_type}, media),
        "payload": {"$ref": f"#/components/schemas/{name_of(ce_type)}"},
        "bindings": {"kafka": _key(key)},
        "examples": [
            {"name": one.name, "summary": one.summary, "headers": dict(one.headers), "payload": one.payload}
            for one in examples
            if one.type == ce_type
        ],
    }


def _headers(ce_type: Schema, media: str) -> Schema:
    fixed = {"ce_type": ce_type, "content-type": {"const": media}}
    named = {"ce_dataschema": {"const": SCHEMAS + name_of(ce_type["const"])}} if "const" in ce_type else {}
    return {
        "allOf": [
            {"$ref": f"#/components/schemas/{HEADERS}"},
            {"type": "object", "properties": {**fixed, **named}, "required": list(fixed)},
        ]
    }


def _key(pattern: str) -> dict[str, Any]:
    return {"key": {"type": "string", "pattern": pattern}, "bindingVersion": _BINDING}


def _in_one(made: Mapping[str, Schema]) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schemas for one document: themselves, and their definitions, which they share by name."""
    shapes: dict[str, Schema] = {}
    parts: dict[str, Schema] = {}
    for name, shape in made.items():
        inner = {key: value for key, value in shape.items() if key not in {"$schema", "$id", "$defs"}}
        shapes[name] = _moved(inner)
        parts |= {part: _moved(value) for part, value in shape.get("$defs", {}).items()}
    return shapes, parts


def _moved(shape: Schema) -> Schema:
    """The same with `$ref` leading to the document's components; beside a `$ref` draft 7 reads nothing."""
    if "$ref" in shape:
        return {"$ref": "#/components/schemas/" + shape["$ref"].rpartition("/")[2]}
    return {key: _inside(value) for key, value in shape.items()}


def _inside(value: object) -> object:
    if isinstance(value, list):
        return [_inside(one) for one in value]
    return _moved(value) if isinstance(value, dict) else value
