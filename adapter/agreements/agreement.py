"""The shape of an agreement file: what a controller writes, as frozen values.

Owns the fields around the terms: parties, documents, assumptions. Does not own the terms (`groups`), the
life cycle (`life`), reading YAML (`load`), the life of several agreements together (`in_force`, `check`)
nor what the terms do (`rules`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from adapter.agreements.groups import (
    BillTerms,
    Cited,
    DayTerms,
    Frozen,
    GateTerms,
    ProcessGroup,
    ScopeTerms,
    Term,
)
from adapter.agreements.life import (
    Decision,
    EndedEarly,
    Identifier,
    Life,
    OwnDecision,
    OwnProlongation,
)
from adapter.agreements.terms import Kind, Status
from adapter.marks import Place


def _code(value: object) -> object:
    """Take 2380 for "2380": YAML reads a code without quotation marks as a number."""
    return f"{value:04d}" if isinstance(value, int) and not isinstance(value, bool) else value


MunicipalityCode = Annotated[str, BeforeValidator(_code), Field(pattern=r"^\d{4}$")]


class Document(Frozen):
    """A text that the file cites."""

    title: str
    issued_by: str | None = None
    dated: date | None = None
    address: str | None = None


class Assumption(Frozen):
    """What is taken to be so where the text leaves it open, and the reason."""

    what: str
    because: str


class Party(Cited):
    """A municipality; it is bound from the day of `adopted`, and not at all where that is null.

    `proposed`, `recommended` and `decided` are of bodies of this party; `prolonged` are its decisions on
    prolongations, and `ended_early` is an end for this party alone.
    """

    code: MunicipalityCode
    name: str
    adopted: date | None
    proposed: tuple[Decision, ...] = ()
    recommended: tuple[Decision, ...] = ()
    decided: tuple[OwnDecision, ...] = ()
    prolonged: tuple[OwnProlongation, ...] = ()
    ended_early: EndedEarly | None = None


class Parties(Cited):
    """Who is bound. `source` and `checked` here hold for every municipality that has none of its own."""

    municipalities: Literal["all"] | tuple[Party, ...]


class Region(Frozen):
    """The region that is paid: länskod and name."""

    county: Annotated[str, BeforeValidator(lambda v: f"{v:02d}" if isinstance(v, int) else v)] = Field(
        pattern=r"^\d{2}$"
    )
    name: str


class Agreement(Frozen):
    """One file of `agreements/`."""

    id: Identifier
    title: str
    kind: Kind
    status: Term[Status]
    region: Region | None
    documents: Mapping[str, Document]
    parties: Parties
    life: Life
    scope: ScopeTerms | None = None
    days: DayTerms | None = None
    gate: GateTerms | None = None
    bill: BillTerms | None = None
    process: ProcessGroup | None = None
    assumptions: Mapping[str, Assumption] = Field(default_factory=dict)

    @property
    def settles(self) -> bool:
        """Whether there is anything to settle by: false for an agreement of cooperation."""
        return self.kind is not Kind.COOPERATION


@dataclass(frozen=True, slots=True)
class AgreementFile:
    """An agreement with the file it came from: `name`, the line of each place, and `digest`.

    `digest` is the SHA-256 of the file's bytes, in hex: the version that a statement names.
    """

    agreement: Agreement
    name: str
    lines: Mapping[Place, int]
    digest: str

    def where(self, place: Place) -> str:
        """Name file, line and place, as a fault is to be shown."""
        return f"{self.name}:{line_of(self.lines, place)} {'.'.join(map(str, place))}".rstrip()


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """Give the line of a place, or of the nearest one around it that the file has."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def cited_values(agreement: Agreement) -> list[tuple[Place, Cited]]:
    """Every statement of the file that needs a source, with its place, in the order of the fields."""
    found: list[tuple[Place, Cited]] = []
    _collect((), agreement, found)
    return found


def _collect(place: Place, value: object, found: list[tuple[Place, Cited]]) -> None:
    if isinstance(value, Cited):
        found.append((place, value))
    if isinstance(value, Frozen):
        for name, info in type(value).model_fields.items():
            _collect((*place, info.alias or name), getattr(value, name), found)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _collect((*place, index), item, found)
