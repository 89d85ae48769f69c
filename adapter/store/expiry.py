"""Cases that have ended long ago: whose picture need not stay on the municipality's topic any longer.

Owns the query; does not own how long that is, nor what is published (`adapter.outbound.expiry`).
"""

from dataclasses import dataclass
from datetime import datetime

from adapter.store.database import Connection

#: A place among the ended cases: state and id. Before the first one: ("", "").
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """A case that has ended: the stream that has it, of a municipality or of open care, at which revision."""

    case_id: str
    municipality: str
    revision: int


async def ended_before(
    connection: Connection, states: list[str], before: datetime, after: Place, most: int
) -> tuple[list[Ended], Place | None]:
    """Of the next `most` cases in these states, those unchanged since `before` and still on the topic.

    Their rows are locked; cases that others hold are left for later. And where to go on, None at the end.
    """
    rows = await connection.fetch(
        """select id, state, changed_at from cases
           where state = any ($1::text[]) and (state, id) > ($2, $3) order by state, id limit $4""",
        states,
        *after,
        most,
    )
    old = [row["id"] for row in rows if row["changed_at"] < before]
    locked = await connection.fetch(
        """select id, told.key as municipality, told.value::integer as revision
           from cases cross join lateral
             (select distinct on (starts_with(key, 'region.')) key, value
              from json_each_text(revisions::json) with ordinality
              order by starts_with(key, 'region.'), ordinality desc) as told
           where id = any ($1::text[]) and changed_at < $2 and told.key not in ('', 'region.')
             and not exists (select from event where event.case_id = cases.id and event.revision < 0
                             and event.revision = -(told.value::integer) and event.municipality = told.key)
           order by id, told.key for update of cases skip locked""",
        old,
        before,
    )
    ended = [Ended(row["id"], row["municipality"], row["revision"]) for row in locked]
    return ended, (rows[-1]["state"], rows[-1]["id"]) if len(rows) == most else None
