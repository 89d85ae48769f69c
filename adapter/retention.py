"""What has been kept long enough is taken out: kind by kind, a batch a transaction, each noted in the audit.

Owns the kinds, the clause that each rests on, their order and the batches. Does not own the statements
(`store.erasing`, `store.erasing_issued`, `store.audit`) nor closing months (`settling.closing`), which comes
first. Killed anywhere it leaves whole cases, and goes on when it is run again. A trial run does the same and
leaves everything as it was. The database has the last word: it refuses what the law still keeps (migration
0009).
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from adapter.losus.days import Month, at_local, local_day
from adapter.settings import Retention
from adapter.store import audit, closed, erasing, erasing_audit, erasing_issued
from adapter.store.audit import ERASE, Entry
from adapter.store.database import Connection, Database
from adapter.store.erasing import Period
from adapter.store.erasing_audit import RETENTION

_CASES = 200  # a transaction
_ROWS = 1000
_AUDIT = 10_000
_WHOLE = 100_000_000  # of the audit nothing can be passed over: a trial looks at all of it at once
_Name = TypeVar("_Name", str, int)


class Kind(StrEnum):
    """Kinds of record, in the order in which they go: what refers to something before that.

    First of all the audit, whose rows have hashes of deliveries, that is, of events: their cases stay until
    those rows are gone.
    """

    AUDIT = "audit"
    STATEMENTS = "statements"
    DISPUTES = "disputes"
    FOLLOW_UPS = "follow-ups"
    JOINT = "joint-follow-ups"
    CASES = "cases"
    MESSAGES = "messages"
    LIBRARY = "library"


_JOURNAL = "PDL (2008:355) 3:17"
_BOOKS = "bokföringslagen (1999:1078) 7:2"
CLAUSES: Mapping[Kind, str] = {
    Kind.STATEMENTS: _BOOKS,
    Kind.DISPUTES: _BOOKS,
    Kind.FOLLOW_UPS: _BOOKS,
    Kind.JOINT: _BOOKS,
    Kind.CASES: _JOURNAL,
    Kind.MESSAGES: _JOURNAL,
    Kind.LIBRARY: _JOURNAL,
    Kind.AUDIT: "HSLF-FS 2016:40 4:9",
}


@dataclass(slots=True)
class Gone:
    """What went of a kind, or would: how many of which calendar year (of the last entry), which rows.

    `years` after which; `day`: what is of that local day or later stays.
    """

    kind: Kind
    years: int
    day: date
    of: Counter[int] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, of: Counter[int], rows: Counter[str]) -> None:
        """Add what a batch came to."""
        self.of += of
        self.rows += rows


def period_of(years: int, now: datetime) -> Period:
    """What has been kept `years` by now."""
    today = local_day(now)
    return Period(years, today, at_local(years_ago(today, years) + timedelta(days=1), time()))


def years_ago(day: date, years: int) -> date:
    """The first day that is not over yet so many years later; of 29 February the 1st of March."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)


