"""A share: lanes that are published together, one transaction after another, while all goes well.

Owns the loop of a share and what follows from its faults: a lane that is at fault goes into quarantine
(`quarantine`), and the others go on. The protocol and why it is exactly once: see `relay`.
"""

import asyncio
from contextlib import suppress

import structlog

from adapter.errors import UnavailableError
from adapter.outbound.answers import Outcome
from adapter.outbound.faults import lanes_at_fault
from adapter.outbound.progress import progress_of_share
from adapter.outbound.quarantine import LoneLane
from adapter.outbound.records import share_of
from adapter.outbound.session import Session
from adapter.outbound.slot import Slot
from adapter.store import outbox, quarantine
from adapter.store.outbox import Claim
from adapter.store.quarantine import Quarantine
from adapter.watch import PUBLISH_RETRIES

log = structlog.get_logger()

_GATHER_S = 0.05  # between two transactions: under load many events share one, alone none waits
_PATIENCE_S = 10.0  # of silence: how long one lane may hold up the others, once
_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_TAKEN_APART_AFTER = 4  # faults in a row that nobody can be blamed for


class Share:
    """One share, as long as this relay holds it: set `leaving` to end it orderly."""

    def __init__(self, session: Session, number: int) -> None:
        self.number = number
        self.lanes: set[str] = set()
        self.leaving = asyncio.Event()
        self._wake = asyncio.Event()
        self._session = session
        self._slot = Slot(session, progress_of_share(session.settings.cluster, number), number)
        self._alone: dict[str, asyncio.Task[None]] = {}
        self._failures = 0

    def wake(self, lane: str) -> None:
        """Events of this lane wait."""
        self.lanes.add(lane)
        if lane not in self._alone:
            self._wake.set()

    def leave(self) -> None:
        """End as soon as the transaction in hand is done."""
        self.leaving.set()
        self._wake.set()

    async def run(self) -> None:
        """Publish until told to leave; ends otherwise only where the database fails."""
        is_orderly = False
        try:
            await self._take_over()
            while not self.leaving.is_set():
                self._look_after_alone()
                try:
                    await self._step()
                except UnavailableError as error:
                    await self._back_off(error.problems[0].rule)
            is_orderly = True
        finally:
            await self._end(orderly=is_orderly)

    async def _take_over(self) -> None:
        """Go on where the one before stopped: open claims, lanes in quarantine."""
        async with self._session.transaction() as connection:
            left = {one.slot: one for one in await outbox.open_claims(connection, self.number)}
            await quarantine.enter(connection, {slot: "unclear" for slot in left if slot != self._slot.name})
            states = await quarantine.quarantined(connection)
        for state in states:
            if share_of(state.lane) == self.number:
                self._set_apart(state, left.get(state.lane))
        if self._slot.name in left:
            self._slot.adopt(left[self._slot.name])
            self._wake.set()

    async def _step(self) -> None:
        """One transaction, or a wait for events."""
        lanes, claim = sorted(self.lanes - self._alone.keys()), None
        if lanes or self._slot.is_open:
            claim = await self._slot.claim(lanes, max(self._session.settings.batch >> self._failures, 1))
        if claim is None:
            await self._wake.wait()
            self._wake.clear()
            return
        async with self._session.at_once:
            outcome = await self._slot.carry(claim, _PATIENCE_S)
        if not await self._slot.conclude(claim, outcome):
            await self._apart(claim, outcome)
            return
        self._failures = 0
        if len(claim.events) < self._session.settings.batch // 4:
            await asyncio.sleep(_GATHER_S)

    async def _apart(self, claim: Claim, outcome: Outcome) -> None:
        """Take the lanes out that are at fault; where none is, it is the broker's, and all wait."""
        reasons = dict(outcome.faults) | {
            one.lane: "refused" for one in claim.events if one.id in outcome.refused
        }
        if not reasons:
            reasons = await lanes_at_fault(self._session.settings.cluster, claim.lanes)
        if not reasons and self._failures >= _TAKEN_APART_AFTER and len(claim.lanes) > 1:
            reasons = dict.fromkeys(claim.lanes, "unclear")
        if not reasons:
            await self._back_off(outcome.error)
            return
        self._failures = 0
        async with self._session.transaction() as connection:
            await quarantine.enter(connection, reasons)
            states = [one for one in await quarantine.quarantined(connection) if one.lane in reasons]
        for state in states:
            PUBLISH_RETRIES.labels(state.lane).inc()
            log.warning("relay.lane_set_apart", lane=state.lane, reason=state.reason, error=outcome.error)
            self._set_apart(state, None)

    async def _back_off(self, why: str) -> None:
        wait_s = _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        self._failures += 1
        log.warning("relay.share_waits", share=self.number, error=why, retry_in_s=wait_s)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.leaving.wait(), wait_s)

    def _set_apart(self, state: Quarantine, left: Claim | None) -> None:
        lone = LoneLane(self._session, state, self.number)
        if left is not None:
            lone.slot.adopt(left)
        task = asyncio.create_task(lone.run())
        task.add_done_callback(lambda _: self._wake.set())
        self._alone[state.lane] = task

    def _look_after_alone(self) -> None:
        """Take back the lanes that have caught up; a fault of the database ends the share too."""
        for lane in [lane for lane, task in self._alone.items() if task.done()]:
            self._alone.pop(lane).result()

    async def _end(self, *, orderly: bool) -> None:
        for task in self._alone.values():
            task.cancel()
        await asyncio.gather(*self._alone.values(), return_exceptions=True)
        await self._slot.close(orderly=orderly)
