"""What holds for every address: one with a slash at its end is the same one, and none holds a NUL.

Owns these two rules, and OPTIONS of any address. A slash at the end is passed over and never redirected:
clients drop `Authorization` when they follow a redirect, and turn a POST into a GET. No id, code or instant
has a NUL in it, and PostgreSQL holds none in a text: the sender is told so.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from adapter.errors import MalformedError, Problem
from adapter.web.methods import methods_of, options
from adapter.web.negotiation import refuse


class Addresses:
    """An ASGI application that is asked for plain addresses alone, by methods other than OPTIONS."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            answer = refuse(Request(scope), MalformedError(Problem("value", "no address holds a NUL")))
            await answer(scope, receive, send)
            return
        scope["path"] = scope["path"].rstrip("/") or "/"
        if scope["method"] == "OPTIONS" and (allowed := methods_of(self._routes, scope["path"])):
            await options(allowed)(scope, receive, send)
            return
        await self._app(scope, receive, send)
