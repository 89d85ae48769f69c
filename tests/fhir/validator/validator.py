"""HL7's own validator for the tests: one JVM that stays up and answers a resource at a time.

Owns the jars (fetched once by Maven as `pom.xml` says, into `.cache/fhir-validator/` of the repository),
the compiled `FhirCheck.java`, and the process. It ends with its input, so none outlives the tests, even
where they are killed. No terminology server: code systems outside FHIR's own and ours are not known.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from adapter.fhir.decimals import dumps
from tests.jars import fetched, made, stamp
from tests.servers import JVM, REPOSITORY, UNVERIFIED, java, program

_HERE = Path(__file__).parent
_SOURCE, _POM = _HERE / "FhirCheck.java", _HERE / "pom.xml"
#: The definitions of this project's messages; settlement uses the code system of care forms.
PROFILES = sorted((REPOSITORY / "mappings" / "profiles").glob("*.json"))

_JVM = ("-Xmx2g", *JVM, *UNVERIFIED)


@dataclass(frozen=True, slots=True)
class Issue:
    """What the validator says: `severity` is fatal, error, warning or information; `id` names its rule."""

    severity: str
    id: str
    where: str
    message: str

    @property
    def is_error(self) -> bool:
        return self.severity in ("fatal", "error")


class FhirValidator:
    """The running validator."""

    def __init__(self) -> None:
        virtual_machine, classes = java(), class_path()
        self._folder = Path(tempfile.mkdtemp())
        self._log = (self._folder / "log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            (virtual_machine, *_JVM, "-Dfile.encoding=UTF-8", "-cp", classes, "FhirCheck"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
        )

    def define(self, version: str, definitions: Iterable[dict[str, Any]]) -> None:
        """Take StructureDefinitions, CodeSystems and ValueSets into account for all that follows."""
        entries = [{"resource": one} for one in definitions]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        if faults := self._ask(version, "define", dumps(bundle)):
            raise ValueError(faults)

    def check(self, version: str, resource: dict[str, Any] | bytes) -> list[Issue]:
        """Validate a resource, given as such or as the very text; `version` is R4 or R5."""
        text = resource if isinstance(resource, bytes) else dumps(resource)
        return [Issue(**issue) for issue in self._ask(version, "check", text)]

    def convert(self, version: str, text: bytes) -> bytes:
        """FHIR XML of FHIR JSON, or the other way round; ValueError where HAPI cannot read it."""
        (answer,) = self._ask(version, "convert", text)
        if "text" not in answer:
            raise ValueError(answer)
        return answer["text"].encode()

    def _ask(self, version: str, action: str, text: bytes) -> list[dict[str, str]]:
        file = self._folder / "asked.json"
        file.write_bytes(text)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{version}\t{action}\t{file}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the validator ended: " + Path(self._log.name).read_text("utf-8")[-2000:])
        read: list[dict[str, str]] = json.loads(answer)
        return read

    def close(self) -> None:
        self._process.communicate()  # closes its input, at whose end it ends
        self._log.close()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def class_path() -> str:
    """Fetch and compile what is not there yet; all that Java needs."""
    jars = fetched(_POM, "fhir-validator", "HL7's validator")

    def compile_to(folder: Path) -> None:
        argv = (program("javac"), "-cp", f"{jars}/*", "-d", str(folder), str(_SOURCE))
        subprocess.run(argv, check=True, timeout=120)

    return f"{made(jars.with_name(f'classes-{stamp(_POM, _SOURCE)}'), compile_to)}:{jars}/*"
