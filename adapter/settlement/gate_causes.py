"""Which month's mean changed the status of another month: the run of the gate before and now, compared.

Owns the naming. Does not own the gate (`gate`). Pure.
"""

from collections.abc import Mapping, Sequence

from adapter.losus.days import Month
from adapter.settlement.gate import GateStatus, MonthMean, run_gate
from adapter.settlement.reasons import GateReason, MeanChange


def gate_change(month: Month, before: Sequence[MonthMean], now: Sequence[MonthMean]) -> GateReason | None:
    """Give the reason where a month is billed now and was not, or the other way; None where it is as it was.

    `before` and `now`: the gate's months, without gaps, as known then and now. Named are the months without
    whose change the status would be as before. Where there is no such month (the gate opened, or closed,
    with a month that was not settled then, or several changed so that one would have done), it is the month
    with which the status became what it is.
    """
    was, is_now = _status(before, month), _status(now, month)
    if was is None or is_now is None or was.billed == is_now.billed:
        return None
    known = {one.month.index: one for one in before}
    changed = [one for one in now if (old := known.get(one.month.index)) is None or _differ(old, one)]
    ended = max(known)
    earlier = [one for one in changed if one.month.index <= ended]
    decisive = [
        one
        for one in earlier
        if (without := _status(_put(now, known.get(one.month.index), one.month), month)) is not None
        and without.billed != is_now.billed
    ]
    if not decisive:
        last = _last_step(month, before, changed, billed=is_now.billed)
        decisive = [] if last is None else [last]
    means = tuple(
        MeanChange(one.month, mean_text(known.get(one.month.index)), mean_text(one)) for one in decisive
    )
    return GateReason(was, is_now, means)


def mean_text(mean: MonthMean | None) -> str | None:
    """Give a mean as text: exact, empty in a month without stays; None where it was not settled."""
    if mean is None:
        return None
    if mean.no_data:
        return GateStatus.NO_DATA.value
    return "" if mean.mean is None else str(mean.mean)


def _status(run: Sequence[MonthMean], month: Month) -> GateStatus | None:
    return {mean.month: status for mean, status in zip(run, run_gate(run), strict=True)}.get(month)


def _differ(a: MonthMean, b: MonthMean) -> bool:
    return (a.stays, a.days, a.no_data) != (b.stays, b.days, b.no_data)


def _put(run: Sequence[MonthMean], old: MonthMean | None, month: Month) -> list[MonthMean]:
    """Replace a month by what was known of it before: no stays where nothing was."""
    return [one if one.month != month else old or MonthMean(month, one.terms, 0, 0, 0) for one in run]


def _last_step(
    month: Month, before: Sequence[MonthMean], changed: Sequence[MonthMean], *, billed: bool
) -> MonthMean | None:
    """Put one change after the other into what was known; give the last with which the status turned."""
    run: dict[int, MonthMean] = {one.month.index: one for one in before}
    turned: MonthMean | None = None
    status = _billed(run, month)
    for one in sorted(changed, key=lambda mean: mean.month):
        run[one.month.index] = one
        after = _billed(run, month)
        if after != status and after == billed:
            turned = one
        status = after
    return turned


def _billed(run: Mapping[int, MonthMean], month: Month) -> bool:
    found = _status([run[index] for index in sorted(run)], month)
    return found is not None and found.billed
