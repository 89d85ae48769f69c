"""Where a region's own files are, also for commands that settle a file and load no other setting.

Owns that the settings are imported only where there are any: a file is settled without a database.
"""

import os
from pathlib import Path

_SETTINGS = ("LOSUS_DATABASE", "LOSUS_SETTINGS", "LOSUS_SECRETS")


def is_configured() -> bool:
    """Whether an adapter is configured here: a database, a file of settings or a folder of secrets."""
    return any(os.environ.get(name) for name in _SETTINGS)


def own_rates() -> Path | None:
    """Give the place of the region's own rates, by LOSUS_RATES or the settings; None: neither names it."""
    if named := os.environ.get("LOSUS_RATES"):
        return Path(named)
    if not os.environ.get("LOSUS_SETTINGS"):
        return None
    from adapter.settings import load_rates_place  # noqa: PLC0415 - only where there are settings

    return load_rates_place()
