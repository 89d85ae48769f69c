"""A connection that has PostgreSQL explain each statement before it is carried out: what it reads, and how.

What is measured are buffers (pages of 8 kB), which are the same on a busy machine; never time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

_EXPLAINED = {"select", "with", "insert", "update", "delete"}
_EXPLAIN = "explain (analyze, buffers, timing off, format json) "


@dataclass(slots=True)
class Seen:
    """What a statement read at the most, and the tables that it read from end to end."""

    buffers: int = 0
    scanned: set[str] = field(default_factory=set)


class Explained:
    """Stands before a connection inside a transaction; `seen` is by the text of each statement."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.seen: dict[str, Seen] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, query: str, *given: Any) -> Any:
        await self._look(query, given)
        return await self._connection.fetch(query, *given)

    async def fetchrow(self, query: str, *given: Any) -> Any:
        await self._look(query, given)
        return await self._connection.fetchrow(query, *given)

    async def fetchval(self, query: str, *given: Any) -> Any:
        await self._look(query, given)
        return await self._connection.fetchval(query, *given)

    async def execute(self, query: str, *given: Any) -> Any:
        await self._look(query, given)
        return await self._connection.execute(query, *given)

    async def executemany(self, query: str, given: Iterable[Any]) -> Any:
        rows = list(given)
        for row in rows[:1]:
            await self._look(query, row)
        return await self._connection.executemany(query, rows)

    async def _look(self, query: str, given: Iterable[Any]) -> None:
        if query.split(None, 1)[0].lower().lstrip("(") not in _EXPLAINED:
            return
        trial = self._connection.transaction()
        await trial.start()
        [row] = await self._connection.fetch(_EXPLAIN + query, *given)
        await trial.rollback()
        plan = orjson.loads(row[0])[0]["Plan"]
        seen = self.seen.setdefault(" ".join(query.split()), Seen())
        seen.buffers = max(seen.buffers, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        seen.scanned |= {node["Relation Name"] for node in _nodes(plan) if node["Node Type"] == "Seq Scan"}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from _nodes(one)
