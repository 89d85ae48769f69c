"""Is a mapping file right: does each rule do what its own examples say, and can every rule be carried out.

Owns the checks beyond shape and syntax (`file`, `plan`): elements that FHIR does not know, examples that
give other signals or another state than they say, rules that no example hits, rules that contradict each
other, tables that lead to no word of the domain. Pure: the examples are read by `load`.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any

from adapter.datafile import Document
from adapter.errors import LosusError, Problem
from adapter.losus.moments import ROLES, TimeFault, span
from adapter.losus.process import STATUTE
from adapter.losus.signal import Signal
from adapter.losus.terms import SignalKind
from adapter.mapping.engine import Mapping, Reading
from adapter.mapping.fhirpath import compile_expression
from adapter.mapping.fields import FIELDS, FieldFault
from adapter.mapping.file import Example, ExpectedSignal, Translated
from adapter.mapping.plan import Place, expressions
from adapter.mapping.rehearsal import Rehearsal

Documents = MappingType[str, dict[str, Any] | Problem | None]
"""The inputs of examples by name: the document, what is wrong with it, or None where it is not here."""

_ENDS = frozenset({SignalKind.DISCHARGED, SignalKind.DECEASED, SignalKind.TRANSFERRED_OUT})
#: What cannot both hold from one instant on, said by one version of one resource.
_OPPOSITES = (
    frozenset({SignalKind.READY, SignalKind.READY_WITHDRAWN}),
    frozenset({SignalKind.LEAVE_STARTED, SignalKind.LEAVE_ENDED}),
    frozenset({SignalKind.CRITERION_MET, SignalKind.CRITERION_UNMET}),
    frozenset({SignalKind.OPEN_CARE_AVAILABLE, SignalKind.OPEN_CARE_UNAVAILABLE}),
    frozenset({SignalKind.SIP_DECLINED, SignalKind.SIP_CALLED}),
    frozenset({SignalKind.ADMITTED, SignalKind.VOIDED}),
    *(frozenset(pair) for pair in combinations(sorted(_ENDS), 2)),
)
#: What one version of one resource can say only once, whatever the time.
_ONCE = frozenset({SignalKind.ADMITTED, SignalKind.VOIDED, SignalKind.PATIENT, *_ENDS})


#: Fields by which two signals of a kind speak of different things.
_TELLING_APART = ("criterion", "coordinator", "contact")


@dataclass(slots=True)
class Report:
    """What a check found: faults, each with file, line and rule, and notes that fail nothing."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(mapping: Mapping, document: Document, inputs: Documents, now: datetime) -> Report:
    """Check a mapping that has no fault of shape or syntax, all at once.

    `document` is the file it was read from and `inputs` its examples' documents; `now` is for
    expressions that ask for it.
    """
    report = Report()
    work = _Check(mapping, document, inputs, now, report)
    work.elements()
    work.tables()
    work.twins()
    work.examples()
    return report


