"""Public statistics: told once, when every statement of an agreement's month is issued.

Owns when they are told. Never before all are there, and never again: whoever had two versions could subtract
the one from the other, and have what a municipality that came later is not shown with. What is heard later
changes statements to come, not these. Does not own what is withheld (`adapter.settlement.withholding`).
"""

from collections.abc import Iterable
from datetime import datetime

from adapter.fhir.decimals import dumps
from adapter.fhir.statistics import statistics_bundle
from adapter.losus.days import Month
from adapter.settlement.statement import Key
from adapter.settling.issuing import Ledger
from adapter.store import statistics
from adapter.store.database import Connection

#: A smaller count of stays may show a person to somebody who knows the place: the customary limit of five.
FEWEST = 5


async def publish_statistics(
    connection: Connection, ledger: Ledger, wanted: Iterable[Key], months: Iterable[Month], now: datetime
) -> list[tuple[str, Month]]:
    """Tell of each agreement and month of which nothing that is `wanted` lacks; what is new, in order."""
    asked = sorted(set(months))
    home = ledger.book.regions.home
    mine = {key for key in wanted if key.region == _told_of(key.agreement, ledger)}
    there = await statistics.issued_in(connection, asked, home)
    lacking = {(key.agreement, key.month) for key in mine - there}
    done = set(await statistics.list_statistics(connection))
    issued = {(key.agreement, key.month) for key in there if key.region == _told_of(key.agreement, ledger)}
    fresh = sorted(issued - lacking - done)
    for agreement, month in fresh:
        region = _told_of(agreement, ledger)
        told = [
            one
            for one in await statistics.statements_of(connection, agreement, month, home)
            if one.statement.region == region
        ]
        made = statistics_bundle(told, ledger.edition(now), fewest=FEWEST)
        await statistics.add_statistic(connection, agreement, month, dumps(made), now)
    return fresh


def _told_of(agreement: str, ledger: Ledger) -> str | None:
    """Give the region whose statements are summed up: the agreement's; under a statute the installation's."""
    region = ledger.book.rules[agreement].agreement.region if agreement in ledger.book.rules else None
    return ledger.book.regions.home if region is None else region.county
