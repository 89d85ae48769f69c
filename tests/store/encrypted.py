"""A PostgreSQL with TLS: its certificate is of 127.0.0.1, and a role that comes by certificate alone.

Owns the server, its certificates and its rules. Its programs come from Maven Central.
"""

import io
import os
import platform
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

import asyncpg

from adapter.sandbox.account import hand_over
from adapter.sandbox.database import Database
from adapter.sandbox.processes import LOOPBACK, Guardian
from tests.jars import fetched
from tests.kafka.authority import Authority, Pem
from tests.servers import missing

_POM = Path(__file__).parent / "postgres" / "pom.xml"
BY_CERTIFICATE = "bycert"


class EncryptedDatabase(Database):
    """A running server; `show` gives it another certificate."""

    def __init__(self, guardian: Guardian, folder: Path | None, *, durable: bool) -> None:
        super().__init__(guardian, folder, durable=durable)
        del self._settings["io_method"]  # of PostgreSQL 18

    @property
    def dsn(self) -> str:
        return super().dsn.rpartition("/")[0] + "/postgres"

    @property
    def password(self) -> str:
        return self._password

    def address(
        self, host: str = LOOPBACK, user: str = "losus", password: str | None = None, **asked: str
    ) -> str:
        """Where to connect, in libpq's words."""
        shown = user if password is None else f"{user}:{quote(password)}"
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return f"postgresql://{shown}@{host}:{urlsplit(self.dsn).port}/postgres?{query}"

    async def begin(self, pem: Pem, authority: Authority) -> Self:
        """Make the role, and let TLS begin."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"hostssl all {BY_CERTIFICATE} all cert\n{rules.read_text()}")
        self._put(authority.file, "ca.crt")
        await self._execute(f"create role {BY_CERTIFICATE} login superuser")
        await self._execute("alter system set ssl_ca_file = 'ca.crt'")
        await self._execute("alter system set ssl_cert_file = 'tls.crt'")
        await self._execute("alter system set ssl_key_file = 'tls.key'")
        await self._execute("alter system set ssl = on")
        await self.show(pem)
        return self

    async def show(self, pem: Pem) -> None:
        """Show this certificate to whoever connects from now on."""
        self._put(pem.certificate, "tls.crt")
        self._put(pem.key, "tls.key")
        await self._execute("select pg_reload_conf()")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _put(self, source: Path, name: str) -> None:
        path = self._data / name
        shutil.copy(source, path)
        path.chmod(0o600)
        if self._account is not None:
            os.chown(path, self._account.user, self._account.group)

    def _move_in(self) -> None:
        for folder in (self._guardian.folder, self._home):
            hand_over(folder, self._account)
        programs = self._guardian.folder / "programs"
        _unpack(programs)
        self._programs = programs / "bin"

    def _make_database(self) -> None:
        """`postgres`, which is there, is enough."""


def fetch_server() -> Path:
    """The jar that has the server, fetched where it is not there yet."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        missing("Linux on x86-64 for a PostgreSQL with TLS")
    [jar] = fetched(_POM, "postgres", "PostgreSQL with TLS").glob("embedded-postgres-binaries-*.jar")
    return jar


def _unpack(folder: Path) -> None:
    with zipfile.ZipFile(fetch_server()) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".txz")]
        with tarfile.open(fileobj=io.BytesIO(archive.read(name)), mode="r:xz") as inner:
            inner.extractall(folder, filter="data")
    folder.chmod(0o755)
