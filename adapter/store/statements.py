"""Issued statements in the database: added in the transaction that publishes them, read, searched.

Owns the statements of SQL and the form in which an issued statement is kept. Does not own what is issued
(`adapter.settling.run`) nor how it is told (`adapter.fhir`). What was issued is kept whole, terms and clauses
too: a file of an agreement that changes later does not change what earlier months rested on.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import orjson
from pydantic import TypeAdapter

from adapter.losus.days import Month
from adapter.settlement.difference import Issued
from adapter.store.database import Connection

_ISSUED: TypeAdapter[Issued] = TypeAdapter(Issued)
#: All settling of one database is done one after the other.
_LOCK = 0x736574746C65  # "settle"


@dataclass(frozen=True, slots=True)
class StatementRow:
    """An issued statement to be kept.

    `early`: why it was issued before the correction day was over; None where it was not. `held`: the
    lines that were held off, each a stay or `excess-over-mean`. `bundle`: FHIR JSON; `resources`: the same,
    each as (type, id, JSON). `about`: of resources that are of another month the agreement and month, by id.
    """

    issued: Issued
    early: str | None
    held: tuple[str, ...]
    bundle: bytes
    resources: tuple[tuple[str, str, bytes], ...]
    about: Mapping[str, tuple[str, Month]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement as it was kept; the fields are those of `StatementRow`."""

    issued: Issued
    early: str | None
    held: tuple[str, ...]
    bundle: bytes


@dataclass(frozen=True, slots=True)
class AmountUse:
    """An issued statement, by its id and care form, and an amount per day that a line of it rests on."""

    statement: str
    care_form: str
    amount: Decimal


async def issued_since(connection: Connection, month: Month) -> list[Issued]:
    """Return the statements of this month and later ones, in the order of issue."""
    rows = await connection.fetch("select said from statement where month >= $1 order by number", str(month))
    return [unpack(row["said"]) for row in rows]


async def settle_alone(connection: Connection) -> None:
    """Let nobody else settle on this database until the transaction ends; waits for whoever does."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)


async def one_moment(connection: Connection) -> None:
    """See the database as of one moment until the transaction ends; must come first in it."""
    await connection.execute("set transaction isolation level repeatable read")


async def add_statement(connection: Connection, row: StatementRow) -> None:
    """Keep an issued statement and its resources; what is there already stays as it is."""
    one, statement = row.issued, row.issued.statement
    await connection.execute(
        """insert into statement
             (id, agreement, municipality, care_form, month, issued_at, early, due, held, said, bundle,
              recorded, region)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        one.id,
        statement.agreement,
        statement.municipality,
        statement.care_form,
        str(statement.month),
        one.issued_at,
        row.early,
        one.due,
        list(row.held),
        pack(one),
        row.bundle,
        [] if one.recorded is None else [each.stay for each in one.recorded.stays],
        statement.region,
    )
    about = [row.about.get(name) for _, name, _ in row.resources]
    await connection.execute(
        """insert into statement_resource (type, id, statement, resource, agreement, month)
           select type, id, $4, resource, agreement, month
           from unnest($1::text[], $2::text[], $3::bytea[], $5::text[], $6::text[])
             with ordinality as new (type, id, resource, agreement, month, n)
           order by n on conflict do nothing""",
        *(list(column) for column in zip(*row.resources, strict=True)),
        one.id,
        [None if of is None else of[0] for of in about],
        [None if of is None else str(of[1]) for of in about],
    )


async def history_of(connection: Connection, municipality: str, home: str | None) -> list[Issued]:
    """All that was issued to a municipality, oldest first; `home` as in `with_region`."""
    rows = await connection.fetch(
        "select said from statement where municipality = $1 order by number", municipality
    )
    return [with_region(unpack(row["said"]), home) for row in rows]


async def recorded_elsewhere(
    connection: Connection, municipality: str, stays: Collection[str]
) -> frozenset[str]:
    """Those of these stays that were recorded with a statement to another municipality."""
    if not stays:
        return frozenset()
    rows = await connection.fetch(
        """select distinct stay from statement, unnest(recorded) as stay
           where municipality <> $1 and recorded && $2::text[] and stay = any ($2::text[])""",
        municipality,
        sorted(stays),
    )
    return frozenset(row["stay"] for row in rows)


