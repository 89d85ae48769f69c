"""The OpenAPI document: every route as it is, with bodies, answers and how callers show who they are.

Owns what FastAPI cannot know, since the routes read and write FHIR themselves: media types, the
OperationOutcome that any refusal is, and the keys and tokens of callers. Does not own the routes.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from adapter.fhir.search import OF_THE_ANSWER, SEARCHED
from adapter.losus.picture import CasePicture
from adapter.web.access import is_open

Document = dict[str, Any]

_JSON, _XML, _PLAIN = "application/fhir+json", "application/fhir+xml", "application/json"
_RESOURCE = {"$ref": "#/components/schemas/Resource"}
_REFUSAL = "What is wrong: an OperationOutcome with FHIR's issue codes and a FHIRPath, and no value."

_SCHEMAS: Document = {
    "Resource": {
        "type": "object",
        "description": "A FHIR resource as JSON (https://hl7.org/fhir/json.html).",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
    },
    "OperationOutcome": {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["severity", "code"],
                    "properties": {
                        "severity": {"enum": ["fatal", "error", "warning", "information"]},
                        "code": {"type": "string"},
                        "diagnostics": {"type": "string"},
                        "expression": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    },
    "Cases": {
        "type": "object",
        "required": ["cases"],
        "properties": {"cases": {"type": "array", "items": {"$ref": "#/components/schemas/CasePicture"}}},
    },
}
_SECURITY: Document = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "certificate": {"type": "mutualTLS", "description": "as the ingress passes it on"},
}
#: Routes whose answer is no FHIR: its media type, and its schema.
_OTHER: dict[str, tuple[str, Document]] = {
    "/cases": (_PLAIN, {"$ref": "#/components/schemas/Cases"}),
    "/cases/{case_id}": (_PLAIN, {"$ref": "#/components/schemas/CasePicture"}),
    "/cases/{case_id}/timeline": (_PLAIN, {"type": "object"}),
    "/follow-ups": (_PLAIN, {"type": "object"}),
    "/follow-ups/{name}": (_PLAIN, {"type": "object"}),
    "/follow-ups/{name}/entries": (_PLAIN, {"type": "object"}),
    "/follow-ups/{name}/entries/{key}": (_PLAIN, {"type": "object"}),
    "/healthz": (_PLAIN, {"type": "object"}),
    "/readyz": (_PLAIN, {"type": "object"}),
    "/metrics": ("text/plain", {"type": "string"}),
    "/asyncapi.json": ("application/vnd.aai.asyncapi+json", {"type": "object"}),
    "/asyncapi.yaml": ("application/vnd.aai.asyncapi+yaml", {}),
    "/statistics": (_PLAIN, {"type": "object"}),
    "/schemas": (_PLAIN, {"type": "object"}),
    "/schemas/{name}.json": ("application/schema+json", {"type": "object"}),
    "/.well-known/jwks.json": (_PLAIN, {"type": "object"}),
}


def describe(app: FastAPI, version: str) -> None:
    """Have the service tell this document at `/openapi.json`."""

    def document() -> Document:
        if app.openapi_schema is None:
            app.openapi_schema = openapi(app, version)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def openapi(app: FastAPI, version: str) -> Document:
    """The document of the routes of `app`."""
    found = get_openapi(title="losus-adapter", version=version, routes=app.routes)
    picture = CasePicture.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = {**picture.pop("$defs", {}), "CasePicture": picture}
    found["components"] = {"schemas": {**_SCHEMAS, **parts}, "securitySchemes": _SECURITY}
    for path, method, operation in _operations(found):
        operation["responses"] = _responses(path, method)
        operation["security"] = [] if is_open(path) else [{name: []} for name in _SECURITY]
        kind = path.split("/")[2] if path.startswith("/fhir/") else ""
        if kind in SEARCHED and path in {f"/fhir/{kind}", f"/fhir/{kind}/_search"}:
            _describe_search(operation, kind, method)
        elif method in {"post", "put"}:
            content = {kind: {"schema": _RESOURCE} for kind in (_JSON, _PLAIN, _XML)}
            operation["requestBody"] = {"required": "$subscription-hook" not in path, "content": content}
    return found


def _describe_search(operation: Document, kind: str, method: str) -> None:
    """What a search takes: parameters of the address, or the same as a form (R4 http#search)."""
    names = (*SEARCHED[kind], *OF_THE_ANSWER)
    if method == "get":
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in names
        ]
        return
    form = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    content = {"application/x-www-form-urlencoded": {"schema": form}}
    operation["requestBody"] = {"required": False, "content": content}


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _responses(path: str, method: str) -> Document:
    kind, schema = _OTHER.get(path, ("", _RESOURCE))
    fhir = {media: {"schema": _RESOURCE} for media in (_JSON, _PLAIN, _XML)}
    answer: Document = {"description": "Done.", "content": {kind: {"schema": schema}} if kind else fhir}
    refusal: Document = {
        "description": _REFUSAL,
        "content": {
            _JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}},
            _PLAIN: {"schema": {"type": "object"}},
            _XML: {"schema": {}},
        },
    }
    if "$process-message" in path:
        refusal["content"][_JSON]["schema"] = (
            _RESOURCE  # a response message, once it is known to be a message
        )
    found: Document = {"200": answer, "default": refusal}
    if path == "/readyz":
        found["503"] = answer
    if method in {"post", "put"}:
        found["201"] = answer
    if path == "/fhir/Task/{name}" and method == "get":
        found["304"] = {"description": "Known already, by If-None-Match."}
    if "$subscription-hook" in path:
        found["204"] = {"description": "All that is told of is stored."}
    return found
