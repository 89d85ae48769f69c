"""Relays divide the outbox: evenly, each lane by one at a time, exactly once whoever believes what."""

import random
import signal
import time
from contextlib import AsyncExitStack

import asyncpg
import pytest

from adapter.outbound.topics import make_topics
from adapter.sandbox.broker import Broker
from adapter.store import outbox as shares
from tests.conftest import Kafka
from tests.outbound.outboxes import LANES, add_some, emptied, outbox, relaying, seen, until, whole
from tests.outbound.test_relay import drained, relay
from tests.topic import cluster_of

#: How many shares each relay holds, most first.
HELD = """select array_agg(shares order by shares desc) from (
            select count(*)::int as shares from pg_locks
            where locktype = 'advisory' and classid::bigint = $1
              and database = (select oid from pg_database where datname = current_database())
            group by pid) as relays"""


@pytest.fixture
async def ready(kafka: Kafka) -> Kafka:
    """The broker, with the topics of the lanes."""
    await make_topics(cluster_of(kafka.bootstrap), LANES, partitions=3, replication=1)
    return kafka


async def divided(connection: asyncpg.Connection, *parts: int) -> None:
    await until(connection, HELD, lambda held: (held or []) == list(parts), shares._SHARE)


@pytest.mark.parametrize(
    ("relays", "parts", "because"),
    [
        (1, [8], "one alone has all"),
        (2, [4, 4], "each its half"),
        (3, [3, 3, 2], "what is left over goes to the first"),
        (9, [1] * 8, "the ninth has none, and waits"),
    ],
)
async def test_shares_are_divided_evenly(
    dsn: str, broker: Broker, relays: int, parts: list[int], because: str
) -> None:
    assert sum(parts) == 8, because
    async with outbox(dsn) as connection, AsyncExitStack() as stack:
        for _ in range(relays):
            await stack.enter_async_context(relaying(dsn, broker.bootstrap))
        await divided(connection, *parts)


async def test_who_comes_gets_a_part_and_who_goes_leaves_it(dsn: str, ready: Kafka) -> None:
    """While events come in all the time: none is lost, doubled or out of order on the way."""
    async with outbox(dsn) as connection, relaying(dsn, ready.bootstrap):
        await divided(connection, 8)
        for revisions in (range(1, 11), range(11, 21)):
            async with relaying(dsn, ready.bootstrap):
                for revision in revisions:
                    for lane in LANES:
                        await add_some(dsn, lane, range(revision, revision + 1))
                await divided(connection, 4, 4)
            await divided(connection, 8)
        for lane in LANES:
            await emptied(connection, lane)
    for lane in LANES:
        assert await seen(ready.bootstrap, lane) == whole(lane, 20)


async def test_one_that_wakes_up_late_changes_nothing(dsn: str, ready: Kafka) -> None:
    """A relay is stopped in the middle, its session ends, another takes over; then it goes on."""
    chance = random.Random(20170612)  # noqa: S311 - a seed, not a secret
    async with outbox(dsn) as connection:
        with relay(dsn, ready.bootstrap, batch=5) as sleeper:
            for turn in range(3):
                for lane in LANES:
                    await add_some(dsn, lane, range(1 + turn * 40, 41 + turn * 40))
                await drained(dsn, chance.randrange(60, 200))
                sleeper.send_signal(signal.SIGSTOP)
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1"
                    " and datname = current_database()",
                    "losus relay",
                )
                with relay(dsn, ready.bootstrap):
                    await drained(dsn)
                    sleeper.send_signal(signal.SIGCONT)
                    await divided(connection, 4, 4)
                await divided(connection, 8)
    for lane in LANES:
        assert await seen(ready.bootstrap, lane) == whole(lane, 120)


async def test_who_dies_is_replaced_within_seconds(dsn: str, ready: Kafka) -> None:
    async with outbox(dsn) as connection:
        with relay(dsn, ready.bootstrap, batch=5) as first, relay(dsn, ready.bootstrap, batch=5):
            await divided(connection, 4, 4)
            for lane in LANES:
                await add_some(dsn, lane, range(1, 101))
            await drained(dsn, 300)
            first.kill()
            killed_at = time.monotonic()
            await divided(connection, 8)
            took_s = time.monotonic() - killed_at
            await drained(dsn)
    print(f"taken over in {took_s:.1f} s")
    for lane in LANES:
        assert await seen(ready.bootstrap, lane) == whole(lane, 100)


async def test_a_lane_apart_survives_a_kill(dsn: str, ready: Kafka) -> None:
    """Killed while a lane is in quarantine, in the middle of its own transactions."""
    async with outbox(dsn) as connection:
        for lane in LANES:
            await add_some(dsn, lane, range(1, 151))
        await connection.execute(
            "insert into quarantine (lane, reason, since, failures, retry_at) "
            "select lane, 'unclear', now(), 0, now() from unnest($1::text[]) as lane",
            list(LANES),
        )
        for left in (700, 400, 100):
            with relay(dsn, ready.bootstrap) as process:
                await drained(dsn, left)
                process.send_signal(signal.SIGKILL)
            assert await connection.fetchval("select count(*) from quarantine") > 0
        with relay(dsn, ready.bootstrap):
            await drained(dsn)
            await until(connection, "select count(*) from quarantine", lambda apart: apart == 0)
    for lane in LANES:
        assert await seen(ready.bootstrap, lane) == whole(lane, 150)
