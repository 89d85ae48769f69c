"""Peppol's own rules for the tests: one JVM that stays up and answers a document at a time.

Owns the jars (fetched once by Maven as `pom.xml` says, into `.cache/peppol-validator/` of the repository),
the compiled `PeppolCheck.java`, and the process. It ends with its input, so none outlives the tests.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.jars import fetched, made, stamp
from tests.servers import java, program

_HERE = Path(__file__).parent
_SOURCE, _POM = _HERE / "PeppolCheck.java", _HERE / "pom.xml"
_JVM = ("-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says: `rule` is its id, as BR-16; empty where the schema of UBL says it."""

    severity: str
    rule: str
    where: str
    words: str


class PeppolValidator:
    """The running validator."""

    def __init__(self) -> None:
        virtual_machine, jars = java(), fetched(_POM, "peppol-validator", "Peppol's rules")
        self._folder = Path(tempfile.mkdtemp())
        self._log = (self._folder / "log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            (
                virtual_machine,
                *_JVM,
                "-Dfile.encoding=UTF-8",
                "-cp",
                f"{_classes(jars)}:{jars}/*",
                "PeppolCheck",
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
        )

    def check(self, kind: str, document: bytes) -> list[Finding]:
        """Validate an `invoice` or a `credit-note`: schema, EN 16931, Peppol BIS Billing 3."""
        file = self._folder / "asked.xml"
        file.write_bytes(document)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{kind}\t{file}\n")
        self._process.stdin.flush()
        found = []
        while line := self._process.stdout.readline():
            if line == "\n":
                return found
            found.append(Finding(*line.rstrip("\n").split("\t")))
        raise RuntimeError("the validator ended: " + Path(self._log.name).read_text("utf-8")[-2000:])

    def close(self) -> None:
        self._process.communicate()  # closes its input, at whose end it ends
        self._log.close()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _classes(jars: Path) -> Path:
    def compile_to(folder: Path) -> None:
        argv = (program("javac"), "-cp", f"{jars}/*", "-d", str(folder), str(_SOURCE))
        subprocess.run(argv, check=True, timeout=120)

    return made(jars.with_name(f"classes-{stamp(_POM, _SOURCE)}"), compile_to)
