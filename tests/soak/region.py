"""A whole region to be mistreated: database, brokers, two services, two relays, each a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from adapter.sandbox.database import Database
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports
from adapter.settings import Settings
from tests.kafka.cluster import ApacheKafka
from tests.service import settings

MUNICIPALITIES = {"2380": "Östersund", "2309": "Krokom", "2321": "Åre"}
SOURCE = "losus-r4"


class Process:
    """One process of ours that is killed and started again."""

    def __init__(self, guardian: Guardian, name: str, argv: tuple[str, ...], env: Mapping[str, str]) -> None:
        self.name, self._guardian = name, guardian
        self._program = Program(argv, log=guardian.folder / f"{name}.log", env=env)
        self.pid = 0

    def start(self) -> None:
        """Start it where it does not run."""
        if not self._guardian.is_running:
            self.pid = self._guardian.start(self._program)

    def kill(self) -> None:
        """`kill -9`."""
        self._guardian.kill()

    def complaints(self) -> list[str]:
        """The last errors and warnings that it wrote, for whoever has to find out."""
        path = self._program.log
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line for line in lines if '"level": "info"' not in line][-20:]


@dataclass(frozen=True, slots=True)
class Region:
    """All that can be mistreated; `urls` are the services' addresses, in their order."""

    database: Database
    kafka: ApacheKafka
    services: tuple[Process, ...]
    relays: tuple[Process, ...]
    urls: tuple[str, ...]
    settings: Settings

    def heal(self) -> None:
        """Start whatever does not run."""
        if not self.database.is_running:
            self.database.restart()
        self.kafka.restart()
        for process in (*self.services, *self.relays):
            process.start()


@contextmanager
def region(brokers: int) -> Iterator[Region]:
    """A running region; everything ends with it."""
    with ExitStack() as stack:
        database = stack.enter_context(Database.start(durable=False))
        kafka = stack.enter_context(ApacheKafka.start(brokers))
        env = environment(database.dsn, kafka.bootstrap, brokers)
        ports = free_ports(2)
        services = tuple(
            process(stack, f"service-{n}", ("serve", "--sandbox", "--port", str(port)), env)
            for n, port in enumerate(ports, start=1)
        )
        relays = tuple(process(stack, f"relay-{n}", ("relay",), env) for n in (1, 2))
        given = settings(
            database.dsn,
            subscribers={code: {"name": name} for code, name in MUNICIPALITIES.items()},
        )
        urls = tuple(f"http://{LOOPBACK}:{port}" for port in ports)
        one = Region(database, kafka, services, relays, urls, given)
        one.heal()
        yield one


def process(stack: ExitStack, name: str, arguments: tuple[str, ...], env: Mapping[str, str]) -> Process:
    """A process of ours, not started, that ends with `stack`."""
    guardian = stack.enter_context(Guardian())
    return Process(guardian, name, (sys.executable, "-m", "adapter.cli", *arguments), env)


def environment(dsn: str, bootstrap: str, brokers: int) -> dict[str, str]:
    """What each process of a region is started with."""
    return {
        **os.environ,
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": "a secret of the tests alone",
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_KAFKA__BOOTSTRAP": bootstrap,
        "LOSUS_KAFKA__REFUSE_OLDER": "true",  # as it is by itself: whatever is killed, it is no restore
        "LOSUS_KAFKA__REPLICATION": str(brokers),
        "LOSUS_SOURCES": json.dumps({SOURCE: {"mapping": SOURCE}}),
        "LOSUS_SUBSCRIBERS": json.dumps({code: {"name": name} for code, name in MUNICIPALITIES.items()}),
    }


async def in_thread(call: object, *arguments: object) -> None:
    """Do what blocks beside the event loop."""
    await asyncio.to_thread(call, *arguments)  # type: ignore[arg-type]
