"""Every answer over HTTP, counted by route and status.

Owns the ASGI layer that counts. A route is told in its own words (`/fhir/{source}`), never by what was asked
for, so that neither names nor ids become labels.
"""

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.watch import HTTP_ANSWERS

_NONE = "none"


class Counting:
    """An ASGI application whose answers are counted; what fails without one counts as 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", _NONE)
            HTTP_ANSWERS.labels(route, status).inc()
