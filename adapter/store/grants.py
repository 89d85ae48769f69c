"""The matrix of rights brought into the database: what differs, and the statements that mend it.

Owns reading the catalog and the statements of SQL; does not own the matrix (`adapter.store.roles`). What the
matrix gives is granted, and what a role or `public` has beyond it is taken away. Rights that a DBA gave to
other roles, for a monitor or a backup, are left alone.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from adapter.store.database import Connection
from adapter.store.roles import FUNCTIONS, ROLES, SEQUENCES, TABLES, Rights

PUBLIC = "public"
_RIGHT = re.compile(r"(select|insert|update|delete|usage|execute)(?: \(([a-z_, ]+)\))?(?:, |$)")

#: What this user makes later is not open to everybody: PostgreSQL lets `public` call every function.
_CLOSING = "alter default privileges revoke execute on functions from public"
_MAKING = """do $$ begin
  if to_regrole('{role}') is null then create role {role} nologin; end if;
end $$"""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A right of a role on something: `kind` schema, table, sequence or function; None: not of a column."""

    kind: str
    name: str
    role: str
    right: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """What of the matrix the database lacks, as statements of SQL; `roles`: those that are not there."""

    roles: tuple[str, ...]
    statements: tuple[str, ...]

    @property
    def making(self) -> list[str]:
        """The statements that make the roles: groups, that nobody logs in as."""
        return [f"create role {role} nologin" for role in self.roles]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return not self.roles and not self.statements


def wanted(schema: str) -> frozenset[Grant]:
    """All that the matrix gives; beside it every role finds its way into the schema."""
    found = {Grant("schema", schema, role, "usage") for role in ROLES}
    for kind, matrix in (("table", TABLES), ("sequence", SEQUENCES), ("function", FUNCTIONS)):
        for name, rights in matrix.items():
            found.update(_of(kind, name, rights))
    return frozenset(found)


def _of(kind: str, name: str, rights: Rights) -> Iterable[Grant]:
    for role, said in rights.items():
        if _RIGHT.sub("", said):
            raise ValueError(f"the rights of {role} on {name} cannot be read: {said}")
        for right, columns in _RIGHT.findall(said):
            for column in columns.split(", ") if columns else [None]:
                yield Grant(kind, name, role, right, column)


#: Whatever the catalog says of our roles and of public, in the schema that we work in; the owner has all.
_GRANTED = """
  with mine as (select oid, nspname, nspowner, nspacl from pg_namespace where nspname = current_schema()),
  given (kind, name, attribute, acl, owner) as (
    select 'schema', nspname::text, null, coalesce(nspacl, acldefault('n', nspowner)), nspowner from mine
    union all
    select case relkind when 'S' then 'sequence' else 'table' end, relname::text, null,
           coalesce(relacl, acldefault(case relkind when 'S' then 's'::"char" else 'r' end, relowner)),
           relowner
    from pg_class join mine on mine.oid = relnamespace where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select 'table', relname::text, attname::text, attacl, relowner
    from pg_attribute join pg_class on pg_class.oid = attrelid join mine on mine.oid = relnamespace
    where attacl is not null and not attisdropped
    union all
    select 'function', oid::regprocedure::text, null, coalesce(proacl, acldefault('f', proowner)), proowner
    from pg_proc where pronamespace = (select oid from mine))
  select kind, name, attribute, coalesce(rolname::text, 'public') as role, lower(privilege_type) as right
  from given cross join lateral aclexplode(acl) as entry left join pg_roles on pg_roles.oid = grantee
  where grantee <> owner and (grantee = 0 or rolname = any ($1::text[]))"""


async def granted(connection: Connection) -> frozenset[Grant]:
    """What our roles and `public` may do in the schema, as the catalog has it."""
    rows = await connection.fetch(_GRANTED, [*ROLES])
    return frozenset(Grant(r["kind"], r["name"], r["role"], r["right"], r["attribute"]) for r in rows)


