"""Liveness, readiness and metrics: `/healthz`, `/readyz`, `/metrics`, of the service and of the relay.

Owns what «ready» means: database and broker answer, and no event that is in order waits longer than the
limit. A lane in quarantine does not count: one municipality's fault must not close the door to all; it is
told beside. Owns no state. `?exclude=` takes out what does not concern who asks, as Kubernetes' own `/readyz`
has it: `broker` and `lag` for the doors, which store messages durably while the broker is away.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adapter.cluster import Cluster
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
#: What is asked of: `lag` is all that keeps events from being published; the database concerns everybody.
Part = Literal["database", "broker", "lag"]
Exclude = Annotated[tuple[Literal["broker", "lag"], ...], Query()]


@router.get("/healthz", response_class=Response)
async def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", response_class=Response)
async def readyz(request: Request, exclude: Exclude = ()) -> Response:
    """200 where all is well enough to take messages, 503 where not; `why` tells what is not."""
    return await readiness(request.app.state.database.transaction, request.app.state.settings, exclude)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """All metrics in Prometheus' text format."""
    database: Database | None = getattr(request.app.state, "database", None)
    if database is not None:
        for use, number in database.usage().items():
            DATABASE_CONNECTIONS.labels(use).set(number)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def readiness(transaction: Transaction, settings: Settings, exclude: Collection[Part] = ()) -> Response:
    """The answer of `/readyz`, by a database whose transactions these are; what is excluded is told alone."""
    outbox, broker = await asyncio.gather(_outbox(transaction), _broker(settings.kafka.cluster))
    late = outbox is not None and outbox.lag_s > settings.ready_lag_s
    faults: tuple[tuple[Part, str, bool], ...] = (
        ("database", "the database does not answer", outbox is None),
        ("broker", "the broker does not answer" + (f": {broker}" if broker else ""), broker is not None),
        ("lag", f"events wait for more than {settings.ready_lag_s:g} s to be published", late),
        (
            "lag",
            "the database is older than what Kafka has, nothing is published: losus recover",
            outbox is not None and outbox.behind,
        ),
    )
    why = [words for _, words, is_so in faults if is_so]
    READY.set(not why)
    ready = not any(is_so and part not in exclude for part, _, is_so in faults)
    told = {"ready": ready, "database": outbox is not None, "broker": broker is None, "why": why}
    if outbox is not None:
        told |= {"lag_s": round(outbox.lag_s, 1), "apart": outbox.apart, "parked_cases": outbox.parked}
    return Response(orjson.dumps(told), 200 if ready else 503, media_type="application/json")


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


async def _broker(cluster: Cluster) -> str | None:
    """What is wrong with it, as `fault_of`; empty where it is silent for longer than a probe waits."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await fault_of(cluster)
    except TimeoutError:
        return ""
