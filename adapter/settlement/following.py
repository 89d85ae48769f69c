"""The monthly follow-up of region and municipality: what a month's stays came to, beside the money.

Owns the counts that Bilaga 9 asks for («Uppföljning efter varje månad», with deviations in the joint
analysis and avoidable returns to inpatient care). Does not own how a stay's days are counted
(`adapter.settlement`), when a limit is due (`losus.deadlines`) nor how it is told (`fhir.followup`). Pure.

The report of a month is issued once and never changed, so it holds what is decided when the month is over:
a limit is counted in the month in which it was due, a return in the month in which the thirty days ended.
So each is counted once, also of a person who went home on the last day.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from adapter.agreements.terms import CareForm
from adapter.losus.days import Month, local_day
from adapter.losus.deadlines import DeadlineName
from adapter.settlement.heard import ALL_KNOWN, Heard

#: A person who is admitted again so many days after going home, or sooner, has returned.
RETURN_DAYS = 30
#: The month itself and those before it: liability follows from three in a row.
TREND_MONTHS = 3


class Limit(NamedTuple):
    """A limit of a stay: the last instant that is in time, and when it was met, in time or late."""

    name: DeadlineName
    due: datetime
    met_at: datetime | None

    @property
    def kept(self) -> bool:
        """Whether it was met in time."""
        return self.met_at is not None and self.met_at <= self.due


@dataclass(frozen=True, slots=True)
class Followed:
    """A stay as it is followed up.

    `person`: pseudonym; None where it is not known who it is. `ended_at`: None while still in. `home`:
    whether it ended by discharge, so that a return is one. `days` after day zero; None where the stay is
    in no mean. `limits`: those that have a day.
    """

    stay: str
    municipality: str
    person: str | None
    admitted_at: datetime
    ended_at: datetime | None
    home: bool
    days: int | None
    limits: Sequence[Limit]


@dataclass(frozen=True, slots=True)
class Share:
    """`of` were judged, and of those `kept` did: a limit kept, home on day zero, returned."""

    kept: int
    of: int

    @property
    def value(self) -> Fraction | None:
        """From 0 to 1, exact; None where nothing was judged."""
        return Fraction(self.kept, self.of) if self.of else None


@dataclass(frozen=True, slots=True)
class Mean:
    """The stays in the mean of a month, and their days after day zero together.

    `no_data`: none ended, and of no care form is it known that there were none (`heard`).
    """

    month: Month
    stays: int
    days: int
    no_data: bool = False

    @property
    def value(self) -> Fraction | None:
        """Days by stays, exact; None in a month without stays."""
        return Fraction(self.days, self.stays) if self.stays else None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a month came to for a municipality.

    `ended`: stays that ended in it. `means`: of the month and those before it, newest first. `limits`: of
    each how many were due in it and how many of those were kept; what is missing of all is a deviation.
    `returned`: of those who went home, whose person is known, and whose thirty days ended in the month.
    """

    municipality: str
    month: Month
    ended: int
    means: tuple[Mean, ...]
    day_zero: Share
    limits: Mapping[DeadlineName, Share]
    returned: Share

    def missed(self, name: DeadlineName) -> int:
        """Count the deviations of a kind."""
        share = self.limits[name]
        return share.of - share.kept


def follow_up(stays: Iterable[Followed], municipality: str, month: Month, now: datetime) -> FollowUp:
    """Count the month of a municipality; stays of others matter where a person returns.

    In a month that is not over, `now` tells which limits are missed and whose thirty days have ended.
    """
    return next(follow_ups(stays, [(municipality, month)], now))


def follow_ups(
    stays: Iterable[Followed],
    asked: Iterable[tuple[str, Month]],
    now: datetime,
    of: Container[str] | None = None,
    heard: Heard = ALL_KNOWN,
) -> Iterator[FollowUp]:
    """Count the months of many municipalities, in the order asked.

    `of`: the stays that are counted (None: all); a return to any other stay is a return too. `heard`: what is
    known of months in which no stay ended.
    """
    homes: dict[str, list[Followed]] = {}
    admissions: dict[str, list[datetime]] = {}
    for one in stays:
        if of is None or one.stay in of:
            homes.setdefault(one.municipality, []).append(one)
        if one.person is not None:
            admissions.setdefault(one.person, []).append(one.admitted_at)
    for municipality, month in asked:
        mine = homes.get(municipality, [])
        ended = [one for one in mine if _month(one) == month]
        in_mean = [one.days for one in ended if one.days is not None]
        yield FollowUp(
            municipality,
            month,
            len(ended),
            tuple(_mean(mine, municipality, month.plus(-back), heard) for back in range(TREND_MONTHS)),
            Share(sum(days == 0 for days in in_mean), len(in_mean)),
            {name: _kept(mine, name, month, now) for name in DeadlineName},
            _returned(mine, admissions, month, now),
        )


def missed_limits(stays: Iterable[Followed], month: Month, now: datetime) -> Iterator[tuple[str, Limit]]:
    """Yield the limits that were due in the month and are not kept, each with its stay."""
    for stay in stays:
        for limit in stay.limits:
            if Month.of(local_day(limit.due)) == month and not limit.kept and limit.due < now:
                yield stay.stay, limit


def _month(stay: Followed) -> Month | None:
    return None if stay.ended_at is None else Month.of(local_day(stay.ended_at))


def _mean(stays: Sequence[Followed], municipality: str, month: Month, heard: Heard) -> Mean:
    ended = [one.days for one in stays if _month(one) == month]
    days = [one for one in ended if one is not None]
    known = bool(ended) or any(heard.knows(municipality, form.value, month) for form in CareForm)
    return Mean(month, len(days), sum(days), no_data=not known)


def _kept(mine: Iterable[Followed], name: DeadlineName, month: Month, now: datetime) -> Share:
    judged = [
        limit.kept
        for one in mine
        for limit in one.limits
        if limit.name is name and Month.of(local_day(limit.due)) == month and (limit.kept or limit.due < now)
    ]
    return Share(sum(judged), len(judged))


def _returned(
    mine: Iterable[Followed], admissions: Mapping[str, Sequence[datetime]], month: Month, now: datetime
) -> Share:
    today = local_day(now)
    judged = [
        any(_is_back(one.ended_at, at) for at in admissions[one.person])
        for one in mine
        if one.home and one.person is not None and one.ended_at is not None
        if Month.of(last := local_day(one.ended_at) + timedelta(days=RETURN_DAYS)) == month and last < today
    ]
    return Share(sum(judged), len(judged))


def _is_back(ended_at: datetime, admitted_at: datetime) -> bool:
    return admitted_at > ended_at and (local_day(admitted_at) - local_day(ended_at)).days <= RETURN_DAYS
