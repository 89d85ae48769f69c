"""Settlement: statements that are due and not issued, amounts not announced, disputes that nobody answers.

Owns how long a dispute may wait; does not own what is due (`settling.overdue`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from adapter.agreements.amounts import amounts_of, years_due
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.losus.days import Month
from adapter.settling.announcing import stale, unannounced
from adapter.settling.overdue import overdue
from adapter.store import survey
from adapter.store.rates import announcements

#: The daily run comes in the night after; so what has been due since yesterday is late.
_GRACE = timedelta(days=1)
_DISPUTE = timedelta(days=14)

Report = Callable[[str, str, str], Told]


async def due(it: Deployment) -> Sequence[Told]:
    """Statements past their correction day that are not there, by municipality."""
    first = it.settings.settle_from
    if first is None:
        if it.is_sandbox:
            return [ok("nothing is settled on schedule, as a sandbox may")]
        mend = "set LOSUS_SETTLE_FROM to the first month, and run `losus settle --due` daily"
        return [warn("nothing is settled on schedule", mend)]
    day, codes = it.today - _GRACE, it.settings.municipalities
    async with it.database() as connection:
        lacking = await overdue(connection, it.book, codes, Month.parse(first), day)
    mend = "`losus settle --due` says what stands in the way"
    by_code = Counter(code for _, code, *_ in lacking)
    told = [
        fail(f"{number} statements are due and not issued", mend, code) for code, number in by_code.items()
    ]
    return sorted(told, key=lambda one: one.what) or [ok("all that are due are issued")]


async def announced(it: Deployment) -> Sequence[Told]:
    """Check that the municipalities were notified of this year's amount, and in December of the next one's.

    Bilaga 9, footnote 5. From 1 January on it is an error that they were not.
    """
    if it.settings.settle_from is None:
        return [ok("nothing is settled on schedule")]
    codes, told = it.settings.municipalities, []
    due = years_due(it.today)
    async with it.database() as connection:
        for name, year in due.items():
            report = fail if name == "current" and not it.is_sandbox else warn
            lacking = sorted(await unannounced(connection, codes, year))
            told += [_unannounced(it, report, code, year) for code in lacking]
        changed = sorted(stale(it.book, await announcements(connection, due.values(), codes)))
    fix = "`losus rates announce YEAR` announces it again, as a new version"
    told += [warn("the amount known now is not the one that was announced", fix, code) for code in changed]
    return told or [ok(f"announced: {', '.join(str(year) for year in due.values())}")]


def _unannounced(it: Deployment, report: Report, code: str, year: int) -> Told:
    if amounts_of(it.book, code, year):
        return report(f"the amount of {year} is not announced", f"`losus rates announce {year}`", code)
    fix = f"add it to the rates with its source, then `losus rates announce {year}`"
    return report(f"no amount is known for {year}, nor announced", fix, code)


async def disputes(it: Deployment) -> Sequence[Told]:
    """Disputes that have waited for long, by municipality."""
    async with it.database() as connection:
        found = await survey.open_disputes(connection)
    mend = "`losus disputes` lists them; `losus disputes --answer`"
    told = [
        warn(f"{one.disputes} open, the oldest since {one.oldest_at:%Y-%m-%d}", mend, one.municipality)
        for one in found
        if it.now() - one.oldest_at > _DISPUTE
    ]
    return told or [ok(f"{sum(one.disputes for one in found)} open, none for more than {_DISPUTE.days} days")]
