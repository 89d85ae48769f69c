"""A month judged for its joint follow-up: figures, mean and missed limits of one payer's stays. Pure.

Owns which stays are the payer's, and what of statement and counts is kept. Does not own the counts
(`following`), the gate (`gate`) nor when a month is judged (`adapter.settling.joint_follow_ups`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from adapter.losus.days import DAY, Month, local_day
from adapter.losus.deadlines import DeadlineName
from adapter.settlement.account import POOLED, Law
from adapter.settlement.following import Followed, FollowUp, Mean, Share, follow_ups, missed_limits
from adapter.settlement.joint import Head
from adapter.settlement.joint_entries import Count, Judged, MissedLimit, MonthCount
from adapter.settlement.statement import Statement
from adapter.settlement.stay import Stay

_NONE = Share(0, 0)


def stays_of(stays: Iterable[Stay], head: Head, law: Law) -> frozenset[str]:
    """Return the stays of the payer, by the agreement that settles each, or would as of the month's end."""
    found = set()
    for stay in stays:
        if stay.liable != head.municipality or head.care_form not in {POOLED, stay.care_form.value}:
            continue
        day = head.month.end - DAY if stay.ended_at is None else local_day(stay.ended_at)
        if law.of(stay, day).id == head.agreement:
            found.add(stay.stay)
    return frozenset(found)


def judge(
    head: Head,
    followed: Sequence[Followed],
    mine: frozenset[str],
    statement: tuple[str, Statement] | None,
    now: datetime,
) -> Judged:
    """Judge a month; `mine`: the payer's stays among all, `statement`: as it was issued, with its id."""
    (counted,) = follow_ups(followed, [(head.municipality, head.month)], now, mine)
    own = [one for one in followed if one.stay in mine]
    missed = sorted(missed_limits(own, head.month, now), key=lambda one: (one[1].due, one[0], one[1].name))
    mean = statement[1].mean if statement is not None else None
    threshold = mean.terms.threshold if mean is not None else None
    return Judged(
        status=statement[1].status.value if statement is not None else None,
        over=mean is not None and mean.over,
        statement=statement[0] if statement is not None else None,
        stays=mean.stays if mean is not None else counted.means[0].stays,
        days=mean.days if mean is not None else counted.means[0].days,
        threshold=None if threshold is None else str(threshold),
        ended=counted.ended,
        means=tuple(
            MonthCount(month=str(one.month), stays=one.stays, days=one.days) for one in counted.means
        ),
        day_zero=_count(counted.day_zero),
        limits={name.value: _count(share) for name, share in counted.limits.items() if share.of},
        returned=_count(counted.returned),
        missed=tuple(
            MissedLimit(name=limit.name.value, stay=stay, due=limit.due, met_at=limit.met_at)
            for stay, limit in missed
        ),
    )


def counts_of(head: Head, judged: Judged) -> FollowUp:
    """Return the counts of the month as it was judged; a limit that is not in use any more is left out."""
    known = {name.value: name for name in DeadlineName}
    shares = {known[name]: _share(count) for name, count in judged.limits.items() if name in known}
    return FollowUp(
        head.municipality,
        head.month,
        judged.ended,
        tuple(Mean(Month.parse(one.month), one.stays, one.days) for one in judged.means),
        _share(judged.day_zero),
        {name: shares.get(name, _NONE) for name in DeadlineName},
        _share(judged.returned),
    )


def _count(share: Share) -> Count:
    return Count(kept=share.kept, of=share.of)


def _share(count: Count) -> Share:
    return Share(count.kept, count.of)


def _month(mean: Mean) -> MonthCount:
    return MonthCount(month=str(mean.month), stays=mean.stays, days=mean.days)
