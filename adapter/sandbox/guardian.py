"""Stands between the sandbox and one server of it, so that the server ends when the sandbox does.

Owns a scratch folder and at most one program at a time; does what `processes.Guardian` asks, line by
line, and cleans up when nobody is left to ask. Does not own what the program is or where it listens.

Runs as a program of its own, by path, with the standard library alone: `python -I -S guardian.py`.
Each line on stdin is a request (a JSON object with `do`), each is answered by one line on stdout.

Why a guardian, and not PR_SET_PDEATHSIG on the server alone: that signal fires when the *thread* that
forked ends, is forgotten over a change of user, is unknown to macOS, and reaches the first process only,
while PostgreSQL's children lead process groups of their own. A pipe has none of this: the kernel
closes the parent's end however the parent dies, `kill -9` too. Three belts more, since servers that
nobody knows of are what people remember a sandbox by:

* the parent's pid is looked at every second, should a forked sister of the parent hold the pipe open;
* on Linux orphans of the program come to the guardian (PR_SET_CHILD_SUBREAPER), so none is out of reach;
* on Linux the program gets SIGKILL should the guardian be killed (it has one thread, so this is safe here).
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _IPC_RMID = 1, 36, 0
_LOOK_AT_PARENT_S = 1.0
_PAUSE_S = 0.005
_LIBC = ctypes.CDLL(None)


class Ward:
    """The one program that is watched, and the folder that goes with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.abandon_signal = signal.SIGKILL
        self.grace_s = 10.0
        self.stop_signal = signal.SIGTERM

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what the request says; the answer tells pid and exit code (None while it runs)."""
        match request["do"]:
            case "start":
                try:
                    self.start(request)
                except OSError as fault:
                    return {"error": f"{request['argv'][0]}: {fault.strerror}"}
            case "stop":
                self.end(self.stop_signal, self.grace_s)
            case "kill":
                self.end(signal.SIGKILL, 0)
            case "abandon":
                self.end(self.abandon_signal, self.grace_s)
        self.reap()
        process = self.process
        return {"pid": process and process.pid, "code": process and process.returncode}

    def start(self, request: dict[str, Any]) -> None:
        """Start the program that `processes.Program` describes, in a session of its own."""
        self.end(signal.SIGKILL, 0)
        self.process = None
        self.stop_signal, self.abandon_signal = request["stop_signal"], request["abandon_signal"]
        self.grace_s = request["grace_s"]
        as_user = {"extra_groups": [], **request["account"]} if request["account"] else {}
        with Path(request["log"]).open("ab") as log:
            self.process = subprocess.Popen(
                request["argv"],
                env=request["env"],
                cwd=request["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_guardian,  # noqa: PLW1509 - one thread; runs after the change of user
                **as_user,
            )

    def end(self, first: int, grace_s: float) -> None:
        """Send `first` to the program, wait up to `grace_s`, then SIGKILL it and all that it started."""
        if self.process is None:
            return
        family = _descendants()
        if self.running():
            os.kill(self.process.pid, first)
            give_up_at = time.monotonic() + grace_s
            while self.running() and time.monotonic() < give_up_at:
                time.sleep(_PAUSE_S)
        # A process of many threads (Java) looks dead before the last of them is: only `reap` knows.
        while self.reap() or family & _parents().keys():
            family = (family & _parents().keys()) | _descendants()
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_PAUSE_S)

    def running(self) -> bool:
        """Whether the program was started and has not ended; looks now."""
        self.reap()
        return self.process is not None and self.process.returncode is None

    def reap(self) -> bool:
        """Collect every child that has ended, be it an orphan that came to us; tell whether one is left."""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if self.process is not None and ended[0] == self.process.pid:
                    self.process.returncode = os.waitstatus_to_exitcode(ended[1])
        except ChildProcessError:
            return False
        return True

    def clean(self) -> None:
        """Leave nothing: no process, no shared memory, no folder."""
        self.end(self.abandon_signal, self.grace_s)
        for lock in self.folder.glob("*/postmaster.pid"):
            _release_shared_memory(lock)
        shutil.rmtree(self.folder, ignore_errors=True)


def main(scratch: str, parent: str) -> None:
    """Make the folder, tell where it is, then serve until the parent is gone."""
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, lambda *_: sys.exit())
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ward = Ward(Path(tempfile.mkdtemp(prefix="losus-", dir=scratch)))
    try:
        _say({"folder": str(ward.folder)})
        for request in _requests(int(parent)):
            _say(ward.answer(request))
    finally:
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        ward.clean()


def _requests(parent: int) -> Iterator[dict[str, Any]]:
    """Give requests until the parent closes the pipe, or is gone."""
    rest = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], _LOOK_AT_PARENT_S)[0]:
            continue
        if not (read := os.read(0, 65536)):
            return
        *lines, rest = (rest + read).split(b"\n")
        yield from map(json.loads, lines)


def _say(answer: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(answer).encode() + b"\n")


def _die_with_guardian() -> None:
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _descendants() -> set[int]:
    """Pids of all that came from us and live, children of children too."""
    parents = _parents()
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _parents() -> dict[int, int]:
    """Pid → pid of its parent, for every process that has not ended."""
    if not Path("/proc/self/stat").exists():
        return _parents_by_ps()
    parents = {}
    for name in (entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        with contextlib.suppress(OSError):
            after_name = Path("/proc", name, "stat").read_text(errors="replace").rpartition(")")[2]
            state, parent = after_name.split()[:2]
            if state not in "ZX":
                parents[int(name)] = int(parent)
    return parents


def _parents_by_ps() -> dict[int, int]:
    """Ask `ps` for the same where there is no /proc (macOS)."""
    ps = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,comm="], capture_output=True, check=True)
    rows = [line.split(maxsplit=3) for line in ps.stdout.decode(errors="replace").splitlines()]
    return {int(pid): int(parent) for pid, parent, state, *_ in rows if not state.startswith("Z")}


def _release_shared_memory(lock: Path) -> None:
    """Remove the System V segment that a PostgreSQL killed with -9 leaves; postmaster.pid tells its id."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        segment = int(lock.read_text().splitlines()[6].split()[1])
        _LIBC.shmctl(segment, _IPC_RMID, None)


if __name__ == "__main__":
    main(*sys.argv[1:])
