"""Time passes: a limit that is not kept is told of once, with a revision of its own."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx

from adapter.api import create_app
from adapter.delivery import Delivery, Door
from adapter.flow import commit
from adapter.inbound.watcher import watch
from adapter.reading import read
from adapter.refold import judge_due
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.store.database import connect
from adapter.wiring import world_of
from tests import cli
from tests.service import send, service, settings, stay, way_home

ADMITTED = datetime(2024, 3, 4, 13, 20, tzinfo=UTC)
NOTICE_DUE = ADMITTED + timedelta(hours=24)


async def admitted(dsn: str) -> None:
    """One case, admitted, and judged as of one minute later: the notice is still to come."""
    async with service(dsn) as client:
        assert (await send(client, way_home()[0])).status_code == 200
    connection = await asyncpg.connect(dsn)
    await connection.execute("alter table event disable trigger event_kept")
    for table in ("outbox", "event"):
        await connection.execute(f"delete from {table}")  # noqa: S608 - names of ours
    await connection.execute("update cases set picture = null, revisions = '{}', due = $1", ADMITTED)
    await connection.close()
    database = await connect(dsn)
    async with database.transaction() as one:
        assert await judge_due(one, world_of(settings(dsn)), ADMITTED + timedelta(minutes=1), 10) == 1
    await database.close()


async def events(dsn: str) -> list[tuple[int, str]]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select revision, type from event order by id")
    await connection.close()
    return [(row["revision"], row["type"]) for row in rows]


CHANGED, DEADLINE = (1, "se.losus.case.changed.v1"), (2, "se.losus.case.deadline.v1")


async def test_a_limit_is_missed_once_after_it_is_due_and_not_before(dsn: str) -> None:
    await admitted(dsn)
    database = await connect(dsn)
    world = world_of(settings(dsn))
    for now, told in (
        (NOTICE_DUE - timedelta(seconds=1), [CHANGED]),
        (NOTICE_DUE, [CHANGED]),  # LUS 2:3 «senast 24 timmar»: at 24:00:00 it is still in time
        (NOTICE_DUE + timedelta(seconds=1), [CHANGED, DEADLINE]),
        (NOTICE_DUE + timedelta(days=1), [CHANGED, DEADLINE]),
    ):
        async with database.transaction() as connection:
            await judge_due(connection, world, now, 10)
        assert await events(dsn) == told
    await database.close()


async def test_several_watchers_tell_it_once_between_them(dsn: str) -> None:
    await admitted(dsn)
    world = world_of(settings(dsn))
    databases = [await connect(dsn) for _ in range(4)]
    late = NOTICE_DUE + timedelta(seconds=1)
    watching = [
        asyncio.create_task(watch(world, database, lambda: late, look_again_s=0.001))
        for database in databases
    ]
    async with asyncio.timeout(20):
        while len(await events(dsn)) < 2:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    for task in watching:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    for database in databases:
        await database.close()
    assert await events(dsn) == [CHANGED, DEADLINE]


@contextmanager
def process(dsn: str, port: int) -> Iterator[cli.Process]:
    """`losus watch` as a process of its own."""
    given = settings(dsn)
    sources = {name: {"mapping": one.mapping} for name, one in given.sources.items()}
    environment = os.environ | {
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": given.secret.get_secret_value(),
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_SOURCES": json.dumps(sources),
        "LOSUS_SUBSCRIBERS": json.dumps({code: one.model_dump() for code, one in given.subscribers.items()}),
    }
    with cli.start("watch", "--port", str(port), env=environment) as started:
        try:
            yield started
        finally:
            started.kill()


async def test_the_process_of_its_own_tells_it_where_the_service_is_not_to(dsn: str) -> None:
    await admitted(dsn)
    app = create_app(settings(dsn), watching=False)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://adapter") as client:
            another = stay(way_home()[0], 1, 0)  # time enough to look
            assert (await send(client, another)).status_code == 200
        assert await events(dsn) == [CHANGED, CHANGED]
    [port] = free_ports(1)
    with process(dsn, port) as watching:
        async with asyncio.timeout(60):
            while len(await events(dsn)) < 3:
                await asyncio.sleep(0.02)
            async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as client:
                assert (await client.get("/healthz")).status_code == 200
        watching.terminate()
        assert watching.wait(timeout=30) == 0
    assert await events(dsn) == [CHANGED, CHANGED, DEADLINE]


async def test_what_is_missed_when_first_heard_of_is_part_of_that_change(dsn: str) -> None:
    async with service(dsn) as client:
        assert (await send(client, way_home()[0])).status_code == 200
        picture = (await client.get("/cases")).json()["cases"][0]
    assert await events(dsn) == [CHANGED]
    assert [(one["name"], one["status"]) for one in picture["deadlines"]] == [("admission-notice", "missed")]


async def test_a_message_that_finds_a_pending_limit_missed_tells_both(dsn: str) -> None:
    """The message was faster than the watcher, after the limit had passed."""
    await admitted(dsn)
    notice = way_home()[1]
    notice["entry"][1]["resource"]["authoredOn"] = "2024-03-05T14:20:01+01:00"
    world, late = world_of(settings(dsn)), NOTICE_DUE + timedelta(seconds=2)
    database = await connect(dsn)
    async with database.transaction() as connection:
        delivery = Delivery("losus-r4", Door.MESSAGE, json.dumps(notice).encode())
        await commit(connection, world, [read(world, delivery, late)], late)
    await database.close()
    assert await events(dsn) == [CHANGED, (2, "se.losus.case.changed.v1"), (3, "se.losus.case.deadline.v1")]
