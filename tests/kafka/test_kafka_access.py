"""The adapter on Apache Kafka with TLS, users and access lists: those that it prints, and no others."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from click.testing import Result
from typer.testing import CliRunner

from adapter.cli import app
from adapter.cluster import Cluster
from adapter.commands.tail import read_topic
from adapter.errors import UnavailableError
from adapter.kafka import administrator, consumer, producer
from adapter.outbound import quarantine
from adapter.outbound.events import CASE_CHANGED
from adapter.outbound.faults import lanes_at_fault
from adapter.outbound.progress import fence
from adapter.outbound.topics import DEAD_LETTER, UNROUTED, cases_topic, events_topic
from adapter.store.intake import EventRow
from tests.consumers.running import PYTHON, process
from tests.kafka.secured import RELAY, SecuredKafka, settings_of
from tests.outbound.outboxes import (
    BAD,
    LANES,
    LEFT,
    NEIGHBOUR,
    STRANGER,
    add,
    add_some,
    emptied,
    outbox,
    relaying,
    seen,
    until,
    whole,
)
from tests.topic import again

pytestmark = pytest.mark.kafka

APART = "select reason from quarantine where lane = $1"
Come = Callable[[str], Cluster]


WAYS = {
    "scram-512 over TLS": lambda kafka, user: kafka.scram(user),
    "scram-256 over TLS": lambda kafka, user: kafka.scram(user, "SCRAM-SHA-256"),
    "plain over TLS": lambda kafka, user: kafka.scram(user, "PLAIN"),
    "mutual TLS": lambda kafka, user: kafka.mtls(user),
}


@pytest.fixture(params=WAYS)
def come(request: pytest.FixtureRequest, secured: SecuredKafka) -> Come:
    """Each way to show who one is, in turn."""
    return lambda user: WAYS[request.param](secured, user)


@pytest.mark.usefixtures("empty")
async def test_what_is_printed_is_enough_for_the_relay_and_for_readers(dsn: str, come: Come) -> None:
    async with outbox(dsn) as connection, relaying(dsn, come(RELAY)):
        for lane in LANES:
            await add_some(dsn, lane, range(1, 4))
        for lane in LANES:
            await emptied(connection, lane)
        await add_some(dsn, BAD, range(4, 6))
        await emptied(connection, BAD)
    assert await seen(come("losus-2380"), "2380") == whole("2380", 5)
    assert await seen(come("losus-2361"), "2361") == whole("2361", 3)
    told = await asyncio.to_thread(_tail, come("losus-2380"), "2380")
    assert told.exit_code == 0, told.output
    assert len(told.stdout.splitlines()) == 10
    denied = await asyncio.to_thread(_tail, come("losus-2380"), "2361")
    assert (denied.exit_code, denied.stdout) == (1, "")
    assert "TopicAuthorizationFailedError" in denied.stderr


def _tail(cluster: Cluster, municipality: str) -> Result:
    """`losus tail`, of the settings that a municipality has: the broker, and nothing else of ours."""
    given = {"LOSUS_KAFKA": settings_of(cluster).model_dump_json(), "LOSUS_SETTINGS": ""}
    return CliRunner().invoke(app, ["tail", municipality, "--no-follow", "--format", "json"], env=given)


COMES = {
    "scram": lambda kafka: (
        "--user",
        "losus-2380",
        "--password-file",
        kafka.password_file("losus-2380"),
        "--kafka",
        kafka.scram("losus-2380").bootstrap,
    ),
    "mtls": lambda kafka: (
        "--certificate",
        (cluster := kafka.mtls("losus-2380")).tls.certificate,
        "--key",
        cluster.tls.key,
        "--kafka",
        cluster.bootstrap,
    ),
}


@pytest.mark.parametrize("way", COMES)
async def test_the_consumer_of_the_page_comes_in_with_what_is_printed(
    dsn: str, empty: SecuredKafka, tmp_path: Path, way: str
) -> None:
    """It reads its own snapshot and events, and commits to a group of its own."""
    store = tmp_path / "cases.sqlite"
    trusted = ("--authority", empty.authority.file)
    argv = (sys.executable, PYTHON / "consumer.py", "--store", store, *trusted, *COMES[way](empty))
    async with outbox(dsn) as connection, relaying(dsn, empty.scram(RELAY)):
        await add(dsn, _picture(1), _picture(2))
        await emptied(connection, "2380")
        with process(*argv, log=tmp_path / "log") as running:
            await _until(lambda: _revision(store) == 2)
            await add(dsn, _picture(3))
            await _until(lambda: _revision(store) == 3)
            await _until_committed(empty.administrator)
            assert running.poll() is None


def _picture(revision: int) -> EventRow:
    told = json.dumps({"case_id": "case", "revision": revision, "moved": False}).encode()
    return EventRow("case", "2380", revision, CASE_CHANGED, f"case-{revision}", told)


def _revision(store: Path) -> int:
    """The revision of the case that the consumer has; 0 before it has any."""
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store)) as database, suppress(sqlite3.OperationalError):
        return sum(revision for (revision,) in database.execute("select revision from cases"))
    return 0


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


async def _until_committed(cluster: Cluster) -> None:
    admin = administrator(cluster)
    await admin.start()
    try:
        async with asyncio.timeout(60):
            while not await _committed(admin, "losus.2380.cases"):
                await asyncio.sleep(0.02)
    finally:
        await admin.close()


@again
async def _committed(admin: AIOKafkaAdminClient, group: str) -> bool:
    """Whether the group has committed an offset; asked again where its coordinator is still coming up."""
    return bool(await admin.list_consumer_group_offsets(group))


async def _read(cluster: Cluster, topic: str) -> None:
    async for _ in read_topic(topic, cluster, follow=False):
        pass


async def _write(cluster: Cluster, topic: str) -> None:
    writer = producer(cluster)
    await writer.start()
    try:
        await writer.send_and_wait(topic, b"forged")
    finally:
        await writer.stop()


async def _join(cluster: Cluster, topic: str, group: str) -> None:
    reader = consumer(cluster, topic, group_id=group, auto_offset_reset="earliest")
    try:
        await reader.start()
        await reader.getmany(timeout_ms=2000)
    finally:
        await reader.stop()


TOPIC, GROUP = TopicAuthorizationFailedError, GroupAuthorizationFailedError
DENIED = [
    # what the reader of 2380 tries, refused so, because
    (lambda one: _read(one, events_topic("2361")), TOPIC, "another municipality's"),
    (lambda one: _read(one, cases_topic("2361")), TOPIC, "another municipality's"),
    (lambda one: _read(one, DEAD_LETTER), TOPIC, "the region's alone"),
    (lambda one: _read(one, UNROUTED), TOPIC, "the region's alone"),
    (lambda one: _write(one, events_topic("2380")), TOPIC, "its own, but to read"),
    (lambda one: _join(one, events_topic("2380"), "losus.2361.mine"), GROUP, "another's consumer group"),
    (lambda one: _join(one, events_topic("2380"), "losus.2380.mine"), None, "its own group"),
    (lambda one: _read(one, events_topic("2380")), None, "its own"),
]


@pytest.mark.parametrize(("tries", "refused", "because"), DENIED)
async def test_a_reader_may_read_its_own_and_no_more(
    secured: SecuredKafka, tries: Callable[[Cluster], Awaitable[None]], refused: type | None, because: str
) -> None:
    reader = secured.scram("losus-2380")
    found = None
    try:
        await tries(reader)
    except (TOPIC, GROUP) as error:
        found = type(error)
    assert found == refused, because


async def test_the_relay_may_lock_out_its_own_and_nobody_else(secured: SecuredKafka) -> None:
    """InitProducerId of a forerunner's transactional id, which begins with its name."""
    assert await fence(secured.scram(RELAY), "losus-relay-share-1-forerunner")
    with pytest.raises(UnavailableError, match="TransactionalIdAuthorizationFailed"):
        await fence(secured.scram(RELAY), "somebody-else")
    with pytest.raises(UnavailableError, match="TransactionalIdAuthorizationFailed"):
        await fence(secured.scram("losus-2380"), "losus-relay-share-1-forerunner")


async def test_a_topic_that_the_relay_may_not_see_holds_up_its_own_lane_alone(
    dsn: str, empty: SecuredKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "BACK_OFF_S", (0.0, 0.5))
    denied = (
        f"--allow-principal User:{RELAY} --topic {cases_topic(BAD)} --operation Write --operation Describe"
    )
    relay = empty.scram(RELAY)
    async with outbox(dsn) as connection, relaying(dsn, relay):
        for lane in LANES:
            await add_some(dsn, lane, range(1, 3))
            await emptied(connection, lane)
        await asyncio.to_thread(empty.allow, [f"--remove --force {denied}"])
        for lane in LANES:
            await add_some(dsn, lane, range(3, 5))
        await until(connection, APART, lambda reason: reason == "denied", BAD)
        assert await lanes_at_fault(relay, LANES) == {BAD: "denied"}
        for lane in (NEIGHBOUR, STRANGER):
            await emptied(connection, lane)
        assert await connection.fetchval(LEFT, BAD) > 0
        await asyncio.to_thread(empty.allow, [f"--add {denied}"])
        await emptied(connection, BAD)
    for lane in LANES:
        assert await seen(empty.administrator, lane) == whole(lane, 4)
