"""Starts servers so that none outlives this process, not even after `kill -9` of it.

Owns the talk with `guardian.py` (which explains how), the account that servers run as where we are root,
and free ports. Does not own what is started: `database` and `broker` do.
"""

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from adapter.errors import Problem, SetupError, UnavailableError

LOOPBACK = "127.0.0.1"
_GUARDIAN = Path(__file__).with_name("guardian.py")


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that a server runs as instead of root."""

    user: int
    group: int


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
            [sys.executable, "-I", "-S", str(_GUARDIAN), "losus-", str(os.getpid())],
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


def account() -> Account | None:
    """None for an ordinary user. For root: `nobody`, for PostgreSQL refuses to run as root.

    It must have a name, since PostgreSQL's initdb looks it up.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise SetupError(Problem("not-found", "as root the sandbox needs the user `nobody`")) from None
    return Account(entry.pw_uid, entry.pw_gid)


def within_reach(tree: Path, sample: str, scratch: Path, who: Account | None) -> Path:
    """Give the folder `tree`, or a copy of it in `scratch` where `who` may not read `tree` / `sample`.

    A virtual environment below /root (mode 700), or made under umask 077, is closed to `nobody`.
    """
    if who is None or _is_open_to_all(tree / sample):
        return tree
    copy = scratch / tree.name
    if not copy.exists():
        shutil.copytree(
            tree, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a", "__pycache__")
        )
        _open_to_all(copy)
    return copy


def _is_open_to_all(path: Path) -> bool:
    way = path.resolve()
    return bool(way.stat().st_mode & stat.S_IROTH) and all(
        folder.stat().st_mode & stat.S_IXOTH for folder in way.parents
    )


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)


def free_port() -> int:
    """Find a TCP port of the loopback interface that nobody listens on now.

    Another program may take it before it is used: whoever uses it tries again with another.
    """
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
