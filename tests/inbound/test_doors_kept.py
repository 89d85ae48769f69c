"""What is kept is sealed where keys are set; a source that floods is stopped; a municipality says its own."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapter.errors import SetupError
from adapter.inbound.library import Library
from adapter.inbound.rereader import reread_now
from adapter.settings import Source
from adapter.store.database import connect
from adapter.store.doors import let_go_on
from adapter.store.seal import Seal, load_seal
from adapter.wiring import world_of
from tests.inbound.test_parking import UNKNOWN, untranslatable
from tests.service import renewed, send, service, settings, stay, way_home

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def key_file(folder: Path, name: str, key: bytes) -> Path:
    path = folder / name
    path.write_text(base64.b64encode(key).decode() + "\n", encoding="ascii")
    return path


SEALS = [
    # sealed with, opened with, works, because
    ((), (), True, "no key: as it came"),
    ((OLD,), (OLD,), True, "the same key"),
    ((OLD,), (NEW, OLD), True, "a new key first, the old one still opens"),
    ((), (NEW,), True, "what was stored before there was a key"),
    ((OLD,), (NEW,), False, "its key is gone"),
    ((OLD,), (), False, "no key at all"),
]


@pytest.mark.parametrize(("sealed", "opened", "works", "because"), SEALS)
def test_seal(sealed: tuple[bytes, ...], opened: tuple[bytes, ...], works: bool, because: str) -> None:
    stored, name = Seal(sealed).close(b"raw")
    assert (stored == b"raw") == (not sealed)
    if works:
        assert Seal(opened).open(stored, name) == b"raw", because
    else:
        with pytest.raises(SetupError):
            Seal(opened).open(stored, name)


def test_what_was_changed_does_not_open() -> None:
    stored, name = Seal((OLD,)).close(b"raw")
    with pytest.raises(SetupError):
        Seal((OLD,)).open(stored[:-1] + bytes([stored[-1] ^ 1]), name)


def test_every_file_that_holds_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("c2hvcnQ=", encoding="ascii")
    with pytest.raises(SetupError) as caught:
        load_seal([tmp_path / "short", tmp_path / "missing", key_file(tmp_path, "good", OLD)])
    assert len(caught.value.problems) == 2


async def test_raw_messages_are_sealed_and_read_anew(dsn: str, tmp_path: Path) -> None:
    old, new = key_file(tmp_path, "old", OLD), key_file(tmp_path, "new", NEW)
    async with service(dsn, seal=(old,)) as client:
        assert (await send(client, untranslatable(way_home()[0]))).status_code == 422
    connection = await asyncpg.connect(dsn)
    body, sealed = await connection.fetchrow("select body, sealed from message")
    await connection.close()
    assert UNKNOWN.encode() not in body
    assert sealed is not None
    store = await connect(dsn)
    world = world_of(settings(dsn, seal=(new, old)))
    [done] = await reread_now(world, store, Library(), [1], datetime.now(UTC))
    assert [problem.code for problem in done.problems] == ["processing"]
    await store.close()


async def test_a_source_that_floods_is_stopped_and_others_go_on(dsn: str) -> None:
    sources = {"losus-r4": Source(mapping="losus-r4", flood=0.5), "other": Source(mapping="losus-r4")}
    async with service(dsn, sources=sources) as client:
        for number in range(20):
            await send(client, untranslatable(stay(way_home()[0], number, 0)))
        stopped = await send(client, stay(way_home()[0], 99, 0))
        assert (stopped.status_code, stopped.json()["issue"][0]["code"]) == (503, "throttled")
        assert stopped.headers["retry-after"] == "300"
        assert (await send(client, way_home()[0], "other")).status_code == 200
        store = await connect(dsn)
        async with asyncio.timeout(30):
            while not await value(dsn, "select count(*) from stopped_source"):
                await asyncio.sleep(0.05)
        async with store.transaction() as connection:
            assert await let_go_on(connection, "losus-r4")
        await store.close()
        async with asyncio.timeout(30):
            while (await send(client, stay(way_home()[0], 98, 0))).status_code == 503:
                await asyncio.sleep(0.2)


async def test_a_share_below_the_limit_stops_nobody(dsn: str) -> None:
    sources = {"losus-r4": Source(mapping="losus-r4", flood=0.5)}
    async with service(dsn, sources=sources) as client:
        for number in range(30):
            message = stay(way_home()[0], number, 0)
            await send(client, untranslatable(message) if number % 2 else message)
        assert (await send(client, stay(way_home()[0], 99, 0))).status_code == 200


async def value(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchval(query)
    await connection.close()
    return found


KOMMUN = {
    "losus-r4": Source(mapping="losus-r4"),
    "ostersund": Source(mapping="losus-r4", municipality="2380"),
    "krokom": Source(mapping="losus-r4", municipality="2309"),
}


def of_case(message: dict[str, Any], case_id: str) -> dict[str, Any]:
    """The message as a municipality's system sends it: the case is named by its id on the topic."""
    changed: dict[str, Any] = renewed(json.loads(json.dumps(message)), "of-a-municipality")
    changed["entry"] = changed["entry"][:2]
    task = changed["entry"][1]["resource"]
    task["encounter"] = {"identifier": {"value": case_id}}
    return changed


def acknowledged() -> dict[str, Any]:
    """The notice's Task, accepted: the receipt is the municipality's to give."""
    return way_home()[2]


@pytest.mark.parametrize(
    ("source", "status", "because"),
    [
        ("ostersund", 200, "its own case"),
        ("krokom", 404, "another's: not told apart from one that is not"),
    ],
)
async def test_a_municipality_tells_of_its_own_cases(
    dsn: str, source: str, status: int, because: str
) -> None:
    async with service(dsn, sources=KOMMUN) as client:
        for message in way_home()[:2]:
            await send(client, message)
        [case] = (await client.get("/cases")).json()["cases"]
        answer = await send(client, of_case(acknowledged(), case["case_id"]), source)
        assert answer.status_code == status, (because, answer.text)
        [after] = (await client.get("/cases")).json()["cases"]
        told = "admission-notice-acknowledged" in after["times"]
        assert told == (status == 200)


async def test_what_is_not_a_municipalitys_to_say_is_refused(dsn: str) -> None:
    async with service(dsn, sources=KOMMUN) as client:
        for message in way_home()[:2]:
            await send(client, message)
        [case] = (await client.get("/cases")).json()["cases"]
        ready = of_case(way_home()[5], case["case_id"])
        answer = await send(client, ready, "ostersund")
        assert answer.status_code == 403
        [after] = (await client.get("/cases")).json()["cases"]
        assert after == case
