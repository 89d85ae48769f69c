"""The words of the domain: states, signals and criteria, each with its Swedish term.

Owns the names that are seen from outside; owns no rule. The names are fixed: subscribers and
mapping files rely on them.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a case stands; the Swedish label is in `STATE_LABELS`."""

    ADMITTED = "admitted"
    NOTIFIED = "notified"
    PLANNING = "planning"
    READY = "ready"
    HOME_READY = "home-ready"
    DISCHARGED = "discharged"
    DECEASED = "deceased"
    INTERRUPTED = "interrupted"
    VOIDED = "voided"


STATE_LABELS: dict[State, str] = {
    State.ADMITTED: "inskriven",
    State.NOTIFIED: "inskrivningsmeddelande skickat",
    State.PLANNING: "planering påbörjad",
    State.READY: "utskrivningsklar",
    State.HOME_READY: "hemgångsklar",
    State.DISCHARGED: "utskriven",
    State.DECEASED: "avliden",
    State.INTERRUPTED: "avbruten",
    State.VOIDED: "makulerad",
}


class SignalKind(StrEnum):
    """A fact that a resource can state about a case; the order below breaks ties of equal time."""

    PATIENT = "patient"
    ADMITTED = "admitted"
    NEED_ASSESSED = "need-assessed"
    ADMISSION_NOTICE_SENT = "admission-notice-sent"
    ADMISSION_NOTICE_ACKNOWLEDGED = "admission-notice-acknowledged"
    PLANNING_STARTED = "planning-started"
    EXPECTED_DISCHARGE = "expected-discharge"
    TRANSFERRED = "transferred"
    LEAVE_STARTED = "leave-started"
    LEAVE_ENDED = "leave-ended"
    CARE_CONTACT_APPOINTED = "care-contact-appointed"
    CRITERION_MET = "criterion-met"
    CRITERION_UNMET = "criterion-unmet"
    READY = "ready"
    READY_WITHDRAWN = "ready-withdrawn"
    SIP_OFFERED = "sip-offered"
    SIP_DECLINED = "sip-declined"
    SIP_CALLED = "sip-called"
    SIP_HELD = "sip-held"
    COORDINATED_PLAN_MADE = "coordinated-plan-made"
    OPEN_CARE_AVAILABLE = "open-care-available"
    OPEN_CARE_UNAVAILABLE = "open-care-unavailable"
    OPPOSED = "opposed"
    DISCHARGED = "discharged"
    DECEASED = "deceased"
    TRANSFERRED_OUT = "transferred-out"
    INTERRUPTED = "interrupted"
    VOIDED = "voided"


class InterruptionEffect(StrEnum):
    """What an interruption of the process does, by its reason.

    `ends-ready`: closed care is needed again, so the *utskrivningsklar* episode ends as by a withdrawal, and
    the process rests. `ends-process`: the process rests; the episode stands. `nothing`: it is noted alone.
    """

    ENDS_READY = "ends-ready"
    ENDS_PROCESS = "ends-process"
    NOTHING = "nothing"


class Criterion(StrEnum):
    """The seven conditions of *hemgångsklar* (Bilaga 9, «Hemgångsklar är ett nytt begrepp»)."""

    PHYSICIAN_ASSESSMENT = "physician-assessment"
    SELF_CARE_ASSESSED = "self-care-assessed"
    WRITTEN_INFORMATION = "written-information"
    CARE_CONTACT_APPOINTED = "care-contact-appointed"
    INFORMATION_TRANSFERRED = "information-transferred"
    AIDS_AVAILABLE = "aids-available"
    MEDICATION_AVAILABLE = "medication-available"
