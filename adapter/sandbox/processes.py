"""Starts servers so that none outlives this process, not even after `kill -9` of it.

Owns the talk with `guardian.py` (which explains how) and free ports. Does not own what is started:
`database` and `broker` do, nor the user that it runs as: `account` does.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from adapter.errors import Problem, UnavailableError
from adapter.sandbox.account import Account, scratch_place

LOOPBACK = "127.0.0.1"
_GUARDIAN = Path(__file__).with_name("guardian.py")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    `log` takes what it prints, added at the end. `env` None: our own environment. `stop_signal` asks it
    to stop orderly, `abandon_signal` to stop at once since nobody needs its data any more; `grace_s`
    later it gets SIGKILL with all that it started.
    """

    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    abandon_signal: int = signal.SIGKILL
    grace_s: float = 10.0


class Guardian:
    """A process that holds one scratch folder and at most one running program, and outlives us to end both.

    `folder` is made with mode 700 and removed at the end. Close it, or use it in a `with`.
    Calls block for as long as the program takes (`grace_s` at most), and may come from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARDIAN), scratch_place(), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is for us to answer, not for the servers
        )
        self.folder = Path(self._heard()["folder"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, program: Program) -> int:
        """Start the program and give its pid; one that still runs is killed first.

        Raises UnavailableError where the operating system cannot run it.
        """
        answer = self._ask(
            "start",
            argv=program.argv,
            log=str(program.log),
            env=dict(os.environ if program.env is None else program.env),
            cwd=str(program.cwd or self.folder),
            account=program.account and {"user": program.account.user, "group": program.account.group},
            stop_signal=int(program.stop_signal),
            abandon_signal=int(program.abandon_signal),
            grace_s=program.grace_s,
        )
        if "error" in answer:
            raise UnavailableError(Problem("exception", answer["error"]))
        return int(answer["pid"])

    def stop(self) -> None:
        """Stop the program orderly; nothing happens where none runs."""
        self._ask("stop")

    def kill(self) -> None:
        """`kill -9` the program and all that it started."""
        self._ask("kill")

    @property
    def is_running(self) -> bool:
        """Whether a program was started and has not ended."""
        answer = self._ask("look")
        return answer["pid"] is not None and answer["code"] is None

    def exit_code(self) -> int | None:
        """None while the program runs; negative where a signal ended it, as in `subprocess`."""
        code = self._ask("look")["code"]
        return None if code is None else int(code)

    def close(self) -> None:
        """End the program at once and remove the folder; returns when both are gone."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)  # there still only if the guardian was killed

    def _ask(self, what: str, **more: object) -> dict[str, Any]:
        with self._lock:
            if self._process.stdin is None or self._process.stdin.closed:
                raise UnavailableError(Problem("exception", "the server was closed"))
            with contextlib.suppress(BrokenPipeError):  # then no answer is heard either
                self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
                self._process.stdin.flush()
            return self._heard()

    def _heard(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else b""
        if not line:
            raise UnavailableError(Problem("exception", "the guardian of a server of the sandbox has ended"))
        answer: dict[str, Any] = json.loads(line)
        return answer


def start_listening(
    guardian: Guardian,
    program_at: Callable[[int], Program],
    is_ready: Callable[[int, int], bool],
    ports: Iterable[int],
    within_s: float = 60.0,
) -> int:
    """Start a server on the first of `ports` where it comes up, and give that port.

    A port found free may be taken by another program before the server binds it; the server then ends,
    and the next is tried. `is_ready(pid, port)` tells when it answers. Raises UnavailableError with the
    last lines of the server's log when it ended on every port, or did not answer `within_s`.
    """
    for port in ports:
        program = program_at(port)
        pid = guardian.start(program)
        give_up_at = time.monotonic() + within_s
        while guardian.exit_code() is None:
            if is_ready(pid, port):
                return port
            if time.monotonic() > give_up_at:
                guardian.kill()
                break
            time.sleep(0.01)
    raise UnavailableError(Problem("exception", f"{_name(program)} did not start: {_last_lines(program)}"))


def run(guardian: Guardian, program: Program) -> None:
    """Run a program to its end; raise UnavailableError with the last lines of its log where it fails."""
    guardian.start(program)
    while (code := guardian.exit_code()) is None:
        time.sleep(0.01)
    if code != 0:
        raise UnavailableError(Problem("exception", f"{_name(program)} failed: {_last_lines(program)}"))


def _name(program: Program) -> str:
    return Path(program.argv[0]).name


def _last_lines(program: Program, count: int = 12) -> str:
    return " | ".join(program.log.read_text(errors="replace").splitlines()[-count:])


def free_ports(count: int) -> tuple[int, ...]:
    """Draw `count` different TCP ports of the loopback interface that nobody listens on now.

    They lie below the range that systems give to outgoing connections (Linux from 32768, macOS from
    49152), so that no client takes a server's port while that server is down.
    """
    drawn: set[int] = set()
    while len(drawn) < count:
        port = 12_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            drawn.add(port)
    return tuple(drawn)
