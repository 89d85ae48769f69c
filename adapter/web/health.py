"""Liveness, readiness and metrics: `/healthz`, `/readyz`, `/metrics`, of the service and of the relay.

Owns what «ready» means: database and broker answer, and no event that is in order waits longer than the
limit. A lane in quarantine does not count: one municipality's fault must not close the door to all; it is
told beside. Owns no state.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adapter.errors import UnavailableError
from adapter.kafka import fault_of
from adapter.settings import Settings
from adapter.store import quarantine
from adapter.store.cases import waiting_events
from adapter.store.database import Connection, Database
from adapter.store.recovery import is_behind
from adapter.watch import DATABASE_CONNECTIONS, OUTBOX_EVENTS, READY

router = APIRouter()

_PATIENCE_S = 3.0

Transaction = Callable[[], AbstractAsyncContextManager[Connection]]


@router.get("/healthz", response_class=Response)
async def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", response_class=Response)
async def readyz(request: Request) -> Response:
    """200 where all is well enough to take messages, 503 where not; `why` tells what is not."""
    return await readiness(request.app.state.database.transaction, request.app.state.settings)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """All metrics in Prometheus' text format."""
    database: Database | None = getattr(request.app.state, "database", None)
    if database is not None:
        for use, number in database.usage().items():
            DATABASE_CONNECTIONS.labels(use).set(number)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def readiness(transaction: Transaction, settings: Settings) -> Response:
    """The answer of `/readyz`, by a database whose transactions these are."""
    outbox, broker = await asyncio.gather(_outbox(transaction), fault_of(settings.kafka.cluster))
    late = outbox is not None and outbox.lag_s > settings.ready_lag_s
    why = [
        words
        for words, is_so in (
            ("the database does not answer", outbox is None),
            ("the broker does not answer" + (f": {broker}" if broker else ""), broker is not None),
            (f"events wait for more than {settings.ready_lag_s:g} s to be published", late),
            (
                "the database is older than what Kafka has, nothing is published: losus recover",
                outbox is not None and outbox.behind,
            ),
        )
        if is_so
    ]
    READY.set(not why)
    told = {"ready": not why, "database": outbox is not None, "broker": broker is None, "why": why}
    if outbox is not None:
        told |= {"lag_s": round(outbox.lag_s, 1), "apart": outbox.apart, "parked_cases": outbox.parked}
    return Response(orjson.dumps(told), 503 if why else 200, media_type="application/json")


@dataclass(frozen=True, slots=True)
class _Outbox:
    """How old the oldest event in order is; why lanes are apart; how many cases are parked.

    `behind`: a relay has found the database to be older than Kafka.
    """

    lag_s: float
    apart: dict[str, str]
    parked: int
    behind: bool


async def _outbox(transaction: Transaction) -> _Outbox | None:
    """None where the database does not answer."""
    try:
        async with asyncio.timeout(_PATIENCE_S), transaction() as connection:
            OUTBOX_EVENTS.set(await waiting_events(connection))
            oldest_at = await quarantine.oldest_in_order(connection)
            apart = {one.lane: one.reason for one in await quarantine.quarantined(connection)}
            parked = await quarantine.parked_cases(connection)
            behind = await is_behind(connection)
    except (UnavailableError, TimeoutError):
        return None
    lag_s = (datetime.now(UTC) - oldest_at).total_seconds() if oldest_at is not None else 0.0
    return _Outbox(max(lag_s, 0.0), apart, len(parked), behind)
