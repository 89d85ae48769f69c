"""The outermost loop of HTTP: a fault of ours is logged by its kind and place alone.

Owns the last resort. The service has answered by then (`api`); what comes up here would be written to
the log with a traceback, which could hold a value of a message.
"""

import traceback

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger()


class Guard:
    """An ASGI application that lets no exception of the inner one through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and log where it failed."""
        if scope["type"] != "http":  # the start of the service: what fails there must stop it
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the outermost loop
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{frame.filename}:{frame.lineno}"
            log.error("request.failed", error=type(error).__name__, at=place)  # noqa: TRY400 - no traceback
