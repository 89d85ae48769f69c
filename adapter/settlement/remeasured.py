"""A month's measure as it is issued again, because what it counts turned out otherwise.

Owns when two settlements of a month are the same measure: the same stays, days and exclusions, under the same
threshold, with the same status. An amount alone is no figure of it: that is an adjustment line. Does not own
what is issued (`difference`) nor the MeasureReport (`adapter.fhir.measure_report`). Pure.
"""

from dataclasses import dataclass
from fractions import Fraction

from adapter.losus.days import Month
from adapter.settlement.gate import GateStatus
from adapter.settlement.statement import Statement


@dataclass(frozen=True, slots=True)
class Remeasured:
    """The measure of an issued month, issued again on a later statement; the month's own never changes.

    `corrects` is the id of the month's statement, `number` the version of its measure (the statement has 1),
    `statement` the month as it is settled now.
    """

    corrects: str
    number: int
    statement: Statement


def figures(
    statement: Statement,
) -> tuple[Month, int, int, int, GateStatus, int, tuple[tuple[str, int], ...], Fraction | None]:
    """Give the figures of a month's measure."""
    mean = statement.mean
    return (
        mean.month,
        mean.stays,
        mean.days,
        mean.day_zero,
        statement.status,
        statement.long_stays,
        tuple(statement.excluded_by().items()),
        mean.terms.threshold,
    )
