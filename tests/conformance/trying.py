"""What the tests of consumers share: starting them, looking at what they know, and treating topics badly."""

import asyncio
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from adapter.cluster import Cluster
from adapter.conformance.check import Verdict
from adapter.conformance.playing import partitions_of
from adapter.errors import UnavailableError
from tests.consumers.running import FOLDER, java_consumer, process, python_consumer
from tests.servers import eventually as within
from tests.topic import records

WAIT_S = 60.0


async def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold; clients that begin, on a machine under load, take their time."""
    return await asyncio.to_thread(within, holds, WAIT_S)


def failed(verdicts: list[Verdict]) -> dict[str, str]:
    """The checks that did not pass, each with its reason; one that was not judged is among them."""
    return {one.name: one.reason for one in verdicts if one.passed is not True}


def answers(callback: str) -> bool:
    try:
        return httpx.get(f"{callback}/cases").status_code == 200
    except httpx.TransportError:
        return False


class Asked(asyncio.Event):
    """Set when the kit asks for the consumer to be started."""

    def __call__(self, words: str) -> None:
        if "start the consumer" in words:
            self.set()


@contextmanager
def begun(consumer: str, bootstrap: str, told: Path) -> Iterator[None]:
    if consumer == "kcat":
        with following(bootstrap, told, told.with_suffix(".err")):
            yield
        return
    argv = (python_consumer if consumer == "python" else java_consumer)(bootstrap, told)
    with process(*argv, log=told.with_suffix(".log")):
        yield


def shown(told: Path) -> str:
    """What it has stored or printed, whatever it is: the ids stand in it."""
    if told.is_dir():
        return " ".join(path.stem for path in (told / "cases").glob("*.json"))
    if told.exists() and told.read_bytes().startswith(b"SQLite"):
        return " ".join(known(told))
    return told.read_text() if told.exists() else ""


@contextmanager
def following(bootstrap: str, told: Path, words: Path) -> Iterator[None]:
    """follow.sh and the readers that it starts, until the end of the block."""
    argv = ("bash", str(FOLDER / "kcat" / "follow.sh"), bootstrap, "2380")
    with told.open("wb") as out, words.open("wb") as err:
        running = subprocess.Popen(argv, stdout=out, stderr=err, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait()


async def present(bootstrap: str) -> set[str]:
    """The cases of the snapshot, as it is now."""
    newest = {record.key: record.value for record in await records(bootstrap, "losus.2380.cases")}
    return {key for key, value in newest.items() if value is not None}


def known(store: Path) -> set[str]:
    """The cases that the consumer has."""
    database = sqlite3.connect(store)
    try:
        rows = database.execute("select case_id from cases where picture is not null")
        return {case_id for (case_id,) in rows}
    except sqlite3.OperationalError:  # no table yet
        return set()
    finally:
        database.close()


async def forget(bootstrap: str, topic: str, partitions: int) -> None:
    """Remove every record there is, as retention does in time."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        everything = RecordsToDelete(before_offset=-1)
        await admin.delete_records({TopicPartition(topic, one): everything for one in range(partitions)})
    finally:
        await admin.close()


async def grow(bootstrap: str, count: int) -> None:
    """Give the municipality's topics more partitions, and wait until the broker tells so."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wider = NewPartitions(count)
        await admin.create_partitions({"losus.2380.events": wider, "losus.2380.cases": wider})
    finally:
        await admin.close()
    async with asyncio.timeout(WAIT_S):
        while await partitions_of(Cluster(bootstrap), "2380") != count:
            await asyncio.sleep(0.1)


async def partitions_made(cluster: Cluster) -> int:
    """How many partitions the topics have that were made a moment ago: a broker may not know them yet."""
    async with asyncio.timeout(WAIT_S):
        while True:
            with suppress(UnavailableError):
                return await partitions_of(cluster, "2380")
            await asyncio.sleep(0.05)
