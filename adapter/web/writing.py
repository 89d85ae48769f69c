"""Creates and updates over HTTP: one resource, a transaction, a batch.

`POST /fhir/{source}/{type}`, `PUT /fhir/{source}/{type}[/{id}]`, `POST /fhir/{source}`. Owns the interactions
as FHIR words them, and their answers; does not own what becomes of a resource (`adapter.flow`).
Source: FHIR R4 and R5, RESTful API.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request, Response

from adapter.delivery import Delivery, Door, Receipt, Version
from adapter.errors import LosusError, MalformedError, NotFoundError, Problem
from adapter.fhir.bundles import entries_of
from adapter.fhir.document import Media, read_document
from adapter.fhir.interaction import (
    TAKEN,
    Interaction,
    condition,
    conditions_in,
    demand_target,
    interaction,
    interactions,
)
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import outcome, within
from adapter.fhir.places import reference_place
from adapter.fhir.preconditions import Expected
from adapter.fhir.preconditions import expected as demanded
from adapter.inbound.naming import name_all
from adapter.web import taking
from adapter.web.access import held_to, sends
from adapter.web.negotiation import read_request, respond, respond_written, wanted

router = APIRouter()

Resource = dict[str, Any]

_CREATED, _OK = 201, 200
_OF_THE_ANSWER = frozenset(("_format", "_pretty", "_summary", "_elements"))
_STATUS = {200: "200 OK", 201: "201 Created"}
_STORED = Problem("informational", "stored; what follows from it is published")
_KNOWN = Problem("informational", "known already; nothing was done")


@router.post(
    "/fhir/{source}/{kind}", dependencies=[sends("system/{kind}.c"), taking.limited], response_class=Response
)
async def create(source: str, kind: str, request: Request) -> Response:
    """Take in a new resource; the server gives its id, so that one in the body does not count.

    With `If-None-Exist` nothing is done where the condition finds one (200). The same body sent again is the
    same creation.
    """
    once = request.headers.get("if-none-exist")
    asked = condition(kind, once) if once is not None else None
    return await _write(source, request, Interaction(kind, None, asked, None, True, kind))


@router.put(
    "/fhir/{source}/{kind}", dependencies=[sends("system/{kind}.cu"), taking.limited], response_class=Response
)
async def update_on_condition(source: str, kind: str, request: Request) -> Response:
    """Take in a version of the resource that `?identifier=system|value` finds, or a new one."""
    asked = condition(kind, _searched(request))
    expected = _expected(request, kind)
    return await _write(source, request, Interaction(kind, None, asked, expected, False, kind))


@router.put(
    "/fhir/{source}/{kind}/{name}",
    dependencies=[sends("system/{kind}.u"), taking.limited],
    response_class=Response,
)
async def update(source: str, kind: str, name: str, request: Request) -> Response:
    """Take in a version of a resource, known or new.

    With `If-Match` only after a version that it names, with `If-None-Match: *` only where none is known.
    """
    expected = _expected(request, kind)
    return await _write(source, request, Interaction(kind, name, None, expected, False, kind))


@router.post("/fhir/{source}", dependencies=[sends(), taking.limited], response_class=Response)
async def bundle(source: str, request: Request) -> Response:
    """Take in a transaction, whole or not at all, or a batch, each entry by itself."""
    asked = await _asked(source, request)
    kind = asked.document.get("type") if asked.document.get("resourceType") == "Bundle" else None
    if kind not in ("transaction", "batch"):
        rule = "a Bundle of type transaction or batch is asked for; a message goes to $process-message"
        raise MalformedError(Problem("structure", rule, "Bundle.type"))
    entries = await (_transaction if kind == "transaction" else _batch)(request, asked)
    answer = {"resourceType": "Bundle", "type": f"{kind}-response", **({"entry": entries} if entries else {})}
    return respond(request, answer, _OK, version=asked.fhir)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was sent: its bytes, and the document in them."""

    source: str
    body: bytes
    media: Media
    fhir: FhirVersion
    document: Resource


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of one create or update."""

    status: int
    name: str
    version: str | None

    def location(self, request: Request, source: str) -> str:
        """Where the version is known."""
        base = f"{request.app.state.settings.base_url}/fhir/{source}/{self.name}"
        return f"{base}/_history/{self.version}" if self.version else base


async def _asked(source: str, request: Request) -> _Asked:
    wanted(request)
    world = request.app.state.world
    received = await read_request(request, world.limits)
    fhir = taking.version_of(request, source, received.fhir)
    document = read_document(received.body, received.media, fhir, world.limits)
    return _Asked(source, received.body, received.media, fhir, document)


async def _write(source: str, request: Request, one: Interaction) -> Response:
    if one.kind not in TAKEN:
        raise NotFoundError(Problem("not-supported", f"the types taken are {', '.join(TAKEN)}"))
    asked = await _asked(source, request)
    demand_target(asked.document, one.kind, one.id)
    receipt, [made] = await _take(request, asked, (one,))
    told = _KNOWN if receipt is None or receipt.state == "known" else _STORED
    headers = {"location": made.location(request, source)}
    if made.version:
        headers["etag"] = f'W/"{made.version}"'
    document = {**asked.document, "id": made.name.partition("/")[2]}
    report = outcome((told,), "information")
    return respond_written(request, document, report, made.status, headers, asked.fhir)


async def _transaction(request: Request, asked: _Asked) -> list[Resource]:
    every = interactions(asked.document)
    held_to(request, *sorted({f"system/{one.kind}.{'c' if one.is_create else 'u'}" for one in every}))
    _, made = await _take(request, asked, every)
    return [{"response": _told(request, asked.source, one)} for one in made]


async def _batch(request: Request, asked: _Asked) -> list[Resource]:
    count = len(entries_of(asked.document))
    return list(await asyncio.gather(*(_entry(request, asked, index) for index in range(count))))


async def _entry(request: Request, asked: _Asked, index: int) -> Resource:
    """Carry out one entry of a batch, and give its entry of the answer; faults by their place in all."""
    kind = ""
    try:
        one = interaction(asked.document, index)
        kind = one.kind
        held_to(request, f"system/{kind}.{'c' if one.is_create else 'u'}")
        resource = asked.document["entry"][index]["resource"]
        alone = _Asked(asked.source, orjson.dumps(resource), "json", asked.fhir, resource)
        _, [made] = await _take(request, alone, (one,))
    except LosusError as error:
        problems = within(error.problems, kind, f"Bundle.entry[{index}].resource")
        return {"response": {"status": str(error.status), "outcome": outcome(problems)}}
    return {"response": _told(request, asked.source, made)}


async def _take(
    request: Request, asked: _Asked, every: Sequence[Interaction]
) -> tuple[Receipt | None, list[_Made]]:
    """Name what is asked for, and hand it over; None where nothing had to be, for it is there already."""
    world, database = request.app.state.world, request.app.state.database
    found = set(conditions_in(asked.document, asked.document["resourceType"]))
    conditions = {one: reference_place(asked.document, one) for one in found}
    targets, there = await name_all(world, database, asked.source, asked.body, every, conditions)
    names = [targets[str(index)] for index in range(len(every))]
    if len(there) == len(every):
        return None, [_Made(_OK, name, None) for name in names]
    is_bundle = asked.document["resourceType"] == "Bundle"
    delivery = Delivery(
        asked.source,
        Door.TRANSACTION if is_bundle else Door.REST,
        asked.body,
        asked.media,
        asked.fhir,
        targets=targets,
        expected={name: one.expected for name, one in zip(names, every, strict=True) if one.expected},
        once=not is_bundle and every[0].is_create,
    )
    receipt = await taking.take_whole(request, delivery)
    made = {version.resource: version for version in receipt.versions}
    return receipt, [_made(name, made.get(name), receipt) for name in names]


def _made(name: str, version: Version | None, receipt: Receipt) -> _Made:
    is_new = version is not None and version.is_new and receipt.state == "taken"
    return _Made(_CREATED if is_new else _OK, name, version.version if version else None)


def _told(request: Request, source: str, made: _Made) -> Resource:
    told = {"status": _STATUS[made.status], "location": made.location(request, source)}
    return {**told, "etag": f'W/"{made.version}"'} if made.version else told


def _expected(request: Request, kind: str) -> Expected | None:
    """The preconditions of an update; of a type that is not taken none counts (404 comes first)."""
    if kind not in TAKEN:
        return None
    match, none_match = (
        ", ".join(given) if (given := request.headers.getlist(name)) else None
        for name in ("if-match", "if-none-match")
    )
    return demanded(match, none_match, f"{kind}.meta.versionId", kind)


def _searched(request: Request) -> str:
    """The query of an address without what is said of the answer: `_format`, which clients add to any."""
    asked = request.query_params.multi_items()
    return urlencode([(name, value) for name, value in asked if name not in _OF_THE_ANSWER])
