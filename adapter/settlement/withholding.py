"""What is withheld of counts that anybody may see: small ones, and what would give them away.

Owns the rule. A count from 1 up to `fewest` − 1 may show a person to somebody who knows the place, and so may
the rest that it leaves of a whole; zero shows nobody. Where the sum of all is shown too, what is withheld of
one could be had by subtracting what is shown of the others; so others are withheld beside it, until every
small count could as well be any other small one. Others are taken by what is shown of them alone, their
order or their number of stays: to take the smallest would tell how small it is. Where that cannot be reached,
the sum goes too, and all that is not zero. Pure. Does not own how it is told (`adapter.fhir.statistics`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Counts(NamedTuple):
    """Stays that ended in a month: left out of its mean, home on day zero, home later."""

    out: int
    zero: int
    later: int

    @property
    def stays(self) -> int:
        """Those in the mean."""
        return self.zero + self.later


@dataclass(slots=True)
class Withheld:
    """What is not shown: the stays left out; those in the mean; the mean; how many went home on day zero.

    Whoever is not shown how many stays there are is shown no mean of them, and no part; with the mean goes
    the number of those who do not make it.
    """

    out: bool = False
    stays: bool = False
    mean: bool = False
    zero: bool = False

    @property
    def all(self) -> bool:
        """Whether the number of all stays that ended is withheld: it goes with any of its parts."""
        return self.out or self.stays


def withhold(cells: Sequence[Counts], fewest: int) -> tuple[list[Withheld], Withheld]:
    """Say what is withheld of each, and what of their sum."""
    total = Counts(*(sum(column) for column in zip(*cells, strict=True))) if cells else Counts(0, 0, 0)
    hidden, summed = [_small(one, fewest) for one in cells], _small(total, fewest)
    small = [_small(one, fewest) for one in cells]
    summed.out |= not _cover(hidden, "out", [one.out for one in cells], fewest)
    summed.stays |= not _cover(hidden, "stays", [one.stays for one in cells], fewest)
    _follow(hidden, summed)
    for name, hides in (("mean", _hides_mean), ("zero", _hides_zero)):
        if any(getattr(one, name) for one in hidden):
            beside = _beside(cells, hidden, name)
            if beside is not None and hides(cells, small, beside, fewest):
                setattr(hidden[beside], name, True)
            else:
                _all(hidden, summed, name, [one.stays for one in cells])
        _follow(hidden, summed)
    return hidden, summed


def _small(one: Counts, fewest: int) -> Withheld:
    """Say what counts give away by themselves; a mean is made by those alone who went home later.

    Of few stays, to show the mean would tell that those home later are not few, and so how many are left.
    """
    out, stays, later, zero = (0 < count < fewest for count in (one.out, one.stays, one.later, one.zero))
    mean = stays or later or (zero and one.stays < 2 * fewest - 1)
    return Withheld(out, stays, mean=mean, zero=zero or mean)


def _follow(hidden: Sequence[Withheld], summed: Withheld) -> None:
    for one in (*hidden, summed):
        one.mean = one.mean or one.stays
        one.zero = one.zero or one.mean


def _cover(hidden: Sequence[Withheld], name: str, weights: Sequence[int], fewest: int) -> bool:
    """Withhold more of a count, in order, until those withheld are two, and `fewest` each on the average.

    False where that cannot be: then all of it is withheld that is not zero.
    """
    places = range(len(hidden))
    while withheld := [place for place in places if getattr(hidden[place], name)]:
        if len(withheld) > 1 and sum(weights[place] for place in withheld) >= fewest * len(withheld):
            break
        more = next((place for place in places if place not in withheld and weights[place]), None)
        if more is None:
            return False
        setattr(hidden[more], name, True)
    return True


def _all(hidden: Sequence[Withheld], summed: Withheld, name: str, weights: Sequence[int]) -> None:
    setattr(summed, name, True)
    for one, weight in zip(hidden, weights, strict=True):
        if weight:
            setattr(one, name, True)


def _beside(cells: Sequence[Counts], hidden: Sequence[Withheld], name: str) -> int | None:
    """Give the place with the most stays of which this is not withheld; None where there is none."""
    others = [place for place in range(len(cells)) if not getattr(hidden[place], name)]
    return max(others, key=lambda place: cells[place].stays, default=None)


def _hides_mean(cells: Sequence[Counts], _: Sequence[Withheld], beside: int, fewest: int) -> bool:
    """Whether the days of those home later at this place hide those of the few at others."""
    return cells[beside].later >= fewest


def _hides_zero(cells: Sequence[Counts], small: Sequence[Withheld], beside: int, fewest: int) -> bool:
    """Whether this place can make up for any other small counts of those home on day zero, or later.

    With the sum of all and the stays of each shown, whoever changes the small counts among 1 to
    `fewest` − 1 has to change those home on day zero here; here neither they nor the rest may become few.
    """
    most, here = fewest - 1, cells[beside]
    low = high = here.zero
    for one, withheld in zip(cells, small, strict=True):
        if withheld.stays:
            low, high = low + one.zero - most, high + one.zero
        elif withheld.mean:
            low, high = (
                low - one.later + 1,
                high - one.later + (one.stays - 1 if one.stays <= 2 * most else most),
            )
        elif withheld.zero:
            low, high = low + one.zero - most, high + one.zero - 1
    return low >= fewest and high <= here.stays - fewest
