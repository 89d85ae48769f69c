"""Room in the database: vacuum, long transactions, replication slots, connections, sizes.

Owns from where on each of these is a trouble.
"""

from collections.abc import Sequence

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn

_OLD_TRANSACTION_S = 15 * 60
_STUCK_TRANSACTION_S = 2 * 3600
_HELD_BYTES = 5 * 1024**3
_FULL, _NEARLY_FULL = 0.95, 0.8
_GIB = 1024**3


async def vacuum(it: Deployment) -> Sequence[Told]:
    """Without autovacuum the outbox, from which every event is deleted, grows until nothing moves."""
    async with it.database() as connection:
        is_on = await connection.fetchval(
            "select current_setting('autovacuum')::bool and current_setting('track_counts')::bool"
        )
    if is_on:
        return [ok("autovacuum is on")]
    return [fail("autovacuum is off", "autovacuum = on and track_counts = on in postgresql.conf")]


async def transactions(it: Deployment) -> Sequence[Told]:
    """A transaction that stays open keeps vacuum from what every other leaves behind."""
    async with it.database() as connection:
        age_s = await connection.fetchval(
            """select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float
               from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"""
        )
    mend = "find it in pg_stat_activity (order by xact_start), and end it: pg_terminate_backend(pid)"
    if age_s > _STUCK_TRANSACTION_S:
        return [fail(f"one has been open for {age_s / 3600:.1f} h", mend)]
    if age_s > _OLD_TRANSACTION_S:
        return [warn(f"one has been open for {age_s / 60:.0f} min", mend)]
    return [ok("none is open for long")]


async def slots(it: Deployment) -> Sequence[Told]:
    """A replication slot that nobody reads keeps the log for ever, until the disk is full."""
    async with it.database() as connection:
        held = await connection.fetchval(
            """select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint
               from pg_replication_slots where not active and not pg_is_in_recovery()"""
        )
    if held > _HELD_BYTES:
        mend = "pg_drop_replication_slot(name) of what pg_replication_slots shows as not active"
        return [fail(f"one that nobody reads holds {held / _GIB:.1f} GiB of the log", mend)]
    return [ok("none holds the log up")]


async def connections(it: Deployment) -> Sequence[Told]:
    """How near the server's limit is."""
    async with it.database() as connection:
        used, most = await connection.fetchrow(
            """select (select count(*) from pg_stat_activity where backend_type = 'client backend'),
                      current_setting('max_connections')::int
                      - current_setting('superuser_reserved_connections')::int"""
        )
    found = f"{used} of {most} are in use"
    mend = "raise max_connections, or run fewer replicas: serve and watch take eight each, a relay one"
    if used >= _FULL * most:
        return [fail(found, mend)]
    return [warn(found, mend) if used >= _NEARLY_FULL * most else ok(found)]


async def size(it: Deployment) -> Sequence[Told]:
    """The whole, and the largest tables: to be told; how large the disk is, is not known here."""
    async with it.database() as connection:
        whole = await connection.fetchval("select pg_database_size(current_database())")
        rows = await connection.fetch(
            """select relname::text as name, pg_total_relation_size(oid) as bytes from pg_class
               where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace
               order by 2 desc limit 3"""
        )
    largest = ", ".join(f"{row['name']} {row['bytes'] / _GIB:.2f}" for row in rows)
    return [ok(f"{whole / _GIB:.2f} GiB (largest: {largest})")]
