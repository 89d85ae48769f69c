"""What is held: taken in, and not yet to be read; and the cases that wait for it.

Owns the statements; does not own what is held and why (`adapter.parking`). Each is called with the rows
of the cases concerned locked, so that a case is told of, or waits, and never both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from adapter.errors import Problem
from adapter.store.database import Connection

#: `untranslated`: the mapping has no answer; `invalid`: it breaks FHIR, and nobody waits for an answer;
#: `unresolved`: what it points at is not known yet; `faulty`: an internal error; `conflict`: a version that
#: is known already with another content.
Cause = Literal["untranslated", "invalid", "unresolved", "faulty", "conflict"]


@dataclass(frozen=True, slots=True)
class Held:
    """Something held: why, since when, and for which cases. `retry_at` None: somebody has to mend it."""

    message: int
    source: str
    cause: Cause
    problems: tuple[Problem, ...]
    since: datetime
    cases: tuple[str, ...] = ()
    tries: int = 1
    retry_at: datetime | None = None


async def hold(connection: Connection, held: Sequence[Held]) -> None:
    """Hold these messages, or hold them still; their cases wait."""
    for one in held:
        await connection.execute(
            """insert into held (message, source, cause, problems, since, tries, retry_at)
               values ($1, $2, $3, $4, $5, $6, $7)
               on conflict (message) do update
                 set cause = excluded.cause, problems = excluded.problems, tries = excluded.tries,
                     retry_at = excluded.retry_at""",
            one.message,
            one.source,
            one.cause,
            _written(one.problems),
            one.since,
            one.tries,
            one.retry_at,
        )
        await connection.execute("delete from held_case where message = $1", one.message)
        await connection.execute(
            """insert into held_case (message, case_id) select $1, unnest($2::text[])""",
            one.message,
            sorted(set(one.cases)),
        )
    await _mark(connection, {case for one in held for case in one.cases})


async def let_go(connection: Connection, messages: Iterable[int]) -> set[str]:
    """These messages are held no more; the cases that waited for any of them."""
    rows = await connection.fetch(
        "select distinct case_id from held_case where message = any ($1::bigint[])", sorted(set(messages))
    )
    await connection.execute("delete from held where message = any ($1::bigint[])", sorted(set(messages)))
    cases = {row["case_id"] for row in rows}
    await _mark(connection, cases)
    return cases


async def _mark(connection: Connection, cases: Iterable[str]) -> None:
    await connection.execute(
        """update cases set parked = exists (select from held_case where held_case.case_id = cases.id)
           where id = any ($1::text[])""",
        sorted(set(cases)),
    )


async def find_held(connection: Connection, messages: Iterable[int] | None = None) -> list[Held]:
    """What is held, oldest first; of these messages, or all."""
    rows = await connection.fetch(
        """select held.*, coalesce(array_agg(case_id order by case_id) filter (where case_id is not null),
                                   '{}') as cases
           from held left join held_case using (message)
           where ($1::bigint[] is null or message = any ($1))
           group by held.message order by held.message""",
        None if messages is None else sorted(set(messages)),
    )
    return [_held(row) for row in rows]


async def count_held(connection: Connection) -> list[tuple[str, str, int]]:
    """How many messages are held, by source and cause."""
    rows = await connection.fetch("select source, cause, count(*) as number from held group by 1, 2")
    return [(row["source"], row["cause"], row["number"]) for row in rows]


async def due_again(connection: Connection, now: datetime, most: int) -> list[int]:
    """Messages that may be read now, since what they lacked may be there or what they lean on is new."""
    rows = await connection.fetch(
        """(select message from held where retry_at <= $1 order by retry_at limit $2)
           union (select message from reread order by message limit $2)""",
        now,
        most,
    )
    return sorted(row["message"] for row in rows)


async def postpone(connection: Connection, messages: Iterable[int], now: datetime, by: timedelta) -> None:
    """Look at these again later: they could not be looked at now."""
    await connection.execute(
        "update held set retry_at = $2 where message = any ($1::bigint[]) and retry_at is not null",
        sorted(set(messages)),
        now + by,
    )


async def waiting_behind(connection: Connection, case_ids: Iterable[str]) -> dict[str, int]:
    """How many messages of each parked case came after the first that is held."""
    rows = await connection.fetch(
        """select first.case_id, count(distinct fact.message) as waiting
           from (select case_id, min(message) as message from held_case
                 where case_id = any ($1::text[]) group by case_id) as first
           left join fact on fact.case_id = first.case_id and fact.message > first.message
           group by first.case_id""",
        sorted(set(case_ids)),
    )
    return {row["case_id"]: row["waiting"] for row in rows}


async def discard(connection: Connection, messages: Iterable[int], now: datetime, reason: str) -> None:
    """Write down that an operator let these go unread, and why; raw they are kept all the same."""
    await connection.execute(
        "insert into discarded (message, at, reason) select unnest($1::bigint[]), $2, $3",
        sorted(set(messages)),
        now,
        reason,
    )


def _written(problems: Iterable[Problem]) -> str:
    return orjson.dumps([[p.code, p.rule, p.expression] for p in problems]).decode()


def _held(row: Any) -> Held:  # noqa: ANN401 - a record of the driver
    problems = tuple(Problem(*one) for one in orjson.loads(row["problems"]))
    return Held(
        row["message"],
        row["source"],
        row["cause"],
        problems,
        row["since"],
        tuple(row["cases"]),
        row["tries"],
        row["retry_at"],
    )