async def recorded_for(connection: Connection, stay: str) -> list[str]:
    """The municipalities to which a statement that recorded the stay was issued."""
    rows = await connection.fetch(
        "select distinct municipality from statement where recorded @> array[$1::text] order by municipality",
        stay,
    )
    return [row["municipality"] for row in rows]


async def held_of(connection: Connection, municipality: str) -> dict[str, tuple[str, ...]]:
    """The lines that were held off each statement that was issued to a municipality, by its id."""
    rows = await connection.fetch(
        "select id, held from statement where municipality = $1 and held <> '{}'", municipality
    )
    return {row["id"]: tuple(row["held"]) for row in rows}


async def issued_to(connection: Connection) -> set[str]:
    """The municipalities that statements were issued to."""
    return {
        row["municipality"] for row in await connection.fetch("select distinct municipality from statement")
    }


async def find_statements(
    connection: Connection, agreement: str, municipality: str, month: Month
) -> list[Kept]:
    """The statements of an agreement, municipality and month, one for each care form; oldest first."""
    rows = await connection.fetch(
        """select early, held, said, bundle from statement
           where agreement = $1 and municipality = $2 and month = $3 order by number""",
        agreement,
        municipality,
        str(month),
    )
    return [Kept(unpack(row["said"]), row["early"], tuple(row["held"]), row["bundle"]) for row in rows]


async def amounts_used(connection: Connection, series: str, year: int) -> list[AmountUse]:
    """Give the issued statements with days of a year at an amount of that series."""
    used: dict[AmountUse, None] = {}
    query = "select id, care_form, said from statement where month >= $1 order by number"
    async for row in connection.cursor(query, f"{year:04d}-01"):
        packed = orjson.loads(row["said"])
        for line in packed["issued"]["statement"]["lines"]:
            if packed["terms"][line["terms"]]["rate"] != series:
                continue
            for charge in line["charges"]:
                if charge["rate"]["year"] == year:
                    amount = Decimal(str(charge["rate"]["amount"]))
                    used[AmountUse(row["id"], row["care_form"], amount)] = None
    return list(used)


def pack(issued: Issued) -> bytes:
    """Write an issued statement as JSON; terms, which all its lines share, stand in it once."""
    said = orjson.loads(_ISSUED.dump_json(issued))
    terms: list[Any] = []
    for holder in _holders(said):
        if holder["terms"] not in terms:
            terms.append(holder["terms"])
        holder["terms"] = terms.index(holder["terms"])
    return orjson.dumps({"issued": said, "terms": terms})


def unpack(packed: bytes) -> Issued:
    """Read what `pack` wrote: an equal value. One of before there was a region by länskod has none."""
    read = orjson.loads(packed)
    for statement in _statements(read["issued"]):
        if len(statement["region"] or "") != 2:  # the name of an agreement's region
            statement["region"] = ""
    for holder in _holders(read["issued"]):
        holder["terms"] = read["terms"][holder["terms"]]
    return _ISSUED.validate_json(orjson.dumps(read["issued"]))


def with_region(issued: Issued, home: str | None) -> Issued:
    """Give an issued statement with its creditor: one of before there were several is the installation's.

    `home` is the region of the installation; None: not known, and then the municipality's own.
    """
    statement = issued.statement
    county = statement.region or home or statement.municipality[:2]
    adjustments = tuple(
        one if one.post.region else replace(one, post=one.post._replace(region=county))
        for one in issued.adjustments
    )
    measures = tuple(
        replace(one, statement=replace(one.statement, region=one.statement.region or county))
        for one in issued.measures
    )
    statement = replace(statement, region=county)
    return replace(issued, statement=statement, adjustments=adjustments, measures=measures)


def _statements(said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give what was issued and the months that were measured again with it."""
    yield said["statement"]
    yield from (one["statement"] for one in said.get("measures", ()))


def _holders(said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for statement in _statements(said):
        yield statement["mean"]
        yield from statement["lines"]


def settled_months(history: Iterable[Issued]) -> Sequence[Month]:
    """The months that were issued, each once, in order."""
    return sorted({one.statement.month for one in history})
