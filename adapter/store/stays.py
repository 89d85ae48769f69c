"""Cases read for settlement, a batch at a time and without a lock.

Owns the queries; changes nothing.
"""

from collections.abc import Iterable

from adapter.store.database import Connection
from adapter.store.intake import CaseRow, case_of


async def read_cases(connection: Connection, after: str, most: int) -> dict[str, CaseRow]:
    """Up to `most` cases that something establishes, by id, those after `after`."""
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due, parked from cases
           where state is not null and id > $1 order by id limit $2""",
        after,
        most,
    )
    return {row["id"]: case_of(row) for row in rows}


async def read_named(connection: Connection, ids: Iterable[str]) -> dict[str, CaseRow]:
    """The cases of these ids; one that does not exist is left out."""
    rows = await connection.fetch(
        """select id, source, key, state, municipality, picture, revisions, due, parked from cases
           where id = any ($1::text[]) order by id""",
        sorted(set(ids)),
    )
    return {row["id"]: case_of(row) for row in rows}
