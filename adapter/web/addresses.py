"""An address that holds a NUL is refused before any route sees it.

Owns that one rule. No id, code or instant has a NUL in it, and PostgreSQL holds none in a text: whoever sends
one is told so, rather than of a fault of ours.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from adapter.errors import MalformedError, Problem
from adapter.web.negotiation import refuse


class Addresses:
    """An ASGI application that is asked for nothing with a NUL in its path or query."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            answer = refuse(Request(scope), MalformedError(Problem("value", "no address holds a NUL")))
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)
