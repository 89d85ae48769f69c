"""The monthly follow-up from the store: every case folded, counted, told.

Owns what of a case is followed up; does not own the counts (`adapter.settlement.following`) nor the report
(`adapter.fhir.followup`).
"""

from datetime import datetime

from adapter.agreements.load import Book
from adapter.losus.case import Case
from adapter.losus.days import Month, local_day
from adapter.losus.deadlines import DeadlineStatus
from adapter.losus.identity import person_pseudonym
from adapter.losus.presence import EndHow
from adapter.losus.stay import stay_of
from adapter.settlement import stay as settlement
from adapter.settlement.account import Law
from adapter.settlement.following import Followed, FollowUp, follow_up
from adapter.settlement.measure import measure
from adapter.settlement.stay import Stay
from adapter.settling.casebook import all_cases
from adapter.store.database import Connection
from adapter.world import World


async def month_of_store(
    connection: Connection, world: World, book: Book, municipality: str, month: Month, now: datetime
) -> FollowUp:
    """Count the month of a municipality; `now` tells which limits are missed."""
    law = Law(book.rules)
    found = [
        followed
        async for case in all_cases(connection, world, now)
        if (followed := followed_of(case, law, world.secret)) is not None
    ]
    return follow_up(found, municipality, month)


def followed_of(case: Case, law: Law, secret: bytes) -> Followed | None:
    """Give what is followed up of a case; None where it is no stay that a rule can count (`losus.stay`)."""
    row = stay_of(case)
    if row is None or settlement.faults_of(row):
        return None
    stay = settlement.stay_of(row)
    identity = case.person.identity
    end = case.standing.end
    return Followed(
        stay.stay,
        stay.liable,
        None if identity is None else person_pseudonym(secret, identity),
        stay.admitted_at,
        stay.ended_at,
        home=end is not None and end.how is EndHow.DISCHARGED,
        days=_days(stay, law),
        limits={one.name: one.status for one in case.deadlines if one.status is not DeadlineStatus.PENDING},
    )


def _days(stay: Stay, law: Law) -> int | None:
    if stay.ended_at is None:
        return None
    end = local_day(stay.ended_at)
    measured = measure(stay, end, law.choose(stay.liable, stay.care_form, end).on(end, stay.care_form))
    return measured.days if measured.out is None else None
