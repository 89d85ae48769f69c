"""Settlement from the store on one page: cases in, statements issued and published.

    every case ─fold─▶ stays ─settle─▶ owed ─less what was issued─▶ statement ═ outbox ─▶ Kafka
                         └─▶ the month's follow-up, once all its statements are issued ═┘
    ─▶ joint follow-ups that the issued statements call for (`joint_judging`)

Owns the order of the steps, and that one municipality's fault holds up no other. Does not own a single
rule of what is owed (`adapter.settlement`), when a month may be issued (`issuing`), how it is
told (`adapter.fhir`), what else is issued with it (`monthly`, `publishing`) nor how it is kept
(`adapter.store`).

Each stay is settled by what is in force for it. What is known when a statement is issued is in it; what
is heard later comes as adjustment lines on the next one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapter.errors import LosusError, Problem, SetupError, TooLargeError, UnavailableError
from adapter.losus.days import Month, local_day, months
from adapter.settlement.joint import Head
from adapter.settlement.statement import Key, unknown_rate
from adapter.settling.casebook import ByHand, Casebook, read_casebook
from adapter.settling.issuing import Ledger, ToldOtherwiseError, issued_from, keep, refuse_early
from adapter.settling.joint_judging import follow_up_jointly
from adapter.settling.monthly import issue_follow_ups
from adapter.settling.owing import Told, owing, wanted_of
from adapter.settling.publishing import publish_statistics
from adapter.store import statements
from adapter.store.closed import Closed
from adapter.store.database import Connection, Database
from adapter.store.followups import followed_up
from adapter.store.recovery import is_behind


class ClosedError(LosusError):
    """A month of which nothing is settled any more: what it rests on may have been taken out."""

    status = 409


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be settled: all municipalities where none is named, all agreements where None.

    One that neither subscribes nor was ever liable for a stay has no statement, also where it is named.

    `issue`: whether to issue; `due`: only what is to be issued now, and of that what was not yet.
    `early`: why although the correction day is not over. `no_data`: why statements of months of which nothing
    is known are issued as such.
    """

    months: Sequence[Month]
    municipalities: Collection[str] = ()
    agreement: str | None = None
    issue: bool = False
    due: bool = False
    early: str | None = None
    no_data: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A statement that is not issued by itself, because nothing is known of its month (`settlement.heard`).

    `silent`: the sources that sent nothing of the month; empty where none ever sent anything of the form.
    """

    municipality: str
    care_form: str
    month: Month
    silent: tuple[str, ...]


@dataclass(slots=True)
class Settled:
    """What a run came to: the statements told, who must be settled by people, and what was refused.

    `unknown`: what waits for people, since nothing is known of its month. `followed`: whose months'
    follow-ups were issued. `opened`: joint follow-ups that opened by themselves. `published`: agreements and
    months that the public is told of now. `folded`: how many cases were folded for it, since they were not
    known as they are.
    """

    told: list[Told] = field(default_factory=list)
    by_hand: list[ByHand] = field(default_factory=list)
    refused: list[tuple[str, Month, LosusError]] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    followed: list[tuple[str, Month]] = field(default_factory=list)
    opened: list[Head] = field(default_factory=list)
    published: list[tuple[str, Month]] = field(default_factory=list)
    folded: int = 0


async def settle_month(database: Database, ledger: Ledger, asked: Asked, now: datetime) -> Settled:
    """Settle months from the store, and issue what is asked to be issued; all of a run or nothing.

    Issuing the same month twice issues nothing more: what was issued is told as it was. TooEarlyError
    where a month may still be corrected and no reason is given; UnavailableError where the database is older
    than what Kafka has, so that what it would issue may be issued. A second run waits for the first.
    """
    async with database.transaction() as guard:
        await statements.settle_alone(guard)
        if asked.issue and await is_behind(guard):
            rule = "the database is older than what Kafka has: losus recover"
            raise UnavailableError(Problem("transient", rule))
        async with database.transaction() as connection:
            await statements.one_moment(connection)
            book = await read_casebook(connection, ledger.world, now, guard)
            asked = _open(asked, book.closed)
            done = Settled(by_hand=_by_hand(book, asked), folded=book.fresh)
            over = await _settle(connection, ledger, asked, book, done, now)
            if asked.issue:
                await _issue_beside(connection, ledger, book, done, over, now)
        if asked.issue:
            async with database.transaction() as connection:
                new = [one.statement for one in done.told if one.fresh]
                done.opened = await follow_up_jointly(connection, ledger, book, new, now)
        return done


def _open(asked: Asked, closed: Closed) -> Asked:
    """Leave closed months out of a scheduled run; ClosedError where one is asked for by name."""
    left = [month for month in asked.months if month not in closed]
    if len(left) < len(asked.months) and not asked.due:
        rule = f"{closed.through} and all months before it are closed: nothing of them is settled any more"
        raise ClosedError(Problem("business-rule", rule))
    return replace(asked, months=left)


async def settle_due(database: Database, ledger: Ledger, first: Month, now: datetime) -> Settled:
    """Issue every month from `first` on whose correction day is over and that was not issued yet."""
    over = tuple(months(first, Month.of(local_day(now))))
    return await settle_month(database, ledger, Asked(over, issue=True, due=True), now)


async def _settle(
    connection: Connection, ledger: Ledger, asked: Asked, book: Casebook, done: Settled, now: datetime
) -> list[tuple[str, Month]]:
    """Settle each municipality's months; give those of which every statement is issued."""
    over: list[tuple[str, Month]] = []
    followed = await followed_up(connection, asked.months)
    everyone = await everyone_of(connection, ledger, book)
    for municipality in sorted(everyone & set(asked.municipalities or everyone)):
        payer = await owing(connection, book, municipality, ledger.book.regions.home)
        wanted = asked.months
        if asked.due:
            unfollowed = {month for month in asked.months if (municipality, month) not in followed}
            wanted = sorted({*payer.lacking(ledger.book, asked.months), *unfollowed})
        for month in wanted:
            try:
                found = payer.told(ledger.book, month, now)
            except (
                SetupError
            ) as fault:  # agreements that contradict each other hold up this municipality alone
                done.refused.append((municipality, month, fault))
                break
            mine = [one for one in found if asked.agreement in {None, one.statement.statement.agreement}]
            if asked.issue:
                done.unknown += _unknown(book, mine, asked, now)
                mine = await _issue(connection, ledger, mine, asked, done, now)
                payer.history += [one.statement for one in mine if one.fresh]
                there = {one.statement.key for one in payer.history}
                if _is_over(found, there):
                    over.append((municipality, month))
            else:
                done.refused += [refused for one in mine if (refused := without_rate(one))]
            done.told += [one for one in mine if one.fresh or not asked.due]
    return [one for one in over if one not in followed]


