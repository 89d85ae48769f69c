"""A file of stays read by several processes at once, a part of the file each: two cores, half the wait.

Owns the parts, the other processes and their pipes. Does not own reading (`adapter.settlement.plain`): what
comes of the parts is what one `PlainReader` of the whole file gives, in its order, with its faults.
"""

import gc
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

from adapter.errors import Problem, UnavailableError
from adapter.settlement.columns import Columns
from adapter.settlement.plain import PlainReader
from adapter.settlement.stay import BadRow, Municipalities

#: Bytes of a part for which a process is worth its start.
WORTH_IT = 10_000_000
#: Processes at most: what they read is put together by one.
_MOST = 4
#: Bytes that are read at once.
_AT_ONCE = 1 << 22

#: Bytes of a file, from the first up to, but not with, the second; None for its end.
Part = tuple[int, int | None]


def read_file(path: Path, known: Municipalities = None) -> tuple[list[Columns], list[BadRow]]:
    """Read a file of one JSON object a line; OSError where it cannot be opened.

    `known`: the municipalities that there are.
    UnavailableError where another process ends before its work does.
    """
    first, *others = parts_of(path, process_count(path))
    reader = PlainReader(known=known)
    with ExitStack() as stack, without_collector():
        pipes = [stack.enter_context(_read_beside(path, part, known)) for part in others]
        found = list(reader.read(_texts(path, first)))
        for part, pipe in zip(others, pipes, strict=True):
            found += _received(reader, pipe, path, part)
    return found, reader.bad


def process_count(path: Path) -> int:
    """How many processes are to read a file: one, where it is small, or no file that can be divided."""
    if not path.is_file() or "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), _MOST, path.stat().st_size // WORTH_IT))


def parts_of(path: Path, count: int) -> list[Part]:
    """Divide a file into parts of whole lines, at most so many."""
    if count == 1:
        return [(0, None)]
    edges = [0]
    with path.open("rb") as file:
        size = path.stat().st_size
        for number in range(1, count):
            file.seek(size * number // count)
            file.readline()
            edges.append(file.tell())
    parts = [part for part in pairwise(edges) if part[0] < part[1]]
    return [*parts, (edges[-1], None)]


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the collector of cycles from walking over millions of values that have none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _texts(path: Path, part: Part) -> Iterator[bytes]:
    """Give whole lines, many at a time."""
    at, stop = part
    with path.open("rb") as file:
        if at:
            file.seek(at)
        while text := file.read(_AT_ONCE if stop is None else min(_AT_ONCE, stop - at)):
            at += len(text)
            if not text.endswith(b"\n") and at != stop:
                rest = file.readline()
                at += len(rest)
                text += rest
            yield text


@contextmanager
def _read_beside(path: Path, part: Part, known: Municipalities) -> Iterator[Connection]:
    """Start a process that reads a part; it ends here at the latest."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=_read, args=(path, part, known, there), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.terminate()
        process.join()


def _read(path: Path, part: Part, known: Municipalities, pipe: Connection) -> None:
    reader = PlainReader(known=known)
    found = list(reader.read(_texts(path, part)))
    pipe.send((Columns.joined(found) if found else None, reader.bad, reader.lines))
    pipe.close()


def _received(reader: PlainReader, pipe: Connection, path: Path, part: Part) -> Iterator[Columns]:
    """Take what another process has read of the next part; read it again where an id has come before."""
    try:
        columns, bad, lines = pipe.recv()
    except EOFError:
        raise UnavailableError(Problem("transient", "a process that reads the stays has ended")) from None
    names = set(columns.names) if columns else set[str]()
    if not reader.seen.isdisjoint(names):
        yield from reader.read(_texts(path, part))
        return
    reader.seen |= names
    reader.bad += [replace(fault, line=reader.lines + fault.line) for fault in bad]
    reader.lines += lines
    if columns:
        yield columns
