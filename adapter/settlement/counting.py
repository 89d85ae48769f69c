"""How stays count under given terms, each kind of stay counted once.

Owns the shortcut from whole numbers (`plain`) to what `measure` gives. Stays that end on one day, with one
day zero and the same releases and flags, differ in their id alone; one `Measured` without an id stands
for all of them. Does not own a rule: releases, flags and lengths are asked of `measure` and `length`.
"""

from datetime import UTC, date, datetime, timedelta

from adapter.agreements.terms import CareForm, Clock, Compulsory, Terms
from adapter.settlement.length import length
from adapter.settlement.measure import Measured, Reason, measure
from adapter.settlement.plain import Plain
from adapter.settlement.stay import Episode, Stay

_NEVER = 10**12
_NOON = datetime(2018, 1, 2, 11, tzinfo=UTC)
_HOUR_US = 3_600_000_000


class Counting:
    """Counts stays of one care form by `terms`; the id of what it gives is empty."""

    def __init__(self, terms: Terms, form: CareForm) -> None:
        self.terms, self.form = terms, form
        self.is_home_ready = terms.clock is Clock.HOME_READY
        self.excludes_compulsory = terms.compulsory is Compulsory.EXCLUDED
        self.late_from = _late_from(terms)
        self.notice_limit = terms.admission_notice_hours * _HOUR_US
        self.call_limit = terms.sip_call_days
        self.kinds = _kinds(terms, form)
        self.known: dict[tuple[object, ...], Measured] = {}

    def count(self, plain: Plain, end: int) -> Measured:
        """Count a stay that ended on the day `end`."""
        _, _, _, compulsory, _, _, sent, clock, home, notice, sip, available, opposed = plain
        if compulsory and self.excludes_compulsory:
            return self._out(end, Reason.COMPULSORY)
        if sent is None:
            return self._out(end, Reason.NOT_READY)
        zero = sent + 1 if clock >= self.late_from else sent
        if self.is_home_ready:
            if home is None:
                return self._out(end, Reason.NOT_HOME_READY)
            zero = max(zero, home)
        kind = 2 if notice is None else notice > self.notice_limit
        kind += 6 if sip is None else 3 * (sip > self.call_limit)
        kind = self.kinds[kind + 9 * available + 18 * opposed][0]
        key = (end, zero, kind)
        found = self.known.get(key)
        return self._new(key, end, zero, kind) if found is None else found

    def _new(self, key: tuple[object, ...], end: int, zero: int, kind: int) -> Measured:
        _, released, flags = self.kinds[kind]
        last, first = date.fromordinal(end), date.fromordinal(zero)
        days = length(first, last, self.terms)
        made = Measured("", self.form, last, self.terms, first, days, None, released, flags)
        self.known[key] = made
        return made

    def _out(self, end: int, reason: Reason) -> Measured:
        found = self.known.get((end, reason))
        if found is None:
            last = date.fromordinal(end)
            found = Measured("", self.form, last, self.terms, None, 0, reason, (), ())
            self.known[end, reason] = found
        return found


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


def _kinds(terms: Terms, form: CareForm) -> list[tuple[int, tuple[Reason, ...], tuple[Reason, ...]]]:
    """Ask the rule what each mix of notice, call, open care and will comes to.

    In the place notice + 3 × call + 9 × available + 18 × opposed, where notice and call are 0 in time,
    1 late, 2 missing: the first place that comes to the same, what releases, what is flagged.
    """
    found: list[tuple[int, tuple[Reason, ...], tuple[Reason, ...]]] = []
    first: dict[tuple[tuple[Reason, ...], tuple[Reason, ...]], int] = {}
    for place in range(36):
        told = measure(_stand_in(place, terms, form), _NOON.date(), terms)
        same = first.setdefault((told.released, told.flags), place)
        found.append((same, told.released, told.flags))
    return found


def _stand_in(place: int, terms: Terms, form: CareForm) -> Stay:
    notice, call = place % 3, place // 3 % 3
    late_notice = _NOON + timedelta(hours=terms.admission_notice_hours, seconds=1)
    late_call = _NOON + timedelta(days=terms.sip_call_days + 1)
    return Stay(
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
