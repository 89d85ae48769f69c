"""What goes into the image, held against known vulnerabilities: `make scan`.

Owns the verdict on what pip-audit found: 1 where a package has a known vulnerability, or where some could be
asked about and others not; 0 where none has, or where no advisory service is reached from here, which is said
loudly (`--strict`: 1 then too).
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_COMMAND = ("pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json")


def main() -> int:
    """Ask about every package of requirements.lock, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="fail where nothing could be asked")
    given = parser.parse_args()
    lock = str(ROOT / "requirements.lock")
    done = subprocess.run(
        [sys.executable, "-m", *_COMMAND, "--requirement", lock], capture_output=True, check=False, text=True
    )
    code, lines = verdict(_dependencies(done.stdout), strict=given.strict)
    print("\n".join(lines))
    return code


def _dependencies(printed: str) -> Sequence[Mapping[str, Any]]:
    """What pip-audit printed; nothing where it could not ask at all."""
    try:
        found: Sequence[Mapping[str, Any]] = json.loads(printed)["dependencies"]
    except (ValueError, KeyError):
        return ()
    return found


def verdict(dependencies: Sequence[Mapping[str, Any]], *, strict: bool) -> tuple[int, list[str]]:
    """The exit code, and what is to be read."""
    asked = [one for one in dependencies if "vulns" in one]
    skipped = [one["name"] for one in dependencies if "vulns" not in one]
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}"
        for one in asked
        for flaw in one["vulns"]
    ]
    if not asked:
        return int(strict), [
            "NOT SCANNED: no advisory service is reached from here; run `make scan` elsewhere"
        ]
    if skipped:
        return 1, [*found, f"not known to the advisory service: {', '.join(skipped)}"]
    return int(bool(found)), [*found, f"scanned {len(asked)} packages, {len(found)} known vulnerabilities"]


if __name__ == "__main__":
    sys.exit(main())
