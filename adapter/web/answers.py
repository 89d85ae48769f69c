"""What every answer bears, whichever route gave it: headers that keep it private, and gzip where it is large.

Owns the ASGI layer that adds them; does not own what an answer says. Answers tell of people: no cache keeps
them and no page shows them, unless the route itself says otherwise. What an ingress adds (HSTS) is not ours.
Source: RFC 9111, 5.2.2.5 (no-store); RFC 9110, 12.5.3 (Accept-Encoding); OWASP, REST Security Cheat Sheet.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: From this size on packing is worth its time; an acknowledgement of a message is smaller.
PACKED_FROM = 1_400
_LEVEL = 5

_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
_CODING = re.compile(r"\s*([A-Za-z0-9*_-]+)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?(?:,|$)")


class Answers:
    """An ASGI application whose answers bear the headers, packed where that is taken and worth it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = GZipMiddleware(_Headers(app), minimum_size=PACKED_FROM, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            _weigh(scope)
        await self._app(scope, receive, send)


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client that says so takes gzip: named, or meant by `*`, and not of weight 0."""
    weights = {name.lower(): float(weight or "1") for name, weight in _weighed(accept_encoding)}
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weighed(accept_encoding: str) -> list[tuple[str, str]]:
    found = _CODING.findall(accept_encoding)
    return [(name, weight) for name, weight in found if weight.count(".") <= 1 and weight != "."]


def _weigh(scope: Scope) -> None:
    """Let Accept-Encoding say `gzip` where gzip is taken: Starlette looks at no weights.

    In place, so that whoever is around sees which route took the request.
    """
    said = Headers(scope=scope).get("accept-encoding")
    if said is None:
        return
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    if takes_gzip(said):
        headers.append((b"accept-encoding", b"gzip"))
    scope["headers"] = headers


class _Headers:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def bearing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, bearing if scope["type"] == "http" else send)
