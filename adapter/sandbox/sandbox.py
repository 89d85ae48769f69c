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
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import orjson
import yaml

from adapter.cluster import Cluster
from adapter.mapping.load import default_folder
from adapter.outbound.topics import make_topics
from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports, start_listening

#: Jämtland Härjedalen's hospitals send. The organisation number is nobody's: none begins with zeros.
REGION = {"county": "23", "organisation_number": "002000-0006", "uri": "urn:losus:sandbox"}
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
    """Where everything is: `http`, `kafka` (HOST:PORT) and `postgres` (with its password).

    `settings`: the YAML file that any `losus` command works on the sandbox with (`LOSUS_SETTINGS`). `secret`:
    the file with the secret alone, which pseudonyms are made with; its folder can be `LOSUS_SECRETS`. Both
    are readable by this user alone, and are removed with the sandbox.
    """

    http: str
    kafka: str
    postgres: str
    settings: Path
    secret: Path


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
        chosen = _settings(kafka, postgres, organizations or {})
        settings = os.environ | _environment(chosen)
        service, relay = stack.enter_context(Guardian()), stack.enter_context(Guardian())
        port = start_listening(
            service,
            lambda port: _program(service, settings | _own(port), "serve", "--port", str(port)),
            _is_ready,
            free_ports(5),
        )
        relay.start(_program(relay, settings | _own(port), "relay"))
        yield Sandbox(_address(port), kafka, postgres, *_write(service.folder, chosen, _address(port)))


def _address(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _own(port: int) -> dict[str, str]:
    """The address that the service tells of itself is where it listens: it is on a port that was free."""
    return {"LOSUS_BASE_URL": _address(port)}


def _settings(kafka: str, postgres: str, organizations: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the settings of the sandbox's service and relay, as a settings file has them.

    One source for each shipped mapping, named as the mapping and open; Jämtland's municipalities.
    """
    names = sorted(path.stem for path in default_folder().glob("*.yaml"))
    return {
        "database": postgres,
        "secret": token_urlsafe(24),
        "region": REGION,
        # Each sandbox has a database and a secret of its own: what an earlier one published is not its own.
        "kafka": {"bootstrap": kafka, "refuse_older": False},
        "open_doors": True,
        "sources": {name: {"mapping": name, "fhir": "R5" if name.endswith("r5") else "R4"} for name in names},
        "subscribers": {
            code: {"name": name, "organizations": list(organizations.get(code, ()))}
            for code, name in MUNICIPALITIES.items()
        },
    }


def _environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as environment variables; they win over those that the user has for other work."""
    found = {}
    for name, value in settings.items():
        nested = value.items() if name == "kafka" else [(None, value)]
        for inner, part in nested:
            text = part if isinstance(part, str) else orjson.dumps(part).decode()
            found["LOSUS_" + (name if inner is None else f"{name}__{inner}").upper()] = text
    return found


def _write(folder: Path, settings: Mapping[str, Any], address: str) -> tuple[Path, Path]:
    """Write the settings file and the secret's file; `folder` is closed to others."""
    file, secret = folder / "losus.yaml", folder / "secrets" / "losus_secret"
    file.write_text(yaml.safe_dump({**settings, "base_url": address}, allow_unicode=True), encoding="utf-8")
    secret.parent.mkdir()
    secret.write_text(settings["secret"], encoding="utf-8")
    for written in (file, secret):
        written.chmod(0o600)
    return file, secret


def _program(guardian: Guardian, settings: dict[str, str], *arguments: str) -> Program:
    argv = (sys.executable, "-m", "adapter.cli", *arguments)
    return Program(argv, log=guardian.folder / f"{arguments[0]}.log", env=settings)


def _is_ready(_: int, port: int) -> bool:
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/readyz", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
