"""The relay: events from the outbox to Kafka, in order, none lost, one municipality's fault held apart.

Guarantee. On a broker with transactions (Apache Kafka) each event is seen exactly once by a
`read_committed` consumer, in order per case, also over `kill -9` of any relay at any point; on a
broker without (`kafka.transactions: false`) at least once, with the same `ce_id`.

Why exactly once.
1. A claim (an id never used again, the events, a transactional id) is committed in PostgreSQL before
   anything is sent, by the session that holds the share's advisory lock. Who lost the session cannot claim.
2. The events go to Kafka under that transactional id alone, in one transaction, with the claim's id as a
   record of `losus.relay-progress`: a `read_committed` reader sees the id if and only if it sees the events.
3. A claim is settled (its events leave the outbox) only when its transaction is known to be committed, and
   forgotten (its events may be claimed anew) only when it is known that it never will be: the commit was
   never asked for; or whoever had the transactional id was fenced, so that what it had open has ended, and
   the id is not there when all of the partition is decided.
4. So at any time an event is in at most one claim that can still be committed, and after a crash, or when
   two relays believe they have a share, the claim that stands in PostgreSQL says which, and Kafka whether.
5. A producer that is replaced is so under a new transactional id. So where the end of a transaction cannot
   be written to all its partitions (one has no leader), its end is decided all the same, and nobody waits.

Order. Within a case, event numbers are drawn under the case's row lock, so number order is commit
order; a number that commits later than a higher one of another case is simply found at the next
claim, for the relay asks what is in the outbox, not what is greater than the last seen. A lane is
claimed by one slot at a time, lowest number first.

Isolation. Lanes (a municipality, the unrouted, dead letters) are dealt to shares. The lanes of a share go
together, which is fast, until one of them is at fault: it goes into quarantine, with a slot, a producer
and a back-off of its own, and comes back when it has caught up. A record that the broker refuses for good
parks its case; other cases of the lane go on.

A database restored to an earlier point. Before a relay takes a share it holds the numbers of the claims in
Kafka against those in PostgreSQL (`behind`). Where Kafka was told of one that is not known here, the database
would give revisions again that subscribers have, to other pictures: nothing is published by anybody, until
`losus recover --run` has told the database what Kafka has. Not noticed without transactions.

Replicas divide the shares evenly. One that dies loses its locks with its session, one that cannot be
reached after some twenty seconds; its shares are taken over by the others within a second or two.

Owns the division of shares; does not own a share's loop (`share`), the steps of a claim (`slot`), what
Kafka knows (`progress`), what an event says (`events`) nor the statements (`store.outbox`).
"""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from adapter.errors import UnavailableError
from adapter.outbound.behind import behind, published_claims
from adapter.outbound.expiry import START, expire
from adapter.outbound.lagging import observe
from adapter.outbound.records import share_of
from adapter.outbound.session import RelaySettings, Session, open_relay_session
from adapter.outbound.share import Share
from adapter.outbound.topics import SHARES, make_topics
from adapter.store import deliveries, outbox, quarantine, recovery
from adapter.store.migrate import migrate
from adapter.watch import DATABASE_OLDER, RELAY_SHARES, ROUND_AT

__all__ = ["RelaySettings", "run_relay"]

log = structlog.get_logger()

_LOOK_AGAIN_S = 1.0  # a missed notification costs this much, no more
_PAUSE_S = 0.01  # between two looks: events of many messages are found by one
_OBSERVE_S = 10.0
_EXPIRE_S = 10.0  # a page of cases each time
_CHAIN_S = 10.0
_CHAIN_AT_ONCE = 50  # batches of deliveries, each in a transaction of its own
_MAKE_TOPICS_S = 30.0
_ASK_AGAIN_S = 2.0  # whether a database that was older is mended
_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_PASSING = (
    UnavailableError,
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)


async def run_relay(settings: RelaySettings, stopping: asyncio.Event | None = None) -> None:
    """Relay until `stopping` is set, then end with nothing under way; or until cancelled.

    A database or a broker that is away is waited out, and logged; a database that `losus migrate` has not
    brought to this version too.
    """
    stopping = stopping or asyncio.Event()
    failures = 0
    while not stopping.is_set():
        try:
            await migrate(settings.dsn)
            async with open_relay_session(settings) as session:
                relay = _Relay(session)
                failures = 0
                await relay.work(stopping)
        except* _PASSING as group:
            wait_s = _BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)]
            failures += 1
            leaves = _leaves(group)
            names = sorted({type(error).__name__ for error in leaves})
            why = sorted({str(error) for error in leaves if isinstance(error, UnavailableError)})
            log.warning("relay.interrupted", errors=names, why=why, retry_in_s=wait_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), wait_s)


def _leaves(group: BaseException) -> list[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for one in group.exceptions for leaf in _leaves(one)]
    return [group]


