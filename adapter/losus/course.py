"""The course of a case: all that its signals say, taken in one by one, and the state after each.

Owns which signal establishes which state and what is kept of each; leans on `presence` and `ready`.
Does not own which signals hold (`facts`), whom the case concerns (`person`) nor any limit of time
(`deadlines`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, TypedDict

from adapter.losus import reading
from adapter.losus.facts import LiveSignal
from adapter.losus.presence import End, EndHow, Presence, Unit
from adapter.losus.ready import Episode, Readiness
from adapter.losus.terms import Criterion, SignalKind, State

#: Signals that alone tell that there is a case, and so a state to publish.
ESTABLISHING = frozenset(
    {
        SignalKind.ADMITTED,
        SignalKind.ADMISSION_NOTICE_SENT,
        SignalKind.ADMISSION_NOTICE_ACKNOWLEDGED,
        SignalKind.PLANNING_STARTED,
        SignalKind.TRANSFERRED,
        SignalKind.LEAVE_STARTED,
        SignalKind.LEAVE_ENDED,
        SignalKind.READY,
        SignalKind.READY_WITHDRAWN,
        SignalKind.DISCHARGED,
        SignalKind.DECEASED,
        SignalKind.TRANSFERRED_OUT,
        SignalKind.INTERRUPTED,
        SignalKind.VOIDED,
    }
)

#: Steps of the process: one of them after an interruption takes the process up again.
_RESUMING = frozenset(
    {
        SignalKind.ADMITTED,
        SignalKind.NEED_ASSESSED,
        SignalKind.ADMISSION_NOTICE_SENT,
        SignalKind.PLANNING_STARTED,
        SignalKind.CARE_CONTACT_APPOINTED,
        SignalKind.CRITERION_MET,
        SignalKind.READY,
        SignalKind.SIP_OFFERED,
        SignalKind.SIP_CALLED,
        SignalKind.SIP_HELD,
        SignalKind.COORDINATED_PLAN_MADE,
    }
)

#: Steps that recur or are restated, shown with their last time; all others with their first.
_LAST_TIME = frozenset(
    {
        SignalKind.EXPECTED_DISCHARGE,
        SignalKind.TRANSFERRED,
        SignalKind.LEAVE_STARTED,
        SignalKind.LEAVE_ENDED,
        SignalKind.READY,
        SignalKind.READY_WITHDRAWN,
        SignalKind.SIP_OFFERED,
        SignalKind.SIP_DECLINED,
        SignalKind.OPEN_CARE_AVAILABLE,
        SignalKind.OPEN_CARE_UNAVAILABLE,
        SignalKind.INTERRUPTED,
    }
)

#: What a step before *utskrivningsklar* has reached, the furthest first.
_REACHED = (
    (SignalKind.PLANNING_STARTED, State.PLANNING),
    (SignalKind.ADMISSION_NOTICE_SENT, State.NOTIFIED),
    (SignalKind.ADMISSION_NOTICE_ACKNOWLEDGED, State.NOTIFIED),
)

#: What some signals say of the whole case; the last word counts.
_Flag = Literal["sip_declined", "open_care_available", "opposed"]
_FLAGS: dict[SignalKind, tuple[_Flag, bool]] = {
    SignalKind.SIP_OFFERED: ("sip_declined", False),
    SignalKind.SIP_DECLINED: ("sip_declined", True),
    SignalKind.SIP_CALLED: ("sip_declined", False),
    SignalKind.SIP_HELD: ("sip_declined", False),
    SignalKind.OPEN_CARE_AVAILABLE: ("open_care_available", True),
    SignalKind.OPEN_CARE_UNAVAILABLE: ("open_care_available", False),
    SignalKind.OPPOSED: ("opposed", True),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A state and the instant from which it held; None where all was taken back at no known time."""

    state: State
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CareContact:
    """*Fast vårdkontakt*, as far as it was told; `appointed_at` is never missing."""

    appointed_at: datetime
    name: str | None = None
    unit: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a stay once all signals are taken in; instants in UTC.

    `history`: each state with its beginning, oldest first; empty where no signal establishes one.
    `times`: each step by the signal's name (first time, or last for steps that recur). `met`: the
    criteria that hold, each with its beginning. `expected`: the planned discharge, date or instant.
    `open_care_available`: None means not clarified (LUS 5:5). `sip_declined`: the last word on SIP
    was no. `reason`: of the last interruption or voiding, text code.
    """

    history: tuple[Step, ...]
    times: Mapping[str, datetime]
    episodes: tuple[Episode, ...]
    met: Mapping[Criterion, datetime]
    admitted_at: datetime | None
    end: End | None
    on_leave: bool
    unit: Unit | None
    care_form: str | None
    compulsory: bool
    expected: date | datetime | None
    care_contact: CareContact | None
    coordinator: CareContact | None
    sip_declined: bool
    sip_meeting_at: datetime | None
    open_care_available: bool | None
    opposed: bool
    consent: str | None
    reason: str | None

    @property
    def state(self) -> State | None:
        """The state that the signals give; None where none establishes one."""
        return self.history[-1].state if self.history else None

    @property
    def sip_required(self) -> bool:
        """Whether a SIP is to be made: not where it was declined (LUS 4:2) or a plan stands in (4:1)."""
        planned = SignalKind.COORDINATED_PLAN_MADE in self.times
        return not (self.sip_declined or self.compulsory or planned)


def run(signals: Iterable[LiveSignal], criteria: tuple[Criterion, ...]) -> Standing:
    """Take in the signals, which must stand in effective order, and tell where they lead.

    The state is judged once for each instant, after all that was said of it.
    """
    course = _Course(criteria)
    for at, said in groupby(signals, key=attrgetter("at")):
        for signal in said:
            course.take(signal)
        course.judge(at)
    return course.standing()


class _Kept(TypedDict):
    """The fields of `Standing` of which the last word counts."""

    compulsory: bool
    expected: date | datetime | None
    care_contact: CareContact | None
    coordinator: CareContact | None
    sip_declined: bool
    sip_meeting_at: datetime | None
    open_care_available: bool | None
    opposed: bool
    consent: str | None
    reason: str | None


class _Course:
    """Gathers signals in effective order; its parts gather presence and readiness."""

    def __init__(self, criteria: tuple[Criterion, ...]) -> None:
        self.presence = Presence()
        self.readiness = Readiness(criteria)
        self.history: list[Step] = []
        self.times: dict[str, datetime] = {}
        self.interrupted = False
        self.kept: _Kept = {
            "compulsory": False,
            "expected": None,
            "care_contact": None,
            "coordinator": None,
            "sip_declined": False,
            "sip_meeting_at": None,
            "open_care_available": None,
            "opposed": False,
            "consent": None,
            "reason": None,
        }

    def take(self, signal: LiveSignal) -> None:
        kind, at = signal.kind, signal.at
        if kind in _LAST_TIME:
            self.times[kind] = at
        else:
            self.times.setdefault(kind, at)
        if kind in _RESUMING:  # of one instant the interruption is taken in last, and stands
            self.interrupted = False
        self.presence.take(signal)
        if signal.fields:
            self._keep_fields(signal.fields)
        self._take_step(signal)

    def _keep_fields(self, fields: Mapping[str, Any]) -> None:
        """Keep what any signal may carry; the newest that says something decides."""
        if (compulsory := reading.flag(fields, "compulsory")) is not None:
            self.kept["compulsory"] = compulsory
        if (expected := reading.moment(fields, "expected")) is not None:
            self.kept["expected"] = expected
        if (consent := reading.text(fields, "consent")) is not None:
            self.kept["consent"] = consent

    def _take_step(self, signal: LiveSignal) -> None:
        kind, at, fields = signal.kind, signal.at, signal.fields
        if kind in _FLAGS:
            name, value = _FLAGS[kind]
            self.kept[name] = value
        match kind:
            case SignalKind.READY:
                self.readiness.notify(at)
            case SignalKind.READY_WITHDRAWN:
                self.readiness.withdraw(at)
            case SignalKind.CRITERION_MET:
                self.readiness.meet(reading.criterion(fields), at)
            case SignalKind.CRITERION_UNMET:
                self.readiness.miss(reading.criterion(fields))
            case SignalKind.CARE_CONTACT_APPOINTED:
                self._appoint(at, fields)
            case SignalKind.SIP_CALLED | SignalKind.SIP_HELD:
                meeting_at = reading.instant(fields, "meeting_at")
                self.kept["sip_meeting_at"] = meeting_at or self.kept["sip_meeting_at"]
            case SignalKind.INTERRUPTED | SignalKind.VOIDED:
                self.interrupted = kind is SignalKind.INTERRUPTED
                self.kept["reason"] = reading.text(fields, "reason")

    def _appoint(self, at: datetime, fields: Mapping[str, Any]) -> None:
        self.readiness.meet(Criterion.CARE_CONTACT_APPOINTED, at)
        told = reading.part(fields, "contact")
        contact = CareContact(at, *(reading.text(told, name) for name in ("name", "unit", "phone")))
        if reading.flag(fields, "coordinator"):
            self.kept["coordinator"] = contact
        else:
            self.kept["care_contact"] = contact

    def judge(self, at: datetime) -> None:
        """Judge the state at the end of the instant `at`; after the stay's end no one becomes ready."""
        end = self.presence.end
        if end is None or end.at == at:
            self.readiness.weigh(at)
        state = self._state()
        if state is not None and (not self.history or self.history[-1].state is not state):
            self.history.append(Step(state, at))

    def _state(self) -> State | None:
        """Give the furthest state that the facts so far establish; None where none does."""
        end = self.presence.end
        if SignalKind.VOIDED in self.times:
            return State.VOIDED
        if end is not None:
            return State.DECEASED if end.how is EndHow.DECEASED else State.DISCHARGED
        if self.interrupted:
            return State.INTERRUPTED
        if self.readiness.sent_at is not None:
            return State.READY if self.readiness.home_ready_at is None else State.HOME_READY
        reached = (state for kind, state in _REACHED if kind in self.times)
        return next(reached, State.ADMITTED if self.presence.in_care else None)

    def standing(self) -> Standing:
        presence = self.presence
        return Standing(
            history=tuple(self.history),
            times=self.times,
            episodes=self.readiness.episodes(),
            met=self.readiness.met,
            admitted_at=presence.admitted_at,
            end=presence.end,
            on_leave=presence.on_leave,
            unit=presence.unit,
            care_form=presence.care_form,
            **self.kept,
        )
