"""Liveness, readiness and metrics: `/healthz`, `/readyz`, `/metrics`.

Owns what «ready» means: the database answers and the broker answers. Owns no state.
"""

import asyncio

import orjson
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adapter.errors import UnavailableError
from adapter.store.cases import waiting_events
from adapter.watch import OUTBOX_EVENTS

router = APIRouter()

_PATIENCE_S = 3.0


@router.get("/healthz", response_class=Response)
async def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", response_class=Response)
async def readyz(request: Request) -> Response:
    """200 where database and broker answer, 503 where one does not; each by name."""
    database, broker = await asyncio.gather(
        _database(request), _broker(request.app.state.settings.kafka.bootstrap)
    )
    checks = {"database": database, "broker": broker}
    ready = all(checks.values())
    return Response(
        orjson.dumps({"ready": ready, **checks}), 200 if ready else 503, media_type="application/json"
    )


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """All metrics in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _database(request: Request) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_S), request.app.state.database.transaction() as connection:
            OUTBOX_EVENTS.set(await waiting_events(connection))
    except (UnavailableError, TimeoutError):
        return False
    return True


async def _broker(bootstrap: str) -> bool:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await client.bootstrap()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return True
