"""Every request in its trace: a `traceparent` that is well formed is gone on from, else a trace begins here.

Owns the outermost ASGI layer of HTTP: the span of a request, and the header of the answer by which its log
lines are found. `X-Request-Id` is the trace id; where the client gave its request an id that looks like one,
that is given back as `X-Correlation-Id`, and is neither kept nor logged. A span says the route, never the
address, which names patients. Does not own the trace (`adapter.trace`).
Source: FHIR R4 and R5, RESTful API, «Custom Headers»; W3C Trace Context; OpenTelemetry, HTTP server spans.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.trace import Trace, read_traceparent
from adapter.tracing import Work, work

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")  # FHIR's `id`
_FAULT = 500


class Traced:
    """An ASGI application whose requests each belong to a trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        parent = _parent(headers)
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        attributes = {"http.request.method": method, "url.scheme": scope.get("scheme", "http")}
        with work(method, parent, "server", attributes, is_remote=parent is not None) as serving:
            given = _given(headers, serving)

            async def answering(message: Message) -> None:
                if message["type"] == "http.response.start":
                    bearing = MutableHeaders(scope=message)
                    for name, value in given.items():
                        bearing[name] = value
                    _tell(serving, scope, method, message["status"])
                await send(message)

            await self._app(scope, receive, answering)


def _parent(headers: Headers) -> Trace | None:
    """Where the client's trace has come; two headers that say it are none."""
    said = headers.getlist("traceparent")
    return read_traceparent(said[0]) if len(said) == 1 else None


def _given(headers: Headers, serving: Work) -> dict[str, str]:
    given = {"x-request-id": serving.trace.trace_id}
    asked = headers.get("x-request-id")
    if asked is not None and _ID.fullmatch(asked):
        given["x-correlation-id"] = asked
    return given


def _tell(serving: Work, scope: Scope, method: str, status: int) -> None:
    if not serving.is_recorded:
        return
    serving.note({"http.response.status_code": status})
    if status >= _FAULT:
        serving.note({"error.type": str(status)})
    route = _route(scope)
    if route is not None:
        serving.note({"http.route": route})
        serving.rename(f"{method} {route}")


def _route(scope: Scope) -> str | None:
    """The template of the route that took the request; None where none did."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return path