async def settle_grants(connection: Connection) -> tuple[list[str], Rest]:
    """Bring the matrix into the database as far as this login may: what was done, and what is left.

    Roles that are not there are made by a login that may make roles. What is left is for a DBA.
    """
    done: list[str] = []
    may_make = "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
    if await connection.fetchval(may_make):
        done += (await rest(connection)).making
        for statement in done:
            await connection.execute(statement)
    todo = (await rest(connection)).statements
    for statement in todo:
        with suppress(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute(statement)
    left = await rest(connection)
    return [*done, *(one for one in todo if one not in left.statements)], left


async def script(connection: Connection) -> list[str]:
    """The whole matrix as statements that may be run any number of times, whatever is there."""
    schema = str(await connection.fetchval("select current_schema()"))
    is_to = wanted(schema)
    everybody = ", ".join((PUBLIC, *ROLES))
    places = [("schema", schema), *((kind, name) for kind, name in _things())]
    return [
        *(_MAKING.format(role=role) for role in ROLES),
        *(f"revoke all on {_named(*place)} from {everybody}" for place in places),
        *_mending((), is_to),
        _CLOSING,
    ]


def _things() -> Iterable[tuple[str, str]]:
    for kind, matrix in (("table", TABLES), ("sequence", SEQUENCES), ("function", FUNCTIONS)):
        yield from ((kind, name) for name in matrix)


async def rest(connection: Connection) -> Rest:
    """What of the matrix is still to be done; nothing where all is as it is to be."""
    schema = str(await connection.fetchval("select current_schema()"))
    rows = await connection.fetch("select rolname from pg_roles where rolname = any ($1::text[])", [*ROLES])
    there = {str(row["rolname"]) for row in rows}
    known = {("schema", schema), *_things()}
    has = {one for one in await granted(connection) if (one.kind, one.name) in known}
    is_to = {one for one in wanted(schema) if one.role in there}
    roles = tuple(role for role in ROLES if role not in there)
    statements = [*_mending(has, is_to)]
    if owner := await _open_owner(connection):
        statements.append(_CLOSING.replace("privileges", f"privileges for role {owner}"))
    return Rest(roles, tuple(statements))


async def _open_owner(connection: Connection) -> str | None:
    """Who owns the tables (quoted), where functions that it makes could be called by everybody; else None."""
    found: str | None = await connection.fetchval(
        """select relowner::regrole::text from pg_class
           where oid = to_regclass('migration') and not exists (
             select from pg_default_acl
             where defaclrole = relowner and defaclobjtype = 'f' and defaclnamespace = 0
               and not exists (select from aclexplode(defaclacl) where grantee = 0))"""
    )
    return found


def _mending(has: Iterable[Grant], is_to: Iterable[Grant]) -> Iterable[str]:
    """All rights of a role on a thing are given anew where any of them differs."""
    old, new = _by_place(has), _by_place(is_to)
    for place in sorted({*old, *new}):
        if old.get(place) == new.get(place):
            continue
        kind, name, role = place
        if place in old:
            yield f"revoke all on {_named(kind, name)} from {role}"
        if place in new:
            yield f"grant {_said(new[place])} on {_named(kind, name)} to {role}"


def _named(kind: str, name: str) -> str:
    return f'schema "{name}"' if kind == "schema" else f"{kind} {name}"


_Place = tuple[str, str, str]


def _by_place(grants: Iterable[Grant]) -> Mapping[_Place, set[tuple[str, str | None]]]:
    found: dict[_Place, set[tuple[str, str | None]]] = defaultdict(set)
    for one in grants:
        found[one.kind, one.name, one.role].add((one.right, one.column))
    return found


def _said(rights: Iterable[tuple[str, str | None]]) -> str:
    columns: dict[str, list[str]] = defaultdict(list)
    for right, column in sorted(rights, key=lambda one: (one[0], one[1] or "")):
        columns[right] += [column] if column is not None else []
    return ", ".join(f"{right} ({', '.join(of)})" if of else right for right, of in columns.items())
