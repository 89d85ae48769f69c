# ruff: noqa: E501, S608
# Long lines of SQL, put together of names of our own.
"""A database with years of a region in it, made in SQL from one real way home.

`python -m tests.bench.ten_years CASES` fills one with so many, and prints what it takes on disk; `fill` does it.
`fill(dsn, cases)` sends one patient's messages through the service's own door, and multiplies every row that
came of them: each copy a patient, stay and days of its own, spread evenly over the years before `until`, so
that what is read of it folds, settles and is told as if it had been sent. About twenty messages a case; of
the newest in two hundred the stay still goes on. Not filled: what is only there while something waits.
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import asyncpg

from adapter.sandbox.database import Database
from tests.service import service
from tests.settling.hospital import messages, tell

#: Stands in every name of the pattern; each copy has its own number instead.
_MARK = 777000111
_BASE = date(2019, 3, 1)
_SPAN = 40  # days that the pattern may name
_HOMES = ("2380", "2380", "2380", "2380", "2313", "2321", "2309", "2326", "2361", "2303")
#: Of a stay that still goes on so many messages have come.
_STILL_IN = 11
_REPEATS = 7  # messages of a case that say nothing new


@dataclass(frozen=True, slots=True)
class Filled:
    """What a database was filled with: how many cases and messages, from when to when."""

    cases: int
    messages: int
    since: datetime
    until: datetime


async def fill(dsn: str, cases: int, *, years: int = 10, until: datetime | None = None) -> Filled:
    """Fill the empty database at `dsn` with so many cases of so many years before `until` (None: now)."""
    end = until or datetime.now(UTC)
    since = end - timedelta(days=round(365.25 * years))
    async with service(dsn, secret=SECRET) as client:
        await tell(client, *messages(_MARK, "2019-03", 20))
    connection = await asyncpg.connect(
        dsn, server_settings={"synchronous_commit": "off", "work_mem": "256MB"}
    )
    try:
        await _prepare(connection, cases, since, end)
        for statement in _COPIES:
            await connection.execute(statement)
        await _clear_pattern(connection)
        await connection.execute("drop schema pattern cascade")
        await connection.execute("vacuum analyze")
        count = await connection.fetchval("select count(*) from message")
    finally:
        await connection.close()
    return Filled(cases, count, since, end)


#: The settings that a filled database is read with: the pseudonyms in it are not made of this secret.
SECRET = "a secret of the tests alone"


async def _prepare(connection: asyncpg.Connection, cases: int, since: datetime, end: datetime) -> None:
    """Put the pattern's rows aside, with its days, numbers and home as marks to be replaced."""
    await connection.execute("create schema pattern")
    for name in ("message", "fact", "link", "cases", "event", "leaning"):
        await connection.execute(f"create table pattern.{name} as select * from public.{name}")
    await connection.execute("create table pattern.word (word text, mark text)")
    case_id = await connection.fetchval("select id from cases")
    words = [(case_id, "@case@"), ('"2380"', '"@home@"'), ("191212121212", "@person@"), (str(_MARK), "@n@")]
    words += [((_BASE + timedelta(days=n)).isoformat(), f"@d{n}@") for n in range(_SPAN)]
    await connection.executemany("insert into pattern.word values ($1, $2)", words)
    await connection.execute(_MARKED)
    used = await connection.fetchval("select string_agg(said, '') from pattern.said")
    days = sorted({int(n) for n in re.findall(r"@d([0-9]+)@", used)})
    await connection.execute(_own_words(days))
    await connection.execute("create table pattern.person (at integer primary key, number text)")
    persons = list(enumerate(_persons(max(cases // 3, 1))))
    await connection.copy_records_to_table("person", schema_name="pattern", records=persons)
    await connection.execute(_COPY, cases, since, end, list(_HOMES), len(persons))
    await connection.execute("create unique index on pattern.copy (n)")
    await connection.execute("analyze")


def _own_words(days: Sequence[int]) -> str:
    """A function that writes a marked text for a copy."""
    made = "said"
    for day in days:
        made = f"replace({made}, '@d{day}@', to_char(day + {day}, 'YYYY-MM-DD'))"
    for mark, value in (("case", "id"), ("home", "home"), ("person", "person"), ("n", "n::text")):
        made = f"replace({made}, '@{mark}@', {value})"
    return f"""create function pattern.own(said text, n integer, id text, home text, person text, day date)
               returns text language sql immutable parallel safe as $$ select {made} $$"""


def _persons(count: int) -> list[str]:
    """So many personnummer that check; nobody has them: the days are of the years 1880 to 1890."""
    found: list[str] = []
    day, serial = date(1880, 1, 1), 0
    while len(found) < count:
        digits = f"{day:%y%m%d}{serial:03d}"
        doubled = (int(d) * (2 - at % 2) for at, d in enumerate(digits))
        check = -sum(d // 10 + d % 10 for d in doubled) % 10
        found.append(f"18{digits}{check}")
        serial = (serial + 1) % 1000
        day += timedelta(days=serial == 0)
    return found


#: Every text of the pattern with marks in it, by what it is of and which row.
_MARKED = """
create function pattern.marked(said text) returns text language plpgsql as $$
declare one record;
begin
  for one in select word, mark from pattern.word order by length(word) desc loop
    said := replace(said, one.word, one.mark);
  end loop;
  return said;
end $$;
create table pattern.said as
  select 'body' as what, id as row, pattern.marked(convert_from(body, 'UTF8')) as said from pattern.message
  union all select 'picture', 0, pattern.marked(convert_from(picture, 'UTF8')) from pattern.cases
  union all select 'payload', id, pattern.marked(convert_from(payload, 'UTF8')) from pattern.event
  union all select 'signals', row_number() over (order by message, resource, ord),
    pattern.marked(convert_from(signals, 'UTF8')) from pattern.fact;
create table pattern.fact_row as
  select row_number() over (order by message, resource, ord) as row, message, pattern.marked(resource) as resource,
         pattern.marked(ord) as ord, version, case_id is not null as is_of_case from pattern.fact
"""

_COPY = """
create table pattern.copy as
  select n, md5('case ' || n) as id, ($4::text[])[1 + n % 10] as home, number as person,
         ($2::timestamptz + ($3::timestamptz - $2::timestamptz) * n / $1)::date - 31 as day,
         n > $1::integer - greatest($1 / 200, 1) as is_in
  from generate_series(1, $1) as n
  join pattern.person on at = n % $5
"""

_OWN = "pattern.own({}, n, copy.id, home, person, day)"

_COPIES = (
    # a message's number is that of its place in all of them: cases overlap, as they do in a region
    f"""insert into message (id, source, header_id, bundle_id, received_at, body, response, door, media, status)
        overriding system value
        select 1000 + row_number() over (order by at, n, place), source, 'h-' || n || '-' || place,
               'b-' || n || '-' || place, at, convert_to({_OWN.format("said")}, 'UTF8'), response, door, media, status
        from (select copy.*, message.source, message.response, message.door, message.media, message.status,
                     said.said, place, (day + 4)::timestamptz + place * interval '19 hours' as at
              from pattern.copy
              cross join (select id as place, id as pattern from pattern.message
                          union all select {_STILL_IN + 2} + n, 1 + n from generate_series(1, {_REPEATS}) as n) as one
              join pattern.message on message.id = one.pattern
              join pattern.said on said.what = 'body' and said.row = message.id
              where not (is_in and place > {_STILL_IN})) as copy""",
    """create table pattern.number as
         select split_part(header_id, '-', 2)::integer as n, split_part(header_id, '-', 3)::integer as place, id
         from message where header_id like 'h-%'""",
    "create unique index on pattern.number (n, place)",
    "insert into message_bundle (source, bundle_id, message) select source, bundle_id, id from message where id > 1000",
    f"""insert into fact (source, resource, ord, version, case_id, signals, void, message)
        select 'losus-r4', {_OWN.format("fact_row.resource")}, {_OWN.format("fact_row.ord")}, version,
               case when is_of_case then copy.id end, convert_to({_OWN.format("said")}, 'UTF8'), false, number.id
        from pattern.copy cross join pattern.fact_row
        join pattern.said on said.what = 'signals' and said.row = fact_row.row
        join pattern.number using (n)
        where number.place = fact_row.message""",
    f"""insert into link (case_id, source, resource)
        select copy.id, source, {_OWN.format("pattern.marked(resource)")} from pattern.copy cross join pattern.link""",
    f"""insert into leaning (source, name, message)
        select leaning.source, {_OWN.format("name")}, number.id
        from pattern.copy
        cross join (select source, pattern.marked(name) as name, message from pattern.leaning) as leaning
        join pattern.number using (n) where number.place = leaning.message""",
    f"""insert into cases (id, source, key, state, municipality, picture, revisions, due, changed_at)
        select copy.id, 'losus-r4', 'stay-1-' || n,
               case when is_in then 'home-ready' else 'discharged' end, home,
               convert_to({_OWN.format("said")}, 'UTF8'), json_build_object(home, case when is_in then 11 else 13 end),
               case when is_in then now() + interval '2 days' end, (day + 4)::timestamptz + 20 * interval '19 hours'
        from pattern.copy
        join pattern.said on (is_in and what = 'payload' and row = 11) or (not is_in and what = 'picture')""",
    f"""insert into event (id, case_id, municipality, revision, type, ce_id, payload, closing, created_at)
        overriding system value
        select 1000 + row_number() over (order by at, n), copy.id, home, revision, type, md5(copy.id || revision),
               convert_to({_OWN.format("said")}, 'UTF8'), false, at
        from (select copy.*, event.revision, event.type, said,
                     (day + 4)::timestamptz + event.id * interval '19 hours' as at
              from pattern.copy cross join pattern.event
              join pattern.said on what = 'payload' and row = event.id
              where not (is_in and event.id > 11)) as copy""",
    """insert into audit (number, at, kind, who, action, what, outcome, why, municipality, address, count,
                          previous, hash)
       select n, (day + 20)::timestamptz, 'staff', 'person-' || n % 50, 'read', array['case/' || id], 'ok',
              'region-operator', home, '192.0.2.1', 1, sha256(int4send(n - 1)), sha256(int4send(n))
       from pattern.copy""",
    "select setval(pg_get_serial_sequence('message', 'id'), (select max(id) from message))",
    "select setval(pg_get_serial_sequence('event', 'id'), (select max(id) from event))",
)


async def _clear_pattern(connection: asyncpg.Connection) -> None:
    """Take the pattern's own case out again: it came now, and years ago."""
    tables = ("message", "message_bundle", "event", "cases", "link")
    for table in tables:
        await connection.execute(f"alter table {table} disable trigger user")
    for statement in (
        "delete from outbox",
        "delete from leaning where message < 1000",
        "delete from reread where message < 1000",
        "delete from fact where message < 1000",
        "delete from message_bundle where message < 1000",
        "delete from message where id < 1000",
        "delete from event where id < 1000",
        f"delete from link where resource like '%{_MARK}'",
        f"delete from cases where key like '%{_MARK}'",
    ):
        await connection.execute(statement)
    for table in tables:
        await connection.execute(f"alter table {table} enable trigger user")


_SIZES = """select relname as table, reltuples::bigint as rows, pg_table_size(oid) as data, pg_indexes_size(oid) as indexes
            from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples > 0
            order by pg_total_relation_size(oid) desc"""


async def sizes(dsn: str, cases: int) -> list[str]:
    """Fill the empty database at `dsn`; what its tables take on disk, in words."""
    filled = await fill(dsn, cases)
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_SIZES)
        whole = await connection.fetchval("select pg_database_size(current_database())")
    finally:
        await connection.close()
    said = [f"{whole / filled.cases / 1000:.0f} kB a case, {whole / filled.messages / 1000:.1f} kB a message"]
    return said + [
        f"  {row['table']}: {row['rows']} rows, {row['data'] / 1e6:.1f} MB and {row['indexes'] / 1e6:.1f} MB of indexes"
        for row in rows
    ]


def measure(cases: int = 2000) -> list[str]:
    """The same on a server of its own."""
    with Database.start(durable=False) as server:
        return asyncio.run(sizes(server.dsn, cases))


if __name__ == "__main__":
    print("\n".join(measure(int(sys.argv[1]))))
