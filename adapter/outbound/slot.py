"""A slot: where one claim at a time is published, and never two.

Owns the steps that make it exactly once (`relay` says why they do): claim, carry, find out, settle or
forget. Does not own which lanes are claimed, nor what follows from a fault.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from adapter.errors import UnavailableError
from adapter.outbound.answers import Outcome
from adapter.outbound.courier import Courier
from adapter.outbound.progress import Progress, end_of, fence, was_published
from adapter.outbound.publishing import begin_publishing, end_publishing
from adapter.outbound.session import Session
from adapter.store import outbox
from adapter.store.outbox import Claim, Published
from adapter.trace import at, read_traceparent
from adapter.watch import PUBLISH_SECONDS, PUBLISHED

log = structlog.get_logger()


class Slot:
    """A share's slot, or that of a lane in quarantine; `alone`: its next courier tells records apart.

    Its methods raise UnavailableError where the broker is away; then they may be called again.
    """

    def __init__(self, session: Session, progress: Progress, share: int, *, alone: bool = False) -> None:
        self.alone = alone
        self._session, self._progress, self._share = session, progress, share
        self._courier: Courier | None = None
        self._producer = ""
        self._done: Published | None = None
        self._open: Claim | None = None

    @property
    def name(self) -> str:
        """The slot's name, which its claims bear."""
        return self._progress.slot

    @property
    def is_open(self) -> bool:
        """Whether a claim is to be finished first."""
        return self._open is not None

    def adopt(self, left: Claim) -> None:
        """Take over a claim that was left open; it is finished before anything else."""
        self._open = left

    async def claim(self, lanes: list[str], most: int) -> Claim | None:
        """Claim the next events of these lanes, and write it down; None where none waits."""
        await self._mend()
        courier = self._courier or await self._hire()
        async with self._session.transaction() as connection:
            if self._done:
                await outbox.settle(connection, self.name, self._done)
            one = await outbox.claim(
                connection,
                self.name,
                lanes,
                most=most,
                share=self._share,
                id=uuid4().hex,
                producer=courier.id,
                since=courier.since,
            )
        self._done, self._open = None, one
        return one

    async def carry(self, claim: Claim, patience_s: float) -> Outcome:
        """Publish what was claimed; what follows from the outcome is for `conclude` to do."""
        if self._courier is None:
            raise RuntimeError("nothing was claimed")
        begun = begin_publishing(claim)
        outcome = await self._courier.carry(claim, patience_s)
        end_publishing(begun, outcome)
        if not outcome.committed:
            await self._dismiss()
        return outcome

    async def conclude(self, claim: Claim, outcome: Outcome) -> bool:
        """Whether the claim was published. Where not, it never will be, and its events wait again."""
        if outcome.committed:
            self._settled(claim, outcome.places)
            return True
        if outcome.committed is None:
            return await self._mend()
        if claim.producer:  # it was never asked to commit, and is no more
            with suppress(UnavailableError):  # ended now, it holds up no reader until it is timed out
                await fence(self._progress.cluster, claim.producer)
        await self._forget()
        return False

    async def close(self, *, orderly: bool = True) -> None:
        """End; what was published is settled, what is open is left for the next to finish."""
        if orderly and self._done:
            async with self._session.transaction() as connection:
                await outbox.settle(connection, self.name, self._done)
            self._done = None
        courier, self._courier = self._courier, None
        if courier is not None:
            await (courier.stop() if orderly and self._open is None else courier.discard())

    async def _hire(self) -> Courier:
        """A new producer under a transactional id that nobody had before.

        So it waits for nothing that another left behind: not for a partition without a leader, to which
        the end of a transaction cannot be written.
        """
        if self._session.settings.transactions and not self._producer:
            self._producer = f"{self._session.settings.name}-{self.name}-{uuid4().hex[:12]}"
        since = await end_of(self._progress) if self._producer else 0
        courier = Courier(self._progress, self._producer, self._session.settings.region, alone=self.alone)
        await courier.start(since)
        self._courier = courier
        return courier

    async def _dismiss(self) -> None:
        courier, self._courier = self._courier, None
        if courier is not None:
            if courier.has_begun:
                self._producer = ""
            await courier.discard()

    async def _mend(self) -> bool:
        """Finish a claim of which it is not known whether Kafka has it; whether it has."""
        left = self._open
        if left is None:
            return False
        has = bool(left.producer) and await was_published(self._progress, left.id, left.producer, left.since)
        log.info("relay.mended", slot=self.name, events=len(left.events), had_been_published=has)
        if not has:
            await self._forget()
            return False
        done = self._settled(left, {})
        async with self._session.transaction() as connection:
            await outbox.settle(connection, self.name, done)
        self._done = None
        return True

    async def _forget(self) -> None:
        async with self._session.transaction() as connection:
            await outbox.forget(connection, self.name)
        self._open = None

    def _settled(self, claim: Claim, places: Mapping[int, tuple[int, int]]) -> Published:
        now = datetime.now(UTC)
        done = Published(claim.ids, now, places)
        self._done, self._open = done, None
        PUBLISHED.inc(len(claim.events))
        for one in claim.events:
            PUBLISH_SECONDS.observe(max((now - one.created_at).total_seconds(), 0.0))
            with at(read_traceparent(one.event.traceparent)):
                log.debug("event.published", lane=one.lane, number=one.id)
        return done
