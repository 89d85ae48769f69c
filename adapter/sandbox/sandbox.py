"""The whole adapter on one machine: database, broker, service and relay, on free ports of loopback.

Owns putting them together, and that all end together; does not own what is sent through them. Nothing
outlives this process, however it ends (see `processes`).
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from secrets import token_urlsafe

import httpx
import orjson

from adapter.cluster import Cluster
from adapter.mapping.load import default_folder
from adapter.outbound.topics import make_topics
from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports, start_listening

#: Jämtland's eight municipalities (SCB, län 23).
MUNICIPALITIES = {
    "2303": "Ragunda",
    "2305": "Bräcke",
    "2309": "Krokom",
    "2313": "Strömsund",
    "2321": "Åre",
    "2326": "Berg",
    "2361": "Härjedalen",
    "2380": "Östersund",
}
_READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where everything is: `http`, `kafka` (HOST:PORT) and `postgres` (with its password)."""

    http: str
    kafka: str
    postgres: str


@contextmanager
def sandbox(
    kafka: str | None = None, organizations: Mapping[str, tuple[str, ...]] | None = None
) -> Iterator[Sandbox]:
    """A running sandbox; `kafka` names a broker to use instead of one of its own.

    `organizations`: identifiers (`system|value`) by which messages may name a municipality.

    Raises UnavailableError where a part does not come up, with the last lines of its log.
    """
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        starting = pool.submit(Database.start)
        if kafka is None:
            kafka = stack.enter_context(Broker.start()).bootstrap
        postgres = stack.enter_context(starting.result()).dsn
        topics = make_topics(Cluster(kafka), MUNICIPALITIES, partitions=3, replication=1)
        pool.submit(asyncio.run, topics).result()
        settings = os.environ | _settings(kafka, postgres, organizations or {})
        service, relay = stack.enter_context(Guardian()), stack.enter_context(Guardian())
        port = start_listening(
            service,
            lambda port: _program(service, settings | _own(port), "serve", "--port", str(port)),
            _is_ready,
            free_ports(5),
        )
        relay.start(_program(relay, settings | _own(port), "relay"))
        yield Sandbox(_address(port), kafka, postgres)


def _address(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _own(port: int) -> dict[str, str]:
    """The address that the service tells of itself is where it listens: it is on a port that was free."""
    return {"LOSUS_BASE_URL": _address(port)}


def _settings(kafka: str, postgres: str, organizations: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The settings of the sandbox's service and relay, as environment variables.

    One source for each shipped mapping, named as the mapping and open; Jämtland's municipalities.
    """
    names = sorted(path.stem for path in default_folder().glob("*.yaml"))
    return {
        "LOSUS_DATABASE": postgres,
        "LOSUS_SECRET": token_urlsafe(24),
        "LOSUS_REGION": "urn:losus:sandbox",
        "LOSUS_KAFKA__BOOTSTRAP": kafka,
        "LOSUS_KAFKA__REFUSE_OLDER": "false",  # each sandbox has a database and a secret of its own
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_SOURCES": orjson.dumps(
            {name: {"mapping": name, "fhir": "R5" if name.endswith("r5") else "R4"} for name in names}
        ).decode(),
        "LOSUS_SUBSCRIBERS": orjson.dumps(
            {
                code: {"name": name, "organizations": organizations.get(code, ())}
                for code, name in MUNICIPALITIES.items()
            }
        ).decode(),
    }


def _program(guardian: Guardian, settings: dict[str, str], *arguments: str) -> Program:
    argv = (sys.executable, "-m", "adapter.cli", *arguments)
    return Program(argv, log=guardian.folder / f"{arguments[0]}.log", env=settings)


def _is_ready(_: int, port: int) -> bool:
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/readyz", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
