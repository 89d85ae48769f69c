"""Throughput of the adapter against a bare and a naive pipe, in one run, as ratios.

All three are one uvicorn process each, on the same broker, under the same load. A pipe is done when
its broker has the last record; the adapter when the last event is on the municipality's topic:
checked, mapped, folded, durable in PostgreSQL, published in a transaction.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from adapter.cluster import Cluster
from adapter.outbound.topics import make_topics
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports, start_listening
from adapter.sandbox.sandbox import sandbox
from tests.bench.load import write

CONNECTIONS = 64
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second of each pipe, the median of the rounds."""

    bare: float
    naive: float
    adapter: float


def measure(bootstrap: str, kind: str, message: Callable[[int], bytes], count: int) -> Rates:
    """Measure all three with `count` messages a round, the rounds of the three in turn."""
    rates: dict[str, list[float]] = {"bare": [], "naive": [], "adapter": []}
    with (
        _adapter(bootstrap) as (url, dsn),
        _pipe(bootstrap, "bare") as bare,
        _pipe(bootstrap, "naive") as naive,
    ):
        urls = {"bare": bare, "naive": naive, "adapter": f"{url}/fhir/{kind}/$process-message"}
        for name, target in urls.items():
            _load(target, message, range(10_000_000, 10_000_000 + 200))  # warm
            if name == "adapter":
                asyncio.run(_drained(dsn))
        for number in range(ROUNDS):
            for name, target in urls.items():
                first = number * count
                started = time.perf_counter()
                seconds = _load(target, message, range(first, first + count))
                if name == "adapter":
                    # what the load process took to start does not count
                    loading = time.perf_counter() - started
                    asyncio.run(_drained(dsn))
                    seconds += time.perf_counter() - started - loading
                rates[name].append(count / seconds)
    return Rates(**{name: statistics.median(each) for name, each in rates.items()})


def _load(url: str, message: Callable[[int], bytes], numbers: range) -> float:
    with Guardian() as guardian:
        path = guardian.folder / "bodies"
        write(path, (message(number) for number in numbers))
        argv = [sys.executable, "-m", "tests.bench.load", url, str(CONNECTIONS), str(path)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{url}: {done.stderr}")
    return float(done.stdout)


async def _drained(dsn: str) -> None:
    """Wait until the relay has published all."""
    connection = await asyncpg.connect(dsn)
    try:
        while await connection.fetchval("select exists (select from outbox)"):
            await asyncio.sleep(0.005)
    finally:
        await connection.close()


@contextmanager
def _adapter(bootstrap: str) -> Iterator[tuple[str, str]]:
    """A sandbox whose municipality 2380 is MedCom's receiver too; its address and its database."""
    with sandbox(bootstrap, organizations={"2380": ("https://www.gs1.org/gln|5790001348120",)}) as running:
        yield running.http, running.postgres


@contextmanager
def _pipe(bootstrap: str, name: str) -> Iterator[str]:
    topic = f"bench.{name}"
    asyncio.run(make_topics(Cluster(bootstrap), (), partitions=3, replication=1, more=(topic,)))
    with Guardian() as guardian:
        port = start_listening(
            guardian, lambda port: _uvicorn(guardian, name, port, bootstrap, topic), _up, free_ports(5)
        )
        yield f"http://{LOOPBACK}:{port}/"


def _uvicorn(guardian: Guardian, name: str, port: int, bootstrap: str, topic: str) -> Program:
    argv = (sys.executable, "-m", "uvicorn", f"tests.bench.pipes:{name}", "--port", str(port))
    quiet = ("--no-access-log", "--log-level", "warning")
    settings = {"PIPE_KAFKA": bootstrap, "PIPE_TOPIC": topic}
    return Program(
        (*argv, *quiet), log=guardian.folder / "pipe.log", env=os.environ | settings, cwd=Path.cwd()
    )


def _up(_: int, port: int) -> bool:
    try:
        httpx.get(f"http://{LOOPBACK}:{port}/", timeout=5)
    except httpx.TransportError:
        return False
    return True
