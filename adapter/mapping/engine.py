"""A mapping carried out: a resource in its message in, a fact (signals and version) out.

Owns the meaning of `case`, `identity`, `version`, `void`, `let` and `rules`; does not own the
FHIRPath language, nor what becomes of a fact. Pure: the message's own words are all it knows.
"""

import hashlib
from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from adapter.errors import MappingError, Problem
from adapter.losus.signal import Fact, Signal, VersionOrder
from adapter.losus.terms import SignalKind
from adapter.mapping.concepts import ConceptMap, translate
from adapter.mapping.fhirpath import Expression, compile_expression
from adapter.mapping.fields import FIELDS, FieldFault, instant, is_day
from adapter.mapping.file import FieldSpec, MappingFile, PerType, Rule, Translated

Resource = dict[str, Any]
Resolver = Callable[[str], Resource | None]

#: A clock counts from these to the minute (LUS 2:3, 5:4), so a bare date is not enough.
_TO_THE_MINUTE = frozenset({SignalKind.READY, SignalKind.READY_WITHDRAWN, SignalKind.ADMISSION_NOTICE_SENT})
#: `%changed` of a resource whose version has no time at all: it holds since ever.
_EVER = "1970-01-01T00:00:00+00:00"
#: Elements that say whom a resource is about.
_ABOUT = ("subject", "for", "patient", "beneficiary")


@dataclass(frozen=True, slots=True)
class Message:
    """What surrounds a resource: the Bundle it came in, its resolver, and when it was sent.

    `sent` is the Bundle's own timestamp (UTC text, "" where it has none): the message's word, not
    the time of arrival. `now` is for expressions that ask for it.
    """

    bundle: Resource | None
    resolve: Resolver
    sent: str
    now: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the trace: what a rule made of a resource."""

    path: str
    rule: str
    matched: bool
    signal: str
    at: str | None = None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one resource of a message says.

    `key` ties it to a case; it is None for a resource that belongs to the cases of those that are
    about it (a Patient). `about` are the identities of such resources that this one is about.
    """

    path: str
    type: str
    key: str | None
    fact: Fact
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    rule: Rule
    when: Expression | None
    at: Expression
    fields: tuple[tuple[str, "_Field"], ...]


