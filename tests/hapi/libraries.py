"""HAPI's jars, fetched once by Maven as `pom.xml` says and held against `jars.lock`, and our own compiled.

All of it is in `.cache/hapi/` of the repository. Beside the jars there is an archive of the classes that a
server loaded (Java's class data sharing), which nearly halves the next start: a server of each version of
FHIR writes it as it ends. Java leaves it aside where it does not fit.
"""

import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from adapter.fhir.model import FhirVersion
from tests.jars import fetched, made, stamp
from tests.servers import java, program

_HERE = Path(__file__).parent
_POM, _LOCK = _HERE / "pom.xml", _HERE / "jars.lock"
_SOURCES = sorted(_HERE.glob("*.java"))


@dataclass(frozen=True, slots=True)
class Libraries:
    """`jars` and `own` are folders of jars; `archive` may not be there yet."""

    jars: Path
    own: Path
    archive: Path

    @property
    def class_path(self) -> str:
        return f"{self.own}/*:{self.jars}/*"


def libraries(version: FhirVersion) -> Libraries:
    """Fetch and compile what a server of this version of FHIR needs, where it is not there yet."""
    java()  # first of all: without it there is nothing to fetch for
    jars = fetched(_POM, "hapi", "HAPI FHIR", _LOCK)
    own = made(jars.with_name(f"own-{stamp(_POM, _LOCK, *_SOURCES)}"), lambda folder: _compile(jars, folder))
    return Libraries(jars, own, own.with_name(f"{own.name}-{version.value}.jsa"))


def _compile(jars: Path, folder: Path) -> None:
    """Into a jar: an archive of classes takes none that lie in a folder."""
    with tempfile.TemporaryDirectory() as classes:
        argv = (program("javac"), "-cp", f"{jars}/*", "-d", classes, *map(str, _SOURCES))
        subprocess.run(argv, check=True, timeout=120)
        with zipfile.ZipFile(folder / "hapi-for-tests.jar", "w") as jar:
            for file in sorted(Path(classes).iterdir()):
                jar.write(file, file.name)
