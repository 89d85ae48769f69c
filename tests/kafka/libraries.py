"""Apache Kafka's jars, fetched once by Maven as `pom.xml` says, into `.cache/kafka/` of the repository.

Beside them an archive of loaded classes (Java's class data sharing), which halves the start of a broker:
`cluster` makes it once. Java leaves it aside where it does not fit.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers import REPOSITORY, missing, program

_POM = Path(__file__).with_name("pom.xml")
_CACHE = REPOSITORY / ".cache" / "kafka"


def kafka_libraries() -> Path:
    """Give the folder of the jars; another pom.xml gets another folder.

    Two runs may fetch at the same time: each fills a folder of its own, and renaming it is one step.
    """
    folder = _CACHE / hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    _CACHE.mkdir(parents=True, exist_ok=True)
    fetched = Path(tempfile.mkdtemp(dir=_CACHE))
    try:
        _fetch(fetched)
        fetched.chmod(0o755)
        fetched.rename(folder)
    except OSError:
        if not folder.is_dir():  # else the other run was first
            raise
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    return folder


def class_archive() -> Path:
    """Where the archive of loaded classes is, or is to be."""
    folder = kafka_libraries()
    return folder.with_name(f"{folder.name}.jsa")


def jvm(heap: str, archive: str = "SharedArchiveFile", path: Path | None = None) -> tuple[str, ...]:
    """Options for a Java that lives for seconds; nothing of its own on stdout, which a caller may parse."""
    quick = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xlog:disable")
    return (
        f"-Xmx{heap}",
        *quick,
        f"-XX:{archive}={path or class_archive()}",
        "-cp",
        f"{kafka_libraries()}/*",
    )


def _fetch(folder: Path) -> None:
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}")
    argv = [program("mvn"), "-q", "-B", "-f", str(_POM), *goal]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=240)
    if done.returncode != 0:
        last = (done.stdout + done.stderr).strip().splitlines()[-8:]
        missing("Apache Kafka from Maven Central, which could not be fetched: " + " | ".join(last))
