"""JSON Schemas (2020-12) of all that is published, made from the models that make the events.

Owns what is promised of each CloudEvents type, of its headers and of its variants, by name. Does not own
the models (`adapter.losus.picture`, `parked`) nor the document around them (`asyncapi`). Pure.

A schema says what is *written*: pydantic writes every field, so every field is required; objects stay open,
for fields may be added. A field that a later version adds is marked `x-added` in its model (by
`json_schema_extra`) and is not required: events that were recorded before are published again without it.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import DataclassField, ModelField, TypedDictField, WithDefaultSchema

from adapter.losus.picture import CasePicture, closing, withhold
from adapter.outbound.announced import AnnouncedRate
from adapter.outbound.events import (
    CASE_CHANGED,
    CASE_EXPIRED,
    DEADLINE_MISSED,
    FOLLOW_UP_RECORDED,
    RATE_ANNOUNCED,
    SCHEMAS,
    SETTLEMENT_ISSUED,
    name_of,
)
from adapter.outbound.parked import MESSAGE_PARKED, ParkedMessage

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
HEADERS = "headers.v1"
_ADDED = "x-added"

_CE_ID = "^[0-9a-f]{32}$"
_TRACEPARENT = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"


def schemas() -> dict[str, Schema]:
    """Every schema by its name: one for each CloudEvents type, its variants, the picture, the headers."""
    made = {
        "case.v1": _picture(),
        name_of(CASE_CHANGED): _changed(),
        name_of(DEADLINE_MISSED): _deadline(),
        "case.closing.v1": _variant("The last word to a municipality that the case has left.", _CLOSING),
        "case.statutory.v1": _variant("What is told where LUS 2:2 alone is to be told.", _STATUTORY),
        name_of(SETTLEMENT_ISSUED): _bundle(
            "SettlementIssued",
            "A statement as a FHIR Bundle (R4, or the version that the region has set): MeasureReport, "
            "Invoice, ChargeItem and what they rest on. See http://hl7.org/fhir/R4/bundle.html.",
        ),
        name_of(FOLLOW_UP_RECORDED): _bundle(
            "FollowUpRecorded",
            "The joint follow-up of a month as a FHIR Bundle (R4, or the version that the region has set): a "
            "MeasureReport with figures, deviations and what both parties entered, and a Task for each "
            "measure. `meta.versionId` of the MeasureReport counts from 1. See http://hl7.org/fhir/R4/bundle.html.",
        ),
        name_of(RATE_ANNOUNCED): _of_model(AnnouncedRate),
        name_of(MESSAGE_PARKED): _of_model(ParkedMessage),
        HEADERS: _headers(),
    }
    return {name: {"$schema": DIALECT, "$id": SCHEMAS + name, **shape} for name, shape in made.items()}


class _Written(GenerateJsonSchema):
    """Schemas of what is written: no defaults, for nothing is left out; no titles made from names."""

    def field_is_required(
        self,
        field: ModelField | DataclassField | TypedDictField,
        total: bool,  # noqa: ARG002, FBT001 - its name
    ) -> bool:
        """Whether the field is always written: it is, unless it came later than others."""
        return _ADDED not in field.get("metadata", {}).get("pydantic_js_extra", {})

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's name
        """No: it would say the name once more."""
        return False

    def default_schema(self, schema: WithDefaultSchema) -> Schema:
        """Give the schema without the default: nothing that is written is left out."""
        return self.generate_inner(schema["schema"])


def _of_model(model: type[BaseModel]) -> Schema:
    return model.model_json_schema(mode="serialization", schema_generator=_Written)


def _picture() -> Schema:
    return _of_model(CasePicture)


def _told() -> Schema:
    """The picture as it is published: it has a state and a revision, and says what has changed."""
    shape = _picture()
    fields = shape["properties"]
    fields["revision"] |= {"minimum": 1, "description": "contiguous from 1 for each case and municipality"}
    for name, words in (("state", "where the case stands"), ("label", "the state in Swedish")):
        fields[name] = {**fields[name]["anyOf"][0], "description": words}
    return shape


def _changed() -> Schema:
    rules = [
        _where("moved", const=True, then=_unsaid(_CLOSING)),
        _where("payload", const="statutory", then=_unsaid(_STATUTORY)),
    ]
    return {**_told(), "title": "CaseChanged", "allOf": rules}


def _deadline() -> Schema:
    missed = {"type": "object", "required": ["status"], "properties": {"status": {"const": "missed"}}}
    in_full = {"changed": {"const": ["deadlines"]}, "deadlines": {"contains": missed}}
    rules = [
        _where("payload", const="full", then=in_full),
        _where("payload", const="statutory", then={**_unsaid(_STATUTORY), "changed": {"maxItems": 0}}),
    ]
    shape = {**_told(), "title": "CaseDeadline", "allOf": rules}
    shape["description"] = "A limit of time has passed: the picture in which it is missed, told once."
    shape["properties"]["moved"] = {"const": False}
    return shape


def _where(field: str, *, const: object, then: Schema) -> Schema:
    return {
        "if": {"properties": {field: {"const": const}}, "required": [field]},
        "then": {"properties": then},
    }


_PROBE = CasePicture(case_id="", state=None, label=None)
#: The fields that a variant says anything of: those that the functions that make it fill in.
_CLOSING = frozenset(closing(_PROBE).model_fields_set)
_STATUTORY = frozenset(withhold(_PROBE, "statutory").model_fields_set)


def _unsaid(said: frozenset[str]) -> Schema:
    """The fields that are not in `said`, each with the value that means that nothing is told."""
    empty = _PROBE.model_dump(mode="json")
    return {name: {"const": empty[name]} for name in CasePicture.model_fields if name not in said}


def _variant(words: str, said: frozenset[str]) -> Schema:
    shape = _told()
    for name, unsaid in _unsaid(said).items():
        whole = shape["properties"][name]
        shape["properties"][name] = unsaid | {word: whole[word] for word in (_ADDED,) if word in whole}
    is_closing = said == _CLOSING
    shape["properties"]["moved" if is_closing else "payload"] = {"const": True if is_closing else "statutory"}
    shape["$defs"] = {name: part for name, part in shape["$defs"].items() if name in _named(shape)}
    return {**shape, "title": "CaseClosing" if is_closing else "CaseStatutory", "description": words}


def _named(shape: Schema) -> set[str]:
    """The definitions that the shape leads to, over others too."""
    found: set[str] = set()
    todo: list[Any] = [shape["properties"]]
    while todo:
        part = todo.pop()
        todo += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        name = part["$ref"].rpartition("/")[2] if isinstance(part, dict) and "$ref" in part else None
        if name and name not in found:
            found.add(name)
            todo.append(shape["$defs"][name])
    return found


def _bundle(title: str, description: str) -> Schema:
    """Return the schema of a Bundle; FHIR's own definitions say what is in it."""
    entry = {
        "type": "object",
        "required": ["fullUrl", "resource"],
        "properties": {
            "fullUrl": {"type": "string"},
            "resource": {
                "type": "object",
                "required": ["resourceType"],
                "properties": {"resourceType": {"type": "string"}},
            },
        },
    }
    return {
        "title": title,
        "description": description,
        "type": "object",
        "required": ["resourceType", "type", "entry"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"const": "collection"},
            "entry": {"type": "array", "minItems": 1, "items": entry},
        },
    }


