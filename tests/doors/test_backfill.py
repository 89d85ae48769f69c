"""Files and bulk export: the whole of a source at once, as often as one likes."""

import asyncio
from pathlib import Path

import orjson
import pytest

from adapter.inbound.bulk import export
from adapter.inbound.files import deliveries_of
from adapter.inbound.handing import Tally, hand_over, hand_over_stream
from tests.conftest import Kafka
from tests.doors.rig import SOURCE, essence, home, resources, rig
from tests.hapi.server import HapiServer
from tests.service import way_home

pytestmark = pytest.mark.timeout(600)


def ndjson(folder: Path) -> list[Path]:
    """All versions of all resources, a line each, the last first."""
    path = folder / "all.ndjson"
    path.write_bytes(b"\n".join(orjson.dumps(one) for one in reversed(resources())) + b"\n\n")
    return [path]


def collection(folder: Path) -> list[Path]:
    path = folder / "all.json"
    entries = [{"resource": one} for one in resources()]
    path.write_bytes(orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return [path]


def messages(folder: Path) -> list[Path]:
    paths = [folder / f"{n:02}.json" for n, _ in enumerate(way_home())]
    for path, message in zip(paths, way_home(), strict=True):
        path.write_bytes(orjson.dumps(message))
    return paths


@pytest.mark.parametrize("kind", [ndjson, collection, messages])
async def test_files_lead_to_the_topic_and_may_be_handed_over_again(
    dsn: str, broker: Kafka, tmp_path: Path, kind: object
) -> None:
    paths = kind(tmp_path)  # type: ignore[operator]
    async with rig(dsn, broker.bootstrap) as one:
        first = await hand_over(one.receiver, (d for p in paths for d in deliveries_of(p, SOURCE)))
        assert (first.held, first.refused) == (0, 0)
        await one.reread()
        [picture] = await one.told()
        assert essence(picture) == home(one.world)
        again = await hand_over(one.receiver, (d for p in paths for d in deliveries_of(p, SOURCE)))
        assert (again.held, again.refused) == (0, 0)
        assert await one.told() == [picture]


async def test_an_export_of_a_real_server_leads_to_the_topic(
    dsn: str, broker: Kafka, hapi: HapiServer
) -> None:
    for resource in resources():
        await asyncio.to_thread(hapi.put, resource)
    kinds = ("Location", "Patient", "Encounter", "Task", "CarePlan")

    async def pause(_: float) -> None:
        await asyncio.sleep(0.5)

    async with rig(dsn, broker.bootstrap, server={"base_url": hapi.base_url}) as one:
        tally = await hand_over_stream(one.receiver, export(one.clients[SOURCE], SOURCE, kinds, sleep=pause))
        newest = {(r["resourceType"], r["id"]) for r in resources()}
        # one that was fetched for another already is known when its own turn comes
        assert tally == Tally(taken=len(newest) - tally.known, known=tally.known)
        await one.reread()
        [picture] = await one.told()
        assert essence(picture) == home(one.world)
