"""What a known caller may see: which of the reading doors, and of which municipality.

Owns the table of roles, and the filter that a municipality's reader gets. Pure.
Sources: PDL (2008:355) 4:1-2, each sees what the work asks for; LUS 2:2 and the contract, section 4: a
municipality gets its own cases only.
"""

from dataclasses import dataclass
from enum import StrEnum

from adapter.access.caller import Caller, Kind, NotAllowedError, Reason, Role
from adapter.access.scopes import WRITE_FOLLOW_UPS, covers


class Shelf(StrEnum):
    """What can be read: cases of persons, or what was settled and disputed."""

    CASES = "cases"
    SETTLEMENTS = "settlements"


#: Roles that see the whole of a shelf. A municipality's controller sees its own part of both.
_WHOLE = {
    Shelf.CASES: frozenset({Role.REGION_OPERATOR, Role.AUDITOR}),
    Shelf.SETTLEMENTS: frozenset({Role.CONTROLLER, Role.AUDITOR}),
}
#: A kommunkod that no municipality has: the filter that nothing passes.
NOWHERE = "-"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a caller sees on one shelf; `only` is the one municipality, None: all of them."""

    caller: Caller
    only: str | None

    def municipality(self, asked: str | None) -> str | None:
        """The municipality to filter by where `asked` is asked for (None: any).

        To ask for another's gives what is not there: neither is told apart from the other.
        """
        if self.only is None or self.only == asked:
            return asked
        return self.only if asked is None else NOWHERE

    def within(self, asked: str) -> str:
        """The same, of a municipality that the address names."""
        return asked if self.only in {None, asked} else NOWHERE


def demand(caller: Caller, scope: str) -> None:
    """Hold a system to a scope; NotAllowedError where any of its grants leaves it out, and to a person."""
    if caller.kind is Kind.ANYBODY:
        return
    if caller.kind is Kind.STAFF:
        raise NotAllowedError(Reason.ROLE)
    if not all(covers(grant, scope) for grant in caller.grants):
        raise NotAllowedError(Reason.SCOPE, scope)


def decide(caller: Caller) -> Reach:
    """How far the caller may answer for the region: its controllers do. An auditor changes nothing.

    NotAllowedError for anybody else, a municipality's controller too: it is party to the dispute.
    """
    if caller.kind is Kind.ANYBODY or Role.CONTROLLER in caller.roles:
        return Reach(caller, None)
    raise NotAllowedError(Reason.ROLE)


def write(caller: Caller) -> Reach:
    """How far the caller may write in joint follow-ups: the region's controllers in all, for the region.

    A municipality's controllers and its system in its own, for the municipality. NotAllowedError for others.
    """
    if caller.kind is Kind.ANYBODY or Role.CONTROLLER in caller.roles:
        return Reach(caller, None)
    if caller.municipality is None:
        raise NotAllowedError(Reason.ROLE)
    if caller.kind is Kind.STAFF:
        if Role.MUNICIPALITY_CONTROLLER not in caller.roles:
            raise NotAllowedError(Reason.ROLE)
    else:
        demand(caller, WRITE_FOLLOW_UPS)
    return Reach(caller, caller.municipality)


def reach(caller: Caller, shelf: Shelf, scope: str) -> Reach:
    """How far the caller sees on that shelf; NotAllowedError where it sees nothing there.

    `scope` is what a municipality's system needs, `system/Invoice.rs`.
    """
    if caller.kind is Kind.ANYBODY or caller.roles & _WHOLE[shelf]:
        return Reach(caller, None)
    if caller.municipality is None:
        raise NotAllowedError(Reason.ROLE)
    if caller.kind is Kind.STAFF:
        if Role.MUNICIPALITY_CONTROLLER not in caller.roles:
            raise NotAllowedError(Reason.ROLE)
    else:
        demand(caller, scope)
    return Reach(caller, caller.municipality)
