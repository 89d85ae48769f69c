"""A small Kafka broker for the sandbox and quick tests: the Kafka service of the wheel `noida-db`.

Owns its data folder and its port. It speaks Kafka's protocol, transactions and fencing included. It is no
Apache Kafka, against which `tests/kafka` proves what has to hold [measured with 0.2.3]: it saves about once
a second and when it is stopped, so that `kill -9` may lose what it acknowledged last; it answers a fetch
at once where nothing new is there, so that a consumer that waits keeps a processor busy; and it tells of old
aborted transactions to later reads, so that `read_committed` may pass over records after a relay's abort.
"""

import socket
import struct
from pathlib import Path
from typing import Self

from adapter.sandbox.account import hand_over, package_folder
from adapter.sandbox.processes import (
    LOOPBACK,
    Guardian,
    Program,
    free_ports,
    start_listening,
)
from adapter.sandbox.server import Server

_API_VERSIONS = 18
_PROBE_TIMEOUT_S = 2.0


class Broker(Server):
    """A running broker; see `Server`."""

    def __init__(self, guardian: Guardian, folder: Path | None) -> None:
        super().__init__(guardian, folder)
        self._binary = Path()

    @classmethod
    def start(cls, folder: Path | None = None) -> Self:
        """Start a broker on a free port and wait until it answers; a new `folder` is made.

        Raises SetupError where the wheel is missing or `folder` is closed to the user that the broker
        runs as, UnavailableError where the broker does not come up.
        """
        guardian = Guardian()
        try:
            broker = cls(guardian, folder)
            broker._move_in()
            broker._come_up(*free_ports(5))
        except BaseException:
            guardian.close()
            raise
        return broker

    @property
    def bootstrap(self) -> str:
        """`HOST:PORT`, as Kafka clients take it."""
        return f"{LOOPBACK}:{self._port}"

    def _move_in(self) -> None:
        for folder in (self._guardian.folder, self._home):
            hand_over(folder, self._account)
        package = package_folder("noida_db", "noida-db", self._guardian.folder, self._account)
        self._binary = package / "noida-db"

    def _come_up(self, *ports: int) -> None:
        self._port = start_listening(self._guardian, self._program, lambda _pid, port: is_kafka(port), ports)

    def _program(self, port: int) -> Program:
        where = ("--host", LOOPBACK, "--kafka-port", str(port), "--data-dir", str(self._home / "data"))
        return Program(
            (str(self._binary), "start", "--only", "kafka", *where),
            log=self._guardian.folder / "broker.log",
            account=self._account,
        )


def is_kafka(port: int) -> bool:
    """Ask for ApiVersions (version 0) on the loopback port; True when Kafka's answer to it comes back."""
    ask = struct.pack(">hhih", _API_VERSIONS, 0, 1, -1)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_PROBE_TIMEOUT_S) as probe:
            probe.sendall(struct.pack(">i", len(ask)) + ask)
            head = probe.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(head) == 10 and struct.unpack(">iih", head)[1:] == (1, 0)
