"""A mapping file as a value: how one kind of EHR speaks.

Owns the shape of `mappings/*.yaml` (its JSON Schema comes from here); does not own reading it
(`load`) or carrying it out (`engine`).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from adapter.losus.terms import SignalKind
from adapter.mapping.fields import FIELDS, PARTS

FhirPath = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9]*$")]
ResourceType = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+$")]

#: One FHIRPath for every type of resource, or one for each type.
PerType = FhirPath | dict[ResourceType, FhirPath]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Translated(_Strict):
    """A field whose code goes through a ConceptMap: `from` finds Coding or code, `map` names it."""

    source: FhirPath = Field(alias="from")
    map: Name


FieldSpec = FhirPath | bool | Translated | dict[str, FhirPath]


class Rule(_Strict):
    """Where `when` holds for a resource of type `on`, it says `signal` from the time at `at`."""

    id: Name
    on: ResourceType
    when: FhirPath | None = None
    signal: SignalKind
    at: FhirPath
    fields: dict[str, FieldSpec] = Field(default_factory=dict, alias="with")
    repeats: bool = False
    because: str | None = None

    @field_validator("fields")
    @classmethod
    def _known(cls, fields: dict[str, FieldSpec]) -> dict[str, FieldSpec]:
        for name, spec in fields.items():
            parts = set(PARTS.get(name, ()))
            if name not in FIELDS and not parts:
                raise ValueError(f"unknown field {name}; there are {', '.join(sorted(FIELDS | PARTS))}")
            if parts and (not isinstance(spec, dict) or not set(spec) <= parts):
                raise ValueError(f"field {name} is made of {', '.join(sorted(parts))}")
        return fields


class ExpectedSignal(_Strict):
    """A signal that an example must give; `at` and `with` are held against it where written."""

    signal: SignalKind
    at: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict, alias="with")


class Example(_Strict):
    """An input file (beside the mapping file, or below `../shared/data` as `shared:…`)."""

    input: str
    signals: tuple[ExpectedSignal, ...]
    state: str | None = None


class MappingFile(_Strict):
    """The whole file; see `mappings/README.md` for how to write one."""

    id: Name
    title: str
    description: str | None = None
    fhir: Literal["R4", "R4B", "R5"]
    case: PerType
    identity: PerType | None = None
    version: PerType | None = None
    void: PerType | None = None
    let: dict[Variable, FhirPath] = Field(default_factory=dict)
    codes: dict[Name, str] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = ()

    @field_validator("rules")
    @classmethod
    def _distinct(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        names = [rule.id for rule in rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules of one id: {', '.join(twice)}")
        return rules
