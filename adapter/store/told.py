"""Deliveries told one by one: who was given what, when, why, and at whose wish.

Owns the statements. Does not own their writing (`store.outbox`), nor what is made of them.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from adapter.store.audit import ALL, Selection
from adapter.store.database import Connection

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked that something be told (again): the audit's entry, its `who` and `why`."""

    entry: int
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event that was given to a municipality (kommunkod).

    `what` is `case/ID` or, of what is settled, `statement/ID`, `Task/ID` (an answer), `MeasureReport/ID`,
    `follow-up/ID` (a joint follow-up), `rate/ID` (a year's amount).
    `at` None, and `number` too: it was published when deliveries were not recorded yet. `form` and `ground`
    are None on events of that time. `partition` and `offset` are those of the first of its records, None
    where they are not known; `chained` is the audit's row that covers it, None: none does yet.
    """

    number: int | None
    at: datetime | None
    municipality: str
    what: str
    revision: int
    type: str
    ce_id: str
    form: str | None
    ground: str | None
    agreement: str | None = None
    partition: int | None = None
    offset: int | None = None
    asked: Asked | None = None
    chained: int | None = None

    @property
    def why(self) -> str:
        """The clause, of a statement the agreement too; and who asked."""
        said = [self.ground or "not recorded", self.agreement or ""]
        said += [f"asked by {self.asked.who}: {self.asked.why}"] if self.asked else []
        return ", ".join(word for word in said if word)


_SELECT = """select delivery.number, delivery.at, partition, "offset", asked, event.municipality,
                    event.case_id, revision, type, ce_id, form, ground, agreement, audit.who, audit.why,
                    (select delivery_batch.audit from delivery_batch where last >= delivery.number
                     order by last limit 1) as chained,
                    case when type = 'se.losus.followup.v1' then 'follow-up'
                         when type = 'se.losus.rate.announced.v1' then 'rate'
                         when type <> 'se.losus.settlement.issued.v1' then 'case'
                         when agreement is not null then 'statement'
                         when exists (select from dispute where dispute.id = event.case_id) then 'Task'
                         else 'MeasureReport' end as kind"""
_JOINED = """left join audit on audit.number = delivery.asked
             left join statement on statement.id = event.case_id
                                 and type = 'se.losus.settlement.issued.v1'"""
_UNRECORDED = """
    where event.case_id = $1 and delivery.number is null and event.municipality is not null
      and ($2::text is null or event.municipality = $2)
      and not exists (select from outbox where outbox.event = event.id)
      and not exists (select from parked_event where parked_event.event = event.id)
    order by event.id"""
_TIMES = """($1::timestamptz is null or delivery.at >= $1) and ($2::timestamptz is null or delivery.at < $2)
            and ($3::text is null or event.municipality = $3)"""


async def read_deliveries(connection: Connection, wanted: Selection = ALL) -> AsyncIterator[Delivered]:
    """The deliveries that are wanted, in the order in which they were written down; `who` is a kommunkod.

    Of one case or statement, those first that were published when deliveries were not recorded yet.
    """
    kind, _, name = (wanted.what or "").partition("/")
    limits = (wanted.since, wanted.until, wanted.who)
    if wanted.what is not None:
        if wanted.since is None:
            for row in await _unrecorded(connection, name, wanted.who):
                if row["kind"] == kind:
                    yield _delivered(row)
        for row in await connection.fetch(
            f"""{_SELECT} from event join delivery on delivery.event = event.id {_JOINED}
                where {_TIMES} and event.case_id = $4 order by delivery.number""",
            *limits,
            name,
        ):
            if row["kind"] == kind:
                yield _delivered(row)
        return
    after = await _before(connection, wanted.since)
    while True:
        rows = await connection.fetch(
            f"""{_SELECT} from delivery join event on event.id = delivery.event {_JOINED}
                where {_TIMES} and delivery.number > $4 order by delivery.number limit $5""",
            *limits,
            after,
            _PAGE,
        )
        for row in rows:
            yield _delivered(row)
        if len(rows) < _PAGE:
            return
        after = rows[-1]["number"]


async def _before(connection: Connection, since: datetime | None) -> int:
    """A number before the first delivery from then on."""
    if since is None:
        return 0
    first = await connection.fetchval("select min(number) from delivery where at >= $1", since)
    return (
        (await connection.fetchval("select max(number) from delivery") or 0) if first is None else first - 1
    )


async def _unrecorded(connection: Connection, name: str, municipality: str | None) -> list[asyncpg.Record]:
    """What was published of a case or statement, and not written down: by a relay of an earlier version."""
    rows: list[asyncpg.Record] = await connection.fetch(
        f"{_SELECT} from event left join delivery on delivery.event = event.id {_JOINED} {_UNRECORDED}",
        name,
        municipality,
    )
    return rows


def _delivered(row: asyncpg.Record) -> Delivered:
    asked = None if row["asked"] is None else Asked(row["asked"], row["who"] or "", row["why"] or "")
    return Delivered(
        row["number"],
        row["at"],
        row["municipality"],
        f"{row['kind']}/{row['case_id']}",
        row["revision"],
        row["type"],
        row["ce_id"],
        row["form"],
        row["ground"],
        row["agreement"],
        row["partition"],
        row["offset"],
        asked,
        row["chained"],
    )
