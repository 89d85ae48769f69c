"""Routes whose answer is given only when the audit says who got it (PDL 4:3, 3:11; HSLF-FS 2016:40 4:9).

Owns what an entry says of a request. Does not own the audit (`store.audit`) nor who may read (`access`).
"""

import re
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from adapter.access.caller import Caller, Kind
from adapter.access.reach import Reach
from adapter.errors import LosusError
from adapter.store.audit import Entry

_KOMMUNKOD = re.compile(r"[0-9]{4}", re.ASCII)
_WRITES = {"POST": "create", "PUT": "update"}
_NOT_FOUND = 404
_REFUSED = 400
_FAILED = 500


def saw(request: Request, what: Iterable[str], municipality: str | None = None) -> None:
    """Say what is read here, each as `kind/id`, and whose persons those are (kommunkod; None: of several).

    What was asked for and is no kommunkod is not kept: it may be anything.
    """
    is_code = municipality is not None and _KOMMUNKOD.fullmatch(municipality) is not None
    request.state.saw = (tuple(what), municipality if is_code else None)


def noted(request: Request) -> None:
    """Say that the entry was written in the transaction of what is done: none is to be added."""
    request.state.is_noted = True


class AuditedRoute(APIRoute):
    """A reading door: it has a dependency that gives a `Reach`, and calls `saw`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own: the audit is written between the answer's making and its giving."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await inner(request)
            except LosusError as error:
                await self._note(request, error.status)
                raise
            await self._note(request, response.status_code)
            return response

        return handle

    async def _note(self, request: Request, status: int) -> None:
        reach: Reach | None = getattr(request.state, "reach", None)
        if reach is None:  # refused at the door, and counted there
            return
        if getattr(request.state, "is_noted", False):
            return
        what, municipality = getattr(request.state, "saw", ((f"door/{self.path_format}",), None))
        entry = Entry(
            at=datetime.now(UTC),
            kind=reach.caller.kind.value,
            who=reach.caller.name,
            action=self._action(request.method),
            what=what,
            outcome=_outcome(status),
            why=why(reach.caller),
            municipality=reach.only or municipality,
            address=request.app.state.entrance.address(request.state.visit),
        )
        await request.app.state.ledger.note(entry)

    def _action(self, method: str) -> str:
        if self.path_format.endswith("/_search"):
            return "search"
        return _WRITES.get(method, "read" if "{" in self.path_format else "search")


def _outcome(status: int) -> str:
    if status == _NOT_FOUND:
        return "not-found"
    if status >= _FAILED:
        return "failed"
    return "refused" if status >= _REFUSED else "ok"


def why(caller: Caller) -> str:
    """What allowed it: the person's roles, or that it is a municipality's system, or the open doors."""
    if caller.kind is Kind.STAFF:
        return ",".join(sorted(caller.roles))
    return "own municipality" if caller.kind is Kind.SOURCE else "open doors"
