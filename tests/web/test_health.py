"""Readiness tells the truth, and why: of the service, and of the relay on a port of its own."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from adapter.sandbox.broker import Broker
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.settings import Kafka
from adapter.store import quarantine
from adapter.store.migrate import migrate
from tests import cli
from tests.outbound.outboxes import add, event
from tests.servers import eventually
from tests.service import service, settings

LATE = timedelta(seconds=301)


@pytest.mark.parametrize(
    ("late", "apart", "ready", "because"),
    [
        (None, None, True, "nothing waits"),
        ("2380", None, False, "an event in order waits for longer than the limit"),
        ("2380", "2309", False, "that another lane is apart excuses nothing"),
        ("2380", "2380", True, "one municipality's fault does not close the door to all"),
    ],
)
async def test_ready_is_who_publishes_in_time(
    dsn: str, broker: Broker, late: str | None, apart: str | None, ready: bool, because: str
) -> None:
    async with service(dsn, kafka=Kafka(bootstrap=broker.bootstrap)) as client:
        connection = await asyncpg.connect(dsn)
        if late:
            await add(dsn, event(late, "case", 1))
            await connection.execute("alter table event disable trigger event_stays")
            await connection.execute("update event set created_at = $1", datetime.now(UTC) - LATE)
        if apart:
            await quarantine.enter(connection, {apart: "missing"})
        await connection.close()
        answer = await client.get("/readyz")
    told = answer.json()
    assert (answer.status_code, told["ready"]) == ((200, True) if ready else (503, False)), because
    assert told["apart"] == ({apart: "missing"} if apart else {})
    assert bool(told["why"]) != ready


@pytest.mark.parametrize(
    ("asked", "late", "status", "because"),
    [
        ("/readyz", False, 503, "all that matters is asked for"),
        ("/readyz?exclude=broker", False, 200, "messages are stored durably while the broker is away"),
        ("/readyz?exclude=lag", False, 503, "nothing waits, and the broker is away all the same"),
        ("/readyz?exclude=broker", True, 503, "what waits is not excluded"),
        ("/readyz?exclude=broker&exclude=lag", True, 200, "the doors are open while events wait"),
        ("/readyz?exclude=database", False, 400, "without the database nobody does anything"),
    ],
)
async def test_a_probe_leaves_out_what_does_not_concern_its_process(
    dsn: str, asked: str, late: bool, status: int, because: str
) -> None:
    async with service(dsn) as client:
        if late:
            connection = await asyncpg.connect(dsn)
            await add(dsn, event("2380", "case", 1))
            await connection.execute("alter table event disable trigger event_stays")
            await connection.execute("update event set created_at = $1", datetime.now(UTC) - LATE)
            await connection.close()
        answer = await client.get(asked)
    assert answer.status_code == status, because
    if status in {200, 503}:
        assert "the broker does not answer" in " ".join(answer.json()["why"]), "it is told all the same"


async def test_a_broker_that_is_away_is_told_by_name(dsn: str) -> None:
    async with service(dsn) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["why"] == ["the broker does not answer"]
    assert (answer.json()["database"], answer.json()["broker"]) == (True, False)


@contextmanager
def relay(dsn: str, bootstrap: str, port: int) -> Iterator[cli.Process]:
    given = settings(dsn)
    environment = os.environ | {
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": given.secret.get_secret_value(),
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_KAFKA": orjson.dumps({"bootstrap": bootstrap}).decode(),
        "LOSUS_SUBSCRIBERS": orjson.dumps({c: s.model_dump() for c, s in given.subscribers.items()}).decode(),
    }
    with cli.start("relay", "--port", str(port), env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def figure(text: str, name: str) -> float:
    """The value of a metric in Prometheus' text format; 0 where there is none."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_the_relay_tells_its_own_figures_and_ends_orderly(dsn: str, broker: Broker) -> None:
    await migrate(dsn)
    await add(dsn, *(event("2380", f"case-{n}", 1) for n in range(20)))
    (port,) = free_ports(1)

    def get(path: str) -> Any:
        try:
            return httpx.get(f"http://{LOOPBACK}:{port}{path}", timeout=10)
        except httpx.TransportError:
            return None

    with relay(dsn, broker.bootstrap, port) as process:
        looking = asyncio.to_thread(
            eventually,
            lambda: (
                (page := get("/metrics")) is not None
                and figure(page.text, "losus_events_published_total") == 20
            ),
            60,
        )
        assert await looking
        told = get("/metrics").text
        assert figure(told, "losus_publish_seconds_count") == 20
        assert figure(told, "losus_relay_shares") == 8
        assert get("/healthz").status_code == 200
        assert get("/readyz").json()["ready"] is True
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
