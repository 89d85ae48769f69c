"""Whom the adapter believes, and whom the broker: each fault by its kind, mended without a restart."""

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from adapter.cluster import Cluster, Tls
from adapter.inbound.listener import Listener
from adapter.kafka import fault_of
from adapter.outbound.topics import make_topics
from tests.doors.rig import rig
from tests.kafka.authority import Authority
from tests.kafka.records import producer as sender
from tests.kafka.secured import RELAY, SOURCE_TOPIC, Refused, SecuredKafka, settings_of
from tests.outbound.outboxes import (
    BAD,
    LEFT,
    add_some,
    emptied,
    outbox,
    relaying,
    seen,
    until,
    whole,
)
from tests.service import service, way_home

pytestmark = pytest.mark.kafka


def _other(secured: SecuredKafka) -> Authority:
    return Authority(secured.folder, "another")


def _password(secured: SecuredKafka, word: str, user: str = RELAY) -> Cluster:
    path = secured.folder / "wrong.password"
    path.write_text(word)
    good = secured.scram(user)
    assert good.sasl is not None
    return replace(good, sasl=good.sasl.model_copy(update={"password_file": path}))


def _trusting(secured: SecuredKafka, authority: Path) -> Cluster:
    return replace(secured.scram(RELAY), tls=Tls(authority=authority))


def _bare(secured: SecuredKafka) -> Cluster:
    return Cluster(secured.mtls(RELAY).bootstrap, Tls(authority=secured.authority.file))


FAULTS = [
    # how one comes, what is said, because
    (lambda k: k.scram(RELAY), None, "as it is to be"),
    (lambda k: k.mtls(RELAY), None, "as it is to be"),
    (lambda k: _password(k, "a guess"), "it does not know our user and password", "wrong password"),
    (lambda k: _password(k, ""), "it does not know our user and password", "no password"),
    (
        lambda k: _trusting(k, _other(k).file),
        "its certificate is not of an authority that is trusted",
        "wrong authority",
    ),
    (
        lambda k: replace(k.scram(RELAY), tls=Tls()),
        "its certificate is not of an authority that is trusted",
        "the public authorities do not know it",
    ),
    (
        lambda k: k.scram(RELAY, host="localhost"),
        "its certificate is of another host name",
        "it is of 127.0.0.1",
    ),
    (_bare, "it does not take our certificate", "none was shown"),
    (lambda k: k.mtls(_other(k).client(RELAY)), "it does not take our certificate", "of another authority"),
    (
        lambda k: k.mtls(k.authority.client(RELAY, expired=True)),
        "it does not take our certificate",
        "ours has expired",
    ),
    (
        lambda k: replace(k.administrator, tls=Tls(authority=k.authority.file)),
        "",
        "a listener without TLS ends the connection and says nothing",
    ),
    (
        lambda k: _trusting(k, k.folder / "none.pem"),
        "a file of kafka.tls or kafka.sasl cannot be used",
        "no file",
    ),
    (lambda k: replace(k.scram(RELAY), tls=None), "", "TLS was forgotten: the broker says nothing"),
    (lambda _: Cluster("127.0.0.1:1", Tls()), "", "nobody is there"),
]


@pytest.mark.parametrize(("comes", "said", "because"), FAULTS)
async def test_why_one_cannot_come_in_is_told_by_its_kind(
    secured: SecuredKafka, comes: Callable[[SecuredKafka], Cluster], said: str | None, because: str
) -> None:
    assert await fault_of(comes(secured)) == said, because


async def _ready(dsn: str, cluster: Cluster) -> httpx.Response:
    async with service(dsn, kafka=settings_of(cluster)) as client:
        return await client.get("/readyz")


async def test_readiness_says_why_and_no_secret(dsn: str, secured: SecuredKafka) -> None:
    assert (await _ready(dsn, secured.scram(RELAY))).status_code == 200
    answer = await _ready(dsn, _password(secured, "a guess"))
    assert answer.status_code == 503
    assert answer.json()["why"] == ["the broker does not answer: it does not know our user and password"]
    assert "guess" not in answer.text
    assert RELAY not in answer.text


