"""The limits of time in the process, judged from what is known of a case and a given *now*.

Owns when each limit applies, when it is due and whether it was kept. Does not own the hours that an
agreement sets (`process`) nor what a missed limit costs (`adapter.settlement`).

A limit that does not apply is left out: nothing is judged of a voided case, and what was still
pending when the person died, was transferred out, or the process was interrupted is no longer asked.
`due` is the last instant that is in time: met at `due` is met, missed is what comes after it.

| deadline | applies | due |
| --- | --- | --- |
| `admission-notice` | from admission or the later judgement of need | 24 h (elapsed) after it |
| `planning-start` | from the notice, given reception hours | end of the first opening not over |
| `sip-call` | from the notice of *utskrivningsklar* in force | end of the third local day after it |
| `care-contact` | from the admission notice | discharge; null before |
| `information-transfer` | from the first notice of either kind | end of the day of discharge; null before |
| `discharge-hours` | given hours and a planned time of discharge | closing hour of the planned day |
| `notice-planned-date` | from the notice | the notice itself |
| `notice-receipt` | from the notice, given reception hours | end of the first opening not over |
| `sip-offered-before-call` | where demanded, from *utskrivningsklar* or the call | the call; null before |
| `coordinated-plan` | from when ÖPT or ÖRV is known | discharge; null before |
| `coordinator` | where demanded, from the second care contact | discharge; null before |
| `discharge-hours-actual` | given hours, from a discharge known by the clock | closing hour of its day |

`notice-planned-date` and `sip-offered-before-call` are deviations, judged by the step that they go with.
Those that hang on reception hours and `admission-notice` are not asked beyond the stay if still
pending at its end. `sip-call` is, since the meeting may be held at home; it is not asked where the person
declined SIP or a coordinated plan (ÖPT, ÖRV) stands in for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import WithJsonSchema

from adapter.losus.course import Standing
from adapter.losus.days import TICK, at_local, is_reception_day, local, local_day, reception_window
from adapter.losus.due import call_due, end_of_day, notice_due
from adapter.losus.presence import EndHow
from adapter.losus.process import ProcessTerms
from adapter.losus.ready import in_force
from adapter.losus.terms import Criterion, SignalKind, State


class DeadlineName(StrEnum):
    """The limits by the names that subscribers see."""

    ADMISSION_NOTICE = "admission-notice"
    PLANNING_START = "planning-start"
    SIP_CALL = "sip-call"
    CARE_CONTACT = "care-contact"
    INFORMATION_TRANSFER = "information-transfer"
    DISCHARGE_HOURS = "discharge-hours"
    NOTICE_PLANNED_DATE = "notice-planned-date"
    NOTICE_RECEIPT = "notice-receipt"
    SIP_OFFERED_BEFORE_CALL = "sip-offered-before-call"
    COORDINATED_PLAN = "coordinated-plan"
    COORDINATOR = "coordinator"
    DISCHARGE_HOURS_ACTUAL = "discharge-hours-actual"


class DeadlineStatus(StrEnum):
    """Whether it was kept."""

    PENDING = "pending"
    MET = "met"
    MISSED = "missed"


#: The names as subscribers may rely on them: one that a reader does not know is to be passed over.
_OPEN = {
    "type": "string",
    "pattern": "^[a-z]+(-[a-z]+)*$",
    "examples": [name.value for name in DeadlineName],
    "description": "which limit or demand; more names may come, ignore those that you do not know",
}


@dataclass(frozen=True, slots=True)
class Deadline:
    """One limit: `due` None while the discharge it hangs on is not known; `met_at` also when late."""

    name: Annotated[DeadlineName, WithJsonSchema(_OPEN)]
    status: DeadlineStatus
    due: datetime | None
    met_at: datetime | None
    clause: str


def judge(standing: Standing, *, terms: ProcessTerms, now: datetime) -> tuple[Deadline, ...]:
    """Judge every limit that applies, in the order of `DeadlineName`."""
    if standing.state in (None, State.VOIDED):
        return ()
    limits = _limits(standing, terms, now)
    closed_at = _closed_at(standing)
    if closed_at is None:
        return tuple(limits)
    return tuple(limit for limit in limits if not _pending_at(closed_at, limit))


def next_change(deadlines: Iterable[Deadline]) -> datetime | None:
    """Give the first instant at which a pending limit is missed; None where none can be."""
    pending = (d.due for d in deadlines if d.status is DeadlineStatus.PENDING and d.due is not None)
    first = min(pending, default=None)
    return None if first is None else first + TICK


def _closed_at(standing: Standing) -> datetime | None:
    """When the process stopped other than by discharge, so that nothing pending is asked any more."""
    if standing.state is State.INTERRUPTED:
        return standing.times[SignalKind.INTERRUPTED]
    if standing.end is not None and standing.end.how is not EndHow.DISCHARGED:
        return standing.end.at
    return None


def _pending_at(closed_at: datetime, limit: Deadline) -> bool:
    unmet = limit.met_at is None or limit.met_at > closed_at
    return unmet and (limit.due is None or closed_at <= limit.due)


def _limits(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    yield from _admission_notice(standing, terms, now)
    yield from _planning_start(standing, terms, now)
    yield from _sip_call(standing, terms, now)
    yield from _care_contact(standing, now)
    yield from _information_transfer(standing, now)
    yield from _discharge_hours(standing, terms)
    yield from _notice_planned_date(standing, terms, now)
    yield from _notice_receipt(standing, terms, now)
    yield from _sip_offered_before_call(standing, terms, now)
    yield from _coordinated_plan(standing, terms, now)
    yield from _coordinator(standing, terms, now)
    yield from _discharge_hours_actual(standing, terms)


def _admission_notice(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """Judge the notice by `due.notice_due`.

    The first judgement of need counts: judging it once more must not prolong the time.
    """
    need_assessed_at = standing.times.get(SignalKind.NEED_ASSESSED)
    due = notice_due(
        standing.admitted_at, need_assessed_at, terms.admission_notice_from, terms.admission_notice_hours
    )
    if due is None:
        return
    sent_at = standing.times.get(SignalKind.ADMISSION_NOTICE_SENT)
    if sent_at is None and _ended_by(standing, due):
        return
    counted_from = "admission_notice_from" if terms.admission_notice_from == "admission" else ""
    clause = terms.clauses.get(counted_from, "LUS 2:3")
    yield _judged(DeadlineName.ADMISSION_NOTICE, due, sent_at, now, clause)


def _notice_planned_date(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """LUS 2:2: the notice holds «beräknad tidpunkt för utskrivning»; one stated before it counts too."""
    sent_at = standing.times.get(SignalKind.ADMISSION_NOTICE_SENT)
    if sent_at is not None and terms.planned_date_in_notice:
        clause = terms.clauses.get("planned_date_in_notice", "LUS 2:2")
        yield _judged(DeadlineName.NOTICE_PLANNED_DATE, sent_at, standing.expected_since, now, clause)


def _notice_receipt(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """Bilaga 9: «Vardagar dagtid 08:00 – 17:00 ska … ta emot inskrivningsmeddelande», the receipt itself."""
    received_at = standing.times.get(SignalKind.ADMISSION_NOTICE_ACKNOWLEDGED)
    clause = terms.clauses.get("reception", "LUS 4:4")
    yield from _by_reception(DeadlineName.NOTICE_RECEIPT, received_at, clause, standing, terms, now)


def _planning_start(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """LUS 2:6, and the hours in which the agreement has planning started."""
    started_at = standing.times.get(SignalKind.PLANNING_STARTED)
    yield from _by_reception(DeadlineName.PLANNING_START, started_at, "LUS 2:6", standing, terms, now)


def _by_reception(
    name: DeadlineName,
    met_at: datetime | None,
    clause: str,
    standing: Standing,
    terms: ProcessTerms,
    now: datetime,
) -> Iterator[Deadline]:
    """Judge what is due by the end of the first reception that is not over when the notice is sent."""
    sent_at = standing.times.get(SignalKind.ADMISSION_NOTICE_SENT)
    if sent_at is None or terms.reception is None:
        return
    _, closes = reception_window(sent_at, terms.reception, terms.long_holiday, eves=terms.eves_are_free)
    due = closes.astimezone(UTC)
    if met_at is None and _ended_by(standing, due):
        return
    yield _judged(name, due, met_at, now, clause)


def _sip_call(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """LUS 4:3: the fast vårdkontakt in region-financed open care calls; another's call does not meet it."""
    episode = in_force(standing.episodes)
    if episode is None or not standing.sip_required:
        return
    due = call_due(episode.sent_at, terms.sip_call_days)
    yield _judged(DeadlineName.SIP_CALL, due, standing.sip_called_at, now, "LUS 4:3")


