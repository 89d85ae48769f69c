"""One resource being read: what a mapping's plan finds in it, in the order key, version, signals.

Owns the meaning of `case`, `identity`, `version`, `void`, `let` and `rules`, and the words of their
faults, which name the rule and never a value. Does not own FHIRPath, nor what becomes of a fact.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from adapter.errors import MappingError, Problem
from adapter.losus.instants import instant_text
from adapter.losus.moments import ROLES, Precision, Span, TimeFault, as_moment, span
from adapter.losus.signal import Fact, Signal, VersionOrder
from adapter.losus.terms import SignalKind
from adapter.mapping.concepts import ConceptMap, translate
from adapter.mapping.fhirpath import Expression, FhirPathError
from adapter.mapping.fields import FIELDS, FieldFault
from adapter.mapping.file import MappingFile, Rule, Translated
from adapter.mapping.message import Message, Reading, Resource, Step
from adapter.mapping.names import Names
from adapter.mapping.plan import CompiledRule, Field, Name, Plan, asked_for
from adapter.mapping.version import by_meta, digest_of
from adapter.mapping.why import why_not

#: A clock counts from these to the minute (LUS 2:3, 5:4), so a date alone is not enough.
_TO_THE_MINUTE = frozenset({SignalKind.READY, SignalKind.READY_WITHDRAWN, SignalKind.ADMISSION_NOTICE_SENT})
#: Of a time that is known no better, the signal says so: money is not to be counted by it.
_VAGUE = frozenset({Precision.YEAR, Precision.MONTH})
#: `%changed` of a resource whose version has no time at all: it holds since ever.
_EVER = "1970-01-01T00:00:00+00:00"
#: Elements that say whom a resource is about.
_ABOUT = ("subject", "for", "patient", "beneficiary")


class Reader:
    """Reads one resource; make a new one for each."""

    def __init__(  # noqa: PLR0913 - what a reading needs, each once
        self,
        file: MappingFile,
        let: Mapping[str, Name],
        concepts: Mapping[str, ConceptMap],
        plan: Plan,
        resource: Resource,
        *,
        path: str,
        message: Message,
        trace: list[Step] | None,
    ) -> None:
        self.file, self.concepts, self.plan = file, concepts, plan
        self.resource, self.path, self.message, self.trace = resource, path, message, trace
        given: dict[str, object] = {"bundle": message.bundle or [], "now": message.now}
        later = {name: partial(self._named, name, spec) for name, spec in let.items()}
        self.names = Names(given, later)
        self.resolve = self._with_contained if "contained" in resource else message.resolve

    def read(self, source: str, shared: frozenset[str]) -> Reading:
        """Give what the resource says; `shared` are the types that belong to no case of their own."""
        order, version = self._version()
        self.names.know("changed", order[1] or _EVER)
        void = self._find(self.plan.void, "`void`") == [True]
        if void:
            self._note("void", SignalKind.VOIDED, matched=True)
        signals = () if void else tuple(self._signals())
        fact = Fact(source, self._identity(), order, version, signals, void)
        key = self._key(needed=bool(signals))
        return Reading(self.path, self.resource["resourceType"], key, fact, tuple(self._about(shared)))

    def key(self) -> str | None:
        """Give the case that the resource belongs to, whatever else it says; None where it names none."""
        order, _ = self._version()
        self.names.know("changed", order[1] or _EVER)
        return self._key(needed=False)

    def _find(self, expression: Expression, part: str) -> list[Any]:
        if not expression.compiled:  # the library gets all names at once: those it needs are to be known
            for name in asked_for(expression.text):
                self.names.get(name)
        try:
            return expression(self.resource, self.names, self.resolve)
        except FhirPathError as error:
            rule = error.problems[0].rule
            raise self._fault(f"{part} cannot be evaluated: {rule}") from None

    def _fault(self, rule: str) -> MappingError:
        return MappingError(Problem("processing", f"{self.file.id}: {rule}", self.path))

    def _with_contained(self, reference: str) -> Resource | None:
        if reference.startswith("#"):
            inside: list[Resource] = self.resource["contained"]
            return next((one for one in inside if one.get("id") == reference[1:]), None)
        return self.message.resolve(reference)

    def _named(self, name: str, spec: Name) -> list[Any]:
        found = self._find(spec.expression, f"let {name}")
        if spec.map is None:
            return found
        try:
            return list(translate(self.concepts[spec.map], found))
        except FieldFault as fault:
            raise self._fault(f"let {name} {fault}") from None

    def _key(self, *, needed: bool) -> str | None:
        if self.plan.case is None:
            return None
        found = self._find(self.plan.case, "`case`")
        if len(found) == 1 and isinstance(found[0], str) and found[0]:
            return found[0]
        if needed:
            raise self._fault("the expression of `case` finds no key, or more than one")
        return None

    def _identity(self) -> str:
        kind = self.resource["resourceType"]
        if self.plan.identity is None:
            name = self.resource.get("id")
            if not name:
                raise self._fault("the resource has no id, and the mapping no `identity` for it")
            return f"{kind}/{name}"
        found = self._find(self.plan.identity, "`identity`")
        if len(found) != 1 or not isinstance(found[0], str) or not found[0]:
            raise self._fault("the expression of `identity` finds nothing, or more than one")
        return f"{kind}/{found[0]}"

    def _version(self) -> tuple[VersionOrder, str]:
        """How this version ranks (see `VersionOrder`), and what a person calls it.

        Of several times the newest counts; of two versions with the same newest, that with more of
        them, for it knows more of what happened.
        """
        if self.plan.version is None:
            return by_meta(self.resource, self.message.sent)
        digest = digest_of(self.resource)
        found = self._find(self.plan.version, "`version`")
        if not found:
            raise self._fault("the expression of `version` finds nothing")
        if all(isinstance(value, int) for value in found):
            return (max(found), "", "", digest), str(max(found))
        newest = max(self._moment(value, "`version`") for value in found)
        return (-1, newest, f"{len(found):04d}", digest), newest

    def _moment(self, value: Any, what: str) -> str:  # noqa: ANN401 - whatever FHIRPath found
        try:
            return as_moment(value).isoformat()
        except TimeFault as fault:
            raise self._fault(f"{what} {fault}") from None

    def _signals(self) -> Iterator[Signal]:
        for compiled in self.plan.rules:
            rule, when = compiled.rule, compiled.when
            if when is not None and self._find(when, f"rule {rule.id}: `when`") != [True]:
                if self.trace is not None:
                    look = partial(self._find, part=f"rule {rule.id}: `when`")
                    self._note(rule.id, rule.signal, why_not=why_not(when, self.file.fhir, look))
                continue
            given = self._at(compiled)
            at, values = given.at(ROLES[rule.signal]), self._values(compiled)
            if given.precision in _VAGUE:
                values["precision"] = given.precision.value
            yield Signal(rule.signal, at, values, rule.repeats)
            self._note(rule.id, rule.signal, matched=True, at=instant_text(at), found_at=rule.at)

    def _note(self, rule: str, signal: SignalKind, *, matched: bool = False, **more: str) -> None:
        if self.trace is not None:
            self.trace.append(Step(self.path, rule, matched, signal.value, **more))

    def _at(self, compiled: CompiledRule) -> Span:
        name = f"rule {compiled.rule.id}: `at`"
        found = self._find(compiled.at, name)
        if len(found) != 1:
            raise self._fault(
                f"{name} finds {'more than one time' if found else 'no time'}: {_line(compiled)}"
            )
        try:
            given = span(found[0])
        except TimeFault as fault:
            raise self._fault(f"{name} {fault}: {_line(compiled)}") from None
        if given.precision is not Precision.CLOCK and compiled.rule.signal in _TO_THE_MINUTE:
            raise self._fault(
                f"{name} is given to the {given.precision} only; {compiled.rule.signal} needs the time of day"
            )
        return given

    def _values(self, compiled: CompiledRule) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, spec in compiled.fields:
            try:
                value = self._value(name, spec, compiled.rule)
            except FieldFault as fault:
                raise self._fault(f"rule {compiled.rule.id}: field {name} {fault}") from None
            if value is not None:
                values[name] = value
        return values

    def _value(self, name: str, field: Field, rule: Rule) -> Any:  # noqa: ANN401 - a JSON value
        spec = field.spec
        if isinstance(spec, bool):
            return spec
        where = f"rule {rule.id}: field {name}"
        if isinstance(spec, dict):
            parts = {part: self._find(expression, where) for part, expression in field.expressions}
            return {part: FIELDS["name"](found) for part, found in parts.items() if found} or None
        found = self._find(field.expressions[0][1], where)
        if isinstance(spec, Translated):
            found = translate(self.concepts[spec.map], found)
        return FIELDS[name](found) if found else None

    def _about(self, shared: frozenset[str]) -> Iterator[str]:
        """Identities of the shared resources (a Patient) that this one is about."""
        for element in _ABOUT if shared else ():
            reference = (self.resource.get(element) or {}).get("reference")
            if not isinstance(reference, str):
                continue
            target = self.resolve(reference)
            kind, _, name = reference.split("/_history/")[0].rpartition("/")
            kind = kind.rpartition("/")[2]
            if target is not None:
                kind, name = target["resourceType"], target.get("id") or name
            if kind in shared and name:
                yield f"{kind}/{name}"


def _line(compiled: CompiledRule) -> str:
    return " ".join(compiled.rule.at.split())
