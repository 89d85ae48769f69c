"""Why a stay costs what it costs: what the story of it is told from, on the store or on a file.

Owns gathering it; does not own the sentences (`adapter.settling.words`) nor any rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.agreements.agreement import Agreement
from adapter.agreements.in_force import in_force
from adapter.agreements.load import Book
from adapter.agreements.rules import Rules
from adapter.errors import LosusError, Problem, SetupError
from adapter.losus.days import Month, local_day
from adapter.settlement.account import Choice, Law, Named
from adapter.settlement.difference import Issued
from adapter.settlement.heard import ALL_KNOWN, FileSpan, Heard
from adapter.settlement.holding import hold
from adapter.settlement.settle import settle, settle_in_force
from adapter.settlement.statement import Key, Statement
from adapter.settlement.stay import Stay
from adapter.settling.casebook import named_cases, read_casebook
from adapter.settling.issuing import Ledger
from adapter.settling.step_words import Step, steps_of_case, steps_of_row
from adapter.settling.words import Known, Question, care_form_of
from adapter.store import disputes, statements
from adapter.store.database import Connection


class NoStayError(LosusError):
    """No stay of that id, or one that no rule can settle."""

    status = 404


@dataclass(frozen=True, slots=True)
class _Around:
    """What goes with a stay: the stays of its municipality, what was issued to all whose it was, questions.

    `named`: the agreement that settles all stays; None: what is in force. `heard`: of which months it is
    known that there were no stays.
    """

    stays: Sequence[Stay]
    book: Book
    named: Rules | None = None
    history: Sequence[Issued] = ()
    disputed: Sequence[Question] = ()
    heard: Heard = ALL_KNOWN


async def known_from_store(connection: Connection, ledger: Ledger, stay: str, now: datetime) -> Known:
    """Gather what is known of a case; NoStayError where there is none that can be settled by rule."""
    cases = await named_cases(connection, ledger.world, [stay], now)
    if stay not in cases:
        raise NoStayError(Problem("not-found", "no such stay"))
    book = await read_casebook(connection, ledger.world, now)
    reasons = [one.reason for one in book.by_hand if one.case_id == stay and not one.parked]
    if reasons:
        raise NoStayError(Problem("business-rule", f"to be settled by people: {reasons[0]}"))
    for municipality, stays in book.stays.items():
        found = next((one for one in stays if one.stay == stay), None)
        if found is not None:
            towns = sorted({municipality, *await statements.recorded_for(connection, stay)})
            home = ledger.book.regions.home
            history = [one for town in towns for one in await statements.history_of(connection, town, home)]
            rows = [row for town in towns for row in await disputes.list_disputes(connection, town)]
            asked = [Question(row.dispute, row.asked_at, row.answered_at) for row in rows]
            around = _Around(stays, ledger.book, None, history, asked, book.heard)
            return _known(found, steps_of_case(cases[stay]), around)
    raise NoStayError(Problem("not-found", "no such stay"))


def known_from_rows(stays: Sequence[Stay], stay: str, book: Book, named: Rules | None) -> Known:
    """Gather what a stays file knows; `named`: the agreement that settles all of them, else what is in force.

    NoStayError where no row has that id.
    """
    found = next((one for one in stays if one.stay == stay), None)
    if found is None:
        raise NoStayError(Problem("not-found", "no such stay"))
    mine = [one for one in stays if one.liable == found.liable]
    ends = [Month.of(local_day(one.ended_at)) for one in stays if one.ended_at is not None]
    return _known(found, steps_of_row(found), _Around(mine, book, named, heard=FileSpan.of(ends)))


def _known(stay: Stay, steps: tuple[Step, ...], around: _Around) -> Known:
    agreements: dict[str, Agreement] = {name: one.agreement for name, one in around.book.rules.items()}
    day = local_day(stay.ended_at or stay.admitted_at)
    named = around.named
    if named is None:
        region, _ = Law(around.book.rules, around.book.regions.home).treating(stay.region, stay.liable)
        chosen = in_force(agreements, day, stay.liable, stay.care_form, region)
        rules, because = around.book.rules[chosen.agreement.id], chosen.because
    else:
        rules, because = named, f"{named.id} was named for all stays."
    statement = None if stay.ended_at is None else _statement(stay, rules, around)
    mine = tuple(one for one in around.disputed if one.dispute.stay == stay.stay)
    return Known(stay, steps, rules, because, statement, tuple(around.history), named is not None, mine)


def _statement(stay: Stay, rules: Rules, around: _Around) -> Statement | None:
    """Settle the month of the stay's end, as known at the last month that anything is known of."""
    ends = [local_day(one.ended_at) for one in around.stays if one.ended_at is not None]
    end = local_day(stay.ended_at) if stay.ended_at is not None else max(ends)
    month = Month.of(end)
    last = max([Month.of(day) for day in ends] + [one.statement.month for one in around.history])
    asked, book = sorted({month, last}), around.book
    try:
        home, heard = book.regions.home, around.heard
        if around.named is None:
            owed = settle_in_force(around.stays, book.rules, book.rates, asked, heard=heard, home=home)
        else:
            owed = settle(around.stays, around.named, book.rates, asked, heard=heard, home=home)
    except SetupError:  # agreements that contradict each other
        return None
    kept, _ = hold(owed, [one.dispute for one in around.disputed])
    choice: Choice = Law(book.rules, home) if around.named is None else Named(around.named, home)
    region, _ = choice.treating(stay.region, stay.liable)
    key = Key(rules.id, stay.liable, care_form_of(stay, rules, end), month, region)
    return next((one for one in kept if one.key == key), None)
