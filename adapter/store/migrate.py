"""The database's shape: forward-only SQL files, each applied once, in the order of their numbers.

Owns applying them under a lock, so that several replicas may start at once; does not own what the
tables mean (the files say it).
"""

from pathlib import Path

import asyncpg

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6C6F737573  # "losus"


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing in the database at `dsn`; the names of the files applied."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute(
                """create table if not exists migration
                   (name text primary key, applied_at timestamptz not null default now())"""
            )
            done = {row["name"] for row in await connection.fetch("select name from migration")}
            missing = [path for path in sorted(_FOLDER.glob("*.sql")) if path.stem not in done]
            for path in missing:
                await connection.execute(path.read_text(encoding="utf-8"))
                await connection.execute("insert into migration (name) values ($1)", path.stem)
            return [path.stem for path in missing]
    finally:
        await connection.close()
