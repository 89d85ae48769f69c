"""What municipalities dispute, and what was answered. Both are only ever added to.

Owns the statements of SQL; does not own what a dispute does (`adapter.holding`).
"""

from datetime import datetime

from adapter.holding import Dispute
from adapter.losus.days import Month
from adapter.store.database import Connection

_SELECT = """select id, municipality, stay, month, upheld from dispute
   left join dispute_answer on dispute_answer.dispute = dispute.id"""


async def disputes_of(connection: Connection, municipality: str) -> list[Dispute]:
    """All that a municipality ever disputed, in the order in which it did."""
    rows = await connection.fetch(f"{_SELECT} where municipality = $1 order by asked_at, id", municipality)
    return [
        Dispute(row["id"], row["municipality"], row["stay"], Month.parse(row["month"]), row["upheld"])
        for row in rows
    ]


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
