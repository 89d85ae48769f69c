"""The watcher: as time passes, a limit that is not kept becomes a missed one.

Owns looking again and again; does not own what a limit is (`losus.deadlines`) nor what is told of it
(`outbound.events`). A missed limit is told once, also over restarts and with several replicas: which
cases are due is in the database, and a case is judged under the lock of its row.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from adapter.refold import judge_due
from adapter.store.database import Database
from adapter.trace import Causes, at
from adapter.tracing import begin
from adapter.watch import ROUND_AT
from adapter.world import World

log = structlog.get_logger()

_MOST = 100  # cases a transaction


async def watch(
    world: World, database: Database, clock: Callable[[], datetime], *, look_again_s: float = 5.0
) -> None:
    """Judge cases anew when their limits pass, until cancelled; a database that is away is waited out."""
    while True:
        judged, judging = 0, begin("judge", None)
        try:
            async with database.transaction() as connection:
                judged = await judge_due(connection, world, clock(), _MOST, Causes(otherwise=judging.trace))
            ROUND_AT.labels("watcher").set_to_current_time()
        except Exception as error:  # noqa: BLE001 - the outermost loop: it must go on
            with at(judging.trace):
                log.warning("watcher.interrupted", error=type(error).__name__)
        if judged:  # a look that found nothing is not told of
            judging.note({"losus.cases": judged})
            judging.end()
        if judged < _MOST:
            await asyncio.sleep(look_again_s)