@dataclass(frozen=True, slots=True)
class _Field:
    spec: FieldSpec
    expressions: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that is asked of one type of resource, compiled."""

    case: Expression | None
    identity: Expression | None
    version: Expression | None
    void: Expression
    let: tuple[tuple[str, Expression], ...]
    rules: tuple[_CompiledRule, ...]


@dataclass(frozen=True)
class Mapping:
    """A mapping file, compiled and ready; make one with `compile_mapping`."""

    file: MappingFile
    concepts: MappingType[str, ConceptMap]
    plans: MappingType[str, _Plan]
    shared: frozenset[str] = field(default_factory=frozenset)

    def read(
        self, source: str, resource: Resource, path: str, message: Message, trace: list[Step] | None = None
    ) -> Reading | None:
        """What `resource` (at `path` of the message) says, or None where its type has no rules.

        Raises MappingError with path and rule where a rule cannot be carried out.
        """
        kind = resource.get("resourceType", "")
        plan = self.plans.get(kind)
        if plan is None:
            return None
        return _Reader(self, plan, source, resource, path, message, trace).read()


def compile_mapping(file: MappingFile, concepts: MappingType[str, ConceptMap]) -> Mapping:
    """Compile every expression of `file`; raises SetupError with the first that is no FHIRPath."""
    kinds = sorted({rule.on for rule in file.rules})
    plans = {kind: _plan(file, kind) for kind in kinds}
    shared = frozenset(kind for kind, plan in plans.items() if plan.case is None)
    return Mapping(file, concepts, plans, shared)


def _plan(file: MappingFile, kind: str) -> _Plan:
    rules = tuple(_compile_rule(rule, file.fhir) for rule in file.rules if rule.on == kind)
    own = {name: _for(part, kind) for name, part in _heads(file)}
    texts = [text for text in own.values() if text]
    for rule in file.rules:
        if rule.on == kind:
            texts += _texts(rule)
    let = tuple(
        (name, compile_expression(text, fhir=file.fhir))
        for name, text in file.let.items()
        if _mentions(name, texts, file.let)
    )

    def compiled(name: str) -> Expression | None:
        text = own[name]
        return compile_expression(text, fhir=file.fhir) if text else None

    void = compiled("void") or compile_expression("status = 'entered-in-error'", fhir=file.fhir)
    return _Plan(compiled("case"), compiled("identity"), compiled("version"), void, let, rules)


def _heads(file: MappingFile) -> Iterator[tuple[str, PerType | None]]:
    yield "case", file.case
    yield "identity", file.identity
    yield "version", file.version
    yield "void", file.void


def _for(part: PerType | None, kind: str) -> str | None:
    return part.get(kind) if isinstance(part, dict) else part


def _texts(rule: Rule) -> list[str]:
    texts = [rule.at, *([rule.when] if rule.when else [])]
    for spec in rule.fields.values():
        texts += [text for _, text in _expressions(spec)]
    return texts


def _mentions(name: str, texts: list[str], let: MappingType[str, str]) -> bool:
    """Whether `%name` is used, directly or by another name that is (written in order of use)."""
    if any(f"%{name}" in text for text in texts):
        return True
    users = [other for other, text in let.items() if f"%{name}" in text and other != name]
    return any(_mentions(user, texts, {k: v for k, v in let.items() if k != name}) for user in users)


def _expressions(spec: FieldSpec) -> Iterator[tuple[str, str]]:
    if isinstance(spec, Translated):
        yield "", spec.source
    elif isinstance(spec, dict):
        yield from spec.items()
    elif isinstance(spec, str):
        yield "", spec


def _compile_rule(rule: Rule, fhir: str) -> _CompiledRule:
    fields = tuple(
        (
            name,
            _Field(
                spec, tuple((part, compile_expression(text, fhir=fhir)) for part, text in _expressions(spec))
            ),
        )
        for name, spec in rule.fields.items()
    )
    when = compile_expression(rule.when, fhir=fhir) if rule.when else None
    return _CompiledRule(rule, when, compile_expression(rule.at, fhir=fhir), fields)


class _Reader:
    """One resource being read: the plan of its type, and the names its expressions may use."""

    def __init__(
        self,
        mapping: Mapping,
        plan: _Plan,
        source: str,
        resource: Resource,
        path: str,
        message: Message,
        trace: list[Step] | None,
    ) -> None:
        self.mapping, self.plan, self.source = mapping, plan, source
        self.resource, self.path, self.message, self.trace = resource, path, message, trace
        self.names: dict[str, object] = {
            "resource": [resource],
            "bundle": [message.bundle] if message.bundle is not None else [],
            "now": message.now,
        }

    def find(self, expression: Expression) -> list[Any]:
        return expression(self.resource, self.names, self.message.resolve)

    def read(self) -> Reading:
        order, version = self.version()
        self.names["changed"] = [order[1] or _EVER]
        for name, expression in self.plan.let:
            self.names[name] = self.find(expression)
        void = self.find(self.plan.void) == [True]
        signals = () if void else tuple(self.signals())
        fact = Fact(self.source, self.identity(), order, version, signals, void)
        return Reading(self.path, self.resource["resourceType"], self.key(), fact, tuple(self.about()))

    def fault(self, rule: str) -> MappingError:
        return MappingError(Problem("processing", f"{self.mapping.file.id}: {rule}", self.path))

    def key(self) -> str | None:
        if self.plan.case is None:
            return None
        found = self.find(self.plan.case)
        if len(found) != 1 or not isinstance(found[0], str) or not found[0]:
            raise self.fault("the expression of `case` finds no key, or more than one")
        return found[0]

    def identity(self) -> str:
        kind = self.resource["resourceType"]
        if self.plan.identity is None:
            name = self.resource.get("id")
            if not name:
                raise self.fault("the resource has no id, and the mapping no `identity` for it")
            return f"{kind}/{name}"
        found = self.find(self.plan.identity)
        if len(found) != 1 or not isinstance(found[0], str) or not found[0]:
            raise self.fault("the expression of `identity` finds nothing, or more than one")
        return f"{kind}/{found[0]}"

    def version(self) -> tuple[VersionOrder, str]:
        """How this version ranks (see `VersionOrder`), and what a person calls it."""
        digest = hashlib.sha256(orjson.dumps(self.resource, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        if self.plan.version is not None:
            found = self.find(self.plan.version)
            if not found:
                raise self.fault("the expression of `version` finds nothing")
            if all(isinstance(value, int) for value in found):
                return (max(found), "", "", digest), str(max(found))
            newest = max(self.moment(value, "version") for value in found)
            return (-1, newest, "", digest), newest
        meta = self.resource.get("meta") or {}
        number = str(meta.get("versionId") or "")
        changed = meta.get("lastUpdated")
        moment = self.moment(changed, "meta.lastUpdated") if changed else self.message.sent
        rank = int(number) if number.isdecimal() and number.isascii() else -1
        return (rank, moment, number, digest), number or moment or digest

    def moment(self, value: Any, what: str) -> str:  # noqa: ANN401 - whatever FHIRPath found
        try:
            return instant(value).isoformat()
        except FieldFault as fault:
            raise self.fault(f"{what} {fault}") from None

    def signals(self) -> Iterator[Signal]:
        for compiled in self.plan.rules:
            rule = compiled.rule
            if compiled.when is not None and self.find(compiled.when) != [True]:
                self.note(rule, why_not="`when` does not hold")
                continue
            at = self.at(compiled)
            yield Signal(rule.signal, at, self.values(compiled), rule.repeats)
            self.note(rule, at=at.isoformat())

    def note(self, rule: Rule, *, at: str | None = None, why_not: str | None = None) -> None:
        if self.trace is not None:
            self.trace.append(Step(self.path, rule.id, at is not None, rule.signal.value, at, why_not))

    def at(self, compiled: _CompiledRule) -> datetime:
        found = self.find(compiled.at)
        name = f"rule {compiled.rule.id}: `at`"
        if len(found) != 1:
            raise self.fault(f"{name} finds no time, or more than one")
        if is_day(found[0]) and compiled.rule.signal in _TO_THE_MINUTE:
            raise self.fault(f"{name} is given to the day only; {compiled.rule.signal} needs the time of day")
        try:
            return instant(found[0])
        except FieldFault as fault:
            raise self.fault(f"{name} {fault}") from None

    def values(self, compiled: _CompiledRule) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, spec in compiled.fields:
            try:
                value = self.value(name, spec)
            except FieldFault as fault:
                raise self.fault(f"rule {compiled.rule.id}: field {name} {fault}") from None
            if value is not None:
                values[name] = value
        return values

    def value(self, name: str, compiled: _Field) -> Any:  # noqa: ANN401 - a JSON value
        spec = compiled.spec
        if isinstance(spec, bool):
            return spec
        if isinstance(spec, dict):
            parts = {part: self.find(expression) for part, expression in compiled.expressions}
            return {part: FIELDS["name"](found) for part, found in parts.items() if found} or None
        found = self.find(compiled.expressions[0][1])
        if isinstance(spec, Translated) and found:
            found = [translate(self.mapping.concepts[spec.map], code) for code in found]
        return FIELDS[name](found) if found else None

    def about(self) -> Iterator[str]:
        """Identities of the shared resources (a Patient) that this one is about."""
        for element in _ABOUT:
            reference = (self.resource.get(element) or {}).get("reference")
            if not isinstance(reference, str):
                continue
            target = self.message.resolve(reference)
            kind, _, name = reference.split("/_history/")[0].rpartition("/")
            kind = kind.rpartition("/")[2]
            if target is not None:
                kind, name = target["resourceType"], target.get("id") or name
            if kind in self.mapping.shared and name:
                yield f"{kind}/{name}"
