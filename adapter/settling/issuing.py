"""A statement issued: stored, told as a FHIR Bundle, and given to the outbox, in one transaction.

Owns when a month may be issued, and that what is stored is what is published. Does not own what is owed
(`adapter.settling.run`) nor the Bundle (`adapter.fhir.summary`).

When. A month is issued once the agreement's correction day is over: `corrections_until_day: 12` means
that what is corrected through the 12th of the month after is in the statement, which is issued from the
13th on (Västra Götaland, «senast den 12:e i följande månad, innan beräkningen fryses»). Where an
agreement names no such day, from the 1st of the month after. Earlier only with a reason, which is kept
with the statement; and never before the month itself is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from adapter.agreements.load import Book
from adapter.agreements.regions import Region
from adapter.errors import LosusError, Problem, TooLargeError
from adapter.fhir.decimals import dumps
from adapter.fhir.elements import Edition
from adapter.fhir.measure_report import report_id
from adapter.fhir.model import FhirVersion
from adapter.fhir.numbers import numbers_in
from adapter.fhir.summary import bundle
from adapter.losus.days import local_day
from adapter.outbound.events import settlement_event
from adapter.outbound.topics import LARGEST_STATEMENT
from adapter.settlement.claim import numbered, redated
from adapter.settlement.difference import Issued
from adapter.settlement.statement import Statement
from adapter.settling.casebook import sources_of_stays
from adapter.settling.due import first_day
from adapter.store.database import Connection
from adapter.store.intake import add_events
from adapter.store.invoices import KnownDocument, NewDocument, allocate, keep_numbers
from adapter.store.recovery import ToldStatement, lost_statements
from adapter.store.statements import StatementRow, add_statement
from adapter.trace import Trace
from adapter.world import World


class TooEarlyError(LosusError):
    """A month that may still be corrected is not issued without a reason."""

    status = 409


class ToldOtherwiseError(LosusError):
    """Another statement was published for the payer and month, and this database has lost it."""

    status = 409


@dataclass(frozen=True, slots=True)
class Ledger:
    """What settling needs beside the store: the world of the cases, what is agreed, how it is told.

    `trace` is that of the run, which what it issues is put down to.
    """

    world: World
    book: Book
    version: FhirVersion
    base: str
    trace: Trace | None = None

    def edition(
        self, made_at: datetime, sources: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> Edition:
        """Say how something is told; `sources`: of stays, the messages that each rests on."""
        return Edition(
            made_at=made_at,
            regions=self.book.regions,
            municipalities=self.book.municipalities,
            sources=sources,
            version=self.version,
            base=self.base,
            invoicing=self.book.invoicing,
        )

    def creditor(self, statement: Statement) -> Region:
        """Give the region that is paid, which treated; SetupError where it is not known."""
        return self.book.regions.get(statement.region)


def issued_from(statement: Statement) -> date:
    """Give the first day on which the statement may be issued: the day after its correction day."""
    return first_day(statement.month, statement.mean.terms)


def refuse_early(statement: Statement, now: datetime, early: str | None) -> None:
    """Raise TooEarlyError where the statement may not be issued yet; `early` is the reason to do it now."""
    today = local_day(now)
    if today < statement.month.end:
        raise TooEarlyError(Problem("business-rule", f"{statement.month} is not over"))
    if today < issued_from(statement) and not early:
        rule = f"{statement.agreement} takes corrections of {statement.month} before {issued_from(statement)}"
        raise TooEarlyError(Problem("business-rule", f"{rule}; --early REASON issues it now"))


async def keep(
    connection: Connection, ledger: Ledger, one: Issued, held: tuple[str, ...], early: str | None
) -> Issued:
    """Store a statement as it is issued, and the event that tells of it; the statement as it was stored.

    Its documents get their numbers here. One that was published and lost in a restore is stored as it was
    published, with its numbers, where it is the same now, and not told again. TooLargeError where no message
    of a topic could hold it, ToldOtherwiseError where another was published for the same payer and month, or
    one of the municipality's is lost, SetupError where the region has no organisation number: nothing is kept
    then, and no number is taken.
    """
    async with connection.transaction():  # a savepoint: a refused statement leaves no gap in the series
        return await _keep(connection, ledger, one, held, early)


async def _keep(
    connection: Connection, ledger: Ledger, one: Issued, held: tuple[str, ...], early: str | None
) -> Issued:
    statement = one.statement
    _ = ledger.creditor(statement).number  # who is paid must be known
    lost = await lost_statements(connection, statement.municipality)
    key = (statement.agreement, statement.care_form, str(statement.month))
    mine = lost.get((*key, statement.region)) or lost.get((*key, ""))
    if mine is not None:
        one = _as_published(one, mine)
    else:
        one = await _with_numbers(connection, ledger, one)
    now = one.issued_at
    made = bundle([one], await edition_of_issued(connection, ledger, one))
    told = dumps(made)
    if lost and (mine is None or told != mine.bundle):
        raise ToldOtherwiseError(*(_lost(each) for each in ((mine,) if mine else lost.values())))
    if len(told) > LARGEST_STATEMENT:
        rule = f"the statement has {len(told)} bytes; a message of its topic holds {LARGEST_STATEMENT}"
        raise TooLargeError(Problem("too-long", rule))
    resources = tuple(
        (entry["resource"]["resourceType"], entry["resource"]["id"], dumps(entry["resource"]))
        for entry in made["entry"]
    )
    is_early = local_day(now) < issued_from(statement)
    why = (early or "published early, before a restore") if is_early else None
    about = {
        report_id(each.corrects, each.number): (each.statement.agreement, each.statement.month)
        for each in one.measures
    }
    await add_statement(connection, StatementRow(one, why, held, told, resources, about))
    if mine is not None:
        await keep_numbers(connection, known_documents(one))
        return one
    event = settlement_event(one.id, statement.municipality, told, ledger.world.payloads)
    await add_events(connection, [event], now, ledger.trace)
    return one


async def _with_numbers(connection: Connection, ledger: Ledger, one: Issued) -> Issued:
    """Give the documents their numbers, of the series of the region that is paid."""
    paid = ledger.creditor(one.statement)
    if not one.documents:
        return one
    dated = local_day(one.issued_at)
    wanted = [NewDocument(each.kind.value, one.id, each.dated or dated) for each in one.documents]
    numbers = await allocate(connection, paid.county, wanted)
    return replace(one, documents=numbered(one.documents, numbers))


def _as_published(one: Issued, lost: ToldStatement) -> Issued:
    """Give the statement the time and the numbers that it was published with."""
    numbers = numbers_in(lost.bundle)
    documents = redated(one.documents or (), local_day(lost.issued_at))
    if len(numbers) == len(documents):
        documents = numbered(documents, numbers)
    return replace(one, issued_at=lost.issued_at, documents=documents)


def known_documents(one: Issued) -> list[KnownDocument]:
    """Give the documents of a statement that have numbers."""
    dated = local_day(one.issued_at)
    return [
        KnownDocument(each.number, each.kind.value, one.id, each.dated or dated)
        for each in one.documents or ()
        if each.number is not None
    ]


def _lost(one: ToldStatement) -> Problem:
    """What holds up a municipality's statements: corrections of a lost one would be charged twice."""
    rule = f"statement {one.id} of {one.month} was published and lost in a restore; settled now it is another"
    return Problem("conflict", f"{rule}: have what was lost sent again, then issue {one.month} first")


async def edition_of_issued(connection: Connection, ledger: Ledger, issued: Issued) -> Edition:
    """How the statement is told: with the messages that each of its stays rests on."""
    statement = issued.statement
    stays = {line.stay for line in statement.lines} | {one.post.stay for one in issued.adjustments}
    named = [name for name in stays if name is not None]
    sources = await sources_of_stays(connection, ledger.world, named, issued.issued_at)
    return ledger.edition(issued.issued_at, sources)
