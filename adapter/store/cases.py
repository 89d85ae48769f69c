"""Reading what is stored of cases, for the region's own staff and the adapter's readiness.

Owns the queries; changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from adapter.losus.signal import Fact
from adapter.store.database import Connection
from adapter.store.intake import columns, facts_of, read_order, write_order


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are asked for; None: any. `after` is the id of the last case of the page before."""

    source: str | None = None
    key: str | None = None
    municipality: str | None = None
    state: str | None = None
    after: str = ""
    limit: int = 100


async def find_cases(connection: Connection, wanted: CaseFilter) -> list[tuple[str, bytes]]:
    """Id and picture (JSON) of the cases that fit and have a state, by id, at most `limit`."""
    rows = await connection.fetch(
        """select id, picture from cases
           where picture is not null and id > $1
             and ($2::text is null or source = $2) and ($3::text is null or key = $3)
             and ($4::text is null or municipality = $4) and ($5::text is null or state = $5)
           order by id limit $6""",
        wanted.after,
        wanted.source,
        wanted.key,
        wanted.municipality,
        wanted.state,
        wanted.limit,
    )
    return [(row["id"], row["picture"]) for row in rows]


async def case_facts(connection: Connection, case_id: str) -> list[Fact] | None:
    """All facts of a case, or None where there is no such case."""
    if await connection.fetchval("select true from cases where id = $1", case_id) is None:
        return None
    return (await facts_of(connection, [case_id])).facts.get(case_id, [])


async def traces_of(connection: Connection, case_id: str) -> dict[tuple[str, str, str], str]:
    """The `traceparent` of the message that said each fact of a case: by source, resource and version."""
    rows = await connection.fetch(
        """select fact.source, fact.resource, fact.version, message.traceparent
           from link join fact using (source, resource) join message on message.id = fact.message
           where link.case_id = $1 and message.traceparent is not null""",
        case_id,
    )
    return {(row["source"], row["resource"], row["version"]): row["traceparent"] for row in rows}


async def messages_of(
    connection: Connection, facts: Iterable[Fact]
) -> dict[tuple[str, str, str], tuple[int, datetime]]:
    """The number of the message that each of these versions came in, and when that was; by `fact_key`."""
    rows = await connection.fetch(
        """select fact.source, resource, ord, message.id, received_at
           from fact join unnest($1::text[], $2::text[]) as asked (source, resource) using (source, resource)
           join message on message.id = fact.message""",
        *columns(sorted({(fact.source, fact.resource) for fact in facts}), 2),
    )
    return {
        (r["source"], r["resource"], write_order(read_order(r["ord"]))): (r["id"], r["received_at"])
        for r in rows
    }


async def waiting_events(connection: Connection) -> int:
    """How many events Kafka has not confirmed yet."""
    return int(await connection.fetchval("select count(*) from outbox"))
