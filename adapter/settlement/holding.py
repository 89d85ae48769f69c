"""Disputed lines: held off the invoice until they are answered.

Owns what a dispute does to what is owed. A line on which a question is open, or was answered in the
municipality's favour, is not owed; so it is left out of a statement that is issued meanwhile, and where
it stands on one that was issued already, the next one credits it (settlement rules 8). A question that
was answered otherwise changes nothing: what was left out or credited is owed, and comes as a debit.
Pure. Does not own asking and answering (`adapter.disputing`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from adapter.losus.days import Month
from adapter.settlement.statement import Statement


@dataclass(frozen=True, slots=True)
class Dispute:
    """A municipality's question on the line of a stay in a month.

    `upheld`: None while it is open; True where the region agreed; False where it did not.
    """

    id: str
    municipality: str
    stay: str
    month: Month
    upheld: bool | None


#: A stay, and the statement that its line is held off: agreement, municipality, care form, month.
Held = tuple[str, tuple[str, str, str, Month]]


def hold(
    owed: Iterable[Statement], disputes: Sequence[Dispute]
) -> tuple[tuple[Statement, ...], tuple[Held, ...]]:
    """Give what is owed without the lines in dispute, and which were held off, in the order of the lines.

    A stay's figures stay in the mean: what is disputed is the line.
    """
    off = {(one.municipality, one.month, one.stay) for one in disputes if one.upheld is not False}
    if not off:
        return tuple(owed), ()
    kept: list[Statement] = []
    held: list[Held] = []
    for one in owed:
        lines = tuple(line for line in one.lines if (one.municipality, one.month, line.stay) not in off)
        held += [
            (line.stay, (one.agreement, one.municipality, one.care_form, one.month))
            for line in one.lines
            if line.stay is not None and line not in lines
        ]
        kept.append(replace(one, lines=lines))
    return tuple(kept), tuple(held)
