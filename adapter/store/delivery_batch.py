"""Batches of deliveries: how many a row of the audit covers, and the hash of all that they say.

Owns the range and the digest. Does not own when a batch is chained (`store.deliveries`) nor the chain
(`store.audit`). The hash is made here, not in the database; the database writes out what it is made of.
"""

import hashlib
import re
from dataclasses import dataclass

from adapter.store.database import Connection

#: The audit's word for a batch of deliveries that it covers.
DELIVER = "deliver"
_RANGE = re.compile(r"deliveries/([0-9]+)-([0-9]+)")


@dataclass(frozen=True, slots=True)
class Batch:
    """The deliveries from number `first` to `last`, both included: how many, and their digest (hex)."""

    first: int
    last: int
    count: int
    digest: str

    @property
    def what(self) -> str:
        """How the audit names it."""
        return f"deliveries/{self.first}-{self.last}"


def range_of(what: str) -> tuple[int, int] | None:
    """First and last number of the batch that the audit names; None where it names none."""
    named = _RANGE.fullmatch(what)
    return None if named is None else (int(named[1]), int(named[2]))


async def batch_of(connection: Connection, first: int, last: int) -> Batch:
    """The batch as it is now: of each delivery all that is kept, and to whom and of what its event was.

    Numbers that were drawn and never used are in no row, so that a row which is put there later shows.
    """
    row = await connection.fetchrow(
        """select count(*) as count, coalesce(string_agg(
               json_build_array(number, event, (extract(epoch from at) * 1000000)::bigint, partition,
                                "offset", asked, case_id, municipality, revision, type, ce_id,
                                closing, form, ground)::text,
               E'\\n' order by number), '') as said
           from delivery left join event on event.id = delivery.event
           where number between $1 and $2""",
        first,
        last,
    )
    digest = hashlib.sha256(row["said"].encode()).hexdigest()
    return Batch(first, last, row["count"], digest)