@dataclass(frozen=True, slots=True)
class Eraser:
    """A run: on which database, by which settings, at which time, and whether for good or on trial.

    `through`: the months that are closed (`settling.closing`), or on trial would be; None: none is.
    """

    database: Database
    settings: Retention
    now: datetime
    through: Month | None
    is_run: bool

    async def erase(self, kinds: Sequence[Kind] = tuple(Kind)) -> AsyncIterator[Gone]:
        """Take out what may go, kind by kind; after each batch what the kind has come to so far."""
        statements, cases = self.settings.statements_years, self.settings.cases_years
        ways: Mapping[Kind, tuple[int, Callable[[Gone], AsyncIterator[None]]]] = {
            Kind.STATEMENTS: (statements, self._statements),
            Kind.DISPUTES: (statements, self._disputes),
            Kind.FOLLOW_UPS: (statements, self._follow_ups),
            Kind.JOINT: (statements, self._joint_follow_ups),
            Kind.CASES: (cases, self._cases),
            Kind.MESSAGES: (cases, self._messages),
            Kind.LIBRARY: (cases, self._library),
            Kind.AUDIT: (self.settings.audit_years, self._audit),
        }
        for kind in (one for one in Kind if one in kinds):
            years, way = ways[kind]
            gone = Gone(kind, years, years_ago(local_day(self.now), years))
            yield gone
            async for _ in way(gone):
                yield gone

    @asynccontextmanager
    async def _batch(self) -> AsyncIterator[Connection]:
        opened = self.database.transaction if self.is_run else self.database.trial
        async with opened() as connection:
            await erasing.allow(connection)
            if not self.is_run and self.through is not None:
                await closed.suppose(connection, self.through, self.now)
            yield connection

    async def _note(self, connection: Connection, gone: Gone, of: Counter[int], rows: Counter[str]) -> None:
        """Count what a transaction took out, and say it in the chain: how much, never of whom."""
        rows = +rows
        if not rows:
            return
        gone.add(of, rows)
        if self.is_run:
            what = tuple(f"{table}/{count}" for table, count in sorted(rows.items()))
            why = f"{CLAUSES[gone.kind]}: {gone.years} years, before {gone.day}"
            count = max(of.total(), 1)
            entry = Entry(self.now, "system", RETENTION, ERASE, what, "ok", why, count=count)
            await audit.append(connection, [entry])

    async def _statements(self, gone: Gone) -> AsyncIterator[None]:
        async for _ in self._listed(gone, erasing_issued.old_statements, erasing_issued.erase_statements):
            yield

    async def _disputes(self, gone: Gone) -> AsyncIterator[None]:
        async for _ in self._listed(gone, erasing_issued.old_disputes, erasing_issued.erase_disputes):
            yield

    async def _follow_ups(self, gone: Gone) -> AsyncIterator[None]:
        async for _ in self._listed(gone, erasing_issued.old_follow_ups, erasing_issued.erase_follow_ups):
            yield

    async def _joint_follow_ups(self, gone: Gone) -> AsyncIterator[None]:
        old, erase = erasing_issued.old_joint_follow_ups, erasing_issued.erase_joint_follow_ups
        async for _ in self._listed(gone, old, erase):
            yield

    async def _listed(
        self,
        gone: Gone,
        old: Callable[[Connection, Period], Awaitable[Mapping[_Name, int]]],
        erase: Callable[[Connection, Sequence[_Name]], Awaitable[Counter[str]]],
    ) -> AsyncIterator[None]:
        """What was issued: all of a calendar year in one transaction."""
        period = period_of(gone.years, self.now)
        async with self._batch() as connection:
            years = sorted(set((await old(connection, period)).values()))
        for year in years:
            async with self._batch() as connection:
                found = await old(connection, period)
                names = [name for name, of in found.items() if of == year]
                await self._note(
                    connection, gone, Counter({year: len(names)}), await erase(connection, names)
                )
            yield

    async def _cases(self, gone: Gone) -> AsyncIterator[None]:
        period, after = period_of(gone.years, self.now), ""
        while True:
            async with self._batch() as connection:
                page = await erasing.old_cases(connection, period, after, _CASES)
                if not page:
                    return
                together = await erasing.families(connection, page)
                everyone = frozenset[str]().union(*together)
                await erasing.lock(connection, everyone)
                old = await erasing.may_go(connection, everyone, period)
                going = {name for family in together if family <= old.keys() for name in family}
                of = Counter(old[name].year for name in going)
                await self._note(connection, gone, of, await erasing.erase_cases(connection, going))
            after = page[-1]
            yield

    async def _messages(self, gone: Gone) -> AsyncIterator[None]:
        period, after = period_of(gone.years, self.now), 0
        while True:
            async with self._batch() as connection:
                old, place = await erasing.old_messages(connection, period, after, _ROWS)
                of = Counter(day.year for day in old.values())
                await self._note(connection, gone, of, await erasing.erase_messages(connection, old))
            if place is None:
                return
            after = place
            yield

    async def _library(self, gone: Gone) -> AsyncIterator[None]:
        period, after = period_of(gone.years, self.now), ("", "")
        while True:
            async with self._batch() as connection:
                rows, place = await erasing.erase_library(connection, period, after, _ROWS)
                await self._note(connection, gone, Counter(), rows)
            if place is None:
                return
            after = place
            yield

    async def _audit(self, gone: Gone) -> AsyncIterator[None]:
        today, most = local_day(self.now), _AUDIT if self.is_run else _WHOLE
        why = f"{CLAUSES[gone.kind]}: {gone.years} years, before {gone.day}"
        while True:
            async with self._batch() as connection:
                years, to = await erasing_audit.old_rows(connection, gone.years, today, most)
                if to is not None:
                    rows = await erasing_audit.take_out(connection, to, len(years), self.now, why)
                    gone.add(Counter(years), +rows)
            if not (self.is_run and years):
                return
            yield
