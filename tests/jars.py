"""Jars from Maven Central for the Java that tests run, fetched once into `.cache/` of the repository."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import REPOSITORY, missing, program

CACHE = REPOSITORY / ".cache"


def stamp(*files: Path) -> str:
    """A name for what is made of these files; other contents, another name."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def fetched(pom: Path, kind: str, what: str, lock: Path | None = None) -> Path:
    """Give the folder `.cache/<kind>/` of the jars that `pom` names; `what` it is, in words.

    `lock`, where there is one, tells each jar with its SHA-256, as `sha256sum *.jar` prints them: these
    and no others must come, else ValueError.
    """

    def fetch(folder: Path) -> None:
        goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}")
        argv = (program("mvn"), "-q", "-B", "-f", str(pom), *goal)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=280)
        if done.returncode != 0:
            last = (done.stdout + done.stderr).strip().splitlines()[-8:]
            missing(f"{what} from Maven Central, which could not be fetched: " + " | ".join(last))
        if lock is not None:
            _hold_against(lock, folder)

    return made(CACHE / kind / f"jars-{stamp(pom) if lock is None else stamp(pom, lock)}", fetch)


def _hold_against(lock: Path, folder: Path) -> None:
    told = {(name, sha256) for sha256, name in map(str.split, lock.read_text("utf-8").splitlines())}
    came = {(jar.name, hashlib.sha256(jar.read_bytes()).hexdigest()) for jar in folder.iterdir()}
    if other := sorted({name for name, _ in told ^ came}):
        raise ValueError(f"not as {lock.parent.name}/{lock.name} tells: {', '.join(other)}")


def made(folder: Path, make: Callable[[Path], None]) -> Path:
    """Give a folder of the cache, filled once.

    Two runs may fill it at the same time: each fills a folder of its own, and renaming it is one step.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked("lock"):  # of two processes of one run the second need not fetch it too
        return folder if folder.is_dir() else _made(folder, make)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Keep other processes waiting that ask for the same lock."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(folder: Path, make: Callable[[Path], None]) -> Path:
    filled = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        make(filled)
        filled.chmod(0o755)
        filled.rename(folder)
    except OSError:
        if not folder.is_dir():  # else the other run was first
            raise
    finally:
        shutil.rmtree(filled, ignore_errors=True)
    return folder
