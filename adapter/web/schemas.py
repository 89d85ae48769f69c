"""What subscribers are promised, served: the AsyncAPI document and the JSON Schemas by name.

Owns the addresses and the words of this installation; does not own the documents (`adapter.outbound`).
They hold nothing of any case, so whoever reaches the service may read them.
"""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import orjson
import yaml
from fastapi import APIRouter, Request, Response

from adapter.cluster import Mechanism
from adapter.errors import NotFoundError, Problem
from adapter.outbound.asyncapi import Deployment, Scheme, document
from adapter.outbound.examples import Example, examples
from adapter.outbound.schemas import Schema, schemas
from adapter.outbound.topics import TopicTerms
from adapter.settings import Settings

router = APIRouter()

_SCHEMA_JSON = "application/schema+json"
_SCHEMES: Mapping[Mechanism, Scheme] = {
    "SCRAM-SHA-512": "scram-sha-512",
    "SCRAM-SHA-256": "scram-sha-256",
    "PLAIN": "plain",
}
_ASYNCAPI = "application/vnd.aai.asyncapi+{};version=3.0.0"


@router.get("/asyncapi.json", response_class=Response)
async def asyncapi_json(request: Request) -> Response:
    """The AsyncAPI 3.0 document of this installation."""
    return Response(as_json(await _document(request)), media_type=_ASYNCAPI.format("json"))


@router.get("/asyncapi.yaml", response_class=Response)
async def asyncapi_yaml(request: Request) -> Response:
    """The same as YAML."""
    return Response(as_yaml(await _document(request)), media_type=_ASYNCAPI.format("yaml"))


@router.get("/schemas", response_class=Response)
async def schema_names() -> Response:
    """The address of each schema by its name."""
    listed = {name: f"/schemas/{name}.json" for name in made_schemas()}
    return Response(as_json(listed), media_type="application/json")


@router.get("/schemas/{name}.json", response_class=Response)
async def schema(name: str) -> Response:
    """One JSON Schema (2020-12); 404 where there is none of that name."""
    found = made_schemas().get(name)
    if found is None:
        raise NotFoundError(Problem("not-found", "no such schema; GET /schemas lists them"))
    return Response(as_json(found), media_type=_SCHEMA_JSON)


def deployment_of(settings: Settings) -> Deployment:
    """What the document tells of this installation."""
    kafka = settings.kafka
    tls = kafka.tls
    return Deployment(
        version=version("losus-adapter"),
        bootstrap=kafka.bootstrap,
        municipalities={code: one.name for code, one in settings.municipalities.items()},
        units={stream: one.name for stream, one in settings.open_care.items()},
        terms=TopicTerms(kafka.partitions, kafka.replication, kafka.min_insync, kafka.retention_days),
        schemas_url=f"{settings.base_url}/schemas",
        is_encrypted=tls is not None,
        scheme=_SCHEMES[kafka.sasl.mechanism] if kafka.sasl else "mtls" if tls and tls.certificate else None,
    )


@lru_cache(maxsize=1)
def made_schemas() -> dict[str, Schema]:
    """The schemas; they change with the program alone."""
    return schemas()


@lru_cache(maxsize=1)
def made_examples() -> tuple[Example, ...]:
    """The examples; they change with the program and its data files alone."""
    return examples()


def as_json(value: object) -> bytes:
    """JSON as a person reads it."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_yaml(value: object) -> bytes:
    """YAML with each thing said where it stands: no anchors, the order kept."""
    told: str = yaml.dump(
        orjson.loads(orjson.dumps(value)), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100
    )
    return told.encode()


class _Plain(yaml.SafeDumper):
    """Writes what stands in two places twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's name
        return True


async def _document(request: Request) -> dict[str, Any]:
    told = deployment_of(request.app.state.settings)
    return document(told, await asyncio.to_thread(made_examples))
