"""The monthly follow-up of region and municipality: what a month's stays came to, beside the money.

Owns the counts that Bilaga 9 asks for («Uppföljning efter varje månad», with deviations in the joint
analysis and avoidable returns to inpatient care). Does not own how a stay's days are counted
(`adapter.settlement`), whether a limit was kept (`losus.deadlines`) nor how it is told (`fhir.followup`).
Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from adapter.losus.days import Month, local_day
from adapter.losus.deadlines import DeadlineName, DeadlineStatus

#: A person who is admitted again so many days after going home, or sooner, has returned.
RETURN_DAYS = 30
#: The month itself and those before it: liability follows from three in a row.
TREND_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Followed:
    """A stay as it is followed up.

    `person`: pseudonym; None where it is not known who it is. `ended_at`: None while still in. `home`:
    whether it ended by discharge, so that a return is one. `days` after day zero; None where the stay is
    in no mean. `limits`: those that were judged and are not pending.
    """

    stay: str
    municipality: str
    person: str | None
    admitted_at: datetime
    ended_at: datetime | None
    home: bool
    days: int | None
    limits: Mapping[DeadlineName, DeadlineStatus]


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
    """The stays in the mean of a month, and their days after day zero together."""

    month: Month
    stays: int
    days: int

    @property
    def value(self) -> Fraction | None:
        """Days by stays, exact; None in a month without stays."""
        return Fraction(self.days, self.stays) if self.stays else None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a month came to for a municipality.

    `ended`: stays that ended in it. `means`: of the month and those before it, newest first. `limits`: of
    each how many were kept; what is missing of all is a deviation. `returned`: of those who went home and
    whose person is known, as far as it is known when it is counted: of a month that is over for less than
    thirty days it is too early to tell.
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


def follow_up(stays: Iterable[Followed], municipality: str, month: Month) -> FollowUp:
    """Count the month of a municipality; stays of others matter where a person returns."""
    everyone = tuple(stays)
    mine = [one for one in everyone if one.municipality == municipality]
    ended = [one for one in mine if _month(one) == month]
    in_mean = [one.days for one in ended if one.days is not None]
    return FollowUp(
        municipality,
        month,
        len(ended),
        tuple(_mean(mine, month.plus(-back)) for back in range(TREND_MONTHS)),
        Share(sum(days == 0 for days in in_mean), len(in_mean)),
        {name: _kept(ended, name) for name in DeadlineName},
        _returned(ended, everyone),
    )


def _month(stay: Followed) -> Month | None:
    return None if stay.ended_at is None else Month.of(local_day(stay.ended_at))


def _mean(stays: Sequence[Followed], month: Month) -> Mean:
    days = [one.days for one in stays if one.days is not None and _month(one) == month]
    return Mean(month, len(days), sum(days))


def _kept(ended: Sequence[Followed], name: DeadlineName) -> Share:
    judged = [status for one in ended if (status := one.limits.get(name)) is not None]
    return Share(sum(status is DeadlineStatus.MET for status in judged), len(judged))


def _returned(ended: Sequence[Followed], everyone: Sequence[Followed]) -> Share:
    admissions: dict[str, list[datetime]] = {}
    for one in everyone:
        if one.person is not None:
            admissions.setdefault(one.person, []).append(one.admitted_at)
    home = [one for one in ended if one.home and one.person is not None]
    return Share(sum(_is_back(one, admissions.get(one.person or "", ())) for one in home), len(home))


def _is_back(stay: Followed, admissions: Iterable[datetime]) -> bool:
    if stay.ended_at is None:
        return False
    ended_at = stay.ended_at
    later = (at for at in admissions if at > ended_at)
    return any((local_day(at) - local_day(ended_at)).days <= RETURN_DAYS for at in later)
