"""Writing to the audit without waiting in line: what comes while one writing is under way goes with the next.

Owns the gathering. An entry is durable when `note` returns; what it is about must not be given before.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from adapter.errors import UnavailableError
from adapter.store.audit import Entry, append
from adapter.store.database import Database
from adapter.watch import AUDIT_FAILED

log = structlog.get_logger()


@dataclass(slots=True)
class _Batch:
    entries: list[Entry] = field(default_factory=list)
    is_done: bool = False
    fault: UnavailableError | None = None


class Ledger:
    """The audit as one process writes it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open = _Batch()
        self._writing = asyncio.Lock()

    async def note(self, *entries: Entry) -> None:
        """Add entries to the audit; UnavailableError where that cannot be done now.

        The first of a batch that gets the pen writes for all of it; all of it fails, or none does.
        """
        if not entries:
            return
        batch = self._open
        batch.entries += entries
        async with self._writing:
            if batch.fault is not None:
                raise batch.fault
            if batch.is_done:
                return
            if batch is self._open:
                self._open = _Batch()
            try:
                async with self._database.transaction() as connection:
                    last = await append(connection, batch.entries)
            except UnavailableError as error:
                batch.fault = error
                AUDIT_FAILED.inc()
                raise
            batch.is_done = True
        log.info("audit.head", number=last.number, hash=last.hash.hex(), entries=len(batch.entries))
