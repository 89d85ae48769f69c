"""The outermost loop of HTTP: a fault of ours is logged by its kind and place alone.

Owns the last resort. The service has answered by then (`api`); what comes up here would be written to
the log with a traceback, which could hold a value of a message.
"""

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from adapter.errors import LosusError
from adapter.logs import kind_of, place_of

log = structlog.get_logger()


class Guard:
    """An ASGI application that lets no exception of the inner one through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and log where it failed."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":  # the start of the service: what fails there must stop it
                rules = [one.rule for one in error.problems] if isinstance(error, LosusError) else []
                log.error("service.failed", error=kind_of(error), at=place_of(error), rules=rules)  # noqa: TRY400
                raise
            log.error("request.failed", error=kind_of(error), at=place_of(error))  # noqa: TRY400 - no traceback
