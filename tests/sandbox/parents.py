"""Runs `keeper.py` as a process of its own, and sees what becomes of its servers."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.servers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapter.sandbox.account import Account

_KEEPER = Path(__file__).with_name("keeper.py")


class Parent:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def addresses(self) -> dict[str, str]:
        """Wait until the servers are up."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def family(self) -> list[psutil.Process]:
        """All processes that come from it now."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def leave(self) -> int:
        """Let it end as it should, and give its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(timeout=30)


@contextmanager
def parent(
    scratch: Path,
    *,
    python: Path = Path(sys.executable),
    keeper: Path = _KEEPER,
    env: Mapping[str, str] | None = None,
    account: "Account | None" = None,
) -> "Iterator[Parent]":
    """Start a keeper whose scratch folders are made in `scratch`."""
    as_user = {} if account is None else {"user": account.user, "group": account.group, "extra_groups": []}
    process = subprocess.Popen(
        [python, keeper],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch), **(env or {})},
        cwd="/",
        **as_user,
    )
    with process:
        try:
            yield Parent(process)
        finally:
            process.kill()


def left_over(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those of `family` that still run after a while; none is what should be.

    A zombie runs no more: it only waits for the system's first process to take note.
    """
    eventually(lambda: not any(_runs(process) for process in family))
    return [process for process in family if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
