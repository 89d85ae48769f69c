"""The resources of issued statements and follow-ups in the database: read by id, searched, a page at a time.

Owns the statements of SQL. Does not own what is asked for (`adapter.fhir.search`), who may see it, nor how a
resource came about (`statements`). The order is that of issue, or of one key and then of issue; a page begins
behind the last resource of the page before, so that what is issued meanwhile moves nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.fhir.search import Dated, Search, Token
from adapter.losus.days import LOCAL
from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as it was stored: its number in the order of issue, its id, FHIR JSON."""

    number: int
    name: str
    resource: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """How many resources fit in all, those of this page, and whether there are more behind it."""

    total: int
    found: Sequence[Found]
    more: bool


#: What a date parameter is compared with: the half-open range of each resource. `$1` is the local zone.
_MONTH = "(month || '-01')::timestamp"
_RANGES = {
    "_lastUpdated": ("issued_at", "issued_at + interval '1 microsecond'"),
    "period": (
        f"{_MONTH} at time zone $1",
        f"({_MONTH} + interval '1 month') at time zone $1",
    ),
    "date": (
        "coalesce(body ->> 'date', body ->> 'creation')::timestamptz",
        "coalesce(body ->> 'date', body ->> 'creation')::timestamptz + interval '1 second'",
    ),
    "occurrence": (
        "(body #>> '{occurrencePeriod,start}')::timestamp at time zone $1",
        "((body #>> '{occurrencePeriod,end}')::timestamp + interval '1 day') at time zone $1",
    ),
}
#: R4 search#prefix, of the resource's range {a}–{b} and the parameter's {x}–{y}; as `fhir.search.holds`.
_PREFIXES = {
    "eq": "({x} <= {a} and {b} <= {y})",
    "ne": "not ({x} <= {a} and {b} <= {y})",
    "gt": "{b} > {y}",
    "lt": "{a} < {x}",
    "ge": "({b} > {y} or ({x} <= {a} and {b} <= {y}))",
    "le": "({a} < {x} or ({x} <= {a} and {b} <= {y}))",
    "sa": "{a} >= {y}",
    "eb": "{b} <= {x}",
}
_TEXTS = {
    "municipality": "municipality = {}",
    "agreement": "agreement = {}",
    "measure": "{} in (body ->> 'measure', split_part(body ->> 'measure', '|', 1))",
}
#: When a resource was issued: a statement's with the statement, a follow-up's as it says itself.
_FROM = """
  from every_resource
  cross join lateral (select convert_from(resource, 'UTF8')::jsonb as body) as parsed
  cross join lateral (
    select coalesce(
      (select statement.issued_at
       from statement_resource join statement on statement.id = statement_resource.statement
       where statement_resource.number = every_resource.number),
      (body ->> 'date')::timestamptz) as issued_at) as issue
"""


async def read_resource(connection: Connection, kind: str, name: str, only: str | None) -> bytes | None:
    """One resource as it was stored; None where there is none such, or not of the municipality `only`."""
    found: bytes | None = await connection.fetchval(
        """select resource from every_resource
           where type = $1 and id = $2 and ($3::text is null or municipality = $3)""",
        kind,
        name,
        only,
    )
    return found


async def find_resources(connection: Connection, asked: Search) -> Page:
    """The page of resources that a search asks for."""
    sql = _Sql(asked)
    total = await connection.fetchval(f"select count(*) {_FROM} where {sql.where}", *sql.values)
    if asked.count == 0:
        return Page(int(total), (), more=False)
    rows = await connection.fetch(
        f"select number, id, resource {_FROM} where {sql.where} and {sql.after()} {sql.order}",
        *sql.values,
    )
    found = [Found(row["number"], row["id"], row["resource"]) for row in rows[: asked.count]]
    return Page(int(total), found, more=len(rows) > asked.count)


class _Sql:
    """A search as SQL: all text of it is of this file, all that was asked for is in `values`."""

    def __init__(self, asked: Search) -> None:
        self.values: list[Any] = [LOCAL.key]
        self._asked = asked
        self._key = "id" if asked.sort == "_id" else _RANGES[asked.sort][0] if asked.sort else "number"
        clauses = ["$1::text is not null", f"type = {self._value(asked.kind)}"]
        clauses += [_TEXTS[name].format(self._value(text)) for name, text in asked.texts.items()]
        clauses += [self._any(self._token(name, one) for one in every) for name, every in asked.tokens]
        clauses += [self._any(self._date(name, one) for one in every) for name, every in asked.dates]
        self.where = " and ".join(clauses)

    def after(self) -> str:
        """Behind the last resource of the page before, which is one of those that are asked for itself.

        Where another's could be named, its place in the order would tell of it.
        """
        last = self._value(self._asked.after)
        if self._asked.sort is None:
            return f"number > {last}"
        sign = "<" if self._asked.descending else ">"
        key = f"select {self._key}, number {_FROM} where number = {last} and {self.where}"
        return f"({last} = 0 or ({self._key}, number) {sign} ({key}))"

    @property
    def order(self) -> str:
        """The order, and one more than a page to see whether there are more."""
        direction = "desc" if self._asked.descending else ""
        limit = self._value(self._asked.count + 1)
        return f"order by {self._key} {direction}, number {direction} limit {limit}"

    def _any(self, clauses: Iterable[str]) -> str:
        return f"({' or '.join(clauses)})"

    def _token(self, name: str, one: Token) -> str:
        if name == "_id":
            return f"id = {self._value(one.value or '')}"
        parts = []
        if one.system:
            parts.append(f"identifier ->> 'system' = {self._value(one.system)}")
        elif one.system is not None:
            parts.append("identifier ->> 'system' is null")
        if one.value is not None:
            parts.append(f"identifier ->> 'value' = {self._value(one.value)}")
        every = "jsonb_array_elements(coalesce(body -> 'identifier', '[]')) as identifier"
        return f"exists (select from {every} where {' and '.join(parts) or 'true'})"

    def _date(self, name: str, one: Dated) -> str:
        start, end = _RANGES[name]
        clause = _PREFIXES[one.prefix]
        x = self._value(one.start) if "{x}" in clause else ""  # PostgreSQL wants no value that is not used
        y = self._value(one.end) if "{y}" in clause else ""
        return clause.format(a=start, b=end, x=x, y=y)

    def _value(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}{_TYPES.get(type(value).__name__, '')}"


_TYPES = {"str": "::text", "int": "::bigint", "datetime": "::timestamptz"}
