"""The entrance of one process: the doorkeeper, what it remembers of failures, and what is told of them.

Owns what becomes of a failed attempt: counted (metric), logged once, gathered for the audit, and slowed
down. Does not own who a caller is (`doorkeeper`).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from adapter.access.caller import ANYBODY, Caller, NotShownError, Reason
from adapter.access.certificates import is_proven
from adapter.access.doorkeeper import Doorkeeper, Knock, throttled
from adapter.access.failures import Attempt, Failures
from adapter.access.ledger import Ledger
from adapter.access.throttle import Throttle, place_of
from adapter.errors import ThrottledError
from adapter.settings import Settings
from adapter.watch import ACCESS_REFUSED

log = structlog.get_logger()

_UNKNOWN = "unknown"
_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as the entrance sees it.

    `source` is the one that the path names, None where it names none; `door` the route in its own words,
    no value in it; `peer` the address it came from, `forwarded` the values of `X-Forwarded-For`.
    """

    knock: Knock
    source: str | None
    door: str
    peer: str
    forwarded: tuple[str, ...] = ()


class Entrance:
    """Lets callers in by the settings; `clock` counts seconds, `now` is the time of day."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._clock, self._now = settings, clock, now
        self._keeper = Doorkeeper(settings)
        self._throttle, self._failures = Throttle(), Failures()

    async def admit(self, visit: Visit) -> Caller:
        """Who it is. Raises NotShownError; ThrottledError where its address has failed too often.

        What an address that failed too often shows is still looked at where guessing cannot help: a
        signed token, a key that is known already. So nobody is locked out by a neighbour.
        """
        if self._settings.open_doors:
            return ANYBODY
        address = self.address(visit)
        wait_s = self._throttle.wait_s(address, self._clock())
        try:
            return await self._keeper.identify(visit.knock, visit.source, self._now(), wait_s=wait_s)
        except ThrottledError:
            self.refused(visit, Reason.THROTTLED)
            raise
        except NotShownError as error:
            self.refused(visit, Reason.THROTTLED if wait_s else error.reason)
            if error.reason is not Reason.MISSING:  # who shows nothing guesses nothing
                self._throttle.failed(address, self._clock())
            if wait_s:
                raise throttled(wait_s) from None
            raise

    def refused(self, visit: Visit, reason: Reason, caller: Caller | None = None) -> None:
        """Count an attempt that was refused; `caller` is who it was where that is known."""
        named = visit.source if visit.source in self._settings.sources else None
        label = named or _UNKNOWN
        ACCESS_REFUSED.labels(label, reason.value).inc()
        who = caller.name if caller is not None else label
        attempt = Attempt(self.address(visit), who, visit.door, reason)
        if self._failures.note(attempt, self._now()):
            log.warning("access.refused", source=label, door=visit.door, reason=reason.value)

    def address(self, visit: Visit) -> str:
        """Where it came from: what the ingress adds at the end of `X-Forwarded-For`, else the peer.

        Anybody can write that header; so it is believed with the ingress's proof alone.
        """
        ingress = self._settings.ingress
        if ingress is not None and visit.forwarded and is_proven(visit.knock.proof, ingress.proof):
            return place_of(visit.forwarded[-1].rpartition(",")[2].strip())
        return place_of(visit.peer)

    async def keep(self, ledger: Ledger) -> None:
        """Write what was refused to the audit, every other second, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.write(ledger)

    async def write(self, ledger: Ledger) -> None:
        """Write what was refused since the last time; what cannot be written is kept for the next."""
        entries = self._failures.take()
        try:
            await ledger.note(*entries)
        except Exception as error:  # noqa: BLE001 - the outermost loop: whatever is wrong, go on
            self._failures.put_back(entries)
            log.error("access.audit_failed", error=type(error).__name__)  # noqa: TRY400 - no traceback
