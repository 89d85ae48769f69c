"""All doors lead here: deliveries are read, and stored many a transaction.

While one transaction is under way, the deliveries that arrive gather for the next; so a quiet system
answers at once, and a busy one shares the cost of a commit. A batch that the database refuses is tried
again one by one, so that one delivery cannot take others with it.

Owns the batching; does not own what becomes of a delivery (`adapter.flow`), nor where what it points at is
found (`library`).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg
import structlog

from adapter.delivery import Delivery, Receipt
from adapter.errors import LosusError, Problem, UnavailableError
from adapter.flow import commit, refused
from adapter.inbound.flood import Flood
from adapter.inbound.library import Library
from adapter.inbound.under_way import begin_receiving, committing, tell
from adapter.reading import Prepared
from adapter.store.database import Database
from adapter.trace import at
from adapter.tracing import Within, work
from adapter.world import World

log = structlog.get_logger()

_MOST = 64  # deliveries a transaction
_WAITING = 1_000  # deliveries that may wait; beyond, the sender is asked to come back

_Waiting = tuple[Prepared, "asyncio.Future[Receipt]"]


class Receiver:
    """Reads and stores deliveries; `run` works until cancelled."""

    def __init__(
        self, world: World, database: Database, clock: Callable[[], datetime], library: Library, flood: Flood
    ) -> None:
        self._world, self._database, self._clock = world, database, clock
        self._library, self._flood = library, flood
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(_WAITING)

    async def take(self, delivery: Delivery) -> Receipt:
        """Read one delivery, store it durably, and give the receipt of it.

        Raises InputError where the sender has to mend it (nothing is kept), StoppedError where the source was
        stopped, UnavailableError where it cannot be stored now.
        """
        self._flood.demand_open(delivery.source)
        traced, under_way = begin_receiving(delivery, self._world.speakers)
        with Within(under_way):
            prepared = await self._read(traced)
            future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
            try:
                self._queue.put_nowait((prepared, future))
            except asyncio.QueueFull:
                raise UnavailableError(Problem("throttled", "too many messages are waiting")) from None
            receipt = await future
            tell(under_way, receipt)
        self._flood.note(delivery.source, receipt)
        return receipt

    async def take_in_order(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        """Read and store deliveries in the order given, many a transaction, each with its mark.

        What comes first is stored first, so that no mark passes over what is not stored. Raises as `take`.
        """
        for source in {one.source for one in deliveries}:
            self._flood.demand_open(source)
        begun = [begin_receiving(one, self._world.speakers) for one in deliveries]
        left = [await self._read(traced) for traced, _ in begun]
        receipts: list[Receipt] = []
        while left:
            group, left = _prefix(left)
            receipts += await self._together(group)
        for (one, under_way), receipt in zip(begun, receipts, strict=True):
            self._flood.note(one.source, receipt)
            tell(under_way, receipt)
            under_way.end()
            if receipt.state == "refused":
                rules = [problem.rule for problem in receipt.problems]
                with at(one.trace):
                    log.error("delivery.refused", source=one.source, door=one.door, rules=rules)
        return receipts

    async def _together(self, group: Sequence[Prepared]) -> list[Receipt]:
        try:
            return await self._commit(group)
        except LosusError as error:
            if error.retryable:
                raise
        except Exception as error:
            if isinstance(error, asyncpg.PostgresConnectionError):
                raise
            log.warning("group.refused", error=type(error).__name__)
        return [await self._by_itself(one) for one in group]

    async def _by_itself(self, one: Prepared) -> Receipt:
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        await self._store([(one, future)])
        receipt = future.result()
        if receipt.error is not None and receipt.state == "refused" and receipt.error.retryable:
            raise UnavailableError(*receipt.error.problems)
        return receipt

    async def _read(self, delivery: Delivery) -> Prepared:
        now = self._clock()
        try:
            with work("read", delivery.trace):
                return await self._library.read(self._world, delivery, now)
        except LosusError:
            raise
        except Exception as error:
            if delivery.door.is_answered or delivery.source not in self._world.speakers:
                raise
            return self._faulty(Prepared(delivery, now, self._world.speakers[delivery.source].fhir), error)

    async def run(self) -> None:
        """Take what waits, a batch a transaction, one after the other."""
        held: list[_Waiting] = []
        while True:
            waiting = held or [await self._queue.get()]
            while len(waiting) < _MOST and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            batch, held = _distinct(waiting)
            await self._store(batch)

    async def _store(self, batch: Sequence[_Waiting], *, raced: bool = False) -> None:
        """Commit a batch; `raced`: it is tried again since another replica took the same message."""
        try:
            receipts = await self._commit([prepared for prepared, _ in batch])
        except Exception as error:  # noqa: BLE001 - the outermost loop: one message must not stop the door
            races = isinstance(error, asyncpg.UniqueViolationError) and not raced
            if len(batch) > 1 or races:
                for one in batch:
                    await self._store([one], raced=races)
                return
            given = self._refusal(batch[0][0], error)
            if given.error and not given.error.retryable and _is_to_be_kept(batch[0][0]):
                kept = self._faulty(batch[0][0], error)
                await self._store([(kept, batch[0][1])])
                return
            receipts = [given]
        for (_, future), receipt in zip(batch, receipts, strict=True):
            if not future.cancelled():
                future.set_result(receipt)

    async def _commit(self, batch: Sequence[Prepared]) -> list[Receipt]:
        with committing(batch) as traced:
            async with self._database.transaction() as connection:
                return await commit(connection, self._world, traced, self._clock())

    def _refusal(self, prepared: Prepared, error: Exception) -> Receipt:
        """The receipt of what is not stored; a fault of the database may pass, one of ours not."""
        if not isinstance(error, LosusError):
            with at(prepared.delivery.trace):
                log.error("message.unstored", source=prepared.source, error=type(error).__name__)
            passing = isinstance(error, asyncpg.PostgresError)
            kind = UnavailableError if passing else LosusError
            error = kind(Problem("exception", "the message could not be stored; the log says more"))
        return refused(self._world, prepared, error, self._clock())

    def _faulty(self, prepared: Prepared, error: Exception) -> Prepared:
        """What a fault of ours stands in the way of, where nobody waits who could send it again: kept."""
        with at(prepared.delivery.trace):
            log.error("message.faulty", source=prepared.source, error=type(error).__name__)
        fault = LosusError(Problem("exception", f"a fault of ours ({type(error).__name__})"))
        return replace(prepared, message=None, readings=(), shelved=(), error=fault, cause="faulty")


def _is_to_be_kept(prepared: Prepared) -> bool:
    return not prepared.delivery.door.is_answered and prepared.cause != "faulty"


def _prefix(read: list[Prepared]) -> tuple[list[Prepared], list[Prepared]]:
    """As many of the first as have ids of their own, and the rest."""
    taken: set[tuple[str, str]] = set()
    for index, one in enumerate(read[:_MOST]):
        mine = _known_by(one)
        if taken & mine:
            return read[:index], read[index:]
        taken |= mine
    return read[:_MOST], read[_MOST:]


def _known_by(prepared: Prepared) -> set[tuple[str, str]]:
    """What no two deliveries of one transaction may share: ids of a message, else the resources it says.

    Of what bears no ids two versions of one resource, or two creations under one condition, are not decided
    on together: the second is to know of the first.
    """
    if prepared.ids:
        source, header_id, bundle_id = prepared.ids
        return {(source, "h" + header_id), (source, "b" + bundle_id)}
    return {(prepared.source, reading.fact.resource) for reading in prepared.readings}


def _distinct(waiting: list[_Waiting]) -> tuple[list[_Waiting], list[_Waiting]]:
    """Those that share nothing, and those that share something and so wait for the next batch."""
    batch: list[_Waiting] = []
    later: list[_Waiting] = []
    taken: set[tuple[str, str]] = set()
    for one in waiting:
        mine = _known_by(one[0])
        (later if taken & mine else batch).append(one)
        taken |= mine
    return batch, later
