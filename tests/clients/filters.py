"""A client library of another language as a filter: a request a line in, an answer a line out, as JSON."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self


class Filter:
    """The running program; it ends with its input, so none outlives the tests, even where they are killed."""

    def __init__(self, *argv: str) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self._log = (self._folder / "log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, encoding="utf-8"
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Give one request, and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the client ended: " + Path(self._log.name).read_text("utf-8")[-2000:])
        read: dict[str, Any] = json.loads(answer)
        return read

    def close(self) -> None:
        self._process.communicate()  # closes its input
        self._log.close()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
