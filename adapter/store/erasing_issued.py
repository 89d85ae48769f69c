"""What was issued, taken out once it has been kept long enough: statements, disputes, follow-ups.

Owns the statements of SQL; each is called inside a transaction of retention (`erasing.allow`). Does not own
when (`adapter.retention`); the database refuses what is younger than the law allows, whoever asks (migration
0009). Source: bokföringslagen, seven years after the end of the calendar year. Public statistics name
nobody, are told once and for all, and stay.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson

from adapter.store.database import Connection
from adapter.store.erasing import Period, count_of
from adapter.store.invoices import erase_numbers

#: Type and id of a FHIR resource.
Named = tuple[str, str]


async def old_statements(connection: Connection, period: Period) -> dict[str, int]:
    """Statements that may go, by id, with the year in which they were issued: of closed months alone.

    None that a younger one corrects, that is not published yet, or that is disputed: until all questions of
    its municipality and month are answered, and the answers old.
    """
    rows = await connection.fetch(
        """select id, extract(year from swedish_day(issued_at))::integer as year,
                  calendar_years_over(issued_at, $1, $2) and coalesce(month <= closed_through(), false)
                  and not exists (
                    select from dispute left join dispute_answer on dispute = dispute.id
                    where dispute.municipality = statement.municipality and dispute.month = statement.month
                      and (answered_at is null or not calendar_years_over(answered_at, $1, $2)))
                  and not exists (select from event join outbox on outbox.event = event.id
                                  where event.case_id = statement.id) as is_old,
                  array(select jsonb_path_query(convert_from(said, 'UTF8')::jsonb,
                                                '$.issued.*[*].corrects') #>> '{}') as corrects
           from statement order by number desc""",
        period.years,
        period.today,
    )
    stays: set[str] = set()
    for row in rows:  # newest first: whatever corrects another was issued after it
        if row["id"] in stays or not row["is_old"]:
            stays |= {row["id"], *row["corrects"]}
    return {row["id"]: row["year"] for row in reversed(rows) if row["id"] not in stays}


async def erase_statements(connection: Connection, names: Sequence[str]) -> Counter[str]:
    """Take these statements out, with what told of them; what others tell too is handed on to these."""
    rows = await connection.fetch(
        """delete from statement_resource where statement = any ($1::text[])
           returning number, type, id, resource, agreement, month""",
        list(names),
    )
    survivors = await connection.fetch(
        "select id as name, bundle from statement where id <> all ($1::text[]) order by number", list(names)
    )
    heirs = _heirs({(row["type"], row["id"]) for row in rows}, [(r["name"], r["bundle"]) for r in survivors])
    left = [row for row in rows if (row["type"], row["id"]) in heirs]
    await connection.executemany(
        """insert into statement_resource (number, type, id, statement, resource, agreement, month)
           overriding system value values ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (
                r["number"],
                r["type"],
                r["id"],
                heirs[r["type"], r["id"]],
                r["resource"],
                r["agreement"],
                r["month"],
            )
            for r in left
        ],
    )
    statements = await connection.execute("delete from statement where id = any ($1::text[])", list(names))
    numbers = await erase_numbers(connection, names)
    events = await connection.execute("delete from event where case_id = any ($1::text[])", list(names))
    return Counter(
        statement=count_of(statements),
        statement_resource=len(rows) - len(left),
        invoice=count_of(numbers),
        event=count_of(events),
    )


def _heirs(wanted: set[Named], survivors: Sequence[tuple[str, bytes]]) -> Mapping[Named, str]:
    """For each of the resources that somebody else tells too the first who does."""
    heirs: dict[Named, str] = {}
    for name, bundle in survivors:
        for entry in orjson.loads(bundle)["entry"]:
            named = (entry["resource"]["resourceType"], entry["resource"]["id"])
            if named in wanted:
                heirs.setdefault(named, name)
    return heirs


async def old_disputes(connection: Connection, period: Period) -> dict[str, int]:
    """Questions that may go, by id, with the year of the answer: they go after their statement."""
    rows = await connection.fetch(
        """select id, extract(year from swedish_day(answered_at))::integer as year
           from dispute join dispute_answer on dispute = dispute.id
           where calendar_years_over(answered_at, $1, $2) and calendar_years_over(asked_at, $1, $2)
             and month <= closed_through()
             and not exists (select from statement where statement.municipality = dispute.municipality
                                                     and statement.month = dispute.month)
             and not exists (select from event join outbox on outbox.event = event.id
                             where event.case_id = dispute.id)
           order by asked_at, id""",
        period.years,
        period.today,
    )
    return {row["id"]: row["year"] for row in rows}


