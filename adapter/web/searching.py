"""A search over HTTP: its parameters from the address or a form, and the searchset that answers it.

Owns the shape that all searches share; does not own what is found, nor what a parameter means
(`fhir.search`).
Source: FHIR R4 and R5, RESTful API, search by GET and by POST `_search`; search, «Handling Errors»
(`Prefer: handling=strict`), «Server Conformance» (the link `self`), paging.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi import Request, Response

from adapter.errors import FormatError, MalformedError, Problem
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import outcome
from adapter.fhir.search import Search, read_search
from adapter.settings import Settings
from adapter.store.issued import Found
from adapter.web.media import is_strict
from adapter.web.negotiation import APPLIED, read_body, respond, wanted

_FORM = "application/x-www-form-urlencoded"


async def asked(request: Request, kind: str) -> Search:
    """What `request` asks of resources of type `kind`, by its address and its form, if it has one.

    Raises NotAcceptableError, what `read_body` and `read_search` raise, and FormatError of another form.
    """
    wanted(request)
    given = request.query_params.multi_items()
    if request.method == "POST":
        given += await _form(request)
    return read_search(kind, given, strict=_is_strict(request))


async def _form(request: Request) -> list[tuple[str, str]]:
    name = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if name != _FORM:
        raise FormatError(Problem("not-supported", f"a search is posted as {_FORM}"))
    body = await read_body(request, request.app.state.world.limits.max_bytes)
    try:
        found = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1_000, errors="strict")
    except ValueError:
        raise MalformedError(Problem("structure", f"no {_FORM} in UTF-8")) from None
    if any("\0" in part for pair in found for part in pair):
        raise MalformedError(Problem("value", "no parameter holds a NUL"))
    return found


def page_of(every: Sequence[tuple[Any, Found]], search: Search) -> tuple[Sequence[Found], bool]:
    """The page of `every`, each with its key to sort by, and whether there is more behind it."""
    order = sorted(every, key=lambda one: (one[0], one[1].number), reverse=search.descending)
    behind = [number for number, (_, one) in enumerate(order, 1) if one.number == search.after]
    start = behind[0] if behind else 0 if search.after == 0 else len(order)
    found = [one for _, one in order[start : start + search.count]]
    return found, bool(found) and start + len(found) < len(order)


def searchset(
    request: Request, search: Search, total: int, found: Sequence[Found], *, more: bool
) -> Response:
    """The answer to a search: one page, `more` of it there; `next` begins behind the last that is `found`."""
    settings: Settings = request.app.state.settings
    base = f"{settings.base_url}/fhir/{search.kind}"
    links = [{"relation": "self", "url": _link(base, search.used)}]
    if more:
        rest = [pair for pair in search.used if pair[0] != "_after"]
        links.append({"relation": "next", "url": _link(base, [*rest, ("_after", str(found[-1].number))])})
    entries = [
        {
            "fullUrl": f"{base}/{one.name}",
            "resource": orjson.Fragment(one.resource),
            "search": {"mode": "match"},
        }
        for one in found
    ]
    if search.ignored:
        told = outcome(search.ignored, "warning")
        entries.append({"resource": told, "search": {"mode": "outcome"}})
    made = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    headers = {APPLIED: "handling=strict"} if _is_strict(request) else None
    body = orjson.dumps({**made, **({"entry": entries} if entries else {})})
    return respond(request, body, headers=headers, version=FhirVersion(settings.settlement_fhir))


def _link(base: str, parameters: Iterable[tuple[str, str]]) -> str:
    query = urlencode(list(parameters))
    return f"{base}?{query}" if query else base


def _is_strict(request: Request) -> bool:
    return is_strict(", ".join(request.headers.getlist("prefer")))
