"""The limits of the discharge process that an agreement may set, as one frozen value.

Owns the shape that `adapter.agreements` fills in and that `case` and `deadlines` read, and the
statute's own values. Does not own what a day costs, nor whom an agreement binds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Literal

from adapter.losus.days import Hours, LongHoliday
from adapter.losus.terms import Criterion, InterruptionEffect

#: Which step starts the count of days: the notice of *utskrivningsklar*, or the later of it and
#: *hemgångsklar*.
Clock = Literal["ready", "home-ready"]

#: What is counted: every date, or only dates that are no Saturday, helgdag or eve.
DayUnit = Literal["calendar-days", "weekdays"]

#: What the hours of the admission notice run from: the admission, or the later judgement of need (LUS 2:3).
NoticeFrom = Literal["admission", "need"]


#: The reasons of this project's code system. Who needs closed care is not *utskrivningsklar* (LUS 3:1).
INTERRUPTION_REASONS: Mapping[str, InterruptionEffect] = {
    "deteriorated": InterruptionEffect.ENDS_READY,
    "no-longer-needed": InterruptionEffect.ENDS_PROCESS,
    "other": InterruptionEffect.ENDS_PROCESS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessTerms:
    """What an agreement asks of the process, each limit with its unit in the name.

    `criteria`: the conditions of *hemgångsklar* asked for, in the agreement's order; empty where the
    agreement does not know *hemgångsklar*, and then no case ever is.
    `admission_notice_hours`: elapsed hours (LUS 2:3), counted from `admission_notice_from`.
    `planned_date_in_notice`: whether the notice has to hold the planned discharge (LUS 2:2).
    `sip_call_days`: local dates (LUS 4:3). `sip_offered_first`: whether the person has to be offered SIP
    before the units are called. `coordinated_plan_first`: whether a coordinated plan is to be made before a
    person under ÖPT or ÖRV leaves. `coordinator`: whether several care contacts need one.
    `reception`: when notices are received and planning is started; None where nothing is said, and
    then `notice-receipt` and `planning-start` are not judged. `long_holiday`: the reception day
    within a long holiday.
    `eves_are_free`: whether midsommarafton, julafton and nyårsafton are free days.
    `discharge`: the hours in which people are discharged; None where nothing is said.
    `cutoff`: local time after which a notice counts as sent the next day; None for no cut-off.
    `cutoff_inclusive`: whether a notice at that time sharp still counts the same day.
    `interruption_reasons`: what an interruption does, by its reason; one that is not there rests the process,
    and where a person is *utskrivningsklar* it is for people to say what it means.
    `clauses`: where the agreement's own text for a term stands, by the term's name.
    """

    criteria: tuple[Criterion, ...] = tuple(Criterion)
    admission_notice_hours: int = 24
    admission_notice_from: NoticeFrom = "need"
    planned_date_in_notice: bool = True
    sip_call_days: int = 3
    sip_offered_first: bool = False
    coordinated_plan_first: bool = True
    coordinator: bool = False
    reception: Hours | None
    long_holiday: LongHoliday | None
    eves_are_free: bool
    discharge: Hours | None
    cutoff: time | None
    cutoff_inclusive: bool
    interruption_reasons: Mapping[str, InterruptionEffect] = field(
        default_factory=lambda: dict(INTERRUPTION_REASONS)
    )
    clock: Clock
    unit: DayUnit
    clauses: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)


#: Lag (2017:612) alone, where no agreement is in force. It sets no hours of reception or discharge;
#: 5:4 «efter klockan 12.00» leaves 12:00:00 sharp with the same day. The law has no *hemgångsklar*;
#: the seven criteria stay so that a hospital that reports them is understood, and the clock does not
#: ask for them.
STATUTE = ProcessTerms(
    reception=None,
    long_holiday=None,
    eves_are_free=False,
    discharge=None,
    cutoff=time(12, 0),
    cutoff_inclusive=True,
    clock="ready",
    unit="calendar-days",
)
