"""How fast one relay empties an outbox: events for one municipality, and for 290, on Apache Kafka.

Run as a program: python -m tests.bench.relay_speed [EVENTS]. The relay is a process of its own; what it
takes to start does not count (the clock starts at the first event that leaves the outbox).
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack

import asyncpg
import orjson
import psutil

from adapter.outbound.topics import make_topics
from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from adapter.store.migrate import migrate
from tests.kafka.cluster import ApacheKafka
from tests.topic import cluster_of

_PAYLOAD = 2_000  # bytes: about what a case's picture has
_EVENTS_A_CASE = 5


def codes(count: int) -> list[str]:
    """So many codes of municipalities."""
    return [f"{1000 + number}" for number in range(count)]


async def fill(dsn: str, lanes: int, events: int) -> None:
    """Put events into the outbox, spread over lanes and cases."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            """insert into event (case_id, municipality, revision, type, ce_id, payload, closing, created_at)
               select 'case-' || ($5::text) || '-' || n / $3, ($1::text[])[1 + (n / $3) % $2], 1 + n % $3,
                      'se.losus.case.changed.v1', md5($5 || n), convert_to(repeat('x', $4), 'utf8'),
                      false, now()
               from generate_series(0, $6 - 1) as n""",
            codes(lanes),
            lanes,
            _EVENTS_A_CASE,
            _PAYLOAD,
            f"{time.time_ns()}",
            events,
        )
        await connection.execute(
            "insert into outbox select id from event where id > (select max(id) - $1 from event)",
            events,
        )
        await connection.execute("vacuum analyze outbox")
    finally:
        await connection.close()


async def drained(dsn: str, relay: psutil.Process) -> tuple[float, float]:
    """Seconds, and seconds of processor of the relay, from the first event that left to the last."""
    connection = await asyncpg.connect(dsn)
    try:
        count = "select count(*) from outbox"
        full = left = await connection.fetchval(count)
        began = time.perf_counter(), sum(relay.cpu_times()[:2])
        while left:
            await asyncio.sleep(0.01)
            left = await connection.fetchval(count)
            if left == full:
                began = time.perf_counter(), sum(relay.cpu_times()[:2])
        return time.perf_counter() - began[0], sum(relay.cpu_times()[:2]) - began[1]
    finally:
        await connection.close()


def measure(bootstrap: str, dsn: str, lanes: int, events: int) -> dict[str, float]:
    """Events a second, processor milliseconds an event, and memory (MB) of one relay."""
    asyncio.run(fill(dsn, lanes, events))
    subscribers = {code: {"name": code} for code in codes(lanes)}
    environment = os.environ | {
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": "a secret of the bench alone",
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_KAFKA": orjson.dumps({"bootstrap": bootstrap, "partitions": 3}).decode(),
        "LOSUS_SUBSCRIBERS": orjson.dumps(subscribers).decode(),
    }
    relay = subprocess.Popen([sys.executable, "-m", "adapter.cli", "relay"], env=environment)
    try:
        process = psutil.Process(relay.pid)
        seconds, processor = asyncio.run(drained(dsn, process))
        return {
            "lanes": lanes,
            "events/s": round(events / seconds),
            "ms/event": round(processor / events * 1000, 3),
            "MB": round(process.memory_info().rss / 1e6),
            "sockets": len(process.net_connections()),
        }
    finally:
        relay.kill()
        relay.wait()


def main() -> None:
    """Measure with 1 and with 290 municipalities."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with ExitStack() as stack:
        is_apache = shutil.which("java") is not None and shutil.which("mvn") is not None
        kafka = stack.enter_context(ApacheKafka.start() if is_apache else Broker.start())
        postgres = stack.enter_context(Database.start())
        asyncio.run(migrate(postgres.dsn))
        for lanes in (1, 290):
            asyncio.run(make_topics(cluster_of(kafka.bootstrap), codes(lanes), partitions=3, replication=1))
            print(measure(kafka.bootstrap, postgres.dsn, lanes, events), flush=True)


if __name__ == "__main__":
    main()
