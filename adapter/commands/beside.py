"""A file of stays read in a process of its own, while this one counts: two cores, half the wait.

Owns the second process and its pipe. Does not own reading (`adapter.settlement.plain`): what comes through
the pipe is what `read_plain` gives, in its order, and the faults at the end.
"""

import gc
import marshal
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

from adapter.errors import Problem, UnavailableError
from adapter.settlement.plain import Plain, read_plain
from adapter.settlement.stay import BadRow

#: Bytes of a file from which a second process is worth its start.
WORTH_IT = 20_000_000
_AT_ONCE = 2048


def is_worth_it(path: Path) -> bool:
    """Whether the file is large, and there is a second core and a cheap way to use it."""
    can = "fork" in multiprocessing.get_all_start_methods() and (os.cpu_count() or 1) > 1
    return can and path.stat().st_size >= WORTH_IT


@contextmanager
def read_beside(path: Path, bad: list[BadRow]) -> Iterator[Iterator[Plain]]:
    """Give the rows as `read_plain` does; OSError where the file cannot be opened.

    UnavailableError where the second process ends before its work does.
    """
    path.open("rb").close()
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=_read, args=(path, there), daemon=True)
    process.start()
    there.close()
    try:
        yield _received(here, bad)
    finally:
        here.close()
        process.terminate()
        process.join()


def _received(pipe: Connection, bad: list[BadRow]) -> Iterator[Plain]:
    try:
        while some := pipe.recv_bytes():
            yield from marshal.loads(some)  # noqa: S302 - from our own process
        bad += [BadRow(*fault) for fault in marshal.loads(pipe.recv_bytes())]  # noqa: S302 - same
    except EOFError:
        raise UnavailableError(Problem("transient", "the process that reads the stays has ended")) from None


def _read(path: Path, pipe: Connection) -> None:
    """Send all rows in parts, an empty part, and the faults."""
    gc.disable()  # rows have no cycles
    bad: list[BadRow] = []
    with path.open("rb", buffering=1 << 20) as lines:
        rows = read_plain(lines, bad)
        while some := list(islice(rows, _AT_ONCE)):
            pipe.send_bytes(marshal.dumps(some))
    pipe.send_bytes(b"")
    pipe.send_bytes(marshal.dumps([(fault.line, fault.field, fault.rule) for fault in bad]))
    pipe.close()
