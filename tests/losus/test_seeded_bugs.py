"""Bugs that someone might plausibly write, each planted and each caught by a named row of a table.

The list is itself the test: a bug that no row notices is a hole in the tables.
"""

# ruff: noqa: E501 - a bug stands on one line where it can be read so

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from adapter.losus import (
    case,
    contacts,
    course,
    days,
    deadlines,
    drawing,
    due,
    facts,
    identity,
    municipality,
    person,
    presence,
    ready,
    record,
)
from adapter.losus.deadlines import DeadlineName
from adapter.losus.facts import Selection
from adapter.losus.presence import Presence
from adapter.losus.ready import Readiness
from adapter.losus.record import Record
from adapter.losus.terms import Criterion, SignalKind, State
from tests.losus.tables.rows import ROWS
from tests.losus.telling import failures

SHARED = identity.Identity(identity.IdentityKind.OTHER, "", "a number that everyone has")

TOLVAN = identity.Identity(
    identity.IdentityKind.PERSONNUMMER, "http://electronichealth.se/identifier/personnummer", "191212121212"
)


@dataclass(frozen=True)
class Bug:
    """Something to plant: `make` gets what stands at `owner.name` and gives what stands there instead."""

    name: str
    owner: Any
    attribute: str
    make: Callable[[Any], Any]
    caught_by: str


def _sorted_by_arrival(select: Any) -> Any:
    def mutant(told: Any) -> Selection:
        told = list(told)
        chosen = select(told)
        place = {fact.resource: index for index, fact in reversed(list(enumerate(told)))}
        return replace(chosen, live=tuple(sorted(chosen.live, key=lambda s: place[s.resource])))

    return mutant


def _unvoided(select: Any) -> Any:
    def mutant(told: Any) -> Selection:
        told = list(told)
        people = select([fact for fact in told if not fact.void]).people
        return replace(select(told), people=people)

    return mutant


def _without(kind: SignalKind) -> Callable[[Any], Any]:
    """Make a method on signals deaf to one kind."""

    def make(method: Any) -> Any:
        return lambda self, signal: None if signal.kind is kind else method(self, signal)

    return make


def _late_death(take: Any) -> Any:
    def mutant(self: Presence, signal: Any) -> None:
        if signal.kind is SignalKind.DECEASED:
            self.end = presence.End(presence.EndHow.DECEASED, signal.at)
        take(self, signal)

    return mutant


def _ready_unasked(state: Any) -> Any:
    def mutant(self: Any) -> State | None:
        if self.readiness.met.keys() >= set(Criterion) - {Criterion.PHYSICIAN_ASSESSMENT}:
            return State.HOME_READY
        return state(self)

    return mutant


def _restarting(notify: Any) -> Any:
    def mutant(self: Readiness, at: Any) -> None:
        self.sent_at = None
        notify(self, at)

    return mutant


def _blind(**fields: Any) -> Callable[[Any], Any]:
    """Make a limit blind to fields of the standing."""
    return lambda limit: lambda standing, *rest: limit(replace(standing, **fields), *rest)


def _without_time(kind: SignalKind) -> Callable[[Any], Any]:
    """Make a limit blind to the time of one step."""

    def make(limit: Any) -> Any:
        def mutant(standing: Any, *rest: Any) -> Any:
            return limit(
                replace(standing, times={k: v for k, v in standing.times.items() if k != kind}), *rest
            )

        return mutant

    return make


def _met_forgotten(judge: Any) -> Any:
    def mutant(*args: Any, **kwargs: Any) -> Any:
        return tuple(d for d in judge(*args, **kwargs) if d.name is not DeadlineName.SIP_CALL or d.met_at)

    return mutant


def _judged_for_ever(judge: Any) -> Any:
    def mutant(self: Any, at: Any) -> None:
        self.readiness.weigh(at)
        judge(self, at)

    return mutant


def _first_only(next_: Any) -> Any:
    return lambda _said, fact: next_([], fact)


def _working_eves(window: Any) -> Any:
    return lambda at, hours, rule, **_: window(at, hours, rule, eves=False)


