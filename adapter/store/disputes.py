"""What municipalities dispute, and what was answered. Both are only ever added to.

Owns the statements of SQL; does not own what a dispute does (`adapter.settlement.holding`).
"""

from datetime import datetime

import asyncpg
import orjson

from adapter.losus.days import Month
from adapter.settlement.holding import Dispute
from adapter.store.database import Connection


async def disputes_of(connection: Connection, municipality: str) -> list[Dispute]:
    """All that a municipality ever disputed, in the order in which it did."""
    return [dispute for dispute, _ in await list_disputes(connection, municipality)]


async def add_dispute(connection: Connection, asked: Dispute, task: str, now: datetime) -> bool:
    """Keep a question with the Task that asks it; False where it is known already."""
    done = await connection.execute(
        """insert into dispute (id, municipality, stay, month, asked_at, message)
           values ($1, $2, $3, $4, $5, $6) on conflict do nothing""",
        asked.id,
        asked.municipality,
        asked.stay,
        str(asked.month),
        now,
        task,
    )
    return bool(done == "INSERT 0 1")


async def add_answer(connection: Connection, dispute: str, *, upheld: bool, now: datetime) -> bool:
    """Keep the answer to a question; False where it was answered already."""
    done = await connection.execute(
        """insert into dispute_answer (dispute, upheld, answered_at) values ($1, $2, $3)
           on conflict do nothing""",
        dispute,
        upheld,
        now,
    )
    return bool(done == "INSERT 0 1")


async def charge_item(connection: Connection, name: str, municipality: str) -> tuple[bytes, str] | None:
    """A ChargeItem (FHIR JSON) and the month of its statement; None where that municipality has none such."""
    row = await connection.fetchrow(
        """select resource, month from statement_resource join statement on statement.id = statement
           where type = 'ChargeItem' and statement_resource.id = $1 and municipality = $2""",
        name,
        municipality,
    )
    return None if row is None else (row["resource"], row["month"])


async def stay_end(connection: Connection, stay: str, municipality: str) -> datetime | None:
    """When a stay of that municipality ended; None where it has not, or is not its own."""
    picture = await connection.fetchval(
        "select picture from cases where id = $1 and municipality = $2", stay, municipality
    )
    ended = orjson.loads(picture)["ended"] if picture else None
    return None if ended is None else datetime.fromisoformat(ended["at"])


async def list_disputes(connection: Connection, municipality: str | None) -> list[tuple[Dispute, str]]:
    """Disputes with the Task that asks (JSON), oldest first; of one municipality, or of all."""
    rows = await connection.fetch(
        """select id, municipality, stay, month, upheld, message from dispute
           left join dispute_answer on dispute_answer.dispute = dispute.id
           where $1::text is null or municipality = $1 order by asked_at, id""",
        municipality,
    )
    return [(_dispute(row), row["message"]) for row in rows]


def _dispute(row: asyncpg.Record) -> Dispute:
    return Dispute(row["id"], row["municipality"], row["stay"], Month.parse(row["month"]), row["upheld"])
