"""Disputed lines: held off the invoice until they are answered.

Owns what a dispute does to what is owed. A line on which a question is open, or was answered in the
municipality's favour, is not owed; so it is left out of a statement that is issued meanwhile, and where
it stands on one that was issued already, the next one credits it (settlement rules 8). A question that
was answered otherwise, or taken back, changes nothing: what was left out or credited is owed, and comes as
a debit. Pure. Does not own asking and answering (`adapter.settling.disputing`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from adapter.losus.days import Month
from adapter.settlement.statement import Basis, Key, Line, Statement

#: The words of a FHIR Task: open, the region agrees, it does not, the municipality took it back.
DisputeStatus = Literal["requested", "completed", "rejected", "cancelled"]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A municipality's question on a line: that of a stay in a month, or the one of a mean's excess.

    `upheld`: None while it is open; True where the region agreed; False where it did not, or where the
    question was `withdrawn`. `excess` is agreement and care form where `stay` is None. `reason` is what the
    region answered in words.
    """

    id: str
    municipality: str
    stay: str | None
    month: Month
    upheld: bool | None
    excess: tuple[str, str] | None = None
    withdrawn: bool = False
    reason: str | None = None

    @property
    def status(self) -> DisputeStatus:
        """Where it stands."""
        if self.withdrawn:
            return "cancelled"
        if self.upheld is None:
            return "requested"
        return "completed" if self.upheld else "rejected"

    @property
    def line(self) -> str:
        """Name the line: the stay, or `excess-over-mean`."""
        return self.stay or Basis.EXCESS_OVER_MEAN.value


#: What a line is of (a stay's id, or `excess-over-mean`), and the statement that it is held off.
Held = tuple[str, Key]


def hold(
    owed: Iterable[Statement], disputes: Sequence[Dispute]
) -> tuple[tuple[Statement, ...], tuple[Held, ...]]:
    """Give what is owed without the lines in dispute, and which were held off, in the order of the lines.

    A stay's figures stay in the mean: what is disputed is the line.
    """
    off = {_place(one) for one in disputes if one.upheld is not False}
    if not off:
        return tuple(owed), ()
    kept: list[Statement] = []
    held: list[Held] = []
    for one in owed:
        disputed = [line for line in one.lines if _line(one, line) in off]
        held += [(line.stay or line.basis.value, one.key) for line in disputed]
        lines = tuple(line for line in one.lines if line not in disputed)
        kept.append(replace(one, lines=lines) if disputed else one)
    return tuple(kept), tuple(held)


def _place(one: Dispute) -> tuple[object, ...]:
    """Name what is in question; the line of a stay is its own under whatever agreement it is settled."""
    return one.municipality, one.month, one.stay, one.excess


def _line(statement: Statement, line: Line) -> tuple[object, ...]:
    excess = None if line.stay is not None else (statement.agreement, statement.care_form)
    return statement.municipality, statement.month, line.stay, excess
