"""A database as a region has it: an owner that migrates it, and a login for each kind of process."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

from adapter.commands.migrate import Done, bring_up
from adapter.sandbox.database import Database
from adapter.store.roles import ROLES

#: Kinds of login: those of the roles, without what they begin with.
KINDS = tuple(role.removeprefix("losus_") for role in ROLES)


@dataclass(frozen=True, slots=True)
class Logins:
    """Addresses of one database, each with the login of a kind; `owner` may make no roles."""

    server: str
    name: str
    password: str

    def dsn(self, kind: str) -> str:
        """The address for `owner`, or for one of `KINDS`."""
        return f"postgresql://{self.login(kind)}:{self.password}@{urlsplit(self.server).netloc.rpartition('@')[2]}/{self.name}"

    def login(self, kind: str) -> str:
        """The name that a kind logs in by."""
        return f"{self.name}_{kind}"

    async def execute(self, *statements: str) -> None:
        """Carry out statements as the DBA: the server's superuser, on this database."""
        connection = await asyncpg.connect(self.server.rpartition("/")[0] + f"/{self.name}")
        try:
            for one in statements:
                await connection.execute(one)
        finally:
            await connection.close()


async def install(server: Database) -> Logins:
    """What a DBA does before the first `losus migrate`: a database, its owner, the groups and the logins."""
    made = Logins(server.dsn, f"region_{secrets.token_hex(6)}", secrets.token_hex(12))
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f"create role {made.login('owner')} login password '{made.password}'")
        await connection.execute(
            f"create database {made.name} owner {made.login('owner')} strategy file_copy"
        )
        await connection.execute(f"revoke connect, temporary on database {made.name} from public")
        there = {row["rolname"] for row in await connection.fetch("select rolname::text from pg_roles")}
        for role, kind in zip(ROLES, KINDS, strict=True):
            if role not in there:
                await connection.execute(f"create role {role} nologin")
            await connection.execute(
                f"create role {made.login(kind)} login password '{made.password}' in role {role}"
            )
            await connection.execute(f"grant connect on database {made.name} to {made.login(kind)}")
    finally:
        await connection.close()
    return made


async def installed(server: Database) -> tuple[Logins, Done]:
    """The same, and migrated by the owner."""
    made = await install(server)
    return made, await bring_up(made.dsn("owner"))


async def remove(logins: Logins) -> None:
    """Take the database and its logins away."""
    connection = await asyncpg.connect(logins.server)
    try:
        await connection.execute(f"drop database {logins.name} with (force)")
        for kind in (*KINDS, "owner"):
            await connection.execute(f"drop role {logins.login(kind)}")
    finally:
        await connection.close()
