"""A mapping file made ready: every expression compiled, by type of resource, and every fault with its place.

Owns the way from a file's text to what `reader` runs; does not own the language (`fhirpath`) nor what
an expression is asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from adapter.mapping.fhirpath import Expression, FhirPathSyntaxError, compile_expression
from adapter.mapping.fhirpath.nodes import fixed_variable, variables
from adapter.mapping.fhirpath.parser import parse
from adapter.mapping.fields import FIELDS, PARTS
from adapter.mapping.file import FieldSpec, MappingFile, Rule, Translated, for_type
from adapter.mapping.names import GIVEN

Place = tuple[str | int, ...]
"""Where something stands in the file: keys and indices from the top."""

#: What makes a version of a resource take back all that it said, where the mapping says nothing else.
_VOID = "status = 'entered-in-error'"
#: What makes a version one that does not know the status, so that what older versions said stands.
_UNKNOWN = "status = 'unknown'"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a signal: its form in the file, and the expressions of its parts ("" for the whole)."""

    spec: FieldSpec
    expressions: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, ready."""

    rule: Rule
    when: Expression | None
    expects: Expression | None
    each: Expression | None
    at: Expression
    fields: tuple[tuple[str, Field], ...]


@dataclass(frozen=True, slots=True)
class Name:
    """What a name of `let` stands for; `map` names the table that it is translated by."""

    expression: Expression
    map: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is asked of one type of resource, in the file's order. `case` None: a shared resource.

    `part_of` finds the reference to the resource whose case this one belongs to.
    """

    case: Expression | None
    identity: Expression | None
    version: Expression | None
    void: Expression
    unknown: Expression
    part_of: Expression | None
    rules: tuple[CompiledRule, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An expression as it stands in the file: where, and on what type of resource (None: on any)."""

    place: Place
    text: str
    on: str | None


@dataclass(slots=True)
class Compiled:
    """A file's plans by type of resource, its names, and its faults: (place, rule in words)."""

    plans: dict[str, Plan] = field(default_factory=dict)
    let: dict[str, Name] = field(default_factory=dict)
    faults: list[tuple[Place, str]] = field(default_factory=list)


def compile_file(file: MappingFile) -> Compiled:
    """Compile the expressions of `file`; where there are faults, only they are of use."""
    made = Compiled(faults=list(_faults(file)))
    if made.faults:
        return made
    made.let = {name: _name(spec, file.fhir) for name, spec in file.let.items()}
    made.plans = {kind: _plan(file, kind) for kind in sorted({rule.on for rule in file.rules})}
    return made


def expressions(file: MappingFile) -> Iterator[Written]:
    """Give every expression of the file with its place, in the file's order."""
    for head in ("case", "identity", "version", "void", "unknown", "part_of"):
        part = getattr(file, head)
        if isinstance(part, str):
            yield Written((head,), part, None)
        elif part is not None:
            yield from (Written((head, kind), text, kind) for kind, text in part.items())
    for name, spec in file.let.items():
        if isinstance(spec, Translated):
            yield Written(("let", name, "from"), spec.source, None)
        else:
            yield Written(("let", name), spec, None)
    for index, rule in enumerate(file.rules):
        yield from _of_rule(("rules", index), rule)


@lru_cache(maxsize=4096)
def asked_for(text: str) -> frozenset[str]:
    """Give the `%names` of an expression."""
    return variables(parse(text))


def _of_rule(place: Place, rule: Rule) -> Iterator[Written]:
    if rule.when is not None:
        yield Written((*place, "when"), rule.when, rule.on)
    if rule.expects is not None:
        yield Written((*place, "expects"), rule.expects, rule.on)
    if rule.each is not None:
        yield Written((*place, "each"), rule.each, rule.on)
    yield Written((*place, "at"), rule.at, rule.on)
    for name, spec in rule.fields.items():
        for part, text in _parts(spec):
            step = ("from",) if isinstance(spec, Translated) else (part,) if part else ()
            yield Written((*place, "with", name, *step), text, rule.on)


def _parts(spec: FieldSpec) -> Iterator[tuple[str, str]]:
    if isinstance(spec, Translated):
        yield "", spec.source
    elif isinstance(spec, dict):
        yield from spec.items()
    elif isinstance(spec, str):
        yield "", spec


def _faults(file: MappingFile) -> Iterator[tuple[Place, str]]:
    """Find what is no FHIRPath, names nothing, or goes round in circles; tables that are not listed."""
    used: dict[Place, frozenset[str]] = {}
    for written in expressions(file):
        try:
            compile_expression(written.text, fhir=file.fhir)
        except FhirPathSyntaxError as error:
            yield written.place, error.problems[0].rule
            continue
        used[written.place] = asked_for(written.text)
        for name in sorted(used[written.place] - GIVEN - file.let.keys()):
            if fixed_variable(name) is None:
                yield written.place, f"no such name: %{name}"
    yield from _unknown_here(file, used)
    for name in sorted(GIVEN & file.let.keys()):
        yield ("let", name), f"%{name} means something already"
    yield from _unknown_fields(file)
    yield from _unknown_tables(file)


def _unknown_here(file: MappingFile, used: Mapping[Place, frozenset[str]]) -> Iterator[tuple[Place, str]]:
    """Find names that are not known yet where they are asked for, and those that need themselves."""
    needs = {str(place[1]): names for place, names in used.items() if place[0] == "let"}
    for place, names in used.items():
        reached = _reached(names, needs)
        if place[0] == "let" and place[1] in reached:
            yield place, f"%{place[1]} is needed to find %{place[1]}"
        if place[0] == "version" and "changed" in reached:
            yield place, "%changed is what `version` finds, so it is not known here"
        if "each" in reached and not _has_each(file, place):
            yield place, "%each is what the rule's own `each` finds, so it is not known here"
        if place[0] == "part_of" and "part" in reached:
            yield place, "%part is what `part_of` finds, so it is not known here"


def _has_each(file: MappingFile, place: Place) -> bool:
    """Whether `%each` is known at a place: in `at` and `with` of a rule that has `each`."""
    if place[0] != "rules" or not isinstance(place[1], int) or place[2] not in ("at", "with"):
        return False
    return file.rules[place[1]].each is not None


def _reached(names: frozenset[str], needs: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Give the names and all that is needed to find them."""
    reached = names
    while (wider := reached.union(*(needs.get(name, frozenset()) for name in reached))) != reached:
        reached = wider
    return reached


def _unknown_fields(file: MappingFile) -> Iterator[tuple[Place, str]]:
    for index, rule in enumerate(file.rules):
        for name, spec in rule.fields.items():
            place: Place = ("rules", index, "with", name)
            parts = PARTS.get(name, ())
            if name not in FIELDS and not parts:
                yield place, f"no such field; there are {', '.join(sorted(FIELDS | PARTS))}"
            elif parts and not (isinstance(spec, dict) and spec.keys() <= set(parts)):
                yield place, f"is made of {', '.join(parts)}, each a FHIRPath"
            elif not parts and isinstance(spec, dict):
                yield place, "has no parts"


def _unknown_tables(file: MappingFile) -> Iterator[tuple[Place, str]]:
    named: list[tuple[Place, object]] = [(("let", name, "map"), spec) for name, spec in file.let.items()]
    named += [
        (("rules", index, "with", name, "map"), spec)
        for index, rule in enumerate(file.rules)
        for name, spec in rule.fields.items()
    ]
    for place, spec in named:
        if isinstance(spec, Translated) and spec.map not in file.codes:
            yield place, f"no table {spec.map} in `codes`"


def _name(spec: str | Translated, fhir: str) -> Name:
    if isinstance(spec, Translated):
        return Name(compile_expression(spec.source, fhir=fhir), spec.map)
    return Name(compile_expression(spec, fhir=fhir))


def _plan(file: MappingFile, kind: str) -> Plan:
    def head(name: str) -> Expression | None:
        text = for_type(getattr(file, name), kind)
        return None if text is None else compile_expression(text, fhir=file.fhir)

    rules = tuple(_rule(rule, file.fhir) for rule in file.rules if rule.on == kind)
    void = head("void") or compile_expression(_VOID, fhir=file.fhir)
    unknown = head("unknown") or compile_expression(_UNKNOWN, fhir=file.fhir)
    return Plan(head("case"), head("identity"), head("version"), void, unknown, head("part_of"), rules)


def _rule(rule: Rule, fhir: str) -> CompiledRule:
    fields = tuple(
        (name, Field(spec, tuple((part, compile_expression(text, fhir=fhir)) for part, text in _parts(spec))))
        for name, spec in rule.fields.items()
    )
    when = compile_expression(rule.when, fhir=fhir) if rule.when else None
    expects = compile_expression(rule.expects, fhir=fhir) if rule.expects else None
    each = compile_expression(rule.each, fhir=fhir) if rule.each else None
    return CompiledRule(rule, when, expects, each, compile_expression(rule.at, fhir=fhir), fields)
