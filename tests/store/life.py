"""Real rows to fill old databases with: stays as the service took them in, months as they were issued."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from tests.service import service
from tests.settling.hospital import messages, settled, tell

#: Told whole, so that their months can be issued.
SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")
#: Stays that had only begun when they were written down, told later to their end.
BEGUN = 40
_MESSAGES, _LATER = 3, 12

Row = Mapping[str, Any]
#: Rows by table.
Rows = Mapping[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Life:
    """Rows by stay (the number in its key) and by month; and the pictures that stays came to in the end."""

    stays: Mapping[int, Rows]
    months: Mapping[str, Rows]
    pictures: Mapping[int, bytes]


async def live(dsn: str, begun: int) -> Life:
    """Let the service of today live through it in a database of its own."""
    numbers = range(BEGUN, BEGUN + begun)
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        for number in numbers:
            await tell(client, *beginning(number))
        for month in SPRING:
            await settled(dsn, month, "2019-05-02", issue=True, municipalities=("2380",))
        connection = await asyncpg.connect(dsn)
        try:
            stays = {number: await _stay(connection, number) for number in (*range(len(SPRING)), *numbers)}
            months = {month: await _month(connection, month) for month in SPRING}
            await end(client, numbers)
            return Life(stays, months, {number: await picture(connection, number) for number in numbers})
        finally:
            await connection.close()


def beginning(number: int) -> list[dict[str, Any]]:
    """The first messages of a stay in May."""
    return messages(number, "2019-05", 20)[:_MESSAGES]


async def end(client: httpx.AsyncClient, numbers: Iterable[int]) -> None:
    """Tell the stays on, to where they end."""
    for number in numbers:
        await tell(client, *messages(number, "2019-05", 20)[_MESSAGES:_LATER:4])


async def picture(connection: asyncpg.Connection, number: int) -> bytes:
    found: bytes = await connection.fetchval("select picture from cases where key = $1", f"stay-1-{number}")
    return found


async def _stay(connection: asyncpg.Connection, number: int) -> Rows:
    case = await connection.fetchval("select id from cases where key = $1", f"stay-1-{number}")
    header = f"header-{number}-%"
    return {
        "message": await connection.fetch(
            "select * from message where header_id like $1 order by id", header
        ),
        "message_bundle": await connection.fetch(
            "select * from message_bundle where bundle_id like $1", f"bundle-{number}-%"
        ),
        "fact": await connection.fetch(
            "select fact.* from fact join message on message.id = message where header_id like $1", header
        ),
        "link": await connection.fetch("select * from link where case_id = $1", case),
        "cases": await connection.fetch("select * from cases where id = $1", case),
        "event": await connection.fetch("select * from event where case_id = $1 order by id", case),
        "outbox": await connection.fetch(
            "select outbox.* from outbox join event on event.id = event where case_id = $1 order by event",
            case,
        ),
    }


async def _month(connection: asyncpg.Connection, month: str) -> Rows:
    of = "select {0}.* from {0} where month = $1"
    statements = await connection.fetch(of.format("statement"), month)
    follow_ups = await connection.fetch(of.format("follow_up"), month)
    return {
        "statement": statements,
        "statement_resource": await connection.fetch(
            "select * from statement_resource where statement = any ($1::text[]) order by number",
            [row["id"] for row in statements],
        ),
        "follow_up": follow_ups,
        "follow_up_resource": await connection.fetch(
            "select * from follow_up_resource where follow_up = any ($1::bigint[]) order by number",
            [row["number"] for row in follow_ups],
        ),
    }


#: The column that the database itself numbers, and which columns of other tables point at it.
_NUMBERED = {"message": "id", "event": "id", "follow_up": "number"}
_POINTS = {
    ("message_bundle", "message"): "message",
    ("fact", "message"): "message",
    ("outbox", "event"): "event",
    ("follow_up_resource", "follow_up"): "follow_up",
}


async def write(connection: asyncpg.Connection, rows: Rows, shapes: Mapping[str, str]) -> None:
    """Write rows down as a version does that names these columns; of tables that it knows."""
    became: dict[str, dict[int, int]] = defaultdict(dict)
    for table, found in rows.items():
        if table not in shapes:
            continue
        columns = shapes[table].split()
        places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        numbered = _NUMBERED.get(table)
        into = f"insert into {table} ({', '.join(columns)}) values ({places})"  # noqa: S608 - names of ours
        statement = f"{into} on conflict do nothing"
        statement += f" returning {numbered}" if numbered else ""
        for row in found:
            values = [
                became[_POINTS[table, column]][row[column]] if (table, column) in _POINTS else row[column]
                for column in columns
            ]
            number = await connection.fetchval(statement, *values)
            if numbered:
                became[table][row[numbered]] = number
