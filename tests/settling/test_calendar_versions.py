"""The versions of what local days are reckoned by: a change of either is seen."""

import hashlib
from importlib import metadata, resources
from pathlib import Path

from adapter.calendar_versions import calendar_versions
from adapter.losus.days import LOCAL
from adapter.wiring import world_of
from tests.service import settings


def test_what_is_in_force_is_what_the_world_says() -> None:
    versions = calendar_versions()
    assert world_of(settings("postgresql://localhost/none")).calendar == versions
    assert versions["holidays"] == metadata.version("holidays")
    assert versions.keys() == {"holidays", LOCAL.key}


def test_other_rules_of_the_zone_are_another_version(tmp_path: Path) -> None:
    """The first folder that has the zone counts, as with `zoneinfo`; without any, the package."""
    found = []
    for number, rules in enumerate((b"rules", b"other rules")):
        file = tmp_path / str(number) / LOCAL.key
        file.parent.mkdir(parents=True)
        file.write_bytes(rules)
        found.append(calendar_versions((str(tmp_path / "none"), str(tmp_path / str(number))))[LOCAL.key])
    packaged = resources.files("tzdata").joinpath("zoneinfo", "Europe", "Stockholm").read_bytes()
    found.append(calendar_versions(())[LOCAL.key])
    assert found == [hashlib.sha256(rules).hexdigest()[:16] for rules in (b"rules", b"other rules", packaged)]
