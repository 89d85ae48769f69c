"""More sources that we subscribe to than the pool has connections: none waits for another for ever."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI, Response

from adapter.api import create_app
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.settings import Source
from tests.service import settings

MANY = 12
_PATIENCE_S = 60.0


@pytest.fixture
async def hospital() -> AsyncIterator[tuple[str, list[str]]]:
    """A FHIR server that takes every Subscription and has nothing to tell; who subscribed there."""
    app, asked = FastAPI(), []

    @app.post("/{source}/Subscription", status_code=201)
    async def subscribe(source: str, response: Response) -> None:
        asked.append(source)
        response.headers["location"] = f"Subscription/{len(asked)}"

    @app.get("/{source}/{kind}")
    async def search(source: str, kind: str) -> dict[str, str]:
        return {"resourceType": "Bundle", "type": "searchset", "id": f"{source}-{kind}"}

    [port] = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_config=None))
    task = asyncio.create_task(server.serve())
    yield f"http://{LOOPBACK}:{port}", asked
    server.should_exit = True
    await task


async def test_all_of_them_subscribe(dsn: str, hospital: tuple[str, list[str]]) -> None:
    base, asked = hospital
    names = [f"ehr-{number}" for number in range(MANY)]
    sources = {
        name: Source.model_validate(
            {
                "mapping": "hl7-r4",
                "server": {
                    "base_url": f"{base}/{name}",
                    "subscribe": {"hook_url": f"{base}/hook", "criteria": ["Encounter?"]},
                },
            }
        )
        for name in names
    }
    app = create_app(settings(dsn, sources=sources))
    async with app.router.lifespan_context(app), asyncio.timeout(_PATIENCE_S):
        while set(asked) < set(names):
            await asyncio.sleep(0.02)
    assert sorted(asked) == sorted(names)
