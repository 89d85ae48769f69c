"""What a restore to an earlier point needs in the database: which claims it knows, and that it is behind.

Owns the statements of SQL of noticing it, and of what waits after it was mended; does not own comparing with
Kafka (`adapter.outbound.behind`), mending (`adapter.recovery`) nor putting back (`store.putting_back`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class KnownClaim:
    """The last claim of a slot that stands here: its id and number; Kafka has it after `since`, if at all."""

    id: str
    number: int
    since: int


@dataclass(frozen=True, slots=True)
class ToldStatement:
    """A statement that was published and that this database has lost; `bundle` as it was published."""

    id: str
    agreement: str
    municipality: str
    care_form: str
    month: str
    issued_at: datetime
    bundle: bytes
    region: str


async def known_claims(connection: Connection) -> dict[str, KnownClaim]:
    """The last claim of each slot."""
    rows = await connection.fetch("select slot, id, number, since from relay_claim")
    return {row["slot"]: KnownClaim(row["id"], row["number"], row["since"]) for row in rows}


async def note_behind(connection: Connection, slots: Iterable[tuple[str, int, int]], now: datetime) -> None:
    """Write down the slots (with published and known) of which Kafka knows more; none: of none any more."""
    rows = list(slots)
    await connection.execute(
        "delete from behind where slot <> all ($1::text[])", [slot for slot, _, _ in rows]
    )
    await connection.executemany(
        """insert into behind (slot, published, known, noticed_at) values ($1, $2, $3, $4)
           on conflict (slot) do update set published = excluded.published, known = excluded.known""",
        [(*one, now) for one in rows],
    )


async def is_behind(connection: Connection) -> bool:
    """Whether a relay has found the database to be older than Kafka, and it was not mended yet."""
    return bool(await connection.fetchval("select exists (select from behind)"))


async def lost_statements(
    connection: Connection, municipality: str
) -> dict[tuple[str, str, str, str], ToldStatement]:
    """A municipality's statements that were published and are lost here.

    By agreement, care form, month and region; `''` is that of the installation.
    """
    rows = await connection.fetch(
        """select id, agreement, municipality, care_form, month, issued_at, bundle, region
           from told_statement as told
           where municipality = $1 and not exists (
             select from statement where (statement.agreement, statement.municipality, statement.care_form,
               statement.month) = (told.agreement, told.municipality, told.care_form, told.month)
               and (statement.region = told.region or '' in (statement.region, told.region)))
           order by month""",
        municipality,
    )
    found = [ToldStatement(**dict(row)) for row in rows]
    return {(one.agreement, one.care_form, one.month, one.region): one for one in found}


async def waiting_cases(connection: Connection, *, known: bool) -> Sequence[str]:
    """Cases that subscribers were told more of than is known here; `known`: whether anything of them is."""
    rows = await connection.fetch(
        """select case_id from recovered_case
           where exists (select from cases where cases.id = case_id) = $1 order by case_id""",
        known,
    )
    return [row["case_id"] for row in rows]


async def no_longer_waits(connection: Connection, case_id: str) -> None:
    """The case is told as it is known."""
    await connection.execute("delete from recovered_case where case_id = $1", case_id)
