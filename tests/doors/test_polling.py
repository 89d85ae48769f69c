"""The asking door against HAPI FHIR's server, end to end to the municipality's topic."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.errors import UnavailableError
from adapter.inbound.poller import Poller
from adapter.servers import Poll
from tests.conftest import Kafka
from tests.doors.rig import SOURCE, Rig, essence, home, resources, rig
from tests.hapi.server import HapiServer

pytestmark = pytest.mark.timeout(600)


def poller(one: Rig, **settings: Any) -> Poller:
    poll = Poll(**{"since": "2020-01-01T00:00:00Z", "count": 5, **settings})
    return Poller(
        SOURCE,
        poll,
        one.clients[SOURCE],
        receiver=one.receiver,
        database=one.database,
        clock=lambda: datetime.now(UTC),
    )


async def fill(hapi: HapiServer) -> None:
    """Put the whole way home on the server; it gives versions and times of its own."""
    for resource in resources():
        await asyncio.to_thread(hapi.put, resource)


async def test_what_a_server_has_is_found_page_by_page_and_told_once(
    dsn: str, broker: Kafka, hapi: HapiServer
) -> None:
    await fill(hapi)
    async with rig(dsn, broker.bootstrap, server={"base_url": hapi.base_url}) as one:
        first = await poller(one).look()
        assert (first.held, first.refused) == (0, 0)
        [picture] = await one.told()
        assert essence(picture) == home(one.world)
        again = await poller(one).look()
        assert (again.taken, again.held) == (0, 0)
        assert again.known > 0
        assert await one.told() == [picture]


async def test_it_goes_on_where_it_stopped(dsn: str, broker: Kafka, hapi: HapiServer) -> None:
    """A database that goes away between two pages: the next look finds the rest, and nothing twice."""
    await fill(hapi)
    async with rig(dsn, broker.bootstrap, server={"base_url": hapi.base_url}) as one:
        looking = poller(one, count=2)
        honest, left = one.receiver.take, 5

        async def failing(delivery: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise UnavailableError
            return await honest(delivery)

        one.receiver.take = failing  # type: ignore[method-assign]
        with pytest.raises(UnavailableError):
            await looking.look()
        one.receiver.take = honest  # type: ignore[method-assign]
        await poller(one, count=2).look()
        [picture] = await one.told()
        assert essence(picture) == home(one.world)


async def test_a_later_change_is_found_by_the_next_look(dsn: str, broker: Kafka, hapi: HapiServer) -> None:
    every = resources()
    versions = [one for one in every if one["resourceType"] == "Encounter"]
    for resource in every:
        if resource is not versions[-1]:
            await asyncio.to_thread(hapi.put, resource)
    async with rig(dsn, broker.bootstrap, server={"base_url": hapi.base_url}) as one:
        looking = poller(one)
        await looking.look()
        [before] = await one.told()
        assert before["state"] != "discharged"
        await asyncio.to_thread(hapi.put, versions[-1])
        assert (await looking.look()).taken == 1
        [after] = await one.told()
        assert essence(after) == home(one.world)
