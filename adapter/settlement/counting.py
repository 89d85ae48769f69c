"""How stays count under given terms, all at once, each kind of stay asked of the rule once.

Owns the shortcut from `columns` to what `measure` gives. Does not own a rule: releases and flags are asked of
`measure` for every mix of notice, call, open care and will; lengths are asked of `length` day by day, and
added up: it counts days, so a stay's length is the sum of those of its days.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from adapter.agreements.terms import CareForm, Clock, Compulsory, Terms
from adapter.settlement.columns import MISSING, Column, Columns
from adapter.settlement.length import length
from adapter.settlement.measure import Measured, Reason, measure
from adapter.settlement.stay import Episode, Stay

_NEVER = 10**12
_NOON = datetime(2018, 1, 2, 11, tzinfo=UTC)
_HOUR_US = 3_600_000_000
_MIXES = 36
_OUT = (Reason.COMPULSORY, Reason.NOT_READY, Reason.NOT_HOME_READY)


class Kind(NamedTuple):
    """What stays have in common that differ in id, days and municipality alone; fields as in `Measured`."""

    form: CareForm
    terms: Terms
    out: Reason | None
    released: tuple[Reason, ...]
    flags: tuple[Reason, ...]

    def stay(self, zero: int, end: int, days: int) -> Measured:
        """Give a stay of this kind, without an id."""
        first = None if self.out else date.fromordinal(zero)
        return Measured(
            "", self.form, date.fromordinal(end), self.terms, first, days, self.out, self.released, self.flags
        )


class Counted(NamedTuple):
    """Of each stay: day zero and length, both 0 where it is out, and the place of its kind."""

    zero: Column
    days: Column
    kind: Column


class Counting:
    """Counts stays of one care form by `terms` into `kinds`, which are numbered from `first` on."""

    def __init__(self, terms: Terms, form: CareForm, first: int) -> None:
        self.terms = terms
        self.late_from = _late_from(terms)
        told = [_told(place, terms, form) for place in range(_MIXES)]
        unlike = list(dict.fromkeys((one.released, one.flags) for one in told))
        self.kinds = [Kind(form, terms, reason, (), ()) for reason in _OUT]
        self.kinds += [Kind(form, terms, None, *one) for one in unlike]
        self._first = first
        self._of_mix = np.array([first + len(_OUT) + unlike.index((one.released, one.flags)) for one in told])

    def count(self, stays: Columns, at: Column) -> Counted:
        """Count the ended stays in the places `at`."""
        sent, home = stays.sent[at], stays.home[at]
        zero = sent + (stays.clock[at] >= self.late_from)
        kind = self._of_mix[self._mix(stays, at)]
        if self.terms.clock is Clock.HOME_READY:
            zero = np.maximum(zero, home)
            kind[home == 0] = self._first + 2
        kind[sent == 0] = self._first + 1
        if self.terms.compulsory is Compulsory.EXCLUDED:
            kind[stays.compulsory[at]] = self._first
        zero[kind < self._first + len(_OUT)] = 0
        return Counted(zero, self._lengths(zero, stays.end[at]), kind)

    def _mix(self, stays: Columns, at: Column) -> Column:
        """Give notice + 3 × call + 9 × available + 18 × opposed: 0 in time, 1 late, 2 missing."""
        is_of_need = self.terms.admission_notice_from == "need"
        notice, call = (stays.notice_of_need if is_of_need else stays.notice)[at], stays.call[at]
        notices = (notice > self.terms.admission_notice_hours * _HOUR_US).astype(np.int64) + (
            notice == MISSING
        )
        calls = (call > self.terms.sip_call_days).astype(np.int64) + (call == MISSING)
        mix: Column = notices + 3 * calls + 9 * stays.available[at] + 18 * stays.opposed[at]
        return mix

    def _lengths(self, zero: Column, end: Column) -> Column:
        counts = (zero > 0) & (zero < end)
        if not counts.any():
            return np.zeros(len(zero), np.int32)
        first, last = int(zero[counts].min()), int(end[counts].max())
        span = [date.fromordinal(day) for day in range(first, last + 1)]
        passed = np.cumsum([0, *_steps(span, self.terms)])
        from_, to = np.where(counts, zero - first, 0), np.where(counts, end - first, 0)
        days: Column = passed[to] - passed[from_]
        return days


def _steps(days: Sequence[date], terms: Terms) -> list[int]:
    """Give the length of a stay from each day to the next."""
    return [length(day, after, terms) for day, after in pairwise(days)]


def _late_from(terms: Terms) -> int:
    """Give the microsecond of the day from which a notice counts as of the next day."""
    if terms.cutoff is None:
        return _NEVER
    cutoff = timedelta(
        hours=terms.cutoff.hour,
        minutes=terms.cutoff.minute,
        seconds=terms.cutoff.second,
        microseconds=terms.cutoff.microsecond,
    )
    return cutoff // timedelta(microseconds=1) + terms.cutoff_inclusive


def _told(place: int, terms: Terms, form: CareForm) -> Measured:
    """Ask the rule what a mix of notice, call, open care and will comes to."""
    notice, call = place % 3, place // 3 % 3
    late_notice = _NOON + timedelta(hours=terms.admission_notice_hours, seconds=1)
    late_call = _NOON + timedelta(days=terms.sip_call_days + 1)
    stay = Stay(
        stay="",
        municipality="",
        placing_municipality=None,
        care_form=form,
        compulsory=False,
        admitted_at=_NOON,
        notice_sent_at=(_NOON, late_notice, None)[notice],
        ready=(Episode(_NOON, None, _NOON),),
        sip_required=True,
        sip_called_at=(_NOON, late_call, None)[call],
        open_care_available=place // 9 % 2 == 1,
        opposed=place >= 18,
        ended_at=_NOON,
    )
    return measure(stay, _NOON.date(), terms)
