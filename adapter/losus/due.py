"""When a notice and a call are due: one rule for the deadlines of a case and for the flags of a bill.

Owns the two limits that settlement reads too. Does not own whether they apply (`deadlines`) nor what a late
message costs (`adapter.settlement`).
"""

from datetime import UTC, date, datetime, time, timedelta

from adapter.losus.days import DAY, TICK, at_local, local_day
from adapter.losus.process import NoticeFrom


def notice_due(
    admitted_at: datetime | None, need_assessed_at: datetime | None, counted_from: NoticeFrom, hours: int
) -> datetime | None:
    """Return the last instant for the admission notice (UTC); None while its clock has not started.

    LUS 2:3: «senast 24 timmar efter det att patienten har skrivits in», or after the judgement of need where
    that is later (`need`). Bilaga 9: «inom 24 timmar efter inskrivning i slutenvård» (`admission`). Hours are
    elapsed hours.
    """
    if counted_from == "admission":
        start = admitted_at
    else:
        start = max((at for at in (admitted_at, need_assessed_at) if at is not None), default=None)
    return None if start is None else start.astimezone(UTC) + timedelta(hours=hours)


def call_due(ready_sent_at: datetime, days: int) -> datetime:
    """Return the last instant for the call to SIP (UTC): LUS 4:3 «tre dagar efter», local dates."""
    return end_of_day(local_day(ready_sent_at) + days * DAY)


def end_of_day(day: date) -> datetime:
    """Return the last instant of a local date, in UTC."""
    return at_local(day + DAY, time.min).astimezone(UTC) - TICK