class _Check:
    def __init__(
        self, mapping: Mapping, document: Document, inputs: Documents, now: datetime, report: Report
    ) -> None:
        self.mapping, self.document, self.inputs, self.now = mapping, document, inputs, now
        self.report = report
        self.hit: set[str] = set()

    def fault(self, place: Place, rule: str) -> None:
        """Add a fault at `place` of the file, with the rule's name where it is in one."""
        if place[0] == "rules" and isinstance(place[1], int):
            rule = f"rule {self.mapping.file.rules[place[1]].id}: {rule}"
        self.report.problems.append(self.document.problem(place, rule))

    def elements(self) -> None:
        """Find elements that no resource of the rule's type has, so that it could never match."""
        file = self.mapping.file
        for written in expressions(file):
            expression = compile_expression(written.text, fhir=file.fhir)
            if not expression.compiled:
                self.report.notes.append(
                    f"{self.document.where(written.place)}: answered by the library, about 10 times slower"
                )
            kinds = [written.on] if written.on else sorted(self.mapping.plans)
            found = [expression.check(kind) for kind in kinds]
            if all(found):  # a name of `let` is right where any type has what it asks for
                for problem in found[0]:
                    self.fault(written.place, problem.rule)

    def tables(self) -> None:
        """Find tables that no rule asks, and targets that their field does not take."""
        file = self.mapping.file
        used = {spec.map for spec in file.let.values() if isinstance(spec, Translated)}
        for index, rule in enumerate(file.rules):
            for name, spec in rule.fields.items():
                if isinstance(spec, Translated):
                    used.add(spec.map)
                    self._targets(("rules", index, "with", name), name, spec.map)
        for name in sorted(file.codes.keys() - used):
            self.fault(("codes", name), "no rule and no name of `let` asks this table")

    def _targets(self, place: Place, field: str, table: str) -> None:
        for target in sorted(self.mapping.concepts[table].values()):
            try:
                FIELDS[field]([target])
            except FieldFault as fault:
                self.fault(place, f"the table {table} leads to a word that {fault}")

    def twins(self) -> None:
        """Find rules that are asked the same and say the same."""
        seen: dict[tuple[str, str | None, str, str], str] = {}
        for index, rule in enumerate(self.mapping.file.rules):
            said = (rule.on, rule.when, rule.signal.value, rule.at)
            if said in seen and not rule.fields:
                self.fault(("rules", index), f"says what the rule {seen[said]} says")
            seen.setdefault(said, rule.id)

    def examples(self) -> None:
        """Run every example; then tell which rules none of the file's own has hit."""
        for index, example in enumerate(self.mapping.file.examples):
            documents = self._documents(("examples", index, "input"), example)
            if documents is not None:
                self._example(index, example, documents)
        for index, rule in enumerate(self.mapping.file.rules):
            if rule.id not in self.hit:
                self.fault(("rules", index), "no example of this file's own hits it")

    def _documents(self, place: Place, example: Example) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = []
        for name in example.inputs:
            document = self.inputs[name]
            if document is None:
                self.report.notes.append(f"{self.document.where(place)}: left out, {name} is not here")
                return None
            if isinstance(document, Problem):
                self.fault(place, f"{name}: {document.rule}")
                return None
            found.append(document)
        return found

    def _example(self, index: int, example: Example, documents: list[dict[str, Any]]) -> None:
        place: Place = ("examples", index)
        rehearsal = Rehearsal(self.mapping, self.now, example.fhir)
        for name, document in zip(example.inputs, documents, strict=True):
            try:
                rehearsal.add(document)
            except LosusError as error:
                for problem in error.problems:
                    self.fault((*place, "input"), f"{name}: {problem.expression or ''}: {problem.rule}")
                return
        self._expect(place, example, rehearsal)
        if not any(name.startswith("shared:") for name in example.inputs):
            self.hit |= {step.rule for step in rehearsal.trace if step.matched}
        for reading in rehearsal.readings:
            self._contradictions(place, reading)

    def _expect(self, place: Place, example: Example, rehearsal: Rehearsal) -> None:
        said = [signal for reading in rehearsal.readings for signal in reading.fact.signals]
        said = [one for at, one in enumerate(said) if one not in said[:at]]
        for number, expected in enumerate(example.signals):
            found = next((signal for signal in said if _fits(expected, signal)), None)
            if found is None:
                near = sorted({s.at.isoformat() for s in said if s.kind is expected.signal})
                rule = (
                    f"at another time or with other fields (at {', '.join(near)})" if near else "not at all"
                )
                self.fault((*place, "signals", number), f"expected {expected.signal}, it is said {rule}")
            else:
                said.remove(found)
        for signal in said:
            self.fault((*place, "signals"), f"{signal.kind} at {signal.at.isoformat()} is said too")
        if example.state is not None:
            self._expect_state((*place, "state"), example, rehearsal)

    def _expect_state(self, place: Place, example: Example, rehearsal: Rehearsal) -> None:
        try:
            cases = rehearsal.cases(STATUTE, self.now)
        except LosusError as error:
            self.fault(place, "; ".join(problem.rule for problem in error.problems))
            return
        states = sorted({str(case.state) for case in cases.values()})
        if states != [str(example.state)]:
            self.fault(place, f"expected {example.state}, found {', '.join(states) or 'no case'}")

    def _contradictions(self, place: Place, reading: Reading) -> None:
        for one, other in combinations(reading.fact.signals, 2):
            if _contradict(one, other):
                kinds = " and ".join(dict.fromkeys((one.kind.value, other.kind.value)))
                rules = ", ".join(sorted(self._rules_of(reading, (one, other))))
                self.fault(place, f"rules that contradict each other ({rules}): {kinds} of one resource")

    def _rules_of(self, reading: Reading, signals: Iterable[Signal]) -> Iterator[str]:
        kinds = {signal.kind for signal in signals}
        for rule in self.mapping.file.rules:
            if rule.on == reading.type and rule.signal in kinds:
                yield rule.id


def _fits(expected: ExpectedSignal, signal: Signal) -> bool:
    if signal.kind is not expected.signal:
        return False
    if expected.at is not None and not _is_at(expected.at, signal):
        return False
    return all(signal.fields.get(name) == value for name, value in expected.fields.items())


def _is_at(text: str, signal: Signal) -> bool:
    try:
        return span(text).at(ROLES[signal.kind]) == signal.at
    except TimeFault:
        return False


def _contradict(one: Signal, other: Signal) -> bool:
    """Whether one version of a resource cannot say both."""
    if one.kind is other.kind:
        if one.kind in _ONCE:
            return one.at != other.at or one.fields != other.fields
        return one.at == other.at and one.fields != other.fields and not _differ(one, other)
    if one.fields.get("criterion") != other.fields.get("criterion"):
        return False
    return one.at == other.at and frozenset({one.kind, other.kind}) in _OPPOSITES


def _differ(one: Signal, other: Signal) -> bool:
    """Whether two signals of a kind speak of different things, so that both may hold."""
    return any(one.fields.get(name) != other.fields.get(name) for name in _TELLING_APART)