async def erase_disputes(connection: Connection, names: Sequence[str]) -> Counter[str]:
    """Take these questions out, with their answers and what told of them."""
    gone = Counter[str]()
    for table, statement in (
        ("dispute_answer", "delete from dispute_answer where dispute = any ($1::text[])"),
        ("dispute", "delete from dispute where id = any ($1::text[])"),
        ("event", "delete from event where case_id = any ($1::text[])"),
    ):
        gone[table] += count_of(await connection.execute(statement, list(names)))
    return gone


async def old_follow_ups(connection: Connection, period: Period) -> dict[int, int]:
    """Follow-ups that may go, by number, with the year in which they were issued."""
    rows = await connection.fetch(
        """select number, extract(year from swedish_day(issued_at))::integer as year from follow_up
           where calendar_years_over(issued_at, $1, $2) and month <= closed_through()
             and not exists (select from follow_up_resource
                             join event on event.case_id = follow_up_resource.id
                             join outbox on outbox.event = event.id
                             where follow_up_resource.follow_up = follow_up.number)
           order by number""",
        period.years,
        period.today,
    )
    return {row["number"]: row["year"] for row in rows}


async def old_joint_follow_ups(connection: Connection, period: Period) -> dict[str, int]:
    """Joint follow-ups that may go, by id, with the year of the last version of any of the payer's.

    All of a payer go together: a measure is carried from month to month.
    """
    rows = await connection.fetch(
        """select array_agg(distinct joint_follow_up.id) as ids,
                  max(extract(year from swedish_day(at))::integer) as year
           from joint_follow_up join joint_follow_up_version on follow_up = joint_follow_up.id
           group by agreement, municipality, care_form
           having bool_and(calendar_years_over(at, $1, $2)) and max(month) <= closed_through()
             and not exists (select from event join outbox on outbox.event = event.id
                             where event.case_id = any (array_agg(joint_follow_up.id)))""",
        period.years,
        period.today,
    )
    return {name: row["year"] for row in rows for name in row["ids"]}


async def erase_joint_follow_ups(connection: Connection, names: Sequence[str]) -> Counter[str]:
    """Take these joint follow-ups out, with their entries and versions and what told of them."""
    gone = Counter[str]()
    for table, statement in (
        (
            "joint_follow_up_resource",
            "delete from joint_follow_up_resource where follow_up = any ($1::text[])",
        ),
        ("joint_follow_up_entry", "delete from joint_follow_up_entry where follow_up = any ($1::text[])"),
        ("joint_follow_up_version", "delete from joint_follow_up_version where follow_up = any ($1::text[])"),
        ("joint_follow_up", "delete from joint_follow_up where id = any ($1::text[])"),
        ("event", "delete from event where case_id = any ($1::text[])"),
    ):
        gone[table] += count_of(await connection.execute(statement, list(names)))
    return gone


async def erase_follow_ups(connection: Connection, numbers: Sequence[int]) -> Counter[str]:
    """Take these follow-ups out, with what told of them; the measure, which all share, is handed on."""
    rows = await connection.fetch(
        """delete from follow_up_resource where follow_up = any ($1::bigint[])
           returning number, type, id, resource""",
        list(numbers),
    )
    shared = [row for row in rows if row["type"] != "MeasureReport"]
    heir = await connection.fetchval(
        "select min(number) from follow_up where number <> all ($1::bigint[])", list(numbers)
    )
    left = shared if heir is not None else []
    await connection.executemany(
        "insert into follow_up_resource (number, type, id, follow_up, resource) values ($1, $2, $3, $4, $5)",
        [(row["number"], row["type"], row["id"], heir, row["resource"]) for row in left],
    )
    reports = [row["id"] for row in rows if row["type"] == "MeasureReport"]
    follow_ups = await connection.execute(
        "delete from follow_up where number = any ($1::bigint[])", list(numbers)
    )
    events = await connection.execute("delete from event where case_id = any ($1::text[])", reports)
    return Counter(
        follow_up=count_of(follow_ups), follow_up_resource=len(rows) - len(left), event=count_of(events)
    )
