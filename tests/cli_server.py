"""Fork `losus` from a process that has imported everything: it starts in 50 ms instead of 1.5 s.

`tests.cli` starts this module and speaks with it by lines of JSON: a request on standard input names
arguments, environment and the files that stand for standard output and error; the answers on standard output
give the pid, and later the exit code (negative where a signal ended it, as in `subprocess`). It ends, and all
that it forked with it, when its standard input is closed.

What is forked is a process like any other, with signals, exit code and file descriptors of its own. It shares
with the others only what imports leave behind, so this module is single-threaded and runs no event loop.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import sys
import threading
import time
import traceback
from typing import Any, NoReturn

from adapter import api, commands  # noqa: F401 - `api` is what the service needs
from adapter.cli import main
from adapter.commands import output

_WHOLE = 0o644


def serve() -> None:
    """Answer requests until there are no more."""
    _import_all()
    gc.collect()
    gc.freeze()  # what is there stays there: no child copies its pages to count references
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}
    heard = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        try:
            while _step(selector, running, heard):
                pass
        finally:
            for pid in running:
                os.kill(pid, signal.SIGKILL)


def _step(selector: selectors.BaseSelector, running: dict[int, int], heard: bytearray) -> bool:
    """Wait for something, and answer it; False at the end of the input."""
    for fd in {key.fd for key, _ in selector.select()}:
        read = os.read(fd, 1 << 16)
        if fd == 0:
            if not read:
                return False
            heard += read
    *lines, rest = bytes(heard).split(b"\n")
    heard[:] = rest
    for line in lines:
        request = json.loads(line)
        pid = _fork(request)
        running[pid] = request["id"]
        _answer(id=request["id"], pid=pid)
    _report_ended(running)
    return True


def _report_ended(running: dict[int, int]) -> None:
    for pid, number in list(running.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            del running[pid]
            _answer(id=number, code=os.waitstatus_to_exitcode(status))


def _answer(**fields: int) -> None:
    os.write(1, json.dumps(fields).encode() + b"\n")


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become(request)
        code = _run()
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    finally:
        _exit(code)


def _become(request: dict[str, Any]) -> None:
    """Take on what was asked for: environment, folder, arguments, and files for standard output and error."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for fd, path in ((0, os.devnull), (1, request["stdout"]), (2, request["stderr"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _WHOLE)
        os.dup2(opened, fd)
        os.close(opened)
    os.closerange(3, 64)  # the server's own
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv = ["losus", *request["argv"]]


def _run() -> int:
    """Run the command line; its exit code."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit():  # rich reads it when a console is made, and these were made before
        output.out.width = output.err.width = int(columns)
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    return 0


def _exit(code: int) -> NoReturn:
    """End as the interpreter does: threads first, then what is registered, then the streams."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _import_all() -> None:
    """Import every command."""
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")


if __name__ == "__main__":
    serve()
