"""The stays of the store: every case folded from all its facts, as settlement reads it.

Owns which cases become stays and which are left to people; does not own the fold (`losus.case`), what of
it is a stay (`losus.stay`) nor what one costs (`adapter.settlement`).
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapter.losus.case import Case
from adapter.losus.days import Month, local_day
from adapter.losus.stay import gaps, sources_of, stay_of
from adapter.refold import fold_all
from adapter.settlement import stay as settlement
from adapter.settlement.stay import Stay
from adapter.store import intake, merges
from adapter.store.database import Connection
from adapter.store.stays import read_cases, read_named
from adapter.world import World

_BATCH = 500


@dataclass(frozen=True, slots=True)
class ByHand:
    """A case that no rule can settle: why, and the month of its end (None: still in, or not known)."""

    case_id: str
    municipality: str | None
    reason: str
    month: Month | None


@dataclass(slots=True)
class Casebook:
    """All stays by the municipality that is liable, and the cases that people must settle."""

    stays: dict[str, list[Stay]] = field(default_factory=dict)
    by_hand: list[ByHand] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Take in one case; one that was voided or never began is none."""
        row, missing = stay_of(case), gaps(case)
        if row is not None:
            faults = settlement.faults_of(row)
            if not faults:
                stay = settlement.stay_of(row)
                self.stays.setdefault(stay.liable, []).append(stay)
                return
            missing = tuple(f"{name}: {rule}" for name, rule in faults)
        if missing != ("no-stay",):
            ended = case.standing.end
            month = None if ended is None else Month.of(local_day(ended.at))
            self.by_hand.append(ByHand(case.case_id, case.municipality, ", ".join(missing), month))

    def first_month(self) -> Month | None:
        """The month in which the first stay ended; None where none has."""
        ends = (one.ended_at for stays in self.stays.values() for one in stays if one.ended_at is not None)
        return min((Month.of(local_day(end)) for end in ends), default=None)


async def read_casebook(connection: Connection, world: World, now: datetime) -> Casebook:
    """Fold every case of the store; `now` matters to nothing that is settled."""
    book = Casebook()
    async for case in all_cases(connection, world, now):
        book.add(case)
    return book


async def all_cases(connection: Connection, world: World, now: datetime) -> AsyncIterator[Case]:
    """Every case of the store, by id."""
    after = ""
    while rows := await read_cases(connection, after, _BATCH):
        for case in (await _fold(connection, world, rows, now)).values():
            yield case
        after = max(rows)


async def sources_of_stays(
    connection: Connection, world: World, ids: Iterable[str], now: datetime
) -> Mapping[str, tuple[str, ...]]:
    """For each stay the versions of the resources that it rests on, as `source resource version`."""
    cases = await named_cases(connection, world, ids, now)
    return {
        name: tuple(dict.fromkeys(said for field_ in sources_of(case).values() for said in field_))
        for name, case in cases.items()
    }


async def named_cases(
    connection: Connection, world: World, ids: Iterable[str], now: datetime
) -> Mapping[str, Case]:
    """The cases of these ids; one that does not exist is left out."""
    return await _fold(connection, world, await read_named(connection, ids), now)


async def _fold(
    connection: Connection, world: World, rows: Mapping[str, intake.CaseRow], now: datetime
) -> dict[str, Case]:
    """Fold cases, with those of merged patient records beside them, as `refold` does."""
    kin = await merges.kin(connection, (), rows)
    others = await intake.cases_about(connection, kin) - set(rows)
    together = {**rows, **await read_named(connection, others)}
    cases = await fold_all(connection, world, together, kin, now)
    return {name: cases[name] for name in rows}
