"""Subscriptions of our own at HAPI FHIR's server: asked for, told by, renewed, activated anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from adapter.api import create_app
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.settings import Source
from adapter.web.guard import Guard
from tests.doors.rig import SOURCE, essence, home, resources
from tests.hapi.server import HapiServer
from tests.service import settings

pytestmark = pytest.mark.timeout(600)
_PATIENCE_S = 180.0


@asynccontextmanager
async def served(dsn: str, hapi: HapiServer, **subscribe: Any) -> AsyncIterator[Any]:
    """The service on a port, so that HAPI can reach it; it subscribes when it starts."""
    [port] = free_ports(1)
    base = f"http://{LOOPBACK}:{port}"
    hook = f"{base}/fhir/{SOURCE}/$subscription-hook"
    server = {"base_url": hapi.base_url, "subscribe": {"hook_url": hook, **subscribe}}
    source = Source.model_validate({"mapping": "losus-r4", "server": server})
    app = create_app(settings(dsn, sources={SOURCE: source}, base_url=base))
    running = uvicorn.Server(uvicorn.Config(Guard(app), host=LOOPBACK, port=port, log_config=None))
    task = asyncio.create_task(running.serve())
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while not running.started:
                await asyncio.sleep(0.05)
        yield app
    finally:
        running.should_exit = True
        await task


async def subscriptions(hapi: HapiServer) -> list[dict[str, Any]]:
    async with httpx.AsyncClient() as client:
        bundle = (
            await client.get(f"{hapi.base_url}/Subscription", headers={"cache-control": "no-cache"})
        ).json()
    return [entry["resource"] for entry in bundle.get("entry", ())]


async def until_active(hapi: HapiServer, count: int) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while [one["status"] for one in await subscriptions(hapi)] != ["active"] * count:
            await asyncio.sleep(0.2)


async def case(app: Any) -> dict[str, Any] | None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://adapter") as client:
        cases = (await client.get("/cases")).json()["cases"]
    return cases[0] if cases else None


async def until_home(app: Any) -> None:
    """Wait for the whole way home; what leans on what comes later is read anew meanwhile."""
    async with asyncio.timeout(_PATIENCE_S):
        while (found := await case(app)) is None or essence(found) != home(app.state.world):
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("content", ["full-resource", "empty"])
async def test_hapi_tells_by_plain_rest_hooks(dsn: str, hapi: HapiServer, content: str) -> None:
    kinds = ["Location?", "Patient?", "Encounter?", "Task?", "CarePlan?"]
    async with served(dsn, hapi, criteria=kinds, content=content) as app:
        await until_active(hapi, len(kinds))
        for resource in resources():
            await asyncio.to_thread(hapi.put, resource)
        await until_home(app)


async def test_one_that_was_switched_off_is_activated_anew_and_what_was_missed_is_found(
    dsn: str, hapi: HapiServer
) -> None:
    async with served(dsn, hapi, criteria=["Encounter?"], content="full-resource"):
        await until_active(hapi, 1)
    [there] = await subscriptions(hapi)
    await asyncio.to_thread(hapi.put, {**there, "status": "off"})
    for resource in resources():
        await asyncio.to_thread(hapi.put, resource)
    async with served(dsn, hapi, criteria=["Encounter?"], content="full-resource") as app:
        await until_active(hapi, 1)
        assert [one["id"] for one in await subscriptions(hapi)] == [there["id"]]
        async with asyncio.timeout(_PATIENCE_S):
            while await case(app) is None:
                await asyncio.sleep(0.2)