async def test_a_password_that_is_mended_is_taken_up(dsn: str, empty: SecuredKafka, refused: Refused) -> None:
    wrong = _password(empty, "a guess")
    async with outbox(dsn) as connection, relaying(dsn, wrong):
        await add_some(dsn, BAD, range(1, 4))
        await refused("it does not know our user and password")
        assert await connection.fetchval(LEFT, BAD) > 0
        _exchange(wrong, empty.password_file(RELAY).read_text())
        await emptied(connection, BAD)
    assert await seen(empty.administrator, BAD) == whole(BAD, 3)


async def test_a_door_that_listens_takes_up_new_files(
    dsn: str, empty: SecuredKafka, refused: Refused
) -> None:
    """A consumer that cannot come in any more would try for ever, and say nothing."""
    first, second, *_ = [json.dumps(one).encode() for one in way_home()]
    right = empty.password_file("losus-listener").read_text()
    ours = _password(empty, "a guess", "losus-listener")
    plain = empty.administrator.bootstrap
    async with rig(dsn, plain, topic=SOURCE_TOPIC) as one, outbox(dsn) as connection, sender(plain) as out:
        await make_topics(empty.administrator, (), partitions=1, replication=1, more=[SOURCE_TOPIC])
        await out.send_and_wait(SOURCE_TOPIC, first)
        given = {"dsn": dsn, "receiver": one.receiver, "database": one.database}
        listening = asyncio.create_task(Listener("hospital", SOURCE_TOPIC, ours, **given).run())
        await refused("it does not know our user and password")
        _exchange(ours, right)
        await until(connection, MARKED, lambda offset: offset == 1)
        _exchange(ours, "another guess")
        await refused("it does not know our user and password", again=True)
        await out.send_and_wait(SOURCE_TOPIC, second)
        _exchange(ours, right)
        await until(connection, MARKED, lambda offset: offset == 2)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


MARKED = "select coalesce(sum(value::bigint), 0)::int from mark where name like 'stream %'"


def _exchange(cluster: Cluster, word: str) -> None:
    """Put another file in its place, as an orchestrator does."""
    assert cluster.sasl is not None
    path = cluster.sasl.password_file
    new = path.with_suffix(".new")
    new.write_text(word)
    new.replace(path)


async def _said_of(cluster: Cluster, words: str | None) -> None:
    """A broker takes up what it is told after it has answered."""
    async with asyncio.timeout(30):
        while await fault_of(cluster) != words:
            await asyncio.sleep(0.05)


async def test_our_own_certificate_is_exchanged_while_the_relay_runs(
    dsn: str, empty: SecuredKafka, refused: Refused
) -> None:
    ours = empty.authority.client(RELAY, expired=True)
    new = empty.authority.client(RELAY)
    async with outbox(dsn) as connection, relaying(dsn, empty.mtls(ours)):
        await add_some(dsn, BAD, range(1, 4))
        await refused("it does not take our certificate")
        assert await connection.fetchval(LEFT, BAD) > 0
        shutil.copy(new.key, ours.key)
        shutil.copy(new.certificate, ours.certificate)
        await emptied(connection, BAD)
    assert await seen(empty.administrator, BAD) == whole(BAD, 3)


async def test_the_brokers_certificate_expires_and_is_exchanged(
    dsn: str, empty: SecuredKafka, refused: Refused
) -> None:
    """Who is connected stays so; one that comes meanwhile waits, and goes on when there is a new one."""
    relay = empty.scram(RELAY)
    async with outbox(dsn) as connection:
        async with relaying(dsn, relay):
            await add_some(dsn, BAD, range(1, 3))
            await emptied(connection, BAD)
            await empty.exchange_certificate(empty.authority.server("127.0.0.1", expired=True))
            await _said_of(relay, "its certificate has expired")
            await add_some(dsn, BAD, range(3, 5))
            await emptied(connection, BAD)
        async with relaying(dsn, relay):
            await add_some(dsn, BAD, range(5, 7))
            await refused("its certificate has expired")
            await empty.exchange_certificate(empty.authority.server("127.0.0.1"))
            await emptied(connection, BAD)
    assert await seen(empty.mtls("losus-2380"), BAD) == whole(BAD, 6)