class _Relay:
    """One session of a relay, from its start to a fault of the database."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._member = random.randrange(1, 2**31)  # noqa: S311 - a name, not a secret
        self._shares: dict[int, tuple[Share, asyncio.Task[None]]] = {}
        self._due: dict[str, float] = {}
        self._making: asyncio.Task[None] | None = None
        self._expired = START

    async def work(self, stopping: asyncio.Event) -> None:
        """Hold a fair part of the shares, and wake each when events of its lanes come in.

        None of them while the database is older than Kafka.
        """
        while self._session.settings.refuse_older and await self._is_behind():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _ASK_AGAIN_S)
            if stopping.is_set():
                return
        async with self._session.transaction() as connection:
            await outbox.join(connection, self._member)
        log.info("relay.started", member=self._member)
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(stopping.wait())
            while not stopping.is_set():
                self._session.woken.clear()
                self._make_topics(tasks)
                if self._is_due("divide", _LOOK_AGAIN_S):
                    await self._divide(tasks)
                await self._wake_shares()
                await self._keep()
                ROUND_AT.labels("relay").set_to_current_time()
                waiting = asyncio.ensure_future(self._session.woken.wait())
                await asyncio.wait(
                    {waiting, ending}, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED
                )
                waiting.cancel()
                await asyncio.sleep(_PAUSE_S)
            for share, _ in self._shares.values():
                share.leave()
            if self._making is not None:
                self._making.cancel()
        log.info("relay.stopped", member=self._member)

    async def _is_behind(self) -> bool:
        """Whether Kafka was told of claims that this database never gave; written down for who asks."""
        async with self._session.transaction() as connection:
            known = await recovery.known_claims(connection)
        published = await published_claims(self._session.settings.cluster, known)
        async with self._session.transaction() as connection:
            found = behind(published, await recovery.known_claims(connection))
            slots = [(one.slot, one.published, one.known) for one in found]
            await recovery.note_behind(connection, slots, datetime.now(UTC))
        DATABASE_OLDER.set(bool(found))
        if found:
            log.error("relay.database_is_older", slots=[one.slot for one in found])
        return bool(found)

    def _make_topics(self, tasks: asyncio.TaskGroup) -> None:
        """Make what is missing once, beside everything else: one that cannot be made holds up nobody."""
        if self._session.settings.make_topics and self._making is None:
            self._making = tasks.create_task(self._make())

    async def _make(self) -> None:
        given = self._session.settings
        while True:
            try:
                await make_topics(
                    given.cluster,
                    given.municipalities,
                    partitions=given.partitions,
                    replication=given.replication,
                    min_insync=given.min_insync,
                    retention_days=given.retention_days,
                )
            except UnavailableError as error:
                topics = [one.expression for one in error.problems if one.expression]
                why = sorted({one.rule for one in error.problems})
                log.warning("relay.topics_missing", topics=topics, why=why)
                await asyncio.sleep(_MAKE_TOPICS_S)
            else:
                return

    async def _divide(self, tasks: asyncio.TaskGroup) -> None:
        """Take free shares up to a fair part of all; leave what is more than that."""
        await self._let_go()
        running = [number for number, (share, _) in self._shares.items() if not share.leaving.is_set()]
        async with self._session.transaction() as connection:
            members = await outbox.members(connection)
            rank = members.index(self._member)
            fair = SHARES // len(members) + (rank < SHARES % len(members))
            for number in sorted(running)[fair:]:
                self._shares[number][0].leave()
            free = sorted(set(range(SHARES)) - set(await outbox.held(connection)))
            wanted = free[: max(fair - len(running), 0)]
            taken = [number for number in wanted if await outbox.hold(connection, number)]
        for number in taken:
            share = Share(self._session, number)
            self._shares[number] = (share, tasks.create_task(share.run()))
        RELAY_SHARES.set(len(self._shares))
        if taken:
            log.info("relay.shares_taken", shares=taken, relays=len(members))

    async def _let_go(self) -> None:
        for number in [number for number, (_, task) in self._shares.items() if task.done()]:
            del self._shares[number]
            async with self._session.transaction() as connection:
                await outbox.let_go(connection, number)
            log.info("relay.share_left", share=number)

    async def _wake_shares(self) -> None:
        """Put released cases back, and wake the shares whose lanes have events."""
        async with self._session.transaction() as connection:
            if released := [
                lane for lane in await quarantine.parked_lanes(connection) if self._is_mine(lane)
            ]:
                await quarantine.take_up(connection, released)
            lanes = await outbox.waiting_lanes(connection)
        for lane in lanes:
            if self._is_mine(lane):
                self._shares[share_of(lane)][0].wake(lane)

    def _is_mine(self, lane: str) -> bool:
        return share_of(lane) in self._shares

    async def _keep(self) -> None:
        """What is looked after now and then: the figures.

        And by one relay: cases whose time is over, deliveries that the audit is to cover.
        """
        if self._is_due("observe", _OBSERVE_S):
            async with self._session.transaction() as connection:
                await observe(connection, self._is_mine)
        days = self._session.settings.cases_days
        if days is not None and 0 in self._shares and self._is_due("expire", _EXPIRE_S):
            async with self._session.transaction() as connection:
                _, place = await expire(connection, datetime.now(UTC), days, self._expired)
            self._expired = place or START
        if 0 in self._shares and self._is_due("chain", _CHAIN_S):
            await self._chain()

    async def _chain(self) -> None:
        """Take what was delivered into the audit's chain."""
        async with self._session.transaction() as connection:
            to = await deliveries.written_to(connection)
        for _ in range(_CHAIN_AT_ONCE):
            async with self._session.transaction() as connection:
                if not await deliveries.chain(connection, to):
                    return

    def _is_due(self, what: str, every_s: float) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_s
        return True
