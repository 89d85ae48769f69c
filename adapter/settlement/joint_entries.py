"""What is entered in a joint follow-up: the content of each kind of entry, and what of it is refused.

Owns the shapes. Does not own what the entries of a follow-up come to (`joint`) nor keeping them
(`adapter.store.joint`). Pure. Bilaga 9: «Representanter från varje kommun och regionen ska månatligen
kontrollera följsamheten. Om det genomsnittliga antalet dagar överstiger tre dagar ska en gemensam analys och
lämpliga åtgärder genomföras … I analysen ska också eventuella avvikelser ingå.»

Free text is read by both parties and nobody else. It may hold personal data nevertheless, so it is never
in a log line, an error or a metric; text with a personnummer is refused: a stay is named by its id.
"""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from personnummer import personnummer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

_CIVIC = re.compile(r"(?<!\d)(?:\d{2})?\d{6} ?[-+]? ?\d{4}(?!\d)", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Party(StrEnum):
    """Whose entry it is, or who is responsible for a measure."""

    REGION = "region"
    MUNICIPALITY = "municipality"


class Because(StrEnum):
    """Why a joint follow-up was opened."""

    OVER = "over-threshold"
    MEASURES = "open-measures"
    BY_HAND = "by-hand"


class Result(StrEnum):
    """What became of a measure by the month that follows it up."""

    DONE = "done"
    NOT_DONE = "not-done"
    MOVED = "moved"


def _text(value: str) -> str:
    if _UNPRINTABLE.search(value):
        raise ValueError("control characters are not text")
    for found in _CIVIC.finditer(value):
        if personnummer.valid(found[0].replace(" ", "")):
            raise ValueError("a personnummer is not entered: name the stay by its id")
    return value


def _line(value: str) -> str:
    if "\n" in value or "\r" in value or "\t" in value:
        raise ValueError("one line")
    return value


Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(_text)
]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_line),
    AfterValidator(_text),
]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
StayId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9.\-]+$")]


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Opened(_Content):
    """The follow-up of a month begins."""

    kind: Literal["opened"] = "opened"
    because: Because


class Count(_Content):
    """`of` were judged, and of those `kept` did."""

    kept: int
    of: int


class MonthCount(_Content):
    """The stays in the mean of a month, and their days after day zero together."""

    month: str
    stays: int
    days: int


class MissedLimit(_Content):
    """A limit of a stay that was not kept; `met_at` None: not met at all when it was judged."""

    name: str
    stay: str
    due: datetime
    met_at: datetime | None


class Judged(_Content):
    """The month as its stays were known then: mean, figures and missed limits.

    `status` and `over` are of the month's statement (None: there was none yet), and so are `stays`, `days`
    and `threshold` (exact; None: there is no gate). `limits` by name, those alone that something was due of.
    """

    kind: Literal["judged"] = "judged"
    status: str | None
    over: bool
    statement: str | None
    stays: int
    days: int
    threshold: str | None
    ended: int
    means: tuple[MonthCount, ...]
    day_zero: Count
    limits: dict[str, Count]
    returned: Count
    missed: tuple[MissedLimit, ...]


class Representative(_Content):
    """Who took part for a party: name, and role where it is given."""

    party: Party
    name: Line
    role: Line | None = None


class _Corrigible(_Content):
    corrects: Annotated[int, Field(ge=1)] | None = Field(
        None, description="number of an entry of the same party and kind that this one replaces"
    )


class Meeting(_Corrigible):
    """The control took place: on which day, and who represented the parties."""

    kind: Literal["meeting"] = "meeting"
    held_on: date
    representatives: Annotated[tuple[Representative, ...], Field(min_length=1, max_length=50)]


class Finding(_Corrigible):
    """What the analysis found."""

    kind: Literal["finding"] = "finding"
    text: Words


class Deviation(_Corrigible):
    """A deviation that a person reports, of a stay or of none; `name` is a limit's or another code."""

    kind: Literal["deviation"] = "deviation"
    text: Words
    name: Code | None = None
    stay: StayId | None = None


class Measure(_Corrigible):
    """A measure (åtgärd) that was decided: what, who does it, and until when."""

    kind: Literal["measure"] = "measure"
    text: Words
    party: Party
    responsible: Line
    due: date


class Outcome(_Corrigible):
    """What became of a measure; one that is not done, or moved to another day, is carried over."""

    kind: Literal["outcome"] = "outcome"
    measure: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    result: Result
    due: date | None = Field(None, description="the new day of a measure that is moved")
    text: Words | None = None


class Withdrawal(_Content):
    """An entry of the same party is taken back; what it said stays readable as withdrawn."""

    kind: Literal["withdrawal"] = "withdrawal"
    corrects: Annotated[int, Field(ge=1)]
    text: Words


#: What people enter.
Entered: TypeAlias = Meeting | Finding | Deviation | Measure | Outcome | Withdrawal
#: What an entry holds.
Content: TypeAlias = Opened | Judged | Entered

ENTERED: TypeAdapter[Entered] = TypeAdapter(Annotated[Entered, Field(discriminator="kind")])
CONTENT: TypeAdapter[Content] = TypeAdapter(Annotated[Content, Field(discriminator="kind")])
