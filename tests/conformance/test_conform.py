"""`losus conform` and the consumers that this project shows: they come through, however they are treated."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from adapter.conformance.check import Verdict
from adapter.conformance.playing import partitions_of, player
from adapter.conformance.script import Script
from adapter.conformance.telling import Kept
from adapter.conformance.trial import Trial, try_consumer
from adapter.outbound.topics import make_topics
from tests.conftest import Kafka as Broker
from tests.consumers.running import (
    FOLDER,
    PYTHON,
    java_callback,
    java_consumer,
    kcat_lines,
    process,
    python_callback,
    python_consumer,
)
from tests.kafka.cluster import ApacheKafka
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


async def test_the_python_consumer_comes_through(kafka: Broker, tmp_path: Path) -> None:
    """Started when the kit asks for it, that is in the middle of the month."""
    await make_topics(kafka.bootstrap, ("2380",), partitions=3, replication=1)
    is_apache = isinstance(kafka, ApacheKafka)  # the sandbox's broker loses sight of what follows an abort
    store, asked = tmp_path / "cases.sqlite", Asked()
    with python_callback(store) as callback:
        trial = Trial(kafka.bootstrap, callback, "2380", 1, WAIT_S, transactions=is_apache)
        running = asyncio.create_task(try_consumer(trial, asked))
        await asyncio.wait_for(asked.wait(), WAIT_S)
        with process(*python_consumer(kafka.bootstrap, store), log=tmp_path / "log"):
            verdicts = await running
    assert failed(verdicts).keys() == (set() if is_apache else {"uncommitted"})


FAULTY = ('None if picture["moved"] else ', "")


@pytest.mark.parametrize(("fault", "code", "failing"), [(("", ""), 0, set()), (FAULTY, 1, {"moved"})])
async def test_the_command_prints_a_verdict_for_each_check_and_ends_by_them(
    broker: Broker, tmp_path: Path, fault: tuple[str, str], code: int, failing: set[str]
) -> None:
    """As a municipality uses it, on the sandbox's broker."""
    await make_topics(broker.bootstrap, ("2380",), partitions=3, replication=1)
    consumer = tmp_path / "consumer.py"
    consumer.write_text(
        (PYTHON / "consumer.py").read_text(encoding="utf-8").replace(*fault), encoding="utf-8"
    )
    store = tmp_path / "cases.sqlite"
    with python_callback(store) as callback:
        argv = ("conform", "--kafka", broker.bootstrap, "--callback", callback, "--no-transactions")
        kit = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "adapter.cli", *argv, "--wait", "60", "--format", "json",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert kit.stderr
        while b"start the consumer" not in (line := await asyncio.wait_for(kit.stderr.readline(), WAIT_S)):
            assert line, "the kit ended"
        _, *rest = python_consumer(broker.bootstrap, store)
        with process(sys.executable, consumer, *rest[1:], log=tmp_path / "log"):
            out, _ = await asyncio.wait_for(kit.communicate(), 120)
    told = {one["check"]: one["passed"] for one in map(json.loads, out.splitlines())}
    assert kit.returncode == code
    assert {name for name, passed in told.items() if passed is False} == failing
    assert told["uncommitted"] is None


@pytest.mark.kafka
async def test_the_consumer_in_java_comes_through(apache: Broker, tmp_path: Path) -> None:
    await make_topics(apache.bootstrap, ("2380",), partitions=3, replication=1)
    store, asked = tmp_path / "store", Asked()
    argv = await asyncio.to_thread(java_consumer, apache.bootstrap, store)
    with java_callback(store) as callback:
        running = asyncio.create_task(
            try_consumer(Trial(apache.bootstrap, callback, "2380", 5, WAIT_S), asked)
        )
        await asyncio.wait_for(asked.wait(), WAIT_S)
        with process(*argv, log=tmp_path / "log"):
            verdicts = await running
    assert failed(verdicts) == {}


@pytest.mark.kafka
async def test_kcat_shows_the_newest_picture_of_each_case(apache: Broker, kcat: str) -> None:  # noqa: ARG001
    """Before and after: each revision once, in order, and the last one is what the case is."""
    await make_topics(apache.bootstrap, ("2380",), partitions=3, replication=1)
    script = Script(6, "2380", await partitions_of(apache.bootstrap, "2380"))
    async with player(apache.bootstrap, transactions=True) as playing:
        await playing.play(script.history())
        before, _ = await asyncio.to_thread(kcat_lines, apache.bootstrap)
        await playing.play(script.rest())
        lines, words = await asyncio.to_thread(kcat_lines, apache.bootstrap)
        await playing.play(script.farewell())
    assert {key for key, *_ in before} == {
        one.case_id for one in script.stories if one.history and one.name not in {"tombstone", "expired"}
    }
    shown = {key: json.loads(picture) for key, _, picture in lines}
    for story in (*script.stories, *script.ends):
        if story.kept is Kept.YES:
            assert {name: shown[story.case_id][name] for name in story.picture} == story.picture, story.name
        else:
            assert story.case_id not in shown, story.name
    assert words == ""


