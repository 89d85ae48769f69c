"""The Dockerfile without an engine: held against a linter, and against what the lock files say."""

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_linter_has_nothing_to_say() -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_makes_the_wheel_is_pinned_whole() -> None:
    """The tools are lines of the lock of the tests, and no tool is left to be fetched without a hash."""
    [pattern] = re.findall(r"sed -n '(.+?)' tools\.lock", DOCKERFILE)
    picked = subprocess.run(
        ["sed", "-n", pattern, ROOT / "tests" / "requirements.lock"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    pinned = set(re.findall(r"^([a-z-]+)==", picked, re.MULTILINE))
    needed = {Requirement(line) for line in requires("hatchling") or ()}
    names = {one.name for one in needed if one.marker is None or one.marker.evaluate()}
    assert pinned == {"hatchling", *names}
    assert all(
        "--hash=sha256:" in block for block in re.split(r"^(?=[a-z-]+==)", picked, flags=re.MULTILINE)[1:]
    )


def test_nothing_is_installed_but_what_is_locked() -> None:
    installs = re.findall(r"pip install ([^\\\n&]+)", DOCKERFILE)
    assert installs
    for arguments in installs:
        assert "--require-hashes" in arguments or "--no-index" in arguments, arguments
        assert "--no-deps" in arguments, arguments
    assert "--extra" not in DOCKERFILE, "the sandbox's servers never go into the image"


def test_it_runs_as_nobody_in_particular() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert "HEALTHCHECK" in last_stage
