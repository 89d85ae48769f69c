"""Which joint follow-ups a run of settlement opens or judges again, and by what of the store.

Owns the choice of the months. Does not own how a month is judged (`adapter.settlement.joint_judging`) nor
what is done with it (`joint_follow_ups`).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from adapter.agreements.load import Book
from adapter.agreements.terms import GateKind
from adapter.errors import InputError, Problem
from adapter.losus.days import Month, local_day
from adapter.settlement.account import Law
from adapter.settlement.difference import Issued
from adapter.settlement.joint import Head, State
from adapter.settlement.joint_entries import Judged
from adapter.settlement.joint_judging import judge, stays_of
from adapter.settlement.statement import Statement
from adapter.settling.casebook import Casebook, read_casebook
from adapter.settling.due import payers
from adapter.settling.issuing import Ledger
from adapter.settling.joint_follow_ups import Office, carries, head_of, open_or_judge, read_follow_ups
from adapter.settling.monthly import followed_of
from adapter.store import joint, statements
from adapter.store.database import Connection
from adapter.store.joint import Wanted

#: So many months before the one that runs are judged again, until all of them is done.
_MONTHS = 12


def office_of(ledger: Ledger) -> Office:
    """Return from where a run publishes follow-ups."""
    return Office(ledger.world.payloads, ledger.edition, ledger.trace)


async def follow_up_jointly(
    connection: Connection, ledger: Ledger, book: Casebook, new: Iterable[Issued], now: datetime
) -> list[Head]:
    """Open the follow-ups that statements of the last year, or `new` ones, call for; judge open ones again.

    `connection` sees what others commit meanwhile: people write in follow-ups while a run goes on.
    """
    since = Month.of(local_day(now)).plus(-_MONTHS)
    recent = await statements.issued_since(connection, since)
    issued = {_head(one.statement): one for one in (*new, *recent)}
    first = min((since, *(head.month for head in issued)))
    known = await read_follow_ups(connection, await joint.find_heads(connection, Wanted(since=first)))
    there = {one.follow_up.head for one in known}
    unfinished = {one.follow_up.head for one in known if one.follow_up.state is not State.COMPLETED}
    open_ = {head for head in unfinished if head.month >= since or head in issued}
    gated = {head for head, one in issued.items() if one.statement.mean.terms.gate is not GateKind.NONE}
    carrying = {one.head.series for one in (each.follow_up for each in known) if carries(one)}
    wanted = {head for head in gated - there if _calls(head, issued[head].statement, carrying)} | open_
    if not wanted:
        return []
    judged = _judge(ledger, book, {head: issued.get(head) for head in wanted}, now)
    return await open_or_judge(connection, office_of(ledger), judged, now)


async def judge_month(connection: Connection, ledger: Ledger, head: Head, now: datetime) -> Judged:
    """Judge one month by the store as it is known now."""
    book = await read_casebook(connection, ledger.world, now)
    history = await statements.history_of(connection, head.municipality, ledger.book.regions.home)
    found = next((one for one in history if _head(one.statement) == head), None)
    return _judge(ledger, book, {head: found}, now)[head]


def refuse_head(agreed: Book, head: Head, now: datetime) -> None:
    """Raise InputError for a month that is not over, or that is not settled by the agreement so."""
    if local_day(now) < head.month.end:
        raise InputError(Problem("business-rule", f"{head.month} is not over", "month"))
    settled = {(one.id, payer[1]) for one, payer in payers(agreed, head.municipality, head.month)}
    if (head.agreement, head.care_form) not in settled:
        raise InputError(Problem("business-rule", "the month is not settled by that", "agreement"))


def _judge(
    ledger: Ledger, book: Casebook, heads: Mapping[Head, Issued | None], now: datetime
) -> dict[Head, Judged]:
    law = Law(ledger.book.rules, ledger.book.regions.home)
    followed = followed_of(book.folded, law)
    return {
        head: judge(
            head,
            followed,
            stays_of(book.stays.get(head.municipality, ()), head, law),
            None if one is None else (one.id, one.statement),
            now,
        )
        for head, one in heads.items()
    }


def _calls(head: Head, statement: Statement, carrying: Collection[tuple[str, str, str]]) -> bool:
    """Whether an issued month calls for a follow-up: it is over, or measures may be carried over to it."""
    return statement.mean.over or head.series in carrying


def _head(statement: Statement) -> Head:
    return head_of(statement.agreement, statement.municipality, statement.care_form, statement.month)
