"""The front of the audit, taken out once it has been kept long enough; and the deliveries that it covered.

Owns the statements of SQL; called inside a transaction of retention (`erasing.allow`). Does not own when
(`adapter.retention`) nor the chain (`store.audit`); the database refuses what is younger than the law
allows, whoever asks (migration 0009). Sources: HSLF-FS 2016:40 4:9, five years; deliveries are of the
patient's record (PDL 3:11), so rows that cover any stay ten, and all rows after them: a chain has no holes.
"""

from collections import Counter
from datetime import date, datetime
from itertools import takewhile

from adapter.store.audit import ERASE, Entry, Head, append, covered_before, lock, name_of
from adapter.store.database import Connection
from adapter.store.delivery_batch import DELIVER
from adapter.store.erasing import count_of

#: Who it is, by the audit.
RETENTION = "losus retention"


async def old_rows(
    connection: Connection, years: int, today: date, most: int
) -> tuple[list[int], Head | None]:
    """The calendar years of the next rows, from the front, that were kept so many `years`; and the last."""
    await lock(connection)
    rows = await connection.fetch(
        """select number, hash, extract(year from swedish_day(at))::integer as year,
                  years_over(at, case when action = $4 then greatest($1, 10) else $1 end, $2) as is_old
           from audit order by number limit $3""",
        years,
        today,
        most,
        DELIVER,
    )
    old = list(takewhile(lambda row: row["is_old"], rows))
    return [row["year"] for row in old], Head(old[-1]["number"], old[-1]["hash"]) if old else None


async def take_out(connection: Connection, to: Head, count: int, now: datetime, why: str) -> Counter[str]:
    """Take out the rows up to `to`, so many; the anchor stays, and the chain names it."""
    covered = await connection.fetchval(
        "select coalesce(max(last), 0) from delivery_batch where audit <= $1", to.number
    )
    what = (name_of(to), covered_before(covered))
    await append(connection, [Entry(now, "system", RETENTION, ERASE, what, "ok", why, count=count)])
    await connection.execute(
        "insert into audit_anchor (number, hash, at) values ($1, $2, $3)", to.number, to.hash, now
    )
    rows = await connection.execute("delete from audit where number <= $1", to.number)
    deliveries = await connection.execute("delete from delivery where number <= $1", covered)
    return Counter(audit=count_of(rows), delivery=count_of(deliveries))
