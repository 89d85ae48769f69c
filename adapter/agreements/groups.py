"""The terms of an agreement file in groups: scope, days, gate, bill, process.

Owns how one cited value is written (`Term`: value, source or assumption, checked, and the care form and
days that it holds for). Does not own the file around them (`agreement`) nor what they do (`rules`).
Every field of a group is one `Term` or a list of them, the general one first and its exceptions after it.
"""

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from adapter.agreements.terms import (
    Billing,
    CareForm,
    Clock,
    Compare,
    Compulsory,
    Condition,
    EmptyMonth,
    GateKind,
    Late,
    Retroactive,
    StartIn,
    Unit,
)
from adapter.losus.process import NoticeFrom
from adapter.losus.terms import Criterion, InterruptionEffect

T = TypeVar("T")


class Frozen(BaseModel):
    """A value of a data file: never changed, no field beyond those named."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Source(Frozen):
    """Where the text stands: a document of the list `documents`, its section, the deciding words."""

    document: str
    section: str
    words: str = Field(description="the deciding words, in Swedish, as they stand")


class Cited(Frozen):
    """A statement with its source, or the assumption that stands in for one, and when it was checked."""

    source: Source | None = None
    assumption: str | None = Field(None, description="id in `assumptions`, for what the text leaves open")
    checked: date | None = Field(None, description="the day a person last held it against the text")


class Term(Cited, Generic[T]):
    """One value, for all care forms and days or for those that it names."""

    value: T
    care_form: CareForm | None = None
    from_: date | None = Field(None, alias="from", description="first day; absent: since always")
    through: date | None = Field(None, description="last day (till och med); absent: until further notice")

    @model_validator(mode="after")
    def _span(self) -> "Term[T]":
        if self.from_ and self.through and self.through < self.from_:
            raise ValueError("`through` is before `from`")
        return self


class FirstPayableTerm(Term[Annotated[int, Field(ge=1)]]):
    """The number of the first payable day; with `by: day` each day has the one in force on that day.

    `by` on any value that may hold for a care form is for all values of that care form; its `assumption` is
    that of the choice, and printed on statements with stays that lie under two values.
    """

    by: Literal["end", "day"] = "end"


class TermGroup(Frozen):
    """Fields that each hold one `Term` or a list of them; read, it is always a tuple."""

    @model_validator(mode="before")
    @classmethod
    def _as_lists(cls, data: object) -> object:
        if not isinstance(data, Mapping):
            return data
        return {key: (value,) if isinstance(value, Mapping) else value for key, value in data.items()}

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        for name in type(self).model_fields:
            if getattr(self, name) == ():
                raise ValueError(f"`{name}` lists no value")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core))
        for prop in schema["properties"].values():
            for arm in prop.get("anyOf", [prop]):
                if arm.get("type") == "array":
                    single = arm.pop("items")
                    many = {"type": arm.pop("type"), "items": single, "minItems": 1}
                    arm["anyOf"] = [single, many]
        return schema


class OpeningHours(Frozen):
    """Hours by local time, half-open."""

    days: Literal["weekdays", "all"]
    from_: time = Field(alias="from")
    to: time

    @model_validator(mode="after")
    def _order(self) -> "OpeningHours":
        if self.from_ >= self.to:
            raise ValueError("hours end after they start, on the same day")
        return self


class LongHolidayRule(Frozen):
    """In a run of more free days than this, one of them is a day of reception."""

    longer_than_days: int = Field(ge=1)
    act_on_day: int = Field(ge=1)


class LongStays(Frozen):
    """Stays over so many days are out of the mean and billed one by one, whatever the gate."""

    over: int = Field(ge=0)
    bill: Literal[Billing.INDIVIDUAL_DAYS]


class ScopeTerms(TermGroup):
    """Whom the agreement covers."""

    care_forms: tuple[Term[tuple[CareForm, ...]], ...]
    compulsory: tuple[Term[Compulsory], ...]
    municipality_at: tuple[Term[Literal["end"]], ...] | None = None


class DayTerms(TermGroup):
    """How the days of a stay are counted (settlement 2)."""

    clock: tuple[Term[Clock], ...]
    unit: tuple[Term[Unit], ...]
    cutoff: tuple[Term[time | Literal["none"]], ...]
    cutoff_inclusive: tuple[Term[bool], ...]
    on_withdrawal: tuple[Term[Literal["restart"]], ...]


class GateTerms(TermGroup):
    """When the mean makes a month liable (settlement 3 and 4)."""

    gate: tuple[Term[GateKind], ...]
    threshold: tuple[Term[Annotated[Decimal, Field(ge=0)]], ...] | None = None
    compare: tuple[Term[Compare], ...] | None = None
    attribution: tuple[Term[Literal["end-month"]], ...] | None = None
    round_mean: tuple[Term[Annotated[int, Field(ge=0)] | Literal["no"]], ...] | None = None
    pool_care_forms: tuple[Term[bool], ...] | None = None
    it_support_started: tuple[Term[date], ...] | None = None
    measure_from: tuple[Term[date], ...] | None = None
    start_after: tuple[Term[Annotated[int, Field(ge=1)]], ...] | None = None
    start_in: tuple[Term[StartIn], ...] | None = None
    stop_after: tuple[Term[Annotated[int, Field(ge=1)]], ...] | None = None
    retroactive: tuple[Term[Retroactive], ...] | None = None
    empty_month: tuple[Term[EmptyMonth], ...] | None = None


class BillTerms(TermGroup):
    """What a liable month costs (settlement 5)."""

    billing: tuple[Term[Billing], ...]
    first_payable_day: tuple[FirstPayableTerm, ...] | None = None
    count_end_day: tuple[Term[bool], ...] | None = None
    long_stays: tuple[Term[LongStays | Literal["none"]], ...] | None = None
    requires: tuple[Term[tuple[Condition, ...]], ...]
    late: tuple[Term[Late], ...] | None = None
    rate: tuple[Term[str], ...]
    corrections_until_day: tuple[Term[Annotated[int, Field(ge=1, le=28)]], ...] | None = None
    zero_invoice: tuple[Term[bool], ...] | None = None
    payment_days: tuple[Term[Annotated[int, Field(ge=0, le=365)]], ...] | None = None


class ProcessGroup(TermGroup):
    """What the fold of a case judges deadlines and *hemgångsklar* by; the statute where silent."""

    criteria: tuple[Term[tuple[Criterion, ...]], ...] | None = None
    admission_notice_hours: tuple[Term[Annotated[int, Field(ge=1)]], ...] | None = None
    admission_notice_from: tuple[Term[NoticeFrom], ...] | None = None
    planned_date_in_notice: tuple[Term[bool], ...] | None = None
    sip_call_days: tuple[Term[Annotated[int, Field(ge=0)]], ...] | None = None
    sip_offered_first: tuple[Term[bool], ...] | None = None
    coordinated_plan_first: tuple[Term[bool], ...] | None = None
    interruption_reasons: tuple[Term[Mapping[str, InterruptionEffect]], ...] | None = None
    coordinator: tuple[Term[bool], ...] | None = None
    reception: tuple[Term[OpeningHours], ...] | None = None
    long_holiday: tuple[Term[LongHolidayRule], ...] | None = None
    eves_are_free: tuple[Term[bool], ...] | None = None
    discharge: tuple[Term[OpeningHours], ...] | None = None