def _headers() -> Schema:
    """CloudEvents 1.0, Kafka protocol binding, binary mode (3.2): attributes as headers `ce_…`."""
    text = {"type": "string", "minLength": 1}
    types = [
        CASE_CHANGED,
        DEADLINE_MISSED,
        CASE_EXPIRED,
        SETTLEMENT_ISSUED,
        FOLLOW_UP_RECORDED,
        RATE_ANNOUNCED,
        MESSAGE_PARKED,
    ]
    fields: Schema = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "pattern": _CE_ID,
            "description": "of the fact: the same when the event is published again",
        },
        "ce_source": {**text, "format": "uri-reference", "description": "the region"},
        "ce_type": {"enum": types},
        "ce_subject": {**text, "description": "the record's key: case id, or id of what is settled"},
        "ce_time": {"type": "string", "format": "date-time", "description": "when it was decided on"},
        "content-type": {"enum": ["application/json", "application/fhir+json"]},
        "ce_dataschema": {
            **text,
            "format": "uri",
            "description": "`$id` of the payload's schema; not on tombstones, nor on records of before 0.2",
            _ADDED: "0.2",
        },
        "traceparent": {
            "type": "string",
            "pattern": _TRACEPARENT,
            "description": "W3C Trace Context of what decided the event: the same when it is published again",
        },
    }
    required = [name for name in fields if name not in {"traceparent", "ce_dataschema"}]
    return {"title": "Headers", "type": "object", "required": required, "properties": fields}
