"""HAPI FHIR's JPA server, all in memory, on the loopback interface: to be asked, stopped and killed.

Owns the process, its port and its start; `pom.xml` says which HAPI, `Beans.java` what it is made of. The
process ends with the tests (`adapter.sandbox.processes`); what it held is lost whenever it ends. Blocks
while it waits: call from a thread where clients in the same event loop must go on.
"""

import contextlib
import http.client
import os
import shutil
import signal
import uuid
from collections.abc import Mapping
from typing import Any, Self

import httpx

from adapter.errors import UnavailableError
from adapter.fhir.model import FhirVersion
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports, start_listening
from tests.hapi.libraries import libraries
from tests.servers import JVM, UNVERIFIED, java

_JVM = ("-Xmx512m", *JVM, "-Xlog:disable")
_LOG_LEVELS = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",)
_STARTS_WITHIN_S = 180.0  # 20 s alone on two cores; nobody is alone on them
_EXIT_AT_SIGTERM = 128 + signal.SIGTERM  # Java's; any other, and it was killed as it wrote its archive
_MEDIA_TYPE = {"Content-Type": "application/fhir+json"}


class HapiServer:
    """One server, of one version of FHIR; `base_url` is its FHIR base, without a slash at the end."""

    def __init__(self, version: FhirVersion) -> None:
        self._libraries = libraries(version)
        self._version = version
        self._guardian = Guardian()
        self._port = 0
        self._written = self._guardian.folder / "classes.jsa"

    @classmethod
    def start(cls, version: FhirVersion = FhirVersion.R4) -> Self:
        """Start a server and wait until it answers."""
        server = cls(version)
        try:
            server._listen(free_ports(3))  # should one be taken in between, the next
        except BaseException:
            server.close()
            raise
        return server

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}/fhir"

    @property
    def is_running(self) -> bool:
        return self._guardian.is_running

    @property
    def pid(self) -> int:
        return int(_ask(self._port, "GET", "/control/pid"))

    def put(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Store a resource under its own id, and give it as stored: with version and time."""
        place = f"{self.base_url}/{resource['resourceType']}/{resource['id']}"
        answer = httpx.put(place, json=resource, headers=_MEDIA_TYPE, timeout=60)
        answer.raise_for_status()
        stored: dict[str, Any] = answer.json()
        return stored

    def reset(self) -> None:
        """Forget all that was stored, every job, search and subscription."""
        _ask(self._port, "POST", "/control/reset")

    def load_topics(self) -> None:
        """Let the topics just stored hold at once; by itself HAPI looks for new ones every minute."""
        _ask(self._port, "POST", "/control/topics")

    def stop(self) -> None:
        """Stop orderly."""
        self._guardian.stop()
        archive = self._libraries.archive
        is_whole = self._written.exists() and self._guardian.exit_code() == _EXIT_AT_SIGTERM
        if is_whole and not archive.exists():
            beside = archive.with_suffix(f".{uuid.uuid4().hex}")
            shutil.copyfile(self._written, beside)
            beside.replace(archive)

    def kill(self) -> None:
        """`kill -9` it."""
        self._guardian.kill()

    def restart(self) -> None:
        """Start it anew, empty, at the same address."""
        self._listen((self._port,))

    def close(self) -> None:
        """End it and remove its folder."""
        with contextlib.suppress(UnavailableError):
            self.stop()
        self._guardian.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self, ports: tuple[int, ...]) -> None:
        self._port = start_listening(self._guardian, self._program, _is_ready, ports, _STARTS_WITHIN_S)

    def _program(self, port: int) -> Program:
        arguments = ("-cp", self._libraries.class_path, "HapiServer", self._version.value, str(port))
        argv = (java(), *_JVM, *self._archive(), *_LOG_LEVELS, *arguments)
        env = os.environ | {"LC_ALL": "C.UTF-8"}
        return Program(argv, log=self._guardian.folder / "hapi.log", env=env, grace_s=120)

    def _archive(self) -> tuple[str, ...]:
        """Use the archive of classes; where there is none, an idle machine writes it at the end, in 15 s."""
        archive = self._libraries.archive
        is_busy = os.environ.get("CI") == "true" or os.getloadavg()[0] > (os.cpu_count() or 1)
        if archive.exists() or is_busy:
            return (*UNVERIFIED, f"-XX:SharedArchiveFile={archive}")
        return (f"-XX:ArchiveClassesAtExit={self._written}",)


def _is_ready(pid: int, port: int) -> bool:
    """Whether it is this very process that answers: another program may have the port."""
    try:
        return _ask(port, "GET", "/control/pid") == str(pid)
    except (OSError, http.client.HTTPException):
        return False


def _ask(port: int, method: str, path: str) -> str:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"HAPI answered {answer.status} to {path}")
    return text