@pytest.mark.kafka
async def test_kcat_tells_gaps_and_passes_over_repeats(apache: Broker, tmp_path: Path, kcat: str) -> None:  # noqa: ARG001
    """Followed while the month is played, on topics that were empty."""
    await make_topics(apache.bootstrap, ("2380",), partitions=3, replication=1)
    script = Script(7, "2380", await partitions_of(apache.bootstrap, "2380"))
    told, words = tmp_path / "told", tmp_path / "words"
    async with player(apache.bootstrap, transactions=True) as playing:
        await playing.play(script.history())
        with following(apache.bootstrap, told, words):
            assert await eventually(lambda: told.stat().st_size > 0)
            await playing.play(script.rest())
            ends = [one.case_id for one in script.ends]
            assert await eventually(lambda: all(one in told.read_text() for one in ends))
        await playing.play(script.farewell())
    seen: dict[str, list[int]] = {}
    for line in told.read_text().splitlines():
        key, revision, _ = line.split("	")
        seen.setdefault(key, []).append(int(revision))
    assert all(numbers == sorted(set(numbers)) for numbers in seen.values())
    (gap,) = [one for one in script.stories if one.name == "gap"]
    assert words.read_text() == f"gap: {gap.case_id} from 2 to 4\n"


@pytest.mark.kafka
@pytest.mark.parametrize("consumer", ["python", "java", "kcat"])
async def test_begun_while_a_transaction_is_open_it_misses_nothing(
    apache: Broker, tmp_path: Path, consumer: str
) -> None:
    """What is not decided yet is in no snapshot, and lies before the last record of `.events`."""
    await make_topics(apache.bootstrap, ("2380",), partitions=3, replication=1)
    seed = {"python": 21, "java": 22, "kcat": 23}[consumer]
    script = Script(seed, "2380", await partitions_of(apache.bootstrap, "2380"))
    (quiet,) = [one for one in script.stories if one.is_snapshot]
    (late,) = [one for one in script.stories if one.name == "deadline"]
    async with (
        player(apache.bootstrap, transactions=True) as playing,
        player(apache.bootstrap, transactions=True) as other,
    ):
        await playing.play(quiet.deliveries)
        await other.producer.begin_transaction()
        await other._send(late.deliveries[0])
        told = tmp_path / "store"
        with begun(consumer, apache.bootstrap, told):
            assert await eventually(lambda: quiet.case_id in shown(told))
            await other.producer.commit_transaction()
            assert await eventually(lambda: late.case_id in shown(told))
        await playing.play(script.farewell())


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


@pytest.mark.kafka
async def test_killed_again_and_again_it_loses_nothing_and_does_nothing_twice(
    apache: Broker, tmp_path: Path
) -> None:
    await make_topics(apache.bootstrap, ("2380",), partitions=3, replication=1)
    chance = random.Random(20180101)  # noqa: S311 - a seed, not a secret
    store = tmp_path / "cases.sqlite"
    argv = python_consumer(apache.bootstrap, store)
    with python_callback(store) as callback:
        with process(*argv, log=tmp_path / "log"):
            assert await eventually(lambda: answers(callback))
            trial = Trial(apache.bootstrap, callback, "2380", 2, WAIT_S)
            running = asyncio.create_task(try_consumer(trial, print))
            await asyncio.sleep(chance.uniform(0.3, 1))
        for _ in range(3):
            with process(*argv, log=tmp_path / "log"):
                await asyncio.sleep(chance.uniform(1, 2))
        with process(*argv, log=tmp_path / "log"):
            verdicts = await running
    assert failed(verdicts) == {"bootstrap": "the consumer ran already: start it when you are asked to"}


@pytest.mark.kafka
async def test_away_for_longer_than_the_topic_keeps_it_begins_anew(apache: Broker, tmp_path: Path) -> None:
    """Its offsets are gone with the records: the snapshot has it all, `.events` has no more."""
    await make_topics(apache.bootstrap, ("2380",), partitions=3, replication=1)
    store = tmp_path / "cases.sqlite"
    argv = python_consumer(apache.bootstrap, store)
    partitions = await partitions_of(apache.bootstrap, "2380")
    script = Script(3, "2380", partitions)
    async with player(apache.bootstrap, transactions=True) as playing:
        await playing.play(script.history())
        with process(*argv, log=tmp_path / "log"):
            wanted = await present(apache.bootstrap)
            assert await eventually(lambda: known(store) == wanted)
        await playing.play(script.rest())
        await forget(apache.bootstrap, "losus.2380.events", partitions)
        with process(*argv, log=tmp_path / "log"):
            wanted = await present(apache.bootstrap)
            assert await eventually(lambda: known(store) == wanted)
        await playing.play(script.farewell())


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


@pytest.mark.kafka
@pytest.mark.parametrize("consumer", ["python", "java"])
async def test_where_partitions_were_added_it_begins_anew(
    apache: Broker, tmp_path: Path, consumer: str
) -> None:
    """Cases lie elsewhere from then on; a partition that nobody follows would be missed for good."""
    await make_topics(apache.bootstrap, ("2380",), partitions=3, replication=1)
    told = tmp_path / "store"
    before = await partitions_of(apache.bootstrap, "2380")
    script = Script({"python": 31, "java": 32}[consumer], "2380", before + 1)
    async with player(apache.bootstrap, transactions=True) as playing:
        await playing.play(script.history())
        quiet = next(one.case_id for one in script.stories if one.is_snapshot)
        with begun(consumer, apache.bootstrap, told):
            assert await eventually(lambda: quiet in shown(told))
        await grow(apache.bootstrap, before + 1)
    async with player(apache.bootstrap, transactions=True) as playing:
        await playing.play(script.rest())
        with begun(consumer, apache.bootstrap, told):
            ends = [one.case_id for one in script.ends]
            assert await eventually(lambda: all(one in shown(told) for one in ends))
        await playing.play(script.farewell())


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
        while await partitions_of(bootstrap, "2380") != count:
            await asyncio.sleep(0.1)
