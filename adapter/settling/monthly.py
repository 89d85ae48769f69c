"""The monthly follow-up from the store: what was read of every case, counted, told, kept.

Owns what of a case is followed up, and that a month's follow-up is issued once. Does not own the counts
(`adapter.settlement.following`) nor the report (`adapter.fhir.followup`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from adapter.fhir.decimals import dumps
from adapter.fhir.followup import follow_up_bundle
from adapter.losus.days import Month, local_day
from adapter.outbound.events import settlement_event
from adapter.settlement import stay as settlement
from adapter.settlement.account import Law
from adapter.settlement.following import Followed, FollowUp, follow_ups
from adapter.settlement.measure import measure
from adapter.settlement.stay import Stay
from adapter.settling.casebook import Casebook, read_casebook
from adapter.settling.folded import Folded
from adapter.settling.issuing import Ledger
from adapter.store.database import Connection
from adapter.store.followups import FollowUpRow, add_follow_up
from adapter.store.intake import add_events


async def month_of_store(
    connection: Connection, ledger: Ledger, municipalities: Sequence[str], month: Month, now: datetime
) -> list[FollowUp]:
    """Count the month of these municipalities as known now, whether or not it was issued."""
    cases = await read_casebook(connection, ledger.world, now)
    asked = [(municipality, month) for municipality in municipalities]
    followed = followed_of(cases.folded, Law(ledger.book.rules, ledger.book.regions.home))
    return list(follow_ups(followed, asked, now, heard=cases.heard))


def followed_of(cases: Iterable[Folded], law: Law) -> list[Followed]:
    """Give what is followed up; what is no stay that a rule can count (`losus.stay`) is left out."""
    return [
        Followed(
            stay.stay,
            stay.liable,
            case.person,
            stay.admitted_at,
            stay.ended_at,
            home=case.home,
            days=_days(stay, law),
            limits=case.limits,
        )
        for case in cases
        if case.row is not None and not settlement.faults_of(case.row)
        for stay in (settlement.stay_of(case.row),)
    ]


async def issue_follow_ups(
    connection: Connection,
    ledger: Ledger,
    book: Casebook,
    asked: Sequence[tuple[str, Month]],
    now: datetime,
) -> None:
    """Keep the follow-ups of municipalities and months that are over, and the events that tell of them."""
    if not asked:
        return
    edition = ledger.edition(now)
    followed = followed_of(book.folded, Law(ledger.book.rules, ledger.book.regions.home))
    for told in follow_ups(followed, asked, now, heard=book.heard):
        made = follow_up_bundle(told, edition)
        resources = tuple(
            (entry["resource"]["resourceType"], entry["resource"]["id"], dumps(entry["resource"]))
            for entry in made["entry"]
        )
        sent = dumps(made)
        await add_follow_up(connection, FollowUpRow(told.municipality, told.month, now, sent, resources))
        report = made["entry"][0]["resource"]["id"]
        event = settlement_event(report, told.municipality, sent, ledger.world.payloads)
        await add_events(connection, [event], now, ledger.trace)


def _days(stay: Stay, law: Law) -> int | None:
    if stay.ended_at is None:
        return None
    end = local_day(stay.ended_at)
    measured = measure(stay, end, law.of(stay, end).on(end, stay.care_form))
    return measured.days if measured.out is None else None
