"""A mapping file as a value: how one kind of EHR speaks.

Owns the shape of `mappings/*.yaml` (its JSON Schema comes from here); does not own reading it
(`load`) or carrying it out (`engine`).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, field_validator

from adapter.losus.terms import SignalKind, State

FhirPath = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9]*$")]
ResourceType = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+$")]


def _kind(value: object) -> str:
    """Tell which form a value is written in, so that a fault speaks of that form alone."""
    if isinstance(value, bool):
        return "constant"
    if isinstance(value, Translated) or (isinstance(value, dict) and value.keys() & {"from", "map"}):
        return "translated"
    return "parts" if isinstance(value, dict) else "expression"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Translated(_Strict):
    """A code that goes through a ConceptMap: `from` finds it, `map` names the table in `codes`."""

    source: FhirPath = Field(alias="from")
    map: Name


#: One FHIRPath for every type of resource, or one for each type.
PerType = Annotated[
    Annotated[FhirPath, Tag("expression")] | Annotated[dict[ResourceType, FhirPath], Tag("parts")],
    Discriminator(_kind),
]

#: What a name of `let` stands for.
Named = Annotated[
    Annotated[FhirPath, Tag("expression")] | Annotated[Translated, Tag("translated")],
    Discriminator(_kind),
]

#: How the value of a field is found: a FHIRPath, true or false, a translated code, or one FHIRPath a part.
FieldSpec = Annotated[
    Annotated[FhirPath, Tag("expression")]
    | Annotated[bool, Tag("constant")]
    | Annotated[Translated, Tag("translated")]
    | Annotated[dict[str, FhirPath], Tag("parts")],
    Discriminator(_kind),
]


class Rule(_Strict):
    """Where `when` holds for a resource of type `on`, it says `signal` from the time at `at`.

    `expects`: what should hold too. Where it does not, the rule holds all the same and the trace says so.
    `each`: the elements of the resource that each give a signal of their own; `%each` is the one at hand.
    """

    id: Name
    on: ResourceType
    when: FhirPath | None = None
    expects: FhirPath | None = None
    each: FhirPath | None = None
    signal: SignalKind
    at: FhirPath
    fields: dict[str, FieldSpec] = Field(default_factory=dict, alias="with")
    repeats: bool = False
    because: str | None = None


class ExpectedSignal(_Strict):
    """A signal that an example must give; `at` and `with` are held against it where written."""

    signal: SignalKind
    at: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict, alias="with")


class Example(_Strict):
    """Messages and what they say.

    `input`: a file beside the mapping file (or below the shared data, as `shared:medcom/…`), or several
    in the order in which they are sent. `signals`: all that they give, in any order. `state`: where the
    case then stands by the statute. `fhir`: the version they are in, where it is not the mapping's.
    """

    input: str | tuple[str, ...]
    signals: tuple[ExpectedSignal, ...]
    state: State | None = None
    fhir: Literal["R4", "R4B", "R5"] | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """All input files, in the order in which they are sent."""
        return (self.input,) if isinstance(self.input, str) else self.input


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
    unknown: PerType | None = None
    part_of: dict[ResourceType, FhirPath] = Field(default_factory=dict)
    let: dict[Variable, Named] = Field(default_factory=dict)
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


def for_type(part: PerType | None, kind: str) -> str | None:
    """Give the FHIRPath that `part` has for resources of type `kind`."""
    return part.get(kind) if isinstance(part, dict) else part


def schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a mapping file, for editors and for who writes one."""
    shape = MappingFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://losus-adapter.se/schema/mapping.schema.json",
        **shape,
    }
