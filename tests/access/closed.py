"""The service with its doors closed, over a spring of settled stays: what the tests of its doors share."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapter.access.entrance import Entrance
from adapter.settings import Subscriber
from adapter.web import access
from tests.access.issuer import NOW
from tests.access.people import INGRESS, sources, staff
from tests.service import GLN, renewed, service, way_home
from tests.settling.hospital import JH, rows

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")
SUBSCRIBERS = {
    "2380": Subscriber(name="Östersund", organizations=(GLN,)),
    "2309": Subscriber(name="Krokom", payload="statutory"),
}


BILL = f"/settlements/{JH}/2380/2019-04"


@asynccontextmanager
async def guarded(region: str, folder: Path, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    given = {"sources": sources(folder), "staff": staff(folder), "ingress": INGRESS, **more}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "Entrance", partial(Entrance, now=lambda: NOW))
        async with service(region, open_doors=False, subscribers=SUBSCRIBERS, **given) as client:
            yield client


async def names(region: str) -> dict[str, str]:
    """The case and the resources of Östersund's April that the doors are tried with."""
    [(case,)] = await rows(region, "select id from cases where municipality = '2380' order by id limit 1")
    [(invoice,)] = await rows(
        region,
        """select statement_resource.id from statement_resource join statement on statement.id = statement
           where type = 'Invoice' and municipality = '2380' limit 1""",
    )
    [(organization,)] = await rows(
        region, "select id from statement_resource where type = 'Organization' order by number limit 1"
    )
    [(follow_up,)] = await rows(
        region, "select id from joint_follow_up where municipality = '2380' order by month limit 1"
    )
    return {"case": case, "invoice": invoice, "organization": organization, "follow_up": follow_up}


async def send_as(client: httpx.AsyncClient, source: str, headers: Mapping[str, str]) -> httpx.Response:
    message = renewed(way_home()[0], uuid.uuid4().hex)
    path = f"/fhir/{source}/$process-message"
    return await client.post(path, content=orjson.dumps(message), headers=headers)
