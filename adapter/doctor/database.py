"""The database itself: reachable, encrypted on the way, of a version that is known, with our tables.

Owns these looks; does not own the migrations (`store.migrate`), who may do what (`rights`) nor how full it is
(`capacity`).
"""

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.errors import UnavailableError
from adapter.store.migrate import missing
from adapter.store.migrate import unknown as later

#: The oldest version that is still cared for by PostgreSQL's own policy, and that the tests run on or above.
_OLDEST, _TESTED = 14, 18
_VERIFIED = {"verify-ca", "verify-full"}


async def reachable(it: Deployment) -> Sequence[Told]:
    """Whether it answers at all."""
    try:
        async with it.database() as connection:
            await connection.fetchval("select 1")
    except (UnavailableError, OSError, ValueError) as error:
        rule = (
            error.problems[0].rule if isinstance(error, UnavailableError) else "no address that can be asked"
        )
        mend = "is LOSUS_DATABASE right, is the server up, does a NetworkPolicy let us reach it?"
        return [fail(rule, mend)]
    return [ok("it answers")]


async def encrypted(it: Deployment) -> Sequence[Told]:
    """TLS in fact, and with whom; a socket of this machine needs none."""
    async with it.database() as connection:
        is_tls = await connection.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        is_local = await connection.fetchval(
            "select inet_server_addr() is null or host(inet_server_addr()) in ('127.0.0.1', '::1')"
        )
    asked = parse_qs(urlsplit(it.settings.database.get_secret_value()).query).get("sslmode", [""])[-1]
    if is_tls and asked in _VERIFIED:
        return [ok(f"TLS, and the server is known ({asked})")]
    if is_local:
        return [ok("on this machine")]
    mend = "sslmode=verify-full&sslrootcert=… in LOSUS_DATABASE"
    if is_tls:
        return [fail("TLS with whoever answers", mend)]
    return [fail("no TLS", mend)]


async def version(it: Deployment) -> Sequence[Told]:
    """The server's version, whether it is cared for."""
    async with it.database() as connection:
        number = int(await connection.fetchval("select current_setting('server_version_num')")) // 10_000
    mend = f"plan an upgrade; the tests run on PostgreSQL {_TESTED}"
    if number < _OLDEST:
        return [fail(f"PostgreSQL {number} is no longer mended by anybody", mend)]
    if number == _OLDEST:
        return [warn(f"PostgreSQL {number} is in its last year", mend)]
    return [ok(f"PostgreSQL {number}")]


async def migrations(it: Deployment) -> Sequence[Told]:
    """Whether the tables are as this version needs them."""
    async with it.database() as connection:
        lacking, unknown = await missing(connection), await later(connection)
    if lacking:
        names = ", ".join(one.name for one in lacking)
        return [fail(f"lacks {names}", "`losus migrate`, with the login that owns the tables")]
    if unknown:
        mend = "finish the roll-out of the version that the database is of"
        return [warn(f"of a later version ({unknown[-1]})", mend)]
    return [ok("all are applied")]
