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
from adapter.settling.issuing import Ledger
from adapter.store import statistics
from adapter.store.database import Connection
from adapter.store.statistics import Key

#: A smaller count of stays may show a person to somebody who knows the place: the customary limit of five.
FEWEST = 5


async def publish_statistics(
    connection: Connection, ledger: Ledger, wanted: Iterable[Key], months: Iterable[Month], now: datetime
) -> list[tuple[str, Month]]:
    """Tell of each agreement and month of which nothing that is `wanted` lacks; what is new, in order."""
    asked = sorted(set(months))
    there = await statistics.issued_in(connection, asked)
    lacking = {(agreement, month) for agreement, _, _, month in set(wanted) - there}
    done = set(await statistics.list_statistics(connection))
    fresh = sorted({(agreement, month) for agreement, _, _, month in there} - lacking - done)
    for agreement, month in fresh:
        told = await statistics.statements_of(connection, agreement, month)
        made = statistics_bundle(told, ledger.edition(now), fewest=FEWEST)
        await statistics.add_statistic(connection, agreement, month, dumps(made), now)
    return fresh
