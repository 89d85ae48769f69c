"""Run `losus` as a process of its own, without waiting for its imports each time (`tests.cli_server`)."""

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Self

from tests.servers import REPOSITORY


class Process:
    """A running `losus`, as `subprocess.Popen` gives one."""

    def __init__(self, pid: int, ended: "Future[int]") -> None:
        self.pid = pid
        self._ended = ended

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        return self._ended.result() if self._ended.done() else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; subprocess.TimeoutExpired where it does not end in time."""
        try:
            return self._ended.result(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired("losus", timeout or 0) from None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended; the answer is on its way
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.kill()
        self.wait()


def start(
    *arguments: str, env: Mapping[str, str], stdout: Path | None = None, stderr: Path | None = None
) -> Process:
    """Start `losus`; what it prints is added to the files, or nowhere."""
    out, err = stdout or Path(os.devnull), stderr or Path(os.devnull)
    request = {"argv": arguments, "env": dict(env), "cwd": str(Path.cwd())}
    return _server().start(request | {"stdout": str(out), "stderr": str(err)})


def run(*arguments: str, env: Mapping[str, str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run `losus` to its end, as `subprocess.run(…, capture_output=True, text=True)` does."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = start(*arguments, env=env, stdout=out, stderr=err)
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        printed = (path.read_text("utf-8") if path.exists() else "" for path in (out, err))
        return subprocess.CompletedProcess(["losus", *arguments], code, *printed)


class _Server:
    """The process that forks, and the thread that hears its answers."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._started: dict[int, Future[int]] = {}
        self._ended: dict[int, Future[int]] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli_server"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is pytest's to answer
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, request: dict[str, Any]) -> Process:
        started: Future[int] = Future()
        ended: Future[int] = Future()
        with self._lock:
            number = request["id"] = next(self._numbers)
            self._started[number], self._ended[number] = started, ended
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        return Process(started.result(60), ended)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if "pid" in answer:
                self._started.pop(answer["id"]).set_result(answer["pid"])
            else:
                self._ended.pop(answer["id"]).set_result(answer["code"])
        for lost in (*self._started.values(), *self._ended.values()):
            lost.set_exception(RuntimeError("tests.cli_server has ended"))


@cache
def _server() -> _Server:
    """Start it when it is first needed; it ends with this process, which holds its input open."""
    return _Server()
