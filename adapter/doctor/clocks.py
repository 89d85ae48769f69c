"""Time: whether this machine's clock and the database's agree, and whether Stockholm's hours are known.

Limits of time are judged by this clock, and what waits by the database's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn

_MEND = "let chrony or systemd-timesyncd keep the time of both machines"
_FAR_S, _OFF_S = 30.0, 2.0


async def database(it: Deployment) -> Sequence[Told]:
    """How far apart they are, half of the way to and fro reckoned off."""
    async with it.database() as connection:
        asked_at = it.now()
        its_own: datetime = await connection.fetchval("select clock_timestamp()")
        answered_at = it.now()
    apart_s = abs((its_own - (asked_at + (answered_at - asked_at) / 2)).total_seconds())
    found = f"this machine and the database are {apart_s:.1f} s apart"
    if apart_s > _FAR_S:
        return [fail(found, _MEND)]
    return [warn(found, _MEND) if apart_s > _OFF_S else ok(found)]


async def zone(it: Deployment) -> Sequence[Told]:
    """Deadlines and days that are paid for are local days: of summer and winter time."""
    try:
        hours = ZoneInfo("Europe/Stockholm")
    except ZoneInfoNotFoundError:
        return [fail("the time zone Europe/Stockholm is not known here", "install tzdata in the image")]
    winter, summer = (datetime(2026, month, 1, 12, tzinfo=hours).utcoffset() for month in (1, 7))
    if (winter, summer) != (timedelta(hours=1), timedelta(hours=2)):
        return [fail("the hours of Europe/Stockholm are wrong here", "install tzdata in the image")]
    return [ok(f"it is {it.now().astimezone(hours):%Y-%m-%d %H:%M} in Stockholm")]
