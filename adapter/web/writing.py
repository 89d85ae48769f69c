"""Creates and updates over HTTP: one resource, a transaction, a batch.

`POST /fhir/{source}/{type}`, `PUT /fhir/{source}/{type}[/{id}]`, `POST /fhir/{source}`. Owns the interactions
as FHIR words them, and their answers; does not own what becomes of a resource (`adapter.flow`).
Source: FHIR R4 and R5, RESTful API.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from adapter.delivery import Delivery, Door, Receipt, Version
from adapter.errors import LosusError, MalformedError, NotFoundError, Problem
from adapter.fhir.bundles import entries_of
from adapter.fhir.document import Media, read_document
from adapter.fhir.interaction import (
    TAKEN,
    Interaction,
    Named,
    condition,
    demand_target,
    interaction,
    interactions,
    searched,
    settled,
)
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import outcome, within
from adapter.fhir.preconditions import Expected
from adapter.fhir.preconditions import expected as demanded
from adapter.inbound.naming import name_all
from adapter.losus.instants import instant_text
from adapter.mapping.version import version_tag
from adapter.store.library import Kept, find_kept, stored_versions
from adapter.web import taking
from adapter.web.access import held_to, sends
from adapter.web.media import Return
from adapter.web.negotiation import preference, read_request, respond, respond_written, wanted

router = APIRouter()

Resource = dict[str, Any]

_CREATED, _OK = 201, 200
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
    asked = _once(request, kind)
    return await _write(source, request, Interaction(kind, None, asked, None, True, kind))


@router.put(
    "/fhir/{source}/{kind}", dependencies=[sends("system/{kind}.cu"), taking.limited], response_class=Response
)
async def update_on_condition(source: str, kind: str, request: Request) -> Response:
    """Take in a version of the resource that `?identifier=system|value` finds, or a new one."""
    asked = condition(kind, request.url.query)
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
    """What became of one create or update: the newest version that is known now, and what it says."""

    status: int
    name: str
    version: str
    at: datetime
    resource: Resource

    def location(self, request: Request, source: str) -> str:
        """Where the version is known."""
        return f"{request.app.state.settings.base_url}/fhir/{source}/{self.name}/_history/{self.version}"

    def represented(self) -> Resource:
        """The resource as it is known: with its id, and the version and time that the headers tell too."""
        known = self.resource
        meta = {
            **(known.get("meta") or {}),
            "versionId": self.version,
            "lastUpdated": instant_text(self.at),
        }
        kind = {"resourceType": known["resourceType"]}
        return {**kind, "id": self.name.partition("/")[2], **_without(known, "id", "meta"), "meta": meta}


def _without(resource: Resource, *names: str) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}


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
    told = (_KNOWN,) if receipt is None or receipt.is_unchanged else receipt.hints or (_STORED,)
    headers = {
        "location": made.location(request, source),
        "etag": f'W/"{made.version}"',
        "last-modified": format_datetime(made.at.astimezone(UTC), usegmt=True),
    }
    report = outcome(told, "information")
    return respond_written(request, made.represented(), report, made.status, headers, asked.fhir)


async def _transaction(request: Request, asked: _Asked) -> list[Resource]:
    every = interactions(asked.document)
    held_to(request, *sorted({f"system/{one.kind}.{'c' if one.is_create else 'u'}" for one in every}))
    _, made = await _take(request, asked, every)
    return [_told(request, asked.source, one) for one in made]


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
    return _told(request, asked.source, made)


async def _take(
    request: Request, asked: _Asked, every: Sequence[Interaction]
) -> tuple[Receipt | None, list[_Made]]:
    """Name what is asked for, and hand it over; None where nothing had to be, for it is there already."""
    world, database = request.app.state.world, request.app.state.database
    now = datetime.now(UTC)
    named = await name_all(world, database, asked.source, asked.body, asked.document, every, now)
    names = [named.targets[str(index)] for index in range(len(every))]
    receipt: Receipt | None = None
    versions: dict[str, Version] = {}
    if len(named.matched) < len(every):
        is_bundle = asked.document["resourceType"] == "Bundle"
        delivery = Delivery(
            asked.source,
            Door.TRANSACTION if is_bundle else Door.REST,
            asked.body,
            asked.media,
            asked.fhir,
            targets=named.as_json(),
            expected={name: one.expected for name, one in zip(names, every, strict=True) if one.expected},
            once=not is_bundle and every[0].is_create,
        )
        receipt = await taking.take_whole(request, delivery)
        versions = {version.resource: version for version in receipt.versions}
    matched = {names[int(place)] for place in named.matched}
    stored = await _stored(request, asked.source, {n for n in names if _is_elsewhere(n, versions, matched)})
    return receipt, [
        _made(
            name,
            sent,
            None if str(place) in named.matched else versions.get(name),
            receipt,
            stored.get(name),
            now,
        )
        for place, (name, sent) in enumerate(zip(names, _settled(asked.document, named), strict=True))
    ]


def _settled(document: Resource, named: Named) -> list[Resource]:
    """The resources of a delivery as they are stored: with their ids, and links as they are meant."""
    whole = settled(document, named)
    is_bundle = whole["resourceType"] == "Bundle"
    return [entry["resource"] for entry in whole.get("entry", ())] if is_bundle else [whole]


def _is_elsewhere(name: str, versions: Mapping[str, Version], matched: set[str]) -> bool:
    """Whether what is known of a resource is not what was sent."""
    version = versions.get(name)
    return version is None or name in matched or not version.is_sent or not version.at


async def _stored(request: Request, source: str, names: set[str]) -> dict[str, tuple[Kept, datetime]]:
    """What is stored under these names, and since when."""
    if not names:
        return {}
    world, places = request.app.state.world, {(source, name) for name in names}
    async with request.app.state.database.transaction() as connection:
        kept = await find_kept(connection, places, world.seal)
        since = await stored_versions(connection, places)
    return {
        name: (kept[source, name], since[source, name].stored_at) for name in names if (source, name) in kept
    }


def _made(
    name: str,
    sent: Resource,
    version: Version | None,
    receipt: Receipt | None,
    stored: tuple[Kept, datetime] | None,
    now: datetime,
) -> _Made:
    is_new = version is not None and version.is_new and receipt is not None and receipt.state == "taken"
    tag = version.version if version is not None else version_tag(stored[0].version) if stored else ""
    at = version.at if version is not None and version.at else stored[0].order.at if stored else ""
    moment = datetime.fromisoformat(at) if at else stored[1] if stored else now
    is_other = stored is not None and (version is None or not version.is_sent)
    resource = stored[0].resource if stored is not None and is_other else sent
    return _Made(_CREATED if is_new else _OK, name, tag, moment, resource)


def _told(request: Request, source: str, made: _Made) -> Resource:
    """The entry of a transaction's or batch's answer; the resource only where it is asked for."""
    told = {
        "status": _STATUS[made.status],
        "location": made.location(request, source),
        "etag": f'W/"{made.version}"',
        "lastModified": instant_text(made.at),
    }
    if preference(request) is Return.REPRESENTATION:
        return {"resource": made.represented(), "response": told}
    return {"response": told}


def _expected(request: Request, kind: str) -> Expected | None:
    """The preconditions of an update; of a type that is not taken none counts (404 comes first)."""
    if kind not in TAKEN:
        return None
    match, none_match = (
        ", ".join(given) if (given := request.headers.getlist(name)) else None
        for name in ("if-match", "if-none-match")
    )
    return demanded(match, none_match, f"{kind}.meta.versionId", kind)


def _once(request: Request, kind: str) -> str | None:
    """Give the condition of a create: `If-None-Exist`, or a search in the address.

    FHIR knows the header alone; fhirpy writes the address (`get_or_create`). Were it passed over, a second
    resource would be created where the client believes to have asked for the first. MalformedError where
    both are there and differ; of a type that is not taken none counts (404 comes first).
    """
    if kind not in TAKEN:
        return None
    query = request.url.query
    texts = (request.headers.get("if-none-exist"), query if searched(query) else None)
    asked = {condition(kind, text) for text in texts if text is not None}
    if len(asked) > 1:
        raise MalformedError(Problem("invalid", "If-None-Exist and the address name different conditions"))
    return next(iter(asked), None)
