"""By what local days are reckoned, as versions: the library of helgdagar, and the rules of the zone.

Owns telling them; does not own days (`losus.days`). What is kept of a fold rests on them
(`settling.folded`), and both change without any code of ours.
"""

import hashlib
import zoneinfo
from collections.abc import Mapping
from importlib import metadata, resources
from pathlib import Path

from adapter.losus.days import LOCAL

#: The package that `losus.days` asks for helgdagar.
_HOLIDAYS = "holidays"


def calendar_versions(folders: tuple[str, ...] | None = None) -> Mapping[str, str]:
    """Give the version of each by its name.

    That of the zone is a digest of its rules: the host's, else those of the package `tzdata`, as `zoneinfo`
    looks for them (in `folders`; None: where it does). Neither always says a version of its own.
    """
    rules = _rules(LOCAL.key, zoneinfo.TZPATH if folders is None else folders)
    return {_HOLIDAYS: metadata.version(_HOLIDAYS), LOCAL.key: hashlib.sha256(rules).hexdigest()[:16]}


def _rules(zone: str, folders: tuple[str, ...]) -> bytes:
    for folder in folders:
        file = Path(folder) / zone
        if file.is_file():
            return file.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
