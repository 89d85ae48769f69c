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
from adapter.losus.contacts import CareContact, Contacts
from adapter.losus.facts import LiveSignal
from adapter.losus.presence import End, EndHow, Presence, Unit
from adapter.losus.process import ProcessTerms
from adapter.losus.ready import Episode, Readiness
from adapter.losus.terms import Criterion, InterruptionEffect, SignalKind, State

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

#: The steps of SIP.
_PLANNING = frozenset({SignalKind.SIP_OFFERED, SignalKind.SIP_CALLED, SignalKind.SIP_HELD})

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
class Caller:
    """Who called to SIP: a fast vårdkontakt in region-financed open care, by LUS 4:3.

    `open_care`: whether the call comes from there; None: not stated.
    """

    name: str | None = None
    unit: str | None = None
    open_care: bool | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a stay once all signals are taken in; instants in UTC.

    `history`: each state with its beginning, oldest first; empty where no signal establishes one.
    `times`: each step by the signal's name (first time, or last for steps that recur). `met`: the
    criteria that hold, each with its beginning. `expected`: the planned discharge, date or instant.
    `open_care_available`: None means not clarified (LUS 5:5). `sip_declined`: the last word on SIP
    was no. `reason`: of the last interruption or voiding, text code. `expected_since`: when a planned
    discharge was first stated. `care_contacts`: all of them, oldest first, and `care_contact_at` when the
    first was appointed that is not known to be another's than open care's; `coordinated_at` when the first
    coordinator was. `sip_offered_at` is the first offer, `sip_called_at` the first call that is not known to
    come from another than open care (LUS 4:3), `sip_caller` and `sip_place` those of the last call.
    `doubtful`: the process was interrupted for a reason whose meaning is not known, while the episode in
    force stood.
    `open_care_units`: identifiers of units that steps name, the newest first; not all need be open care's.
    """

    history: tuple[Step, ...]
    times: Mapping[str, datetime]
    episodes: tuple[Episode, ...]
    doubtful: bool
    met: Mapping[Criterion, datetime]
    admitted_at: datetime | None
    end: End | None
    on_leave: bool
    unit: Unit | None
    care_form: str | None
    compulsory: bool
    expected: date | datetime | None
    expected_since: datetime | None
    care_contact: CareContact | None
    care_contacts: tuple[CareContact, ...]
    care_contact_at: datetime | None
    coordinator: CareContact | None
    coordinated_at: datetime | None
    sip_declined: bool
    sip_offered_at: datetime | None
    sip_called_at: datetime | None
    sip_caller: Caller | None
    sip_meeting_at: datetime | None
    sip_place: str | None
    open_care_available: bool | None
    opposed: bool
    consent: str | None
    open_care_units: tuple[str, ...]
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


def run(signals: Iterable[LiveSignal], terms: ProcessTerms) -> Standing:
    """Take in the signals, which must stand in effective order, and give where they lead by the terms.

    The state is judged once for each instant, after all that was said of it.
    """
    course = _Course(terms)
    for at, said in groupby(signals, key=attrgetter("at")):
        for signal in said:
            course.take(signal)
        course.judge(at)
    return course.standing()


class _Kept(TypedDict):
    """The fields of `Standing` that signals set as they are taken in."""

    compulsory: bool
    expected: date | datetime | None
    expected_since: datetime | None
    sip_declined: bool
    sip_offered_at: datetime | None
    sip_called_at: datetime | None
    sip_caller: Caller | None
    sip_meeting_at: datetime | None
    sip_place: str | None
    open_care_available: bool | None
    opposed: bool
    consent: str | None
    open_care_units: tuple[str, ...]
    reason: str | None


class _Course:
    """Gathers signals in effective order; its parts gather presence and readiness."""

    def __init__(self, terms: ProcessTerms) -> None:
        self.reasons = terms.interruption_reasons
        self.presence = Presence()
        self.readiness = Readiness(terms.criteria)
        self.contacts = Contacts()
        self.history: list[Step] = []
        self.times: dict[str, datetime] = {}
        self.interrupted = False
        self.kept: _Kept = {
            "compulsory": False,
            "expected": None,
            "expected_since": None,
            "sip_declined": False,
            "sip_offered_at": None,
            "sip_called_at": None,
            "sip_caller": None,
            "sip_meeting_at": None,
            "sip_place": None,
            "open_care_available": None,
            "opposed": False,
            "consent": None,
            "open_care_units": (),
            "reason": None,
        }

    def take(self, signal: LiveSignal) -> None:
        kind, at = signal.kind, signal.at
        if kind in _LAST_TIME:
            self.times[kind] = at
        elif not _is_coordinator(signal):  # alone no care contact
            self.times.setdefault(kind, at)
        if kind in _RESUMING:  # of one instant the interruption is taken in last, and stands
            self.interrupted = False
        self.presence.take(signal)
        if signal.fields:
            self._keep_fields(at, signal.fields)
        if kind in _PLANNING:
            self._plan(signal)
        self._take_step(signal)

    def _keep_fields(self, at: datetime, fields: Mapping[str, Any]) -> None:
        """Keep what any signal may carry; the newest that says something decides."""
        if (compulsory := reading.flag(fields, "compulsory")) is not None:
            self.kept["compulsory"] = compulsory
        if (expected := reading.moment(fields, "expected")) is not None:
            self.kept["expected"] = expected
            self.kept["expected_since"] = self.kept["expected_since"] or at
        if (consent := reading.text(fields, "consent")) is not None:
            self.kept["consent"] = consent
        if units := reading.texts(fields, "open_care_units"):
            self.kept["open_care_units"] = tuple(dict.fromkeys((*units, *self.kept["open_care_units"])))

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
            case SignalKind.INTERRUPTED:
                self.kept["reason"] = reading.text(fields, "reason")
                self._interrupt(at, self.kept["reason"])
            case SignalKind.VOIDED:
                self.interrupted = False
                self.kept["reason"] = reading.text(fields, "reason")

    def _interrupt(self, at: datetime, reason: str | None) -> None:
        """Do what the reason means by the agreement; after the stay's end no episode ends by it."""
        effect = None if reason is None else self.reasons.get(reason)
        if effect is not InterruptionEffect.NOTHING:
            self.interrupted = True
        if self.presence.end is not None:
            return
        if effect is None:
            self.readiness.doubt()
        elif effect is InterruptionEffect.ENDS_READY:
            self.readiness.withdraw(at)

    def _appoint(self, at: datetime, fields: Mapping[str, Any]) -> None:
        """Take in an appointment; the criterion is «fast vårdkontakt har utsetts av regionens öppna vård»."""
        if self.contacts.take(at, fields):
            self.readiness.meet(Criterion.CARE_CONTACT_APPOINTED, at)

    def _plan(self, signal: LiveSignal) -> None:
        """Take in a step of SIP: the first offer, open care's first call, the last caller and place."""
        at, fields = signal.at, signal.fields
        if signal.kind is SignalKind.SIP_OFFERED:
            self.kept["sip_offered_at"] = self.kept["sip_offered_at"] or at
            return
        if signal.kind is SignalKind.SIP_CALLED:
            names = reading.part(fields, "caller")
            who = (
                reading.text(names, "name"),
                reading.text(names, "unit"),
                reading.flag(fields, "open_care"),
            )
            self.kept["sip_caller"] = None if who == (None, None, None) else Caller(*who)
            if who[2] is not False:
                self.kept["sip_called_at"] = self.kept["sip_called_at"] or at
        meeting_at, place = reading.instant(fields, "meeting_at"), reading.text(fields, "place")
        self.kept["sip_meeting_at"] = meeting_at or self.kept["sip_meeting_at"]
        self.kept["sip_place"] = place or self.kept["sip_place"]

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
        presence, contacts = self.presence, self.contacts
        return Standing(
            history=tuple(self.history),
            times=self.times,
            episodes=self.readiness.episodes(),
            doubtful=self.readiness.doubtful,
            met=self.readiness.met,
            admitted_at=presence.admitted_at,
            end=presence.end,
            on_leave=presence.on_leave,
            unit=presence.unit,
            care_form=presence.care_form,
            care_contact=contacts.newest,
            care_contacts=tuple(contacts.all),
            care_contact_at=contacts.appointed_at,
            coordinator=contacts.coordinator,
            coordinated_at=contacts.coordinated_at,
            **self.kept,
        )


def _is_coordinator(signal: LiveSignal) -> bool:
    return signal.kind is SignalKind.CARE_CONTACT_APPOINTED and bool(
        reading.flag(signal.fields, "coordinator")
    )
