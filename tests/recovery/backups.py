"""PostgreSQL's own tools, as a region uses them: pg_dump, pg_restore, pg_basebackup, the archive of WAL."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from adapter.sandbox.database import Database


def tool(database: Database, dsn: str, name: str, *arguments: str) -> None:
    """Run one of the server's programs against a database; CalledProcessError where it fails."""
    where = urlsplit(dsn)
    environment = os.environ | {
        "PGHOST": str(where.hostname),
        "PGPORT": str(where.port),
        "PGUSER": str(where.username),
        "PGPASSWORD": str(where.password),
    }
    argv = [str(database._programs / name), *arguments]
    subprocess.run(argv, env=environment, check=True, capture_output=True, timeout=120)


def dump(database: Database, dsn: str, to: Path) -> None:
    """What `pg_dump` has of the database now."""
    tool(database, dsn, "pg_dump", "--format=custom", f"--file={to}", urlsplit(dsn).path[1:])


def restore(database: Database, dsn: str, dumped: Path) -> None:
    """Lose the database, and have of it what was dumped."""
    name = urlsplit(dsn).path[1:]
    tool(database, dsn, "dropdb", "--force", name)
    tool(database, dsn, "createdb", "--template=template0", name)
    tool(database, dsn, "pg_restore", "--exit-on-error", f"--dbname={name}", str(dumped))


class Archived(Database):
    """A server of its own whose WAL is archived as it is written: for recovery to a point in time."""

    def archive_to(self, folder: Path) -> None:
        """Archive from the next start on."""
        self._settings |= {"archive_mode": "on", "archive_command": f"cp %p {folder}/%f"}

    def base_backup(self, folder: Path) -> None:
        """What `pg_basebackup` has of the whole server, as a home that a server can be started in."""
        tool(self, self.dsn, "pg_basebackup", f"--pgdata={folder / 'data'}", "--checkpoint=fast")
        shutil.copy(self._home / "password", folder / "password")

    def recover_to(self, folder: Path, archive: Path, point: str) -> None:
        """Let the server that is started in `folder` replay the archive up to a named point."""
        (folder / "data" / "recovery.signal").touch()
        with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {archive}/%f %p'\n")
            settings.write(f"recovery_target_name = '{point}'\nrecovery_target_action = 'promote'\n")

    def give(self, *folders: Path) -> None:
        """Let the server's account have the folders, and what is in them."""
        if self._account is not None:
            for folder in folders:
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, self._account.user, self._account.group)
