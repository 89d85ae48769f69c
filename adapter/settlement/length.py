"""How many days a stay lasted after day zero, and which of them are payable.

Owns settlement rules 2: effective episode, notice day, day zero, length, payable days. Does not own who
is in a mean (`measure`) nor what a day costs (`bill`).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import takewhile

from adapter.agreements.terms import Clock, Terms, Unit
from adapter.losus.days import DAY, count_weekdays, local, local_day, weekdays_after
from adapter.settlement.stay import Episode, Stay

#: BAL 11 §: «lördag, midsommarafton, julafton och nyårsafton oräknade».
EVES_ARE_NO_WEEKDAYS = True


def effective_episode(stay: Stay) -> Episode | None:
    """Give the last *utskrivningsklar* that was not taken back (`on_withdrawal: restart`)."""
    for episode in reversed(stay.ready):
        if episode.withdrawn_at is None:
            return episode
    return None


def notice_day(sent_at: datetime, terms: Terms) -> date:
    """Give the local date of the notice, or the day after where it was sent past the cut-off.

    LUS 5:4 «efter klockan 12.00» (12:00:00 sharp is the same day, `cutoff_inclusive`); Bilaga 9,
    footnote 4: «före kl. 12:00» (12:00:00 sharp is the next).
    """
    at = local(sent_at)
    cutoff = terms.cutoff
    if cutoff is None:
        return at.date()
    clock = at.time()
    late = clock > cutoff or (clock == cutoff and not terms.cutoff_inclusive)
    return at.date() + DAY if late else at.date()


def day_zero(episode: Episode, terms: Terms) -> date | None:
    """Give the day that the count starts from; None where the clock asks for *hemgångsklar* in vain."""
    notice = notice_day(episode.sent_at, terms)
    if terms.clock is Clock.READY:
        return notice
    if episode.home_ready_at is None:
        return None
    return max(notice, local_day(episode.home_ready_at))


def length(zero: date, end: date, terms: Terms) -> int:
    """Count the days in closed care after day zero; 0 for a person who goes home on day zero."""
    if terms.unit is Unit.CALENDAR_DAYS:
        return max(0, (end - zero).days)
    return count_weekdays(zero, end, eves=EVES_ARE_NO_WEEKDAYS)


def payable_days(zero: date, end: date, terms: Terms) -> tuple[date, ...]:
    """Give the days to be paid for: those of the unit with number `first_payable_day` and on.

    The end day is among them only with `count_end_day`. Where each day has its own `first_payable_day`
    (`by: day`), its number is held against that.
    """
    return tuple(day for _, day in numbered_payable_days(zero, end, terms))


def numbered_payable_days(zero: date, end: date, terms: Terms) -> Iterator[tuple[int, date]]:
    """Give the days to be paid for with their numbers, which count from 1 on the first after day zero."""
    last = end if terms.count_end_day else end - DAY
    spans = terms.first_payable_spans(zero + DAY, last)
    firsts = iter(spans)
    through, first = next(firsts, (last, 1))
    for number, day in enumerate(_days_after(zero, last, terms), 1):
        while day > through:
            through, first = next(firsts)
        if number >= first:
            yield number, day


def _days_after(zero: date, last: date, terms: Terms) -> Iterator[date]:
    """Give the days of the unit after day zero, through `last`."""
    if terms.unit is Unit.CALENDAR_DAYS:
        return (zero + timedelta(days=i) for i in range(1, (last - zero).days + 1))
    return takewhile(lambda day: day <= last, weekdays_after(zero, eves=EVES_ARE_NO_WEEKDAYS))
