"""The deployment as a check sees it: its settings, its database, its files, the time.

Owns how the database is opened: read-only, a session for each check, none of them waiting for long.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import asyncpg

from adapter.agreements.load import Book, load_book
from adapter.settings import Settings
from adapter.store.database import connect_once, told
from adapter.treating import with_regions

_STATEMENT_S = 10.0
_SESSION = {
    "application_name": "losus doctor",
    "default_transaction_read_only": "on",
    "enable_seqscan": "off",  # as in `store.database`: rows are found by an index
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is looked at; `now` is the clock of this machine, `today` the local date for what is agreed."""

    settings: Settings
    now: Callable[[], datetime]
    today: date

    @property
    def is_sandbox(self) -> bool:
        """Whether it is for one machine alone, where less is demanded."""
        return self.settings.open_doors

    @property
    def book(self) -> Book:
        """What is agreed, read once; SetupError with every fault of the files."""
        return with_regions(_book(self.settings.agreements, self.settings.rates), self.settings)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """A session that changes nothing; UnavailableError where the database does not answer."""
        dsn = self.settings.database.get_secret_value()
        connection = await connect_once(dsn, deadline_s=_STATEMENT_S, session=_SESSION)
        try:
            with told():
                yield connection
        finally:
            connection.terminate()


@lru_cache(maxsize=1)
def _book(folder: Path, rates: Path | None) -> Book:
    return load_book(folder, rates)
