"""Starts the consumers of the page «Subscribe» as a municipality would, each with its callback."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter.sandbox.processes import free_ports

FOLDER = Path(__file__).parent
PYTHON = FOLDER / "python"


@contextmanager
def process(*argv: str | Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program until the end of the block; what it says goes to `log`."""
    with log.open("ab") as said:
        running = subprocess.Popen([str(one) for one in argv], stdout=said, stderr=said)
        try:
            yield running
        finally:
            running.kill()
            running.wait()


def python_consumer(kafka: str, store: Path) -> tuple[str | Path, ...]:
    """The command that the page shows."""
    where = ("--kafka", kafka, "--municipality", "2380", "--store", store)
    return (sys.executable, PYTHON / "consumer.py", *where)


@contextmanager
def python_callback(store: Path) -> Iterator[str]:
    """The callback of the Python consumer: its URL."""
    (port,) = free_ports(1)
    argv = (sys.executable, PYTHON / "callback.py", "--store", store, "--port", str(port))
    with process(*argv, log=store.with_suffix(".callback.log")):
        yield f"http://127.0.0.1:{port}"
