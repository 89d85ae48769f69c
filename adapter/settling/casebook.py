"""The stays of the store: every case as settlement reads it, folded anew only where it would differ.

Owns which cases become stays and which are left to people; does not own the fold (`losus.case`), when what
was kept of one still holds (`folded`) nor what a stay costs (`adapter.settlement`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapter.losus.case import Case
from adapter.losus.days import Month, local_day
from adapter.losus.stay import sources_of
from adapter.refold import fold_all
from adapter.settlement import stay as settlement
from adapter.settlement.heard import StoreHeard
from adapter.settlement.inputs import Moved
from adapter.settlement.stay import Municipalities, Stay
from adapter.settling.folded import Folded, Prints, folded_of, same, write
from adapter.store import intake, merges, stays
from adapter.store.closed import Closed, read_closed
from adapter.store.confirmed import read_confirmed
from adapter.store.database import Connection
from adapter.store.entered import Entered, entered_at, read_entered
from adapter.world import World

_BATCH = 500


@dataclass(frozen=True, slots=True)
class ByHand:
    """A case that no rule can settle: why, and the month of its end (None: still in, or not known).

    `parked`: something of it is held unread; if it can be settled, it is, by what is known.
    """

    case_id: str
    municipality: str | None
    reason: str
    month: Month | None
    parked: bool = False


@dataclass(slots=True)
class Casebook:
    """All stays by the municipality that is liable, and the cases that people must look at.

    `folded`: the cases as they were read, in the order of their ids. `fresh`: how many were folded for it.
    Of months that are `closed` only the counts are there, whether their cases still are or not. `heard`: of
    which months the sources have sent something. `known`: the municipalities that there are; a stay of
    another is for people.
    """

    closed: Closed = field(default_factory=Closed)
    known: Municipalities = None

    stays: dict[str, list[Stay]] = field(default_factory=dict)
    by_hand: list[ByHand] = field(default_factory=list)
    folded: list[Folded] = field(default_factory=list)
    fresh: int = 0
    entered: Mapping[str, tuple[Entered, ...]] = field(default_factory=dict)
    heard: StoreHeard = field(default_factory=StoreHeard)

    def add(self, case: Folded) -> None:
        """Take in one case; one that was voided or never began is none."""
        if case.care_form is not None:
            self.heard.add(case.source, case.care_form, case.months)
        if case.month in self.closed:
            return
        case = _with_municipality(case, self.entered.get(case.case_id, ()))
        self.folded.append(case)
        missing = case.missing
        if case.row is not None:
            faults = settlement.faults_of(case.row, self.known)
            if not faults:
                stay = settlement.stay_of(case.row)
                self.stays.setdefault(stay.liable, []).append(stay)
                self.heard.add_stay(case.source, stay.care_form, stay.liable)
                return
            missing = tuple(f"{name}: {rule}" for name, rule in faults)
        if missing != ("no-stay",):
            self.by_hand.append(ByHand(case.case_id, case.municipality, ", ".join(missing), case.month))

    def moved(self) -> dict[str, Moved]:
        """Say of each stay from when on the municipality that is liable now is so (`settlement.inputs`)."""
        return {
            case.case_id: Moved(
                local_day(since) if (since := case.moved_at or case.admitted_at) is not None else None,
                corrected=case.moved_at is None,
            )
            for case in self.folded
            if case.row is not None and not settlement.faults_of(case.row)
        }

    def first_month(self) -> Month | None:
        """The month in which the first stay ended; None where none has."""
        ends = (one.ended_at for stays in self.stays.values() for one in stays if one.ended_at is not None)
        return min((Month.of(local_day(end)) for end in ends), default=None)


async def read_casebook(
    connection: Connection, world: World, now: datetime, keeper: Connection | None = None
) -> Casebook:
    """Read every case of the store; `now` matters to nothing that is settled.

    `keeper`: where to keep what was folded, so that the next run need not; None: nowhere. It must hold the
    lock of settling, and may be ahead of `connection`.
    """
    book, after, prints = await _empty_book(connection, world), "", Prints(world)
    while rows := await stays.read_cases(connection, after, _BATCH):
        facts = await stays.read_prints(connection, rows)
        kept = await stays.read_kept(connection, facts)
        known = {name: one for name in facts if (one := same(kept, name, facts[name], prints)) is not None}
        fresh = {name: row for name, row in rows.items() if name not in known}
        cases = await _fold(connection, world, fresh, now)
        found = {
            name: replace(
                folded_of(case, world.secret, world.treating(fresh[name].source, case.hospital)),
                source=fresh[name].source,
            )
            for name, case in cases.items()
        }
        for name in rows:
            book.add(known[name] if name in known else found[name])
        book.fresh += len(found)
        lasting = (name for name in found if name in facts and cases[name].person.changes_at is None)
        new = {name: (prints.of(found[name], facts[name]), write(found[name])) for name in lasting}
        if keeper is not None and new:
            await stays.keep(keeper, new)
        after = max(rows)
    if keeper is not None:
        await stays.forget_gone(keeper)
    await _list_parked(connection, book)
    return book


def _with_municipality(case: Folded, entered: Sequence[Entered]) -> Folded:
    """Complete a stay of which no message says whose it is by what people entered; without it, it is none.

    What they entered is read as of the end of the stay, as messages are.
    """
    if case.row is None or not case.missing:
        return case
    code = entered_at(entered, case.ended_at)
    if code is None:
        return replace(case, row=None)
    return replace(
        case, row={**case.row, "municipality": code, "entered": True}, missing=(), municipality=code
    )


async def _empty_book(connection: Connection, world: World) -> Casebook:
    """Begin with what is closed, and with what people confirmed of months without messages."""
    closed = await read_closed(connection)
    heard = StoreHeard(
        confirmed=await read_confirmed(connection),
        expected=frozenset(world.speakers),
        closed=None if closed.through is None else closed.through.index,
    )
    return Casebook(closed, world.municipalities, heard=heard, entered=await read_entered(connection))


async def _list_parked(connection: Connection, book: Casebook) -> None:
    """Name the cases that are not wholly known: what cannot be read yet may change what they owe."""
    months = {one.case_id: one.month for one in book.folded}
    for name, municipality in await stays.read_parked(connection):
        reason = "something of it is held unread"
        book.by_hand.append(ByHand(name, municipality, reason, months.get(name), parked=True))


async def sources_of_stays(
    connection: Connection, world: World, ids: Iterable[str], now: datetime
) -> Mapping[str, tuple[str, ...]]:
    """For each stay the versions of the resources that it rests on, as `source resource version`.

    None of a protected person: they name the hospital.
    """
    cases = await named_cases(connection, world, ids, now)
    return {
        name: tuple(dict.fromkeys(said for field_ in sources_of(case).values() for said in field_))
        for name, case in cases.items()
        if not case.person.protected
    }


async def named_cases(
    connection: Connection, world: World, ids: Iterable[str], now: datetime
) -> Mapping[str, Case]:
    """The cases of these ids; one that does not exist is left out."""
    return await _fold(connection, world, await stays.read_named(connection, ids), now)


async def _fold(
    connection: Connection, world: World, rows: Mapping[str, intake.CaseRow], now: datetime
) -> dict[str, Case]:
    """Fold cases, with those of merged patient records beside them, as `refold` does."""
    if not rows:
        return {}
    kin = await merges.kin(connection, (), rows)
    others = await intake.cases_about(connection, kin) - set(rows)
    together = {**rows, **await stays.read_named(connection, others)}
    cases = await fold_all(connection, world, together, kin, now)
    return {name: cases[name] for name in rows}
