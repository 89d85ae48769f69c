"""A lane in quarantine: published apart from the others, until it has caught up.

Owns the back-off, and the parking of cases whose records the broker refuses.
"""

import asyncio

import structlog

from adapter.errors import UnavailableError
from adapter.outbound.answers import Outcome
from adapter.outbound.faults import lanes_at_fault
from adapter.outbound.progress import progress_of_lane
from adapter.outbound.session import Session
from adapter.outbound.slot import Slot
from adapter.store import quarantine
from adapter.store.outbox import Claim
from adapter.store.quarantine import Quarantine, Refusal
from adapter.watch import PUBLISH_RETRIES

log = structlog.get_logger()

#: Seconds before each attempt, the last one for good.
BACK_OFF_S = (0.0, 10.0, 10.0, 20.0, 30.0, 50.0, 80.0, 120.0)
_PATIENCE_S = 30.0  # of silence
_BROKER_AWAY_S = 2.0  # nobody's fault here, so it does not count
_IN_DOUBT_AFTER = 3  # attempts: then what was not taken for an unknown reason never will be
_SLOW_S = 2.0  # a transaction that takes longer would hold up others
_STAY_S = 120.0  # so long after the last slow one
_IDLE_S = 0.5
_BATCH = 100
#: Reasons for which each record goes in a batch of its own, which is slow, but tells which one it is.
_TOLD_APART = frozenset({"refused", "unclear"})


class LoneLane:
    """One lane, as it was put into quarantine; `run` ends when it may go back among the others."""

    def __init__(self, session: Session, state: Quarantine, share: int) -> None:
        progress = progress_of_lane(session.settings.cluster, state.lane, share)
        self.slot = Slot(session, progress, share, alone=state.reason in _TOLD_APART)
        self._session, self._lane, self._reason = session, state.lane, state.reason
        self._failures, self._wait_s = state.failures, state.wait_s
        self._stay_until = 0.0

    async def run(self) -> None:
        """Try, wait, try again; ends when nothing is left and it went well."""
        try:
            while True:
                await asyncio.sleep(self._wait_s)
                try:
                    if await self._attempt():
                        break
                except UnavailableError:
                    self._wait_s = _BROKER_AWAY_S
            async with self._session.transaction() as connection:
                await quarantine.leave(connection, self._lane)
            await self.slot.close()
        except BaseException:
            await self.slot.close(orderly=False)
            raise
        log.info("relay.lane_returned", lane=self._lane)

    async def _attempt(self) -> bool:
        """One transaction of the lane alone; True: nothing is left, and it may go back."""
        clock = asyncio.get_running_loop().time
        claim = await self.slot.claim([self._lane], _BATCH)
        if claim is None:
            self._wait_s = _IDLE_S
            return clock() >= self._stay_until
        began = clock()
        outcome = await self.slot.carry(claim, _PATIENCE_S)
        if self._failures >= _IN_DOUBT_AFTER:
            outcome.refused |= outcome.doubtful
        if await self.slot.conclude(claim, outcome):
            self._failures, self._wait_s = 0, 0.0
            if clock() - began > _SLOW_S:
                self._stay_until = clock() + _STAY_S
        elif outcome.refused:
            if self.slot.alone:
                await self._park(claim, outcome)
            self.slot.alone, self._wait_s = True, 0.0
        else:
            await self._put_off(outcome)
        return False

    async def _park(self, claim: Claim, outcome: Outcome) -> None:
        refused = [
            Refusal(one.id, one.lane, one.event.case_id, outcome.refused[one.id])
            for one in claim.events
            if one.id in outcome.refused
        ]
        async with self._session.transaction() as connection:
            await quarantine.park(connection, refused)
        log.error("relay.parked", lane=self._lane, numbers=[one.event for one in refused])

    async def _put_off(self, outcome: Outcome) -> None:
        known = await lanes_at_fault(self._session.settings.cluster, [self._lane])
        self._reason = (known | outcome.faults).get(self._lane, self._reason)
        self._failures += 1
        self.slot.alone = self._reason in _TOLD_APART
        self._wait_s = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        PUBLISH_RETRIES.labels(self._lane).inc()
        async with self._session.transaction() as connection:
            await quarantine.put_off(connection, self._lane, self._reason, self._failures, self._wait_s)
        log.warning(
            "relay.lane_waits",
            lane=self._lane,
            reason=self._reason,
            error=outcome.error,
            failures=self._failures,
            retry_in_s=self._wait_s,
        )
