"""The life cycle of an agreement: who proposed, recommended and decided what, and on which days it holds.

Owns the fields of `life` and the decisions of a single party. Does not own which agreement is in force
(`in_force`) nor whether the dates fit together (`check_life`).

The three steps stand apart because they differ in effect: a proposal asks a body to decide, a
recommendation tells the parties what to decide, and only a decision of the party's own body binds it.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from adapter.agreements.groups import Cited, Frozen, Term

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Decision(Cited):
    """Something that a body proposed, recommended or decided: which body, on which day, and what."""

    by: str
    on: date
    what: str


class OwnDecision(Decision):
    """A decision of a body of one party.

    `binds` is false for a body that does not decide for the party, such as a committee of a municipality
    whose executive board has still to decide.
    """

    binds: bool = True


class Decided(Frozen):
    """The body that decided, and the day."""

    by: str
    on: date


class OwnProlongation(Cited):
    """The decision of one party to prolong the agreement, through the last day of a prolongation."""

    through: date
    decided: Decided


class Valid(Cited):
    """First and last day; `through` null is until further notice."""

    from_: date = Field(alias="from")
    through: date | None


class Prolonged(Cited):
    """A later last day. With `each_decides` it binds a party only by the party's own decision."""

    through: date
    each_decides: bool = False


class EndedEarly(Cited):
    """An end before the stated last day, without a successor's file: `on` is the last day in force."""

    on: date
    by: str
    decided: date


class Renegotiation(Cited):
    """Terms that were to be negotiated again by a day, and the outcome once it is known.

    `from` is the first day that the outcome was to hold for; absent, it is the day after `by`.
    """

    by: date
    about: str
    from_: date | None = Field(None, alias="from")
    outcome: Decision | None = None

    @property
    def starts(self) -> date:
        """The first day whose terms rest on the outcome."""
        return self.from_ or self.by + timedelta(days=1)

    def open_on(self, day: date) -> bool:
        """Whether the terms of that day rest on an outcome that is not known."""
        return self.outcome is None and day >= self.starts


class Life(Frozen):
    """The life cycle of an agreement."""

    proposed: tuple[Decision, ...] = ()
    recommended: tuple[Decision, ...] = ()
    decided: tuple[Decision, ...] = ()
    valid: Valid
    prolonged: tuple[Prolonged, ...] = ()
    ends_early: Term[Literal["when-superseded"]] | None = None
    ended_early: EndedEarly | None = None
    superseded_by: Identifier | None = None
    in_step_with: tuple[Identifier, ...] = ()
    renegotiate: Renegotiation | tuple[Renegotiation, ...] = ()

    @model_validator(mode="after")
    def _something_to_prolong(self) -> "Life":
        if self.valid.through is None and any(one.each_decides for one in self.prolonged):
            raise ValueError("`each_decides` needs the last day that is prolonged: `valid.through` is null")
        return self

    @property
    def renegotiations(self) -> tuple[Renegotiation, ...]:
        """All renegotiations, in the order of the file."""
        found = self.renegotiate
        return (found,) if isinstance(found, Renegotiation) else found


def ends_of(
    life: Life, own: Iterable[OwnProlongation]
) -> Iterator[tuple[Prolonged, OwnProlongation | None, bool]]:
    """Give each prolongation, the party's own decision on it, and whether it binds the party.

    With `each_decides` only a decision that was made while the agreement was still in force counts: one
    that has ended cannot be prolonged.
    """
    end = life.valid.through
    decisions = {one.through: one for one in own}
    for prolonged in life.prolonged:
        decision = decisions.get(prolonged.through)
        in_time = decision is not None and end is not None and decision.decided.on <= end
        binds = in_time or not prolonged.each_decides
        yield prolonged, decision, binds
        if binds and (end is None or prolonged.through > end):
            end = prolonged.through