def _unknown(book: Casebook, found: Iterable[Told], asked: Asked, now: datetime) -> Iterator[Unknown]:
    """List the statements that would be issued now, were it known what happened in their months."""
    for told in found:
        one = told.statement.statement
        if _waits(told, asked) and (local_day(now) >= issued_from(one) or not asked.due):
            silent = book.heard.silent(one.municipality, one.care_form, one.month)
            yield Unknown(one.municipality, one.care_form, one.month, silent)


def _waits(told: Told, asked: Asked) -> bool:
    """Whether a statement is left to people: of a month of which nothing is known."""
    return told.statement.statement.mean.no_data and not told.issued and asked.no_data is None


def _is_over(found: Sequence[Told], there: Collection[Key]) -> bool:
    """Whether all statements of a month are issued, but for those that wait for people; one at least is."""
    left = [one.statement.statement for one in found if one.statement.statement.key not in there]
    return len(left) < len(found) and all(one.mean.no_data for one in left)


async def everyone_of(connection: Connection, ledger: Ledger, book: Casebook) -> set[str]:
    """Give all that have statements: whoever is liable for a stay, subscribes, or had one before."""
    return set(book.stays) | set(ledger.world.payloads) | await statements.issued_to(connection)


async def _issue(
    connection: Connection,
    ledger: Ledger,
    found: Iterable[Told],
    asked: Asked,
    done: Settled,
    now: datetime,
) -> list[Told]:
    """Issue the drafts among these, and tell all as issued.

    One that no topic could hold is refused alone, one in whose place another was published and lost, and one
    whose region has no organisation number, and one that a rate is missing for: it is issued once the rate is
    there, and later months go on meanwhile.
    """
    issued: list[Told] = []
    for one in found:
        statement = one.statement.statement
        if one.issued:
            issued.append(one)
        elif _waits(one, asked):
            continue
        elif not (asked.due and local_day(now) < issued_from(statement)):
            refuse_early(statement, now, asked.early)
            if (refused := without_rate(one)) is not None:
                done.refused.append(refused)
                continue
            try:
                kept = await keep(connection, ledger, one.statement, one.held, asked.early)
            except (TooLargeError, ToldOtherwiseError, SetupError) as fault:
                done.refused.append((statement.municipality, statement.month, fault))
            else:
                issued.append(replace(one, statement=kept, issued=True, fresh=True))
    return issued


def without_rate(one: Told) -> tuple[str, Month, LosusError] | None:
    """Give the refusal of a statement that a rate is missing for; None where none is."""
    statement = one.statement.statement
    if statement.no_rate is None:
        return None
    return statement.municipality, statement.month, unknown_rate(statement.no_rate.years)


async def _issue_beside(
    connection: Connection,
    ledger: Ledger,
    book: Casebook,
    done: Settled,
    over: Sequence[tuple[str, Month]],
    now: datetime,
) -> None:
    """Issue what goes with a month: each municipality's follow-up, and what the public is told."""
    await issue_follow_ups(connection, ledger, book, over, now)
    done.followed += over
    months_ = sorted({one.statement.statement.month for one in done.told if one.issued})
    wanted = {
        key
        for municipality in await everyone_of(connection, ledger, book)
        for key in wanted_of(ledger.book, municipality, book.stays.get(municipality, ()), months_)
    }
    done.published += await publish_statistics(connection, ledger, wanted, months_, now)


def _by_hand(book: Casebook, asked: Asked) -> list[ByHand]:
    """Give the cases that the months asked for may miss; one that is still in may end in any."""
    wanted = set(asked.municipalities)
    return [
        one
        for one in book.by_hand
        if (one.month is None or one.month in asked.months)
        and (not wanted or one.municipality is None or one.municipality in wanted)
    ]
