"""Federations of municipalities (kommunalförbund) that pay and receive for their members.

Owns the file `federations.yaml` and who is addressed for a municipality on a day. Does not own who is liable:
LUS 5:1 makes it the municipality, federation or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import Field, model_validator

from adapter.agreements.agreement import Document, MunicipalityCode
from adapter.agreements.finding import Finding
from adapter.agreements.groups import Frozen, Source
from adapter.agreements.invoicing import InvoiceParty
from adapter.agreements.life import Identifier
from adapter.marks import Place


class Federation(Frozen):
    """A federation: its members, and how a finance department knows it.

    `verified` false: what it does for its members is an assumption, whose reason is `because`, and statements
    that are addressed to it say so. `from` and `through` are the first and last day; absent: always.
    """

    name: str
    members: tuple[MunicipalityCode, ...] = Field(min_length=1)
    from_: date | None = Field(None, alias="from")
    through: date | None = None
    verified: bool = False
    because: str | None = None
    invoicing: InvoiceParty = InvoiceParty()
    source: Source | None = None
    checked: date | None = None

    @model_validator(mode="after")
    def _reason(self) -> "Federation":
        if not self.verified and not self.because:
            raise ValueError("a federation that is not verified needs `because`")
        if self.from_ and self.through and self.through < self.from_:
            raise ValueError("`through` is before `from`")
        return self

    def holds(self, day: date) -> bool:
        """Whether it pays and receives for its members on that day."""
        return (self.from_ is None or self.from_ <= day) and (self.through is None or day <= self.through)


class Federations(Frozen):
    """The file `federations.yaml`: federations by their id."""

    documents: Mapping[str, Document] = Field(default_factory=dict)
    federations: Mapping[Identifier, Federation] = Field(default_factory=dict)

    def recipient(self, municipality: str, day: date) -> "Recipient | None":
        """Give the federation that is addressed for a municipality on that day; None: the municipality is."""
        for name, one in self.federations.items():
            if municipality in one.members and one.holds(day):
                return Recipient(name, one.name, one.invoicing, one.verified, one.because or "")
        return None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is addressed instead of a municipality; `because` says why that is an assumption, if it is one."""

    id: str
    name: str
    party: InvoiceParty
    verified: bool
    because: str


def faults_of(
    federations: Federations, municipalities: Mapping[str, str] | None
) -> Iterator[tuple[Place, str]]:
    """Give what makes it unclear who is addressed, each with its place; `municipalities` None: unknown."""
    seen: list[tuple[str, str, Federation]] = []
    for name, one in federations.federations.items():
        if one.source and one.source.document not in federations.documents:
            yield ("federations", name, "source", "document"), "no such document in `documents`"
        for index, code in enumerate(one.members):
            place: Place = ("federations", name, "members", index)
            if municipalities is not None and code not in municipalities:
                yield place, f"{code} is no municipality"
            if other := next((known for known, of, two in seen if of == code and _overlap(one, two)), None):
                yield place, f"{code} is a member of {other} on the same day"
            seen.append((name, code, one))


def check_federations(federations: Federations, today: date, recheck_after: timedelta) -> Iterator[Finding]:
    """Find federations without a source or a check, and note those that are an assumption."""
    for name, one in federations.federations.items():
        where = f"federations.yaml federations.{name}"
        if one.source is None:
            yield Finding("fault", "uncited", where, "a federation without `source`")
        if one.checked is None:
            yield Finding("fault", "unchecked", where, "no `checked` date")
        elif one.checked > today:
            yield Finding("fault", "unchecked", where, f"checked {one.checked}, which is yet to come")
        elif today - one.checked > recheck_after:
            yield Finding("fault", "stale", where, f"last checked {one.checked}, over a year ago")
        if not one.verified:
            members = ", ".join(one.members)
            words = f"not verified that {one.name} pays and receives for {members}: {one.because}"
            yield Finding("note", "not-verified", where, words)


def _overlap(one: Federation, two: Federation) -> bool:
    first = max(one.from_ or date.min, two.from_ or date.min)
    return first <= min(one.through or date.max, two.through or date.max)
