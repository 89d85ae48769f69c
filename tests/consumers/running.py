"""Starts the consumers of the page «Subscribe» as a municipality would, each with its callback."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter.sandbox.processes import free_ports
from tests.jars import CACHE, fetched, made, stamp
from tests.servers import java, program

FOLDER = Path(__file__).parent
PYTHON, JAVA = FOLDER / "python", FOLDER / "java"


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


def java_consumer(kafka: str, store: Path) -> tuple[str | Path, ...]:
    """The command that the page shows, on classes that javac has made of the page's file."""
    jvm = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", java_class_path())
    return (java(), *jvm, "Consumer", kafka, "2380", store)


def java_class_path() -> str:
    """Fetch and compile what is not there yet; all that Java needs."""
    jars = fetched(JAVA / "pom.xml", "consumer", "the Kafka client for Java")
    source = JAVA / "Consumer.java"

    def compiled(folder: Path) -> None:
        argv = (program("javac"), "-Xlint:all", "-Werror", "-cp", f"{jars}/*", "-d", str(folder), str(source))
        subprocess.run(argv, check=True, timeout=120)

    classes = made(CACHE / "consumer" / f"classes-{stamp(source, JAVA / 'pom.xml')}", compiled)
    return f"{classes}:{jars}/*"


@contextmanager
def java_callback(store: Path) -> Iterator[str]:
    """The callback of the consumer in Java: its URL."""
    (port,) = free_ports(1)
    argv = (sys.executable, JAVA / "folder_callback.py", "--store", store, "--port", str(port))
    with process(*argv, log=store.with_suffix(".callback.log")):
        yield f"http://127.0.0.1:{port}"


def kcat_lines(kafka: str) -> tuple[list[list[str]], str]:
    """What follow.sh prints of all that is there now: the fields of each line, and its words about gaps."""
    program("kcat")
    argv = ("bash", FOLDER / "kcat" / "follow.sh", kafka, "2380", "--once")
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
    return [line.split("\t") for line in done.stdout.splitlines()], done.stderr
