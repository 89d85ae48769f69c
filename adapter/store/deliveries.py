"""Deliveries into the audit's chain, a batch at a time, and told one by one.

Owns the statements. Does not own their writing, which is the settling of a claim (`store.outbox`), nor the
hash of a batch (`store.delivery_batch`).

In order, and none passed over. Relays draw numbers and commit in any order, so that a low number may come
after a high one was seen. Each holds the lock `DELIVERING` shared while it writes; who has it alone knows
that no writing is under way, and that numbers drawn from then on are higher than all that is there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from adapter.store import audit
from adapter.store.audit import Entry
from adapter.store.database import Connection
from adapter.store.delivery_batch import DELIVER, batch_of
from adapter.store.outbox import DELIVERING

#: Deliveries that one row of the chain covers at the most.
BATCH = 2_000
#: Who chains them, by the audit.
SCRIBE = "losus relay"


@dataclass(frozen=True, slots=True)
class Unchained:
    """Deliveries that no row of the chain covers yet: how many, and when the oldest was; None: none is."""

    count: int
    oldest_at: datetime | None


async def written_to(connection: Connection) -> int:
    """A number up to which every delivery is there; ends the waiting of writers with its transaction."""
    await connection.execute("select pg_advisory_xact_lock($1)", DELIVERING)
    return int(await connection.fetchval("select coalesce(max(number), 0) from delivery"))


async def chained_to(connection: Connection) -> int:
    """The number of the last delivery that the chain covers; 0: none yet."""
    return int(await connection.fetchval("select coalesce(max(last), 0) from delivery_batch"))


async def chain(connection: Connection, to: int, most: int = BATCH) -> int:
    """Add the next batch of deliveries, none beyond number `to`, to the chain; how many they are.

    `to` comes from `written_to`, whose transaction is over. 0: all are in the chain.
    """
    first = await chained_to(connection) + 1
    last = await connection.fetchval(
        """select max(number) from (select number from delivery where number between $1 and $2
                                    order by number limit $3) as next""",
        first,
        to,
        most,
    )
    if last is None:
        return 0
    batch = await batch_of(connection, first, last)
    await audit.lock(connection)
    if await chained_to(connection) + 1 != first:  # another did it meanwhile
        return 0
    now = datetime.now(UTC)
    entry = Entry(now, "system", SCRIBE, DELIVER, (batch.what,), "ok", batch.digest, count=batch.count)
    head = await audit.append(connection, [entry])
    await connection.execute("insert into delivery_batch (last, audit) values ($1, $2)", last, head.number)
    return batch.count


async def unchained(connection: Connection) -> Unchained:
    """What the chain does not cover yet."""
    row = await connection.fetchrow(
        "select count(*) as count, min(at) as oldest_at from delivery where number > $1",
        await chained_to(connection),
    )
    return Unchained(row["count"], row["oldest_at"])