# fmt: off
BUGS = [
    Bug("signals sorted by arrival", case, "select", _sorted_by_arrival, "back from leave"),
    Bug("last arrived version wins", facts, "_oldest_first", lambda _: list, "the newer version came first"),
    Bug("older version wins", facts, "_oldest_first", lambda old: lambda v: old(v)[::-1],
        "without repeats only the newest"),
    Bug("repeats dropped", facts, "_next", _first_only, "each notice an occurrence"),
    Bug("void ignored", facts, "_live", lambda old: lambda v: old([f for f in v if not f.void]), "entered in error"),
    Bug("void for ever", facts, "_live", lambda old: lambda v: [] if any(f.void for f in v) else old(v),
        "in error, then stated anew"),
    Bug("version of the newest shown", facts, "_find", lambda _: lambda *_: None, "one fact told by two versions"),
    Bug("error mark forgotten by the case", case, "_taken_back", lambda _: lambda standing, *_: standing,
        "all in error"),
    Bug("any voiding voids all", case, "_without_strayed_voids", lambda _: tuple, "cancelled and entered again"),
    Bug("withdrawal forgotten", Readiness, "withdraw", lambda _: lambda _self, _at: None, "withdrawn"),
    Bug("each notice restarts the clock", Readiness, "notify", _restarting, "a second notice without withdrawal"),
    Bug("home-ready without ready", course._Course, "_state", _ready_unasked, "criteria without notice"),
    Bug("criterion once met stays met", Readiness, "miss", lambda _: lambda _self, _criterion: None,
        "a criterion lost"),
    Bug("home-ready judged after the end", course._Course, "judge", _judged_for_ever, "lost after going home"),
    Bug("noon in UTC", ready, "local", lambda _: lambda at: at.astimezone(UTC), "day zero in summer time"),
    Bug("noon always exclusive", ready, "notice_day",
        lambda old: lambda at, terms: old(at, replace(terms, cutoff_inclusive=False)),
        "day zero at the cut-off, statute"),
    Bug("death after discharge wins", Presence, "take", _late_death, "death at home"),
    Bug("discharge never taken back", Presence, "take",
        lambda old: lambda self, s: None if self.end and s.at > self.end.at else old(self, s),
        "discharge cancelled, as a new fact"),
    Bug("leave never ends", Presence, "take", _without(SignalKind.LEAVE_ENDED), "back from leave"),
    Bug("move between wards ignored", Presence, "take", _without(SignalKind.TRANSFERRED), "another ward"),
    Bug("transfer out is no end", Presence, "take", _without(SignalKind.TRANSFERRED_OUT), "to another hospital"),
    Bug("interrupted for ever", course, "_RESUMING", lambda _: frozenset(), "taken up again"),
    Bug("declined SIP asked for", course, "_FLAGS",
        lambda old: old | {SignalKind.SIP_DECLINED: ("sip_declined", False)}, "declined, no call asked"),
    Bug("municipality of the older record", person, "ranked", lambda old: lambda *args: old(*args)[::-1],
        "moved in mid-stay"),
    Bug("the newest ever heard", case, "_as_of", lambda _: lambda *_: None, "moved after the end"),
    Bug("what is over follows the person", case, "_as_of", lambda old: lambda standing, live: old(replace(standing, history=()), live),
        "moved after the case was voided"),
    Bug("as of admission", case, "_as_of", lambda _: lambda standing, _live: standing.admitted_at, "moved in the stay"),
    Bug("the end itself is not in the stay", record, "_place",
        lambda old: lambda pieces, at: old(pieces, at - timedelta(days=1)), "a period that begins at the end"),
    Bug("no correction by period", record, "_pieces", lambda _: lambda signal, name: ((record._EVER, signal.fields.get(name), False),),
        "a period that begins in the stay, told after it"),
    Bug("a period holds before it begins", record, "_place", lambda _: lambda pieces, _at: len(pieces) - 1, "a move to come"),
    Bug("nothing holds backwards", Record, "_first", lambda _: lambda *_: [], "known first after the end"),
    Bug("the newest holds backwards", record, "sorted", lambda _: lambda found, **more: sorted(found, **more)[::-1], "known first after the end, corrected later still"),
    Bug("what a newer version leaves out stays", Record, "_of_version", lambda old: lambda self, *args: old(self, *args) or None,
        "the code is lost in the stay"),
    Bug("a placement holds backwards", record, "_SILENCE_SAYS_NO", lambda _: frozenset(), "placed after the end"),
    Bug("what is said again is younger", Record, "_same_before", lambda _: lambda *_: None,
        "said again beside a new name"),
    Bug("error mark forgotten by the record", case, "select", _unvoided, "the record is in error, then stated anew"),
    Bug("two persons mixed", person, "frozenset", lambda _: lambda numbers: {*numbers, SHARED},
        "the newer record is of another person"),
    Bug("placement ignored", person._Known, "first",
        lambda old: lambda self, name, read: old(self, name.removeprefix("placing_"), read), "placed by another"),
    Bug("one HSA OID alone", municipality, "organization_keys", lambda _: lambda key: (key,),
        "by HSA-id under the other OID"),
    Bug("protection ignored", drawing, "_protected", lambda _: lambda s, p: drawing._open(s, p, ()), "protected"),
    Bug("protection of the newest alone", person, "_protecting", lambda old: lambda records: old(records[1:]),
        "protected by one record of two"),
    Bug("wrong number shown", identity.personnummer, "valid", lambda _: lambda _digits: True, "a wrong number"),
    Bug("old number shown", person, "preferred", lambda old: lambda numbers: old({*numbers, TOLVAN}),
        "an old number beside the new"),
    Bug("SIP counted in hours", due, "end_of_day",
        lambda _: lambda day: due.at_local(day, due.time(9)).astimezone(UTC), "called on the third day"),
    Bug("day ends in UTC", due, "at_local",
        lambda _: lambda day, clock: due.datetime.combine(day, clock, UTC), "ready after midnight"),
    Bug("24 hours by the wall", due, "UTC", lambda _: days.LOCAL, "24 h over the spring change"),
    Bug("the need prolongs the agreement's 24 hours", deadlines, "notice_due",
        lambda old: lambda admitted, need, _, hours: old(admitted, need, "need", hours),
        "need judged later, by agreement"),
    Bug("a need before admission starts the hours", due, "max", lambda _: lambda starts, default: [*starts, default][-2],
        "need judged before admission"),
    Bug("a date that came later counts", deadlines, "_notice_planned_date",
        lambda old: lambda standing, *rest: old(replace(standing, expected_since=None if standing.expected is None else standing.times["admission-notice-sent"]), *rest),
        "date stated later"),
    Bug("planning counts as receipt", deadlines, "_notice_receipt",
        lambda old: lambda standing, *rest: old(replace(standing, times={"admission-notice-acknowledged": standing.times.get("planning-started"), **standing.times}), *rest),
        "planned without a receipt"),
    Bug("the last offer counts", deadlines, "_sip_offered_before_call",
        lambda old: lambda standing, *rest: old(replace(standing, sip_offered_at=standing.times.get("sip-offered")), *rest),
        "offered before, and once more after"),
    Bug("anybody's call counts", deadlines, "_sip_call",
        lambda old: lambda standing, *rest: old(replace(standing, sip_called_at=standing.times.get("sip-called")), *rest),
        "called by the hospital"),
    Bug("no plan is asked in place of SIP", deadlines, "_coordinated_plan", lambda _: lambda *_: (), "ÖPT, left without a plan"),
    Bug("a coordinator is a contact", course, "_is_coordinator", lambda _: lambda _signal: False, "a coordinator alone"),
    Bug("the last contact alone is kept", contacts, "_may_be_one", lambda _: lambda *_: True, "two contacts, no coordinator"),
    Bug("every report is a contact", contacts, "_may_be_one", lambda _: lambda *_: False, "one contact, reported twice"),
    Bug("the planned hour is the actual one", deadlines, "_discharge_hours_actual",
        lambda old: lambda standing, terms: old(replace(standing, end=standing.end and replace(standing.end, at=standing.expected)), terms),
        "planned within hours, home after them"),
    Bug("later need ignored", deadlines, "_admission_notice", _without_time(SignalKind.NEED_ASSESSED),
        "need judged later"),
    Bug("call forgotten", deadlines, "_sip_call", _blind(sip_called_at=None), "called on the third day"),
    Bug("pending limits vanish", case, "judge", _met_forgotten, "call pending on the third day"),
    Bug("third day of long holidays ignored", deadlines, "reception_window",
        lambda old: lambda at, hours, _rule, *, eves: old(at, hours, None, eves=eves),
        "noticed on långfredagen"),
    Bug("eves are working days", deadlines, "reception_window", _working_eves, "noticed on julafton"),
    Bug("the dead are waited for", deadlines, "_closed_at", lambda _: lambda _standing: None,
        "dead before the limits"),
]
# fmt: on


def test_rows_hold_without_bugs() -> None:
    assert {bug.caught_by: failures(ROWS[bug.caught_by]) for bug in BUGS} == {
        bug.caught_by: {} for bug in BUGS
    }


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_is_caught(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    known = getattr(bug.owner, bug.attribute, None)
    monkeypatch.setattr(bug.owner, bug.attribute, bug.make(known), raising=False)
    assert failures(ROWS[bug.caught_by]) != {}
