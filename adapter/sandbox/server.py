"""What every server of the sandbox has in common: it stops, is killed, comes back, and ends with us.

Owns the life of one server under its guardian (`processes`); does not own which server it is
(`database`, `broker`).
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from adapter.sandbox.account import account
from adapter.sandbox.processes import Guardian


class Server(ABC):
    """A running server. Ends, and its scratch folder goes, with `close`, the `with` block, or this process.

    `folder` None: the data go with the server. Otherwise they are kept there and found again.
    """

    def __init__(self, guardian: Guardian, folder: Path | None) -> None:
        self._guardian = guardian
        self._home = folder or guardian.folder
        self._keeps_data = folder is not None
        self._account = account()
        self._port = 0

    @abstractmethod
    def _come_up(self, *ports: int) -> None:
        """Start on the first of the ports that is free, and wait until it answers."""

    @property
    def is_running(self) -> bool:
        """Whether it runs now: False after `stop`, `kill`, or an end of its own."""
        return self._guardian.is_running

    def stop(self) -> None:
        """Stop orderly; the data stay until `close`."""
        self._guardian.stop()

    def kill(self) -> None:
        """`kill -9` the server and all its processes; what it has saved stays until `close`."""
        self._guardian.kill()

    def restart(self) -> None:
        """Start again on the same port with the same data; stops first what still runs."""
        self._guardian.stop()
        self._come_up(*[self._port] * 3)

    def close(self) -> None:
        """End the server and remove its scratch folder. Data in a `folder` of the caller's stay."""
        if self._keeps_data:
            self._guardian.stop()
        self._guardian.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