def _sip_offered_before_call(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """Judge by Bilaga 9: «Personen ska först erbjudas SIP innan berörda enheter kallas»."""
    called_at = standing.times.get(SignalKind.SIP_CALLED)
    is_asked = standing.sip_required and (called_at is not None or in_force(standing.episodes) is not None)
    if terms.sip_offered_first and is_asked:
        clause = terms.clauses.get("sip_offered_first", "LUS 4:4")
        offered_at = standing.sip_offered_at
        yield _judged(DeadlineName.SIP_OFFERED_BEFORE_CALL, called_at, offered_at, now, clause)


def _coordinated_plan(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """LPT 7 a §, LRV 12 a §: a coordinated plan in place of SIP (LUS 4:1 2 st.), «innan personen lämnar»."""
    made_at = standing.times.get(SignalKind.COORDINATED_PLAN_MADE)
    if terms.coordinated_plan_first and (standing.compulsory or made_at is not None):
        clause = terms.clauses.get("coordinated_plan_first", "LPT 7 a §, LRV 12 a §")
        yield _judged(DeadlineName.COORDINATED_PLAN, _left_at(standing), made_at, now, clause)


def _care_contact(standing: Standing, now: datetime) -> Iterator[Deadline]:
    """LUS 2:5 «innan patienten skrivs ut»; one and the same instant is in time, clocks show minutes.

    A coordinator alone is none, nor one that is known to be appointed by another than open care.
    """
    if SignalKind.ADMISSION_NOTICE_SENT in standing.times:
        met_at = standing.care_contact_at
        yield _judged(DeadlineName.CARE_CONTACT, _left_at(standing), met_at, now, "LUS 2:5")


def _coordinator(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """Judge by Bilaga 9: «Om flera fasta vårdkontakter finns ska en samordnare tydliggöras»."""
    left_at = _left_at(standing)
    several = [one for one in standing.care_contacts if left_at is None or one.appointed_at <= left_at]
    if terms.coordinator and len(several) > 1:
        clause = terms.clauses.get("coordinator", "LUS 4:4")
        yield _judged(DeadlineName.COORDINATOR, left_at, standing.coordinated_at, now, clause)


def _information_transfer(standing: Standing, now: datetime) -> Iterator[Deadline]:
    """LUS 3:2 «senast samma dag som patienten skrivs ut»; there is no one to notify without a notice."""
    if SignalKind.ADMISSION_NOTICE_SENT in standing.times or SignalKind.READY in standing.times:
        left_at = _left_at(standing)
        due = None if left_at is None else end_of_day(local_day(left_at))
        met_at = standing.met.get(Criterion.INFORMATION_TRANSFERRED)
        yield _judged(DeadlineName.INFORMATION_TRANSFER, due, met_at, now, "LUS 3:2")


def _discharge_hours(standing: Standing, terms: ProcessTerms) -> Iterator[Deadline]:
    """Judge the planned discharge, by the guidelines of LUS 4:4."""
    if isinstance(standing.expected, datetime):
        yield from _within_hours(DeadlineName.DISCHARGE_HOURS, standing.expected, "LUS 4:4", terms)


def _discharge_hours_actual(standing: Standing, terms: ProcessTerms) -> Iterator[Deadline]:
    """Judge the discharge itself; one known to the day or coarser has no hour."""
    end = standing.end
    if end is not None and end.how is EndHow.DISCHARGED and end.earliest == end.at:
        clause = terms.clauses.get("discharge", "LUS 4:4")
        yield from _within_hours(DeadlineName.DISCHARGE_HOURS_ACTUAL, end.at, clause, terms)


def _within_hours(name: DeadlineName, at: datetime, clause: str, terms: ProcessTerms) -> Iterator[Deadline]:
    """Bilaga 9 «mellan klockan 07:00 – 17:00»: the closing hour itself is in time."""
    hours = terms.discharge
    if hours is None:
        return
    day, clock = local_day(at), local(at).time()
    is_open = is_reception_day(day, hours, None, eves=terms.eves_are_free)
    kept = is_open and hours.start <= clock <= hours.end
    status = DeadlineStatus.MET if kept else DeadlineStatus.MISSED
    yield Deadline(name, status, at_local(day, hours.end).astimezone(UTC), at if kept else None, clause)


def _judged(
    name: DeadlineName, due: datetime | None, met_at: datetime | None, now: datetime, clause: str
) -> Deadline:
    if due is not None and (met_at or now.astimezone(UTC)) > due:
        status = DeadlineStatus.MISSED
    else:
        status = DeadlineStatus.PENDING if met_at is None else DeadlineStatus.MET
    return Deadline(name, status, due, met_at, clause)


def _left_at(standing: Standing) -> datetime | None:
    return None if standing.end is None else standing.end.at


def _ended_by(standing: Standing, due: datetime) -> bool:
    return standing.end is not None and standing.end.at <= due
