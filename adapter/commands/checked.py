"""The settings that every process of ours starts with: loaded, and held against what is demanded of them.

Owns that no command goes round the demands; does not own the demands (`adapter.access`).
"""

import os
from pathlib import Path

from adapter.access.demands import database_demands, demands
from adapter.access.files import database_file_faults, file_faults
from adapter.errors import SetupError
from adapter.settings import DatabaseAlone, Settings, load_database, load_settings

_LOOPBACK = "127.0.0.1"


def checked_settings(
    host: str = _LOOPBACK, *, sandbox: bool = False, sources: bool = False, raw: bool = True
) -> Settings:
    """The settings of this process; SetupError with every fault of them, all at once.

    `host` is what it listens on, if anything. `sandbox`: said expressly that what it listens on is published
    on loopback alone, so that doors may be open. `sources`: it needs the files of hospitals' servers.
    `raw`: it needs the keys that raw messages are sealed with.
    """
    settings = load_settings()
    faults = demands(settings, _LOOPBACK if sandbox else host)
    if not settings.open_doors:
        faults += file_faults(settings, _secrets(), sources=sources, raw=raw)
    if faults:
        raise SetupError(*faults)
    return settings


def checked_database() -> DatabaseAlone:
    """The settings of the database, for a process that needs nothing else; SetupError as above."""
    settings = load_database()
    dsn = settings.database.get_secret_value()
    faults = [] if settings.open_doors else [*database_demands(dsn), *database_file_faults(dsn, _secrets())]
    if faults:
        raise SetupError(*faults)
    return settings


def _secrets() -> Path | None:
    folder = os.environ.get("LOSUS_SECRETS")
    return Path(folder) if folder else None
