"""What municipalities dispute, and what was answered. Both are only ever added to.

Owns the statements of SQL; does not own what a dispute does (`adapter.settlement.holding`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from adapter.losus.days import Month
from adapter.settlement.holding import Dispute
from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A question as it is kept: with the Task that asks it, when it came and was answered (None: open)."""

    dispute: Dispute
    task: dict[str, Any]
    asked_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A ChargeItem (FHIR JSON), with what the statement is of that it stands on."""

    resource: dict[str, Any]
    agreement: str
    care_form: str
    month: Month


async def disputes_of(connection: Connection, municipality: str) -> list[Dispute]:
    """All that a municipality ever disputed, in the order in which it did."""
    return [row.dispute for row in await list_disputes(connection, municipality)]


async def add_dispute(connection: Connection, asked: Dispute, task: dict[str, Any], now: datetime) -> bool:
    """Keep a question with the Task that asks it; False where it is known already."""
    agreement, care_form = asked.excess or (None, None)
    done = await connection.execute(
        """insert into dispute (id, municipality, stay, month, agreement, care_form, asked_at, message)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing""",
        asked.id,
        asked.municipality,
        asked.stay,
        str(asked.month),
        agreement,
        care_form,
        now,
        orjson.dumps(task).decode(),
    )
    return bool(done == "INSERT 0 1")


async def add_answer(
    connection: Connection,
    dispute: str,
    *,
    upheld: bool,
    now: datetime,
    withdrawn: bool = False,
    reason: str | None = None,
) -> bool:
    """Keep the answer to a question, or that it was taken back; False where it was answered already."""
    done = await connection.execute(
        """insert into dispute_answer (dispute, upheld, answered_at, withdrawn, reason)
           values ($1, $2, $3, $4, $5) on conflict do nothing""",
        dispute,
        upheld,
        now,
        withdrawn,
        reason,
    )
    return bool(done == "INSERT 0 1")


async def charge_item(connection: Connection, name: str, municipality: str) -> ItemRow | None:
    """A ChargeItem by its id; None where that municipality has none such."""
    row = await connection.fetchrow(
        """select resource, statement.agreement, care_form, statement.month
           from statement_resource join statement on statement.id = statement
           where type = 'ChargeItem' and statement_resource.id = $1 and municipality = $2""",
        name,
        municipality,
    )
    if row is None:
        return None
    return ItemRow(
        orjson.loads(row["resource"]), row["agreement"], row["care_form"], Month.parse(row["month"])
    )


async def agreement_of(connection: Connection, statement: str, municipality: str) -> tuple[str, str] | None:
    """Agreement and care form of a statement; None where that municipality has none such."""
    row = await connection.fetchrow(
        "select agreement, care_form from statement where id = $1 and municipality = $2",
        statement,
        municipality,
    )
    return None if row is None else (row["agreement"], row["care_form"])


async def stay_end(connection: Connection, stay: str, municipality: str) -> datetime | None:
    """When a stay of that municipality ended; None where it has not, or is not its own."""
    picture = await connection.fetchval(
        "select picture from cases where id = $1 and municipality = $2", stay, municipality
    )
    ended = orjson.loads(picture)["ended"] if picture else None
    return None if ended is None else datetime.fromisoformat(ended["at"])


_ROWS = """select id, municipality, stay, month, agreement, care_form, message, upheld, withdrawn, reason,
                  asked_at, answered_at
           from dispute left join dispute_answer on dispute_answer.dispute = dispute.id"""


async def list_disputes(connection: Connection, municipality: str | None) -> Sequence[DisputeRow]:
    """All disputes of one municipality, or of all, oldest first."""
    rows = await connection.fetch(
        f"{_ROWS} where $1::text is null or municipality = $1 order by asked_at, id", municipality
    )
    return [_row(row) for row in rows]


async def find_dispute(connection: Connection, name: str, *, lock: bool = False) -> DisputeRow | None:
    """A dispute by its id; `lock`: nobody else answers it until the transaction ends. None: none such."""
    row = await connection.fetchrow(f"{_ROWS} where id = $1{' for update of dispute' if lock else ''}", name)
    return None if row is None else _row(row)


def _row(row: asyncpg.Record) -> DisputeRow:
    excess = None if row["agreement"] is None else (row["agreement"], row["care_form"])
    one = Dispute(
        row["id"],
        row["municipality"],
        row["stay"],
        Month.parse(row["month"]),
        row["upheld"],
        excess,
        bool(row["withdrawn"]),
        row["reason"],
    )
    return DisputeRow(one, orjson.loads(row["message"]), row["asked_at"], row["answered_at"])
