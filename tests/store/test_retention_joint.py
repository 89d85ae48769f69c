"""Joint follow-ups are kept as statements are: seven calendar years after the payer's last entry."""

import asyncpg
import pytest

from adapter.retention import Kind
from tests.service import service
from tests.settling.hospital import messages, rows, settled, tell
from tests.store.aging import close_through, erased, past_triggers
from tests.store.test_retention_issued import year_end, year_start

TABLES = ("joint_follow_up", "joint_follow_up_entry", "joint_follow_up_version", "joint_follow_up_resource")


async def _counts(dsn: str) -> list[int]:
    return [(await rows(dsn, f"select count(*) from {table}"))[0][0] for table in TABLES]  # noqa: S608 - ours


async def _aged(dsn: str, at: object, month: str) -> None:
    await past_triggers(
        dsn,
        (
            """update joint_follow_up_version set at = $1
               where follow_up in (select id from joint_follow_up where month = $2)""",
            at,
            month,
        ),
        ("update event set created_at = $1 where type = 'se.losus.followup.v1'", at),
        ("delete from outbox",),
    )


async def test_they_go_with_the_last_of_the_payers(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20), *messages(2, "2019-04", 20))
    for month, day in (("2019-03", "2019-04-01"), ("2019-04", "2019-05-02")):
        await settled(dsn, month, day, issue=True, municipalities=("2380",))
    assert (await _counts(dsn))[0] == 2
    await _aged(dsn, year_end(7), "2019-03")
    await _aged(dsn, year_start(7), "2019-04")
    await close_through(dsn, "2019-12")
    await erased(dsn, Kind.JOINT, statements_years=7)
    assert (await _counts(dsn))[0] == 2, "April's measures are March's"
    await _aged(dsn, year_end(7), "2019-04")
    await erased(dsn, Kind.JOINT, statements_years=7)
    assert await _counts(dsn) == [0, 0, 0, 0]
    assert await rows(dsn, "select 1 from event where type = 'se.losus.followup.v1'") == []


@pytest.mark.parametrize("table", TABLES[1:])
async def test_the_database_refuses_what_is_younger(dsn: str, table: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await settled(dsn, "2019-03", "2019-04-01", issue=True, municipalities=("2380",))
    await _aged(dsn, year_end(7), "2019-03")
    for is_closed in (False, True):
        if is_closed:
            await _aged(dsn, year_start(7), "2019-03")
            await close_through(dsn, "2019-12")
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="kept for longer"):
            await _deleted(dsn, table)


async def _deleted(dsn: str, table: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("set local losus.retention = 'on'")
            await connection.execute(f"delete from {table}")  # noqa: S608 - ours
    finally:
        await connection.close()
