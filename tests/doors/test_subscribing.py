"""Subscriptions of our own at HAPI FHIR's server: asked for, told by, renewed, activated anew."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from adapter.api import create_app
from adapter.fhir.model import FhirVersion
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.settings import Source
from adapter.web.guard import Guard
from tests.doors.rig import SOURCE, essence, home, resources
from tests.hapi.server import HapiServer
from tests.hapi.subscriptions import by_topic, register, topic
from tests.service import settings

pytestmark = pytest.mark.timeout(600)
_PATIENCE_S = 180.0


@asynccontextmanager
async def served(
    dsn: str, hapi: HapiServer, mapping: str = "losus-r4", fhir: str = "R4", **subscribe: Any
) -> AsyncIterator[Any]:
    """The service on a port, so that HAPI can reach it; where it is said how, it subscribes."""
    [port] = free_ports(1)
    base = f"http://{LOOPBACK}:{port}"
    hook = f"{base}/fhir/{SOURCE}/$subscription-hook"
    asked = {"subscribe": {"hook_url": hook, **subscribe}} if subscribe else {}
    server = {"base_url": hapi.base_url, **asked}
    source = Source.model_validate({"mapping": mapping, "fhir": fhir, "server": server})
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


def stay(version: FhirVersion) -> dict[str, Any]:
    """An admission as each version says it."""
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
    start = {"start": "2024-03-04T14:20:00+01:00"}
    if version is FhirVersion.R5:
        told = {"class": [{"coding": [coding]}], "actualPeriod": start}
    else:
        told = {"class": coding, "period": start}
    return {"resourceType": "Encounter", "id": "e1", "status": "in-progress", **told}


@pytest.mark.parametrize(
    ("version", "content"),
    [(FhirVersion.R4, "id-only"), (FhirVersion.R4B, "full-resource"), (FhirVersion.R5, "id-only")],
)
async def test_what_hapi_tells_by_topic_becomes_a_case(
    dsn: str, hapi_of: Callable[[FhirVersion], HapiServer], version: FhirVersion, content: str
) -> None:
    hapi = await asyncio.to_thread(hapi_of, version)
    mapping = "hl7-r5" if version is FhirVersion.R5 else "hl7-r4"
    async with served(dsn, hapi, mapping, version.value) as app:
        hook = f"{app.state.settings.base_url}/fhir/{SOURCE}/$subscription-hook"
        await asyncio.to_thread(hapi.put, topic(version, "create", "update"))
        await asyncio.to_thread(hapi.load_topics)
        await asyncio.to_thread(register, hapi, by_topic(version, hook, content))
        await asyncio.to_thread(hapi.put, stay(version))
        async with asyncio.timeout(_PATIENCE_S):
            while (found := await case(app)) is None:
                await asyncio.sleep(0.2)
        assert (found["state"], found["times"]["admitted"]) == ("admitted", "2024-03-04T13:20:00Z")
