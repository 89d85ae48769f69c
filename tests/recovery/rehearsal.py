"""A hospital's story in steps, a restore somewhere in it, and what must hold afterwards."""

import asyncio
import importlib.util
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from adapter.losus.identity import pseudonym
from adapter.outbound.relay import run_relay
from adapter.outbound.session import RelaySettings
from adapter.outbound.topics import cases_topic, events_topic, settlements_topic
from adapter.recovery.run import Kept, Recovered, recover
from adapter.refold import refold
from adapter.store.database import connect
from adapter.store.intake import lock_cases
from adapter.store.outbox import _SHARE
from adapter.wiring import world_of
from adapter.world import World
from tests.service import EXAMPLES, send, settings, stay, way_home
from tests.settling.hospital import messages, settled
from tests.topic import cluster_of, records, revisions

OSTERSUND, KROKOM = "2380", "2309"
BOTH = (OSTERSUND, KROKOM)
SETTLED_ON = "2019-04-13"
STAYS, MOVES, UNKNOWN, OLD = 0, 1, 3, 2  # the patients: stays at one, moves, comes late, was home long ago

Message = dict[str, Any]


def moved(number: int) -> Message:
    """The patient has moved to Krokom."""
    told = (EXAMPLES / "steps" / "new-municipality.json").read_text(encoding="utf-8")
    return stay(json.loads(told.replace('"2321"', f'"{KROKOM}"')), number, 50)


def _way(number: int, first: int, last: int) -> list[Message]:
    return [stay(way_home()[index], number, index) for index in range(first, last)]


def story() -> list[list[Message]]:
    """What the hospital sends, step by step; in the empty step the month is settled."""
    return [
        [*_way(STAYS, 0, 3), *_way(MOVES, 0, 2), *messages(OLD, "2019-03", 20)],
        _way(STAYS, 3, 6),
        [moved(MOVES)],
        _way(UNKNOWN, 0, 2),
        [],
        [*_way(STAYS, 6, 9), *_way(MOVES, 2, 4), *_way(UNKNOWN, 2, 3)],
    ]


def case_id(number: int) -> str:
    return pseudonym(b"a secret of the tests alone", "losus-r4", f"stay-1-{number}")


async def play(dsn: str, client: httpx.AsyncClient, step: list[Message]) -> None:
    """Send a step, or settle."""
    for message in step:
        assert (await send(client, message)).status_code == 200
    if not step:
        await settled(dsn, "2019-03", SETTLED_ON, issue=True, municipalities=(OSTERSUND,))


@asynccontextmanager
async def relaying(dsn: str, bootstrap: str) -> AsyncIterator[None]:
    """A relay in this process, stopped orderly at the end."""
    stopping = asyncio.Event()
    task = asyncio.create_task(
        run_relay(RelaySettings(dsn, cluster_of(bootstrap), "urn:losus:region", BOTH), stopping)
    )
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(60):
            await task


async def until(dsn: str, query: str) -> None:
    """Wait until the database answers true."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(60):
            while not await connection.fetchval(query):
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


EMPTIED = "select not exists (select from outbox)"
REFUSED = "select exists (select from behind)"
#: A relay has a share; the server has the locks of other databases too.
RELAYED = f"""select exists (select from pg_locks where locktype = 'advisory' and classid::bigint = {_SHARE}
                and database = (select oid from pg_database where datname = current_database()))"""  # noqa: S608 - a number of ours


async def published(dsn: str, bootstrap: str) -> None:
    """Let a relay publish all that waits."""
    async with relaying(dsn, bootstrap):
        await until(dsn, EMPTIED)


def world(dsn: str) -> World:
    return world_of(settings(dsn))


async def recovered(dsn: str, bootstrap: str, *, run: bool = True) -> Recovered:
    return await recover(dsn, Kept(cluster_of(bootstrap), 90, BOTH), world(dsn), run=run)


def _store() -> Any:
    path = Path(__file__).parent.parent / "consumers" / "python" / "consumer.py"
    spec = importlib.util.spec_from_file_location("a_municipality", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Store(":memory:")


async def subscriber(bootstrap: str, municipality: str) -> tuple[dict[str, dict[str, Any]], list[Any]]:
    """What a subscriber that keeps the README's rules has in the end, and the revisions that it missed."""
    store = _store()
    for one in await records(bootstrap, events_topic(municipality)):
        if one.value is not None:
            store.take(one.key, one.value)
    has = dict(store.database.execute("select case_id, picture from cases where picture is not null"))
    missed = store.database.execute("select * from missed").fetchall()
    return {key: json.loads(picture) for key, picture in has.items()}, missed


async def judge(dsn: str, bootstrap: str, unknown: frozenset[str] = frozenset()) -> None:
    """Hold what subscribers have against the database, and the database against a fold of its facts."""
    ids: Counter[str] = Counter()
    held: dict[str, tuple[str, dict[str, Any]]] = {}
    for municipality in BOTH:
        told = await records(bootstrap, events_topic(municipality))
        ids.update(one.headers["ce_id"] for one in told)
        for key, numbers in revisions(told).items():
            assert numbers == list(range(1, len(numbers) + 1)), (
                municipality,
                key,
                "no gap, none given twice",
            )
        has, missed = await subscriber(bootstrap, municipality)
        assert missed == []
        newest = {one.key: one.value for one in await records(bootstrap, cases_topic(municipality))}
        assert {key: one for key, one in newest.items() if one is not None} == has, (
            "the snapshot says the same"
        )
        assert not set(has) & set(held), "a case is at one municipality"
        held |= {key: (municipality, picture) for key, picture in has.items()}
    statements = await records(bootstrap, settlements_topic(OSTERSUND))
    ids.update(one.headers["ce_id"] for one in statements)
    assert not [name for name, count in ids.items() if count > 1], "no event twice"
    assert len({one.key for one in statements}) == len(statements), "no statement twice"
    assert {key: one for key, one in held.items() if key not in unknown} == await _known(dsn)


async def _known(dsn: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """The database's pictures by case, and whose each is; a fold of all facts has nothing to add."""
    database = await connect(dsn, size=1)
    try:
        async with database.trial() as connection:
            names = [row["id"] for row in await connection.fetch("select id from cases")]
            locked = await lock_cases(connection, (), names, datetime.now(UTC))
            assert await refold(connection, world(dsn), locked, datetime.now(UTC)) == []
    finally:
        await database.close()
    return {
        name: (row.municipality, json.loads(row.picture))
        for name, row in locked.items()
        if row.picture is not None and row.municipality is not None
    }
