"""One adapter for all client libraries, and those that are no Python, each started once.

Maven and npm bring what `hapi/pom.xml` and `npm/package-lock.json` name into `.cache/` of the repository,
each file held against its hash. Without Java or Node.js the tests are skipped, in CI they fail.
"""

import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.sandbox.database import Database
from tests.clients.adapter_server import AdapterServer, serving
from tests.clients.filters import Filter
from tests.jars import CACHE, fetched, made, stamp
from tests.servers import JVM, UNVERIFIED, java, missing, program

_HERE = Path(__file__).parent
_HAPI, _NPM = _HERE / "hapi", _HERE / "npm"
_JVM = ("-Xmx512m", *JVM, *UNVERIFIED, "-Dfile.encoding=UTF-8")
_NODE = 18  # fetch without a library


@pytest.fixture(scope="session")
def adapter() -> Iterator[AdapterServer]:
    """The adapter, at an address and on a PostgreSQL of its own: other tests kill the one that they share."""
    with Database.start(durable=False) as database, serving(database.dsn) as server:
        yield server


@pytest.fixture
def key() -> str:
    """A family name that nobody else has."""
    return f"Exempel-{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def hapi_client() -> Iterator[Filter]:
    """HAPI's generic client (`hapi/HapiClient.java`)."""
    with Filter(java(), *_JVM, "-cp", hapi_class_path(), "HapiClient") as running:
        yield running


def hapi_class_path() -> str:
    """Fetch and compile what is not there yet; all that Java needs."""
    pom, lock, source = _HAPI / "pom.xml", _HAPI / "jars.lock", _HAPI / "HapiClient.java"
    jars = fetched(pom, "hapi-client", "HAPI's client", lock)

    def compiled(folder: Path) -> None:
        argv = (program("javac"), "-cp", f"{jars}/*", "-d", str(folder), str(source))
        subprocess.run(argv, check=True, timeout=120)

    classes = made(CACHE / "hapi-client" / f"classes-{stamp(pom, lock, source)}", compiled)
    return f"{classes}:{jars}/*"


@pytest.fixture(scope="session")
def fhir_kit_client() -> Iterator[Filter]:
    """fhir-kit-client (`npm/driver.mjs`)."""
    with Filter(_node(), str(kit_folder() / "driver.mjs")) as running:
        yield running


def kit_folder() -> Path:
    """Fetch fhir-kit-client where it is not there yet; its folder."""
    files = [_NPM / name for name in ("package.json", "package-lock.json", "driver.mjs")]
    return made(CACHE / "fhir-kit-client" / stamp(*files), lambda new: _install(files, new))


def _node() -> str:
    path = program("node")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", said)
    if version is None or int(version[1]) < _NODE:
        missing(f"Node.js {_NODE} or later; an older one is here")
    return path


def _install(files: list[Path], folder: Path) -> None:
    for file in files:
        shutil.copy(file, folder)
    argv = (program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    if done.returncode != 0:
        last = (done.stdout + done.stderr).strip().splitlines()[-8:]
        missing("fhir-kit-client from npm, which could not be fetched: " + " | ".join(last))
