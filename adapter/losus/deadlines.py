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

The first two are not asked beyond the stay if still pending at its end. `sip-call` is, since the
meeting may be held at home; it is not asked where the person declined SIP or a coordinated plan
(ÖPT, ÖRV) stands in for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from adapter.losus.course import Standing
from adapter.losus.days import DAY, TICK, at_local, is_reception_day, local, local_day, reception_window
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


class DeadlineStatus(StrEnum):
    """Whether it was kept."""

    PENDING = "pending"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Deadline:
    """One limit: `due` None while the discharge it hangs on is not known; `met_at` also when late."""

    name: DeadlineName
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


def _admission_notice(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """LUS 2:3 «senast 24 timmar efter att patienten skrivits in», or after the later judgement of need.

    The first judgement of need counts: judging it once more must not prolong the time.
    """
    starts = [at for at in (standing.admitted_at, standing.times.get(SignalKind.NEED_ASSESSED)) if at]
    if not starts:
        return
    due = max(starts) + timedelta(hours=terms.admission_notice_hours)
    sent_at = standing.times.get(SignalKind.ADMISSION_NOTICE_SENT)
    if sent_at is None and _ended_by(standing, due):
        return
    yield _judged(DeadlineName.ADMISSION_NOTICE, due, sent_at, now, "LUS 2:3")


def _planning_start(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """LUS 2:6, and the hours in which the agreement has notices received and planning started."""
    sent_at = standing.times.get(SignalKind.ADMISSION_NOTICE_SENT)
    if sent_at is None or terms.reception is None:
        return
    _, closes = reception_window(sent_at, terms.reception, terms.long_holiday, eves=terms.eves_are_free)
    due = closes.astimezone(UTC)
    started_at = standing.times.get(SignalKind.PLANNING_STARTED)
    if started_at is None and _ended_by(standing, due):
        return
    yield _judged(DeadlineName.PLANNING_START, due, started_at, now, "LUS 2:6")


def _sip_call(standing: Standing, terms: ProcessTerms, now: datetime) -> Iterator[Deadline]:
    """LUS 4:3 «senast tre dagar efter det att en underrättelse … har lämnats»; days are local dates."""
    episode = in_force(standing.episodes)
    if episode is None or not standing.sip_required:
        return
    due = _end_of_day(local_day(episode.sent_at) + terms.sip_call_days * DAY)
    yield _judged(DeadlineName.SIP_CALL, due, standing.times.get(SignalKind.SIP_CALLED), now, "LUS 4:3")


def _care_contact(standing: Standing, now: datetime) -> Iterator[Deadline]:
    """LUS 2:5 «innan patienten skrivs ut»; one and the same instant is in time, clocks show minutes."""
    if SignalKind.ADMISSION_NOTICE_SENT in standing.times:
        due = standing.end.at if standing.end is not None else None
        met_at = standing.times.get(SignalKind.CARE_CONTACT_APPOINTED)
        yield _judged(DeadlineName.CARE_CONTACT, due, met_at, now, "LUS 2:5")


def _information_transfer(standing: Standing, now: datetime) -> Iterator[Deadline]:
    """LUS 3:2 «senast samma dag som patienten skrivs ut»; there is no one to tell without a notice."""
    if SignalKind.ADMISSION_NOTICE_SENT in standing.times or SignalKind.READY in standing.times:
        due = _end_of_day(local_day(standing.end.at)) if standing.end is not None else None
        met_at = standing.met.get(Criterion.INFORMATION_TRANSFERRED)
        yield _judged(DeadlineName.INFORMATION_TRANSFER, due, met_at, now, "LUS 3:2")


def _discharge_hours(standing: Standing, terms: ProcessTerms) -> Iterator[Deadline]:
    """Judge the planned discharge, by the guidelines of LUS 4:4; the closing hour itself is in time."""
    planned = standing.expected
    if terms.discharge is None or not isinstance(planned, datetime):
        return
    hours, day, clock = terms.discharge, local_day(planned), local(planned).time()
    open_then = is_reception_day(day, hours, None, eves=terms.eves_are_free)
    kept = open_then and hours.start <= clock <= hours.end
    due = at_local(day, hours.end).astimezone(UTC)
    status = DeadlineStatus.MET if kept else DeadlineStatus.MISSED
    yield Deadline(DeadlineName.DISCHARGE_HOURS, status, due, planned if kept else None, "LUS 4:4")


def _judged(
    name: DeadlineName, due: datetime | None, met_at: datetime | None, now: datetime, clause: str
) -> Deadline:
    if due is not None and (met_at or now.astimezone(UTC)) > due:
        status = DeadlineStatus.MISSED
    else:
        status = DeadlineStatus.PENDING if met_at is None else DeadlineStatus.MET
    return Deadline(name, status, due, met_at, clause)


def _ended_by(standing: Standing, due: datetime) -> bool:
    return standing.end is not None and standing.end.at <= due


def _end_of_day(day: date) -> datetime:
    return at_local(day + DAY, time.min).astimezone(UTC) - TICK
