"""A stay as settlement counts it: in the mean or not, on the bill or not, and why.

Owns the reasons of settlement rules 3 that lie in the stay alone. Does not own means and months (`gate`)
nor amounts (`bill`).
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple

from adapter.agreements.terms import CareForm, Compulsory, Condition, Late, Terms
from adapter.losus.days import DAY
from adapter.losus.due import call_due, notice_due
from adapter.settlement.length import day_zero, effective_episode, length
from adapter.settlement.stay import Episode, Stay


class Reason(StrEnum):
    """Why a stay is in no mean (the first four), or is not billed (the rest)."""

    OPEN = "open"
    COMPULSORY = "compulsory"
    NOT_READY = "not-ready"
    NOT_HOME_READY = "not-home-ready"
    NO_ADMISSION_NOTICE = "no-admission-notice"
    NO_SIP_CALL = "no-sip-call"
    OPEN_CARE_UNAVAILABLE = "open-care-unavailable"
    OPPOSED = "opposed"
    LATE_ADMISSION_NOTICE = "late-admission-notice"
    LATE_SIP_CALL = "late-sip-call"


class Measured(NamedTuple):
    """A stay that ended on `end`, counted by `terms`.

    `zero` is None and `days` 0 where `out` says why the stay is in no mean and on no bill. `released`
    says why it is in the mean and yet not billed. `flags` are late messages that release nobody.
    `protected`, `entered` and `moved` as in `Stay`.
    """

    stay: str
    care_form: CareForm
    end: date
    terms: Terms
    zero: date | None
    days: int
    out: Reason | None
    released: tuple[Reason, ...]
    flags: tuple[Reason, ...]
    protected: bool = False
    entered: bool = False
    moved: bool = False

    @property
    def long(self) -> bool:
        """Whether the stay is taken out of the mean and billed by itself."""
        over = self.terms.long_stays_over
        return over is not None and self.out is None and self.days > over

    @property
    def spans_values(self) -> bool:
        """Whether its days lie under two values of `first_payable_day`, each day having its own."""
        return self.zero is not None and len(self.terms.first_payable_spans(self.zero + DAY, self.end)) > 1


def measure(stay: Stay, end: date, terms: Terms) -> Measured:
    """Count a stay that ended on the local date `end`, by the terms of that day."""
    measured = _measure(stay, end, terms)
    if stay.protected or stay.entered or stay.municipalities:
        return measured._replace(protected=stay.protected, entered=stay.entered, moved=stay.moved)
    return measured


def _measure(stay: Stay, end: date, terms: Terms) -> Measured:
    if stay.compulsory and terms.compulsory is Compulsory.EXCLUDED:
        return _out(stay, end, terms, Reason.COMPULSORY)
    episode = effective_episode(stay)
    if episode is None:
        return _out(stay, end, terms, Reason.NOT_READY)
    zero = day_zero(episode, terms)
    if zero is None:
        return _out(stay, end, terms, Reason.NOT_HOME_READY)
    late = _late(stay, episode, terms)
    released = _released(stay, terms, late)
    flags = tuple(flag for flag in late if flag not in released)
    return Measured(
        stay.stay, stay.care_form, end, terms, zero, length(zero, end, terms), None, released, flags
    )


def _out(stay: Stay, end: date, terms: Terms, reason: Reason) -> Measured:
    return Measured(stay.stay, stay.care_form, end, terms, None, 0, reason, (), ())


def _late(stay: Stay, episode: Episode, terms: Terms) -> tuple[Reason, ...]:
    """Name the messages that came past their limit, by the rule that the deadlines of a case have too."""
    late: tuple[Reason, ...] = ()
    if stay.notice_sent_at is not None and _is_notice_late(stay, stay.notice_sent_at, terms):
        late = (Reason.LATE_ADMISSION_NOTICE,)
    if stay.sip_required and stay.sip_called_at is not None:
        due = call_due(episode.sent_at, terms.sip_call_days)
        if stay.sip_called_at.astimezone(UTC) > due:
            late = (*late, Reason.LATE_SIP_CALL)
    return late


def _is_notice_late(stay: Stay, sent_at: datetime, terms: Terms) -> bool:
    counted_from, hours = terms.admission_notice_from, terms.admission_notice_hours
    due = notice_due(stay.admitted_at, stay.need_assessed_at, counted_from, hours)
    return due is not None and sent_at.astimezone(UTC) > due


def _released(stay: Stay, terms: Terms, late: tuple[Reason, ...]) -> tuple[Reason, ...]:
    if not terms.requires:
        return ()
    found: list[Reason] = []
    releases = late if terms.late is Late.RELEASES else ()
    if Condition.ADMISSION_NOTICE in terms.requires:
        if stay.notice_sent_at is None:
            found.append(Reason.NO_ADMISSION_NOTICE)
        elif Reason.LATE_ADMISSION_NOTICE in releases:
            found.append(Reason.LATE_ADMISSION_NOTICE)
    if Condition.SIP_CALL in terms.requires and stay.sip_required:
        if stay.sip_called_at is None:
            found.append(Reason.NO_SIP_CALL)
        elif Reason.LATE_SIP_CALL in releases:
            found.append(Reason.LATE_SIP_CALL)
    if Condition.OPEN_CARE in terms.requires and stay.open_care_available is not True:
        found.append(Reason.OPEN_CARE_UNAVAILABLE)
    if Condition.NOT_OPPOSED in terms.requires and stay.opposed:
        found.append(Reason.OPPOSED)
    return tuple(found)
