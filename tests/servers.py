"""What the tests need of this machine, and what happens where it is missing.

On a developer's machine a test that lacks a tool is skipped and says why. Where CI=true it fails: a
green run must mean that everything ran.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

#: Options of a Java that lives for minutes.
JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
#: And that loads jars from Maven Central: their bytecode is not verified again, which is a fifth of a start.
#: Not where it writes an archive of its classes, which takes none that is not verified.
UNVERIFIED = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote")
REPOSITORY = Path(__file__).resolve().parent.parent
_JAVA_OF_KAFKA_4 = 17


def missing(what: str) -> NoReturn:
    """Skip the test that needs `what`; in CI fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {what}, and in CI nothing may be missing", pytrace=False)
    pytest.skip(f"needs {what}")


def java() -> str:
    """Path of a Java that runs brokers of Kafka 4."""
    path = shutil.which("java")
    if path is None:
        missing("Java 17 or later")
    found = _java_version(path)
    if found is None or found < _JAVA_OF_KAFKA_4:
        missing("Java 17 or later; an older one is here")
    return path


@cache
def _java_version(path: str) -> int | None:
    said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return int(version[1]) if version else None


def program(name: str) -> str:
    """Path of an installed program."""
    return shutil.which(name) or missing(f"the program {name}")


def shared_folder() -> Path:
    """The folder with real messages that stands beside the repository (or at LOSUS_SHARED)."""
    folder = Path(os.environ.get("LOSUS_SHARED") or REPOSITORY.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"needs the shared data: no folder {folder.name} beside the repository, nor LOSUS_SHARED")
    return folder


def eventually(holds: Callable[[], bool], within_s: float = 15) -> bool:
    """Look again and again until it holds; False where it never does `within_s`.

    For what another process does and does not tell. Gives its verdict at once when it can.
    """
    give_up_at = time.monotonic() + within_s
    while not (verdict := holds()) and time.monotonic() < give_up_at:
        time.sleep(0.005)
    return verdict
