"""Which methods an address has: for `Allow`, OPTIONS and HEAD.

Owns the ASGI layer that answers HEAD as GET without its content, and the set of methods of an address. Does
not own the routes, nor who may call them: OPTIONS is open to anybody, as the CapabilityStatement is, and says
no more than it.
Source: RFC 9110, 9.3.2 (HEAD), 9.3.7 (OPTIONS), 10.2.1 (Allow), 15.5.6 (405).
"""

import re
from collections.abc import Iterable

from fastapi import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.fhir.interaction import TAKEN
from adapter.settings import SOURCE_NAME

_SOURCE = re.compile(SOURCE_NAME)
#: Below it any resource of the hospital may be put: its rest-hook.
_HOOK = "$subscription-hook"


class Heads:
    """An ASGI application whose HEAD is its GET: the same status and headers, and no content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        inner = {**scope, "method": "GET"}

        async def without_content(message: Message) -> None:
            if message["type"] == "http.response.start" and "route" in inner:
                scope["route"] = inner["route"]  # for whoever is around: spans are named by it
            if message["type"] == "http.response.body":
                if message.get("more_body"):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(inner, receive, without_content)


def methods_of(routes: Iterable[BaseRoute], path: str) -> tuple[str, ...]:
    """The methods of the address `path`, in order; empty where there is no such address."""
    found: set[str] = set()
    for route in routes:
        match = route.path_regex.match(path) if isinstance(route, Route) else None
        if isinstance(route, Route) and match and _is_meant(route.path, match.groupdict()):
            found |= route.methods or set()
    if "GET" in found:
        found.add("HEAD")
    return tuple(sorted({*found, "OPTIONS"})) if found else ()


def options(allowed: Iterable[str]) -> Response:
    """The answer to OPTIONS of an address."""
    return Response(status_code=204, headers={"allow": ", ".join(allowed)})


def _is_meant(path: str, parameters: dict[str, str]) -> bool:
    """Whether a route that an address fits is about it: `/fhir/Invoice/1` is of no source `Invoice`."""
    source, kind = parameters.get("source"), parameters.get("kind")
    if source is not None and (source == "metadata" or not _SOURCE.fullmatch(source)):
        return False
    return kind is None or _HOOK in path or kind in TAKEN
