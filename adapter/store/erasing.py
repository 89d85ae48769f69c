"""Cases, and what was taken in of them, taken out for good once they have been kept long enough.

Owns the statements and their order: a case goes whole, in the caller's transaction, with its messages and all
that was told of it. Does not own when (`adapter.retention`); the database refuses what is younger than the
law allows, whoever asks (migration 0009). Patient data: PDL (2008:355) 3:17, ten years after the last entry.

What several cases share (a patient's record, a message about two stays) stays until the last of them goes.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from adapter.store import intake, merges
from adapter.store.database import Connection
from adapter.store.intake import columns

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Period:
    """How long something is kept: `years`, as of the local day `today`.

    `before` is the end of that day `years` ago, or later: nothing younger is looked at; it decides nothing.
    """

    years: int
    today: date
    before: datetime


async def allow(connection: Connection) -> None:
    """Say that this transaction is one of retention: without it the database refuses to delete anything."""
    await connection.execute("select set_config('losus.retention', 'on', true)")


async def old_cases(connection: Connection, period: Period, after: str, most: int) -> list[str]:
    """The next cases, by id, that may have been kept long enough."""
    rows = await connection.fetch(
        """select id from cases where id > $1 and changed_at < $2 and not parked order by id limit $3""",
        after,
        period.before,
        most,
    )
    return [row["id"] for row in rows]


async def families(connection: Connection, cases: Sequence[str]) -> list[frozenset[str]]:
    """The cases, each with those it is folded with since patient records were merged: they go together."""
    if not await merges.kin(connection, (), cases):
        return [frozenset([name]) for name in cases]
    found: dict[frozenset[str], None] = {}
    for name in cases:
        kin = await merges.kin(connection, (), [name])
        found[frozenset([name]) | await intake.cases_about(connection, kin)] = None
    return list(found)


async def lock(connection: Connection, cases: Iterable[str]) -> None:
    """Let nobody say anything of these cases until the transaction ends; locks in the order of intake."""
    names = sorted(cases)
    rows = await connection.fetch("select source, resource from link where case_id = any ($1::text[])", names)
    await intake.lock_resources(connection, {(row["source"], row["resource"]) for row in rows})
    await connection.execute("select from cases where id = any ($1::text[]) order by id for update", names)


async def may_go(connection: Connection, cases: Collection[str], period: Period) -> dict[str, date]:
    """Of these cases those that have been kept long enough, with the local day of the last entry.

    None of which anything is held, parked, disputed, not settled, not told yet, or still on a `.cases`; and
    none whose deliveries the audit still covers.
    """
    rows = await connection.fetch(
        """select id, swedish_day(last_entry(id)) as day
           from cases
           where id = any ($1::text[]) and years_over(last_entry(id), $2, $3) and is_past(state, picture)
             and not parked and not exists (select from held_case where case_id = cases.id)
             and not exists (select from parked_case where case_id = cases.id)
             and not exists (select from event join outbox on outbox.event = event.id
                             where event.case_id = cases.id)
             and not exists (select from dispute where stay = cases.id)
             and not exists (select from event join delivery on delivery.event = event.id
                             where event.case_id = cases.id)
             and not exists (
               select from (select distinct on (starts_with(key, 'region.')) key, value
                            from json_each_text(revisions::json) with ordinality
                            order by starts_with(key, 'region.'), ordinality desc) as told
               where told.key not in ('', 'region.') and not exists (
                 select from event where event.case_id = cases.id and event.revision = -(told.value::integer)
                                     and event.municipality = told.key))
           order by id""",
        sorted(cases),
        period.years,
        period.today,
    )
    return {row["id"]: row["day"] for row in rows}


async def erase_cases(connection: Connection, cases: Iterable[str]) -> Counter[str]:
    """Take these cases out with all that is of them alone; how many rows of which table went."""
    names, gone = sorted(cases), Counter[str]()
    rows = await connection.fetch(
        "select distinct source, resource from link where case_id = any ($1::text[])", names
    )
    places = [(row["source"], row["resource"]) for row in rows]
    await connection.execute("delete from stay where case_id = any ($1::text[])", names)
    for table, statement in (
        ("cases", "delete from cases where id = any ($1::text[])"),
        ("link", "delete from link where case_id = any ($1::text[])"),
        ("event", "delete from event where case_id = any ($1::text[])"),
    ):
        gone[table] += count_of(await connection.execute(statement, names))
    return gone + await _erase_said(connection, places)


async def _erase_said(
    connection: Connection, places: Collection[Place], messages: Collection[int] | None = None
) -> Counter[str]:
    """Take out what was said of resources that no case is folded from any more, and the messages with it.

    `messages`: what these said alone, and they go though they said nothing; None: whatever said it.
    """
    rows = await connection.fetch(
        """delete from fact using unnest($1::text[], $2::text[]) as asked (source, resource)
           where fact.source = asked.source and fact.resource = asked.resource
             and ($3::bigint[] is null or fact.message = any ($3))
             and not exists (select from link where link.source = asked.source
                                                and link.resource = asked.resource)
           returning fact.message""",
        *columns(sorted(places), 2),
        None if messages is None else sorted(messages),
    )
    gone = Counter[str](fact=len(rows))
    gone += await _erase_messages(connection, {row["message"] for row in rows} | set(messages or ()))
    bare = await connection.fetch(
        """select source, resource from unnest($1::text[], $2::text[]) as asked (source, resource)
           where not exists (select from fact where fact.source = asked.source
                                                and fact.resource = asked.resource)""",
        *columns(sorted(places), 2),
    )
    return gone + await _erase_names(connection, [(row["source"], row["resource"]) for row in bare])


async def _erase_messages(connection: Connection, messages: Iterable[int]) -> Counter[str]:
    """Take out those of these messages that say nothing of anything any more, and are not held."""
    rows = await connection.fetch(
        """select id, 'message-' || id as name from message
           where id = any ($1::bigint[]) and not exists (select from fact where fact.message = message.id)
             and not exists (select from held where held.message = message.id)""",
        sorted(set(messages)),
    )
    ids, names = [row["id"] for row in rows], [row["name"] for row in rows]
    gone = Counter[str]()
    for table in ("leaning", "reread", "discarded", "message_bundle"):
        statement = f"delete from {table} where message = any ($1::bigint[])"  # noqa: S608 - one of those names
        gone[table] += count_of(await connection.execute(statement, ids))
    letters = await connection.execute("delete from event where case_id = any ($1::text[])", names)
    gone["event"] += count_of(letters)
    gone["message"] += count_of(
        await connection.execute("delete from message where id = any ($1::bigint[])", ids)
    )
    return gone


async def _erase_names(connection: Connection, places: Sequence[Place]) -> Counter[str]:
    """Take out what else is known of resources of which nothing is said any more.

    That they were merged, the copy in the library where nothing leans on it, by what identifiers they went.
    """
    gone = Counter[str]()
    gone["replacement"] += count_of(
        await connection.execute(
            """delete from replacement using unnest($1::text[], $2::text[]) as free (source, name)
               where replacement.source = free.source and free.name in (replacement.resource, by)
                 and not exists (select from link where link.source = replacement.source
                                                    and link.resource in (replacement.resource, by))""",
            *columns(places, 2),
        )
    )
    gone["resource"] += count_of(
        await connection.execute(
            """delete from resource using unnest($1::text[], $2::text[]) as free (source, name)
               where resource.source = free.source and resource.name = free.name
                 and not exists (select from leaning where leaning.source = resource.source
                                                       and leaning.name = resource.name)""",
            *columns(places, 2),
        )
    )
    gone["alias"] += count_of(
        await connection.execute(
            """delete from alias using unnest($1::text[], $2::text[]) as free (source, name)
               where alias.source = free.source and alias.name = free.name
                 and not exists (select from resource where resource.source = alias.source
                                                        and resource.name = alias.name)""",
            *columns(places, 2),
        )
    )
    return gone


async def old_messages(
    connection: Connection, period: Period, after: int, most: int
) -> tuple[Mapping[int, date], int | None]:
    """Of the next `most` old messages those that no case is folded from, with their days; and where to go on.

    Not those that are held. None: there are no more.
    """
    rows = await connection.fetch(
        """select id, swedish_day(received_at) as day,
                  years_over(received_at, $3, $4)
                  and not exists (select from held where held.message = old.id)
                  and not exists (select from fact join link using (source, resource)
                                  where fact.message = old.id) as is_alone
           from (select id, received_at from message where id > $1 order by id limit $5) as old
           where received_at < $2 order by id""",
        after,
        period.before,
        period.years,
        period.today,
        most,
    )
    return {row["id"]: row["day"] for row in rows if row["is_alone"]}, rows[-1]["id"] if rows else None


async def erase_messages(connection: Connection, messages: Iterable[int]) -> Counter[str]:
    """Take these messages out, and what they said of resources that no case is folded from."""
    ids = sorted(set(messages))
    rows = await connection.fetch(
        "select distinct source, resource from fact where message = any ($1::bigint[])", ids
    )
    places = {(row["source"], row["resource"]) for row in rows}
    await intake.lock_resources(connection, places)
    return await _erase_said(connection, places, ids)


async def erase_library(
    connection: Connection, period: Period, after: Place, most: int
) -> tuple[Counter[str], Place | None]:
    """Take out of the next resources those old that nothing leans on; and where to go on, None: no more."""
    rows = await connection.fetch(
        """select source, name, got_at < $4 and years_over(got_at, $5, $6) as is_old from resource
           where (source, name) > ($1, $2) order by source, name limit $3""",
        *after,
        most,
        period.before,
        period.years,
        period.today,
    )
    places = [(row["source"], row["name"]) for row in rows if row["is_old"]]
    await intake.lock_resources(connection, places)
    said = await connection.fetch(
        """select source, name from unnest($1::text[], $2::text[]) as asked (source, name)
           where not exists (select from fact where fact.source = asked.source and resource = asked.name)""",
        *columns(places, 2),
    )
    gone = await _erase_names(connection, [(row["source"], row["name"]) for row in said])
    return gone, (rows[-1]["source"], rows[-1]["name"]) if rows else None


def count_of(done: str) -> int:
    """How many rows a `DELETE n` was of."""
    return int(done.rpartition(" ")[2])
