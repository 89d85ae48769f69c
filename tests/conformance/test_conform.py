"""`losus conform` and the consumers that this project shows: they come through."""

import asyncio
import json
import random
import sys
from pathlib import Path

import pytest

from adapter.conformance.playing import is_in_use, player
from adapter.conformance.script import Script
from adapter.conformance.trial import Trial, try_consumer
from adapter.outbound.topics import make_topics
from tests.conformance.trying import WAIT_S, Asked, answers, eventually, failed
from tests.conftest import Kafka as Broker
from tests.consumers.running import (
    PYTHON,
    java_callback,
    java_consumer,
    process,
    python_callback,
    python_consumer,
)
from tests.outbound.test_relay import drained, relay, stored
from tests.topic import cluster_of, records


async def test_the_python_consumer_comes_through(empty_apache: Broker, tmp_path: Path) -> None:
    """Started when the kit asks for it, that is in the middle of the month."""
    await make_topics(cluster_of(empty_apache.bootstrap), ("2380",), partitions=3, replication=1)
    store, asked = tmp_path / "cases.sqlite", Asked()
    with python_callback(store) as callback:
        trial = Trial(cluster_of(empty_apache.bootstrap), callback, "2380", 1, WAIT_S, transactions=True)
        running = asyncio.create_task(try_consumer(trial, asked))
        await asyncio.wait_for(asked.wait(), WAIT_S)
        with process(*python_consumer(empty_apache.bootstrap, store), log=tmp_path / "log"):
            verdicts = await running
    assert failed(verdicts).keys() == set()


FAULTY = ('None if picture["moved"] else ', "")


@pytest.mark.parametrize(("fault", "code", "failing"), [(("", ""), 0, set()), (FAULTY, 1, {"moved"})])
async def test_the_command_prints_a_verdict_for_each_check_and_ends_by_them(
    broker: Broker, tmp_path: Path, fault: tuple[str, str], code: int, failing: set[str]
) -> None:
    """As a municipality uses it, on the sandbox's broker."""
    await make_topics(cluster_of(broker.bootstrap), ("2380",), partitions=3, replication=1)
    consumer = tmp_path / "consumer.py"
    consumer.write_text(
        (PYTHON / "consumer.py").read_text(encoding="utf-8").replace(*fault), encoding="utf-8"
    )
    store = tmp_path / "cases.sqlite"
    with python_callback(store) as callback:
        argv = (
            "conform",
            "--kafka",
            broker.bootstrap,
            "--callback",
            callback,
            "--no-transactions",
            "--anyway",
        )
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


async def test_the_command_keeps_away_from_topics_with_real_cases(dsn: str, empty_broker: Broker) -> None:
    """A made-up patient on a topic in use would be looked for on a ward."""
    async with stored(dsn):
        with relay(dsn, empty_broker.bootstrap):
            await drained(dsn)
    assert await is_in_use(cluster_of(empty_broker.bootstrap), "2380")
    argv = ("--kafka", empty_broker.bootstrap, "--callback", "http://127.0.0.1:1", "--wait", "1")
    kit = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapter.cli", "conform", *argv, stderr=asyncio.subprocess.PIPE
    )
    _, words = await asyncio.wait_for(kit.communicate(), WAIT_S)
    assert (kit.returncode, b"cases of others" in words) == (1, True)
    assert len(await records(empty_broker.bootstrap, "losus.2380.events")) == 13


async def test_what_the_kit_leaves_and_what_was_taken_off_is_not_in_use(empty_broker: Broker) -> None:
    await make_topics(cluster_of(empty_broker.bootstrap), ("2380",), partitions=3, replication=1)
    assert not await is_in_use(cluster_of(empty_broker.bootstrap), "2380")
    async with player(cluster_of(empty_broker.bootstrap), transactions=False) as playing:
        await playing.play(Script(8, "2380", 3).rest())
    assert not await is_in_use(cluster_of(empty_broker.bootstrap), "2380")


@pytest.mark.kafka
async def test_the_consumer_in_java_comes_through(apache: Broker, tmp_path: Path) -> None:
    await make_topics(apache.cluster, ("2380",), partitions=3, replication=1)
    store, asked = tmp_path / "store", Asked()
    argv = await asyncio.to_thread(java_consumer, apache.bootstrap, store)
    with java_callback(store) as callback:
        running = asyncio.create_task(try_consumer(Trial(apache.cluster, callback, "2380", 5, WAIT_S), asked))
        await asyncio.wait_for(asked.wait(), WAIT_S)
        with process(*argv, log=tmp_path / "log"):
            verdicts = await running
    assert failed(verdicts) == {}


@pytest.mark.kafka
async def test_killed_again_and_again_it_loses_nothing_and_does_nothing_twice(
    apache: Broker, tmp_path: Path
) -> None:
    await make_topics(apache.cluster, ("2380",), partitions=3, replication=1)
    chance = random.Random(20180101)  # noqa: S311 - a seed, not a secret
    store = tmp_path / "cases.sqlite"
    argv = python_consumer(apache.bootstrap, store)
    with python_callback(store) as callback:
        with process(*argv, log=tmp_path / "log"):
            assert await eventually(lambda: answers(callback))
            trial = Trial(apache.cluster, callback, "2380", 2, WAIT_S)
            running = asyncio.create_task(try_consumer(trial, print))
            await asyncio.sleep(chance.uniform(0.3, 1))
        for _ in range(3):
            with process(*argv, log=tmp_path / "log"):
                await asyncio.sleep(chance.uniform(1, 2))
        with process(*argv, log=tmp_path / "log"):
            verdicts = await running
    assert failed(verdicts) == {"bootstrap": "the consumer ran already: start it when you are asked to"}
