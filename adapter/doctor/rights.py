"""Who we are to the database, and what our roles may do there.

Owns what a login may not be; does not own the matrix (`store.roles`) nor the comparison (`store.grants`).
"""

from collections.abc import Sequence

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.store.grants import rest
from adapter.store.migrate import unknown
from adapter.store.roles import ROLES

_WHO = """
  select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication,
         coalesce(pg_has_role(current_user, (select relowner from pg_class where oid = to_regclass('cases')),
                              'usage'), false) as owns
  from pg_roles where rolname = current_user"""


async def login(it: Deployment) -> Sequence[Told]:
    """A login that could do more than any of our processes needs to."""
    async with it.database() as connection:
        who = await connection.fetchrow(_WHO)
        rows = await connection.fetch(
            """select rolname::text as role from pg_roles
               where rolname = any ($1::text[]) and pg_has_role(current_user, oid, 'usage')""",
            [*ROLES],
        )
    member = ", ".join(sorted(row["role"] for row in rows))
    words = {
        "rolsuper": "is a superuser",
        "owns": "owns the tables",
        "rolbypassrls": "passes over row security",
        "rolreplication": "may replicate",
        "rolcreaterole": "may make roles",
        "rolcreatedb": "may make databases",
    }
    too_much = [said for name, said in words.items() if who is not None and who[name]]
    if too_much:
        mend = (
            "give each process a login of its own that is a member of its role alone (`losus migrate --sql`)"
        )
        made = warn if it.is_sandbox else fail
        return [made(f"the login {', '.join(too_much)}: what was issued could be changed by it", mend)]
    if not member:
        mend = "grant losus_intake, losus_relay, losus_settle or losus_read to the login of this process"
        return [fail("the login is in none of our roles", mend)]
    return [ok(f"a member of {member} alone")]


async def matrix(it: Deployment) -> Sequence[Told]:
    """What of the matrix of rights the database lacks, or has beyond it."""
    async with it.database() as connection:
        if await unknown(connection):
            return [ok("of a later version, whose rights are its own")]
        left = await rest(connection)
    # what whoever makes functions later gives away is the owner's own affair, and the first word of it tells
    differing = [one for one in left.statements if one.startswith(("grant ", "revoke "))]
    if not left.roles and not differing:
        return [ok("as the matrix has them")]
    mend = "`losus migrate`, with the login that owns the tables; `losus migrate --check` lists what differs"
    made = warn if it.is_sandbox else fail
    if left.roles:
        return [made(f"the roles {', '.join(left.roles)} are not there", mend)]
    return [made(f"{len(differing)} rights differ from the matrix", mend)]
