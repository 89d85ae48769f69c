"""One resource being read: what a mapping's plan finds in it, in the order key, version, signals.

Owns the meaning of `case`, `identity`, `version`, `void`, `let` and `rules`, and the words of their
faults, which name the rule and never a value. Does not own FHIRPath, nor what becomes of a fact.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from adapter.errors import MappingError, Problem, ResourceError, UnresolvedError
from adapter.fhir.references import identifiers_of, own_name
from adapter.losus.days import TICK, local_day
from adapter.losus.instants import instant_text
from adapter.losus.moments import ROLES, Precision, Span, TimeFault, YearFault, as_moment, span
from adapter.losus.signal import Fact, Signal, Stretch
from adapter.losus.terms import SignalKind
from adapter.losus.versions import VersionOrder, finality
from adapter.mapping.concepts import ConceptMap, translate
from adapter.mapping.evaluation import Evaluation, place_of
from adapter.mapping.fhirpath import Expression
from adapter.mapping.fhirpath.functions.tree import reference_text
from adapter.mapping.fields import FIELDS, FieldFault
from adapter.mapping.file import MappingFile, Rule, Translated
from adapter.mapping.in_force import Keep
from adapter.mapping.message import Known, Message, Reading, Resource, Step
from adapter.mapping.plan import CompiledRule, Field, Name, Plan
from adapter.mapping.version import Stamp, by_meta, digest_of, digest_of_signals
from adapter.mapping.why import why_not

#: A clock counts from these to the minute (LUS 2:3, 5:4), so a date alone is not enough.
_TO_THE_MINUTE = frozenset({SignalKind.READY, SignalKind.READY_WITHDRAWN, SignalKind.ADMISSION_NOTICE_SENT})
#: Of a time that is known no better, the signal says so: money is not to be counted by it.
_VAGUE = frozenset({Precision.YEAR, Precision.MONTH})
#: `%changed` of a resource whose version has no time at all: it holds since ever.
_EVER = "1970-01-01T00:00:00+00:00"
_BEGINNING = datetime.fromisoformat(_EVER)
#: So many changes over time of what is said of a person are looked at; older ones are taken together.
_MOST_BOUNDARIES = 200
_BOTH: tuple[Keep, Keep] = ("all", "dated")
#: Elements that say whom a resource is about.
_ABOUT = ("subject", "for", "patient", "beneficiary")
_UNRESOLVED = "the reference finds nothing that is known yet: kept, and read when that comes"
#: More levels than this lie in no hospital: stay, department, ward, bed.
_MOST_PARTS = 10


class Reader(Evaluation):
    """Reads one resource; make a new one for each.

    The resource, and what it refers to, is seen as it holds at an instant (`in_force`): what the fields of a
    signal say, as of the signal's own time; all else as of the time of the version. What is not dated is
    evaluated once, whatever the number of instants.
    """

    def __init__(  # noqa: PLR0913 - what a reading needs, each once
        self,
        file: MappingFile,
        let: Mapping[str, Name],
        concepts: Mapping[str, ConceptMap],
        plans: Mapping[str, Plan],
        resource: Resource,
        *,
        path: str,
        message: Message,
        trace: list[Step] | None = None,
        shared: frozenset[str] = frozenset(),
        reads_bundle: bool = False,
        known: Known | None = None,
    ) -> None:
        super().__init__(file, let, concepts, resource, path=path, message=message)
        self.plans, self.plan, self.trace = plans, plans[resource["resourceType"]], trace
        self.shared, self.reads_bundle, self.known = shared, reads_bundle, known
        self.names_of("part", self._is_part)
        self._version_at = self._said_at()
        self.look(self._version_at)

    def read(self, source: str) -> Reading:
        """Give what the resource says.

        UnresolvedError where the case, or whom it is about, hangs on a reference that finds nothing yet.
        """
        order, version = self.begin()
        void = self.find(self.plan.void, "`void`") == [True]
        if void:
            self._note("void", SignalKind.VOIDED, matched=True)
        signals = () if void else tuple(self._signals())
        self.look(self._version_at)
        order = self._content(order, signals, void=void)
        try:
            key, about = self._key(needed=bool(signals)), dict(self.about())
        except UnresolvedError:
            if signals:
                raise
            key, about = None, {}  # a version that says nothing needs no case
        fact = Fact(
            source,
            self._identity(),
            order,
            version,
            signals,
            void,
            partial=not void and self.find(self.plan.unknown, "`unknown`") == [True],
            voids_stay=void and key is not None and self._is_stay(),
        )
        inside = tuple((name, one) for name, one in about.items() if one is not None)
        return Reading(self.path, self.resource["resourceType"], key, fact, tuple(about), inside)

    def _is_stay(self) -> bool:
        """Whether the resource is a stay, and no part of one."""
        admits = any(rule.rule.signal is SignalKind.ADMITTED for rule in self.plan.rules)
        return admits and not self._is_part()[0]

    def key(self) -> str | None:
        """Give the case that the resource belongs to, whatever else it says; None where it names none."""
        self.begin()
        return self._key(needed=False)

    def begin(self) -> tuple[VersionOrder, str]:
        """Find the version; from then on the resource is seen as of the version's own time."""
        order, version = self._version()
        self.know("changed", order.at or self.message.received or _EVER)
        self._version_at = _instant(order.at) or self._version_at
        self.look(self._version_at)
        return order, version

    def _said_at(self) -> datetime:
        """When the version was said as far as `meta` and the message tell; what `version` is found by."""
        changed = (self.resource.get("meta") or {}).get("lastUpdated")
        times = (
            _instant(text) for text in (changed, self.message.sent, self.message.received, self.message.now)
        )
        return next((at for at in times if at is not None), _BEGINNING)

    def _content(self, order: VersionOrder, signals: tuple[Signal, ...], *, void: bool) -> VersionOrder:
        """Complete the rank of a version by what it says: its finality and the digest of its content."""
        if self.reads_bundle:
            digest = digest_of_signals(signals, void=void)
        else:
            digest = digest_of(self.resource, self.name_of)
        how_final = finality((signal.kind for signal in signals), void=void) if order.rank < 0 else ""
        return order._replace(finality=how_final, digest=digest)

    def _key(self, *, needed: bool) -> str | None:
        """Give the key of the case: that of the whole where the resource is part of another."""
        if self.plan.case is None:
            return None
        whole = self._whole()
        return (whole or self).own_key(needed=needed)

    def _is_part(self) -> list[bool]:
        """Tell whether this is part of another resource of its type: `%part`."""
        whole = self._whole()
        return [whole is not None and whole.resource["resourceType"] == self.resource["resourceType"]]

    def _whole(self) -> "Reader | None":
        """Give the reader of the resource whose case this one belongs to; None where it stands for itself."""
        found: Reader | None = None
        for _ in range(_MOST_PARTS):
            above = (found or self).above()
            if above is None:
                return found
            found = above
        raise self.fault("`part_of` leads from one resource to the next without an end")

    def above(self) -> "Reader | None":
        """Give the reader of what this is directly part of; None where it is part of nothing.

        A resource of the same type and another person (a newborn's stay within its mother's) is no part.
        """
        if self.plan.part_of is None:
            return None
        found = self.find(self.plan.part_of, "`part_of`")
        if len(found) > 1:
            raise self.fault("the expression of `part_of` finds more than one reference")
        reference = reference_text(found[0]) if found else None
        if reference is None:
            return None
        target = self.resolve(reference)
        kind = self.resource["resourceType"]
        if reference.startswith("#"):
            target = self._known_as(target)
        elif target is None and "?" in reference and not self.message.looks_up:
            return None
        named = self._type_named(reference) if target is None else target["resourceType"]
        if named is None or (target is None and named == kind) or named in self.shared:
            raise self._unresolved(self.plan.part_of.text)  # nothing known, or no stay but a person
        plan = self.plans.get(named)
        if target is None or plan is None or plan.case is None:
            return None
        above = Reader(
            self.file,
            self.let,
            self.concepts,
            self.plans,
            target,
            path=self.path,
            message=self.message,
            shared=self.shared,
            reads_bundle=self.reads_bundle,
        )
        above.begin()
        if target["resourceType"] == kind and not self._is_about_the_same(above):
            return None
        return above

    def _type_named(self, reference: str) -> str | None:
        """Give the type of what a reference names, though it is not known; None where it can name nothing."""
        name = None if "?" in reference else self.message.own_name(reference)
        return None if name is None else name.partition("/")[0]

    def _known_as(self, contained: Resource | None) -> Resource | None:
        """Find the resource that a contained one stands for: it has no name of its own, but identifiers.

        R4 references#contained: «cannot be identified independently».
        """
        if contained is None:
            return None
        listed = contained.get("identifier", [])
        for identifier in listed if isinstance(listed, list) else [listed]:
            search = reference_text({"type": contained["resourceType"], "identifier": identifier})
            found = self.resolve(search) if search is not None else None
            if found is not None:
                return found
        return None

    def _is_about_the_same(self, other: "Reader") -> bool:
        """Whether both are about one person, as far as both say whom they are about.

        By the name of the record, or by a number: a contained person has no name that others know.
        """
        own, others = dict(self.about()), dict(other.about())
        if not own or not others or not own.keys().isdisjoint(others):
            return True
        return not self.numbers(own).isdisjoint(other.numbers(others))

    def numbers(self, people: Mapping[str, Resource | None]) -> set[str]:
        """Give the identifiers of those whom this is about, as far as they are known."""
        on = local_day(datetime.fromisoformat(self.message.now))
        known = (self.resolve(name) if inside is None else inside for name, inside in people.items())
        return {number for one in known if one is not None for number in identifiers_of(one, on)}

    def _unresolved(self, element: str) -> UnresolvedError:
        where = f"{self.path}.{element}" if element.isalpha() else self.path
        return UnresolvedError(Problem("not-found", f"{self.file.id}: {_UNRESOLVED}", where))

    def own_key(self, *, needed: bool) -> str | None:
        """Give the key that `case` finds in the resource itself; a fault where it is `needed` and none."""
        if self.plan.case is None:
            return None
        self.missing.clear()
        found = self.find(self.plan.case, "`case`")
        if self.missing:
            raise self._unresolved("")
        if len(found) == 1 and isinstance(found[0], str) and found[0]:
            return found[0]
        if needed:
            raise self.fault("the expression of `case` finds no key, or more than one")
        return None

    def _identity(self) -> str:
        if self.known is not None:
            return self.known.name
        kind = self.resource["resourceType"]
        if self.plan.identity is None:
            name = self.resource.get("id")
            if not name:
                raise self.fault("the resource has no id, and the mapping no `identity` for it")
            return f"{kind}/{name}"
        found = self.find(self.plan.identity, "`identity`")
        if len(found) != 1 or not isinstance(found[0], str) or not found[0]:
            raise self.fault("the expression of `identity` finds nothing, or more than one")
        return f"{kind}/{found[0]}"

    def _version(self) -> tuple[VersionOrder, str]:
        """How this version ranks (see `VersionOrder`), and what a person calls it.

        Of several times the newest counts; of two versions with the same newest, that with more of
        them, for it knows more of what happened.
        """
        if self.known is not None:
            return self.known.order, self.known.version
        if self.plan.version is None:
            return by_meta(self.resource, Stamp(self.message.sent, self.message.received))
        found = self.find(self.plan.version, "`version`")
        if not found:
            raise self.fault("the expression of `version` finds nothing")
        if all(isinstance(value, int) for value in found):
            return VersionOrder(max(found), sent=self.message.sent), str(max(found))
        newest = max(self._moment(value, "`version`") for value in found)
        return VersionOrder(-1, newest, f"{len(found):04d}{self.message.sent}"), newest

    def _moment(self, value: Any, what: str) -> str:  # noqa: ANN401 - whatever FHIRPath found
        try:
            return as_moment(value).isoformat()
        except TimeFault as fault:
            raise self.fault(f"{what} {fault}") from None

    def _signals(self) -> Iterator[Signal]:
        for compiled in self.plan.rules:
            self.look(self._version_at)
            rule, when = compiled.rule, compiled.when
            if when is not None and self.find(when, f"rule {rule.id}: `when`") != [True]:
                if self.trace is not None:
                    look = partial(self.find, part=f"rule {rule.id}: `when`")
                    self._note(rule.id, rule.signal, why_not=why_not(when, self.file.fhir, look))
                continue
            if compiled.each is None:
                yield self._signal(compiled)
            else:
                yield from self._signal_of_each(compiled, compiled.each)

    def _signal_of_each(self, compiled: CompiledRule, each: Expression) -> Iterator[Signal]:
        """Give the signal of every element that `each` finds, with the element as `%each`."""
        rule = compiled.rule
        found = self.find(each, f"rule {rule.id}: `each`")
        for element in found:
            self.know("each", element)
            self.look(self._version_at)
            yield self._signal(compiled)
        if not found:
            self._note(rule.id, rule.signal, why_not="`each` finds nothing")

    def _signal(self, compiled: CompiledRule) -> Signal:
        rule = compiled.rule
        against = None if self.trace is None else self._against(compiled)
        given = self._at(compiled)
        at = given.at(ROLES[rule.signal])
        self.look(at)
        values = self._values(compiled)
        if given.precision in _VAGUE:
            values["precision"] = given.precision.value
        stretches = self._stretches(compiled) if rule.signal is SignalKind.PATIENT else ()
        if self.trace is not None:
            more = {"at": instant_text(at), "found_at": rule.at, "contradiction": against}
            self._note(rule.id, rule.signal, matched=True, **more)
        return Signal(rule.signal, at, values, rule.repeats, stretches)

    def _against(self, compiled: CompiledRule) -> str | None:
        """Give what the rule expects and the resource says otherwise; None where nothing contradicts it."""
        expects = compiled.expects
        if expects is None or self.find(expects, f"rule {compiled.rule.id}: `expects`") == [True]:
            return None
        return " ".join(expects.text.split())

    def _stretches(self, compiled: CompiledRule) -> tuple[Stretch, ...]:
        """What a rule on the person says of every time, where what it read is dated; empty where it is not.

        A field is dated where it comes from what has a period: it is the same with these elements alone, and
        another with none. Of more boundaries than `_MOST_BOUNDARIES` the newest count.
        """
        edges = self.boundaries()
        if not edges:
            return ()
        boundaries = sorted(edges)[-_MOST_BOUNDARIES:]
        bare = self._values_at(compiled, boundaries[0], "none")
        stretches: list[Stretch] = []
        for start in (None, *boundaries):
            at = start or boundaries[0] - TICK
            fields, alone = (self._values_at(compiled, at, keep) for keep in _BOTH)
            names = frozenset(n for n, value in fields.items() if alone.get(n) == value != bare.get(n))
            if not stretches or (stretches[-1].fields, stretches[-1].dated) != (fields, names):
                stretches.append(Stretch(start, fields, names))
        return tuple(stretches) if len(stretches) > 1 or stretches[0].dated else ()

    def _values_at(self, compiled: CompiledRule, at: datetime, keep: Keep) -> dict[str, Any]:
        """The fields of a rule at another time than the signal's; what cannot be found then is not there."""
        self.look(at, keep)
        values: dict[str, Any] = {}
        for name, spec in compiled.fields:
            with suppress(MappingError, FieldFault):
                if (value := self._value(name, spec, compiled.rule)) is not None:
                    values[name] = value
        return values

    def _note(self, rule: str, signal: SignalKind, *, matched: bool = False, **more: str | None) -> None:
        if self.trace is not None:
            self.trace.append(Step(self.path, rule, matched, signal.value, **more))

    def _at(self, compiled: CompiledRule) -> Span:
        name = f"rule {compiled.rule.id}: `at`"
        found = self.find(compiled.at, name)
        if len(found) != 1:
            raise self.fault(
                f"{name} finds {'more than one time' if found else 'no time'}: {_line(compiled)}"
            )
        try:
            given = span(found[0])
        except YearFault as fault:  # the sender's: no change of the mapping would help
            where = place_of(self.resource, found[0], self.path)
            raise ResourceError(Problem("value", f"{name} {fault}: {_line(compiled)}", where)) from None
        except TimeFault as fault:
            raise self.fault(f"{name} {fault}: {_line(compiled)}") from None
        if given.precision is not Precision.CLOCK and compiled.rule.signal in _TO_THE_MINUTE:
            raise self.fault(
                f"{name} is given to the {given.precision} only; {compiled.rule.signal} needs the time of day"
            )
        return given

    def _values(self, compiled: CompiledRule) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, spec in compiled.fields:
            try:
                value = self._value(name, spec, compiled.rule)
            except FieldFault as fault:
                raise self.fault(f"rule {compiled.rule.id}: field {name} {fault}") from None
            if value is not None:
                values[name] = value
        return values

    def _value(self, name: str, field: Field, rule: Rule) -> Any:  # noqa: ANN401 - a JSON value
        spec = field.spec
        if isinstance(spec, bool):
            return spec
        where = f"rule {rule.id}: field {name}"
        if isinstance(spec, dict):
            parts = {part: self.find(expression, where) for part, expression in field.expressions}
            return {part: FIELDS["name"](found) for part, found in parts.items() if found} or None
        found = self.find(field.expressions[0][1], where)
        if isinstance(spec, Translated):
            found = translate(self.concepts[spec.map], found)
        return FIELDS[name](found) if found else None

    def about(self) -> Iterator[tuple[str, Resource | None]]:
        """Identities of the shared resources (a Patient) that this one is about, with those that it contains.

        UnresolvedError where one is named by an identifier of which nothing is known yet.
        """
        for element in _ABOUT if self.shared else ():
            reference = reference_text(self.resource.get(element))
            if reference is None:
                continue
            target = self.resolve(reference)
            if target is not None and "#" in reference:  # known by what contains it
                yield f"{self._identity()}{reference}" if reference.startswith("#") else reference, target
                continue
            if target is None and self._leads_nowhere(reference):
                raise self._unresolved(element)
            known = f"{target['resourceType']}/{target['id']}" if target and target.get("id") else None
            name = known or self.message.own_name(reference)
            if name is not None and name.partition("/")[0] in self.shared:
                yield name, None

    def _leads_nowhere(self, reference: str) -> bool:
        """Whether a reference that finds nothing can mean no shared resource that is known by its name.

        By an identifier that nothing has, an entry that is not there, or another server's resource.
        """
        if not self.message.looks_up:
            return False
        other = own_name(reference)
        kind = other.partition("/")[0] if other is not None else None
        return "?" in reference or (
            self.message.own_name(reference) is None and (kind is None or kind in self.shared)
        )


def _instant(text: object) -> datetime | None:
    """Read a time of a version; None where there is none that names an instant."""
    try:
        return as_moment(text) if text else None
    except TimeFault:
        return None


def _line(compiled: CompiledRule) -> str:
    return " ".join(compiled.rule.at.split())
