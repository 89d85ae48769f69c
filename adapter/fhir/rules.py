"""What FHIR demands and fhir.resources lets through, where a wrong answer would cost.

Owns the walk over a whole document, Bundle or one resource: names and kinds of JSON values, forms (`forms`),
required codes (`valuesets`), periods, references to contained resources, and what a Bundle's type demands
(`bundles`); does not own the structure beyond that (`model`) nor a mapping's own demands.
fhir.resources takes numbers for times, words for booleans, texts for objects, its own Python names for
elements, null, and objects and lists without anything in them: what a mapping would then read is not what was
said.
Source: FHIR R4 and R5, JSON representation (R4 json: «Properties with no value are omitted», an array is
never empty, an object never without a property); per-1, ref-1; the bindings and datatypes named in the
modules.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from adapter.errors import Problem
from adapter.fhir.bundles import bundle_faults
from adapter.fhir.forms import ends_before_it_starts
from adapter.fhir.model import FhirVersion, model, validate
from adapter.fhir.plans import Plan, Step, beside_primitive, plan_of
from adapter.fhir.valuesets import STATUS

Resource = dict[str, Any]

#: Where a value stands: its parent's place, its name, its index in a list. Made a text only for a fault.
_Place = tuple[Any, str, int | None]

_NO_TYPE = "no resource type of this FHIR version"
_UNKNOWN = "an element that the FHIR model does not know"
_COMMENTS = "fhir_comments"  # of DSTU2; passed over, as fhir.resources does
_NO_OBJECT = "an object must not be empty: omit what has no value (R4 json)"
_NO_LIST = "a list must not be empty: omit what has no value (R4 json)"


def faults(resource: Resource, version: FhirVersion, path: str) -> list[Problem]:
    """All faults of a document: those of its model, and those of `check`, which knows best where they are.

    fhir.resources tells of a null in a list as a fault of the list: where `check` has one at the same place
    or deeper, the model's is left out.
    """
    found = validate(resource, version)
    if model(resource["resourceType"], version) is None:
        return found  # and `path` may be the message's own word
    ours = list(check(resource, version, path))
    places = [problem.expression or "" for problem in ours]
    return [*(problem for problem in found if not _is_told(problem.expression or path, places)), *ours]


def _is_told(place: str, places: list[str]) -> bool:
    """Whether one of `places` is `place`, or inside of it."""
    return any(other == place or other.startswith((f"{place}.", f"{place}[")) for other in places)


def check(resource: Resource, version: FhirVersion, path: str) -> Iterator[Problem]:
    """Faults of a document at `path`, all that it holds included: resources of a Bundle, contained ones."""
    walk = _Walk(version)
    walk.resource(resource, (None, path, None))
    return iter(walk.problems)


class _Walk:
    """One walk over one document."""

    def __init__(self, version: FhirVersion) -> None:
        self.problems: list[Problem] = []
        self._version = version
        self._anchors: list[tuple[str, _Place]] = []

    def resource(self, value: Resource, place: _Place, *, contained: bool = False) -> None:
        """Walk a resource; references to contained ones are held against the outermost."""
        kind = value.get("resourceType")
        plan = plan_of(kind, self._version) if type(kind) is str else None
        if plan is None:
            self._fault("not-supported", _NO_TYPE, (place, "resourceType", None))
            return
        if contained:
            self._object(value, plan, place)
            return
        outer, self._anchors = self._anchors, []
        self._object(value, plan, place)
        if self._anchors:
            self._resolve(value)
        self._anchors = outer
        if kind in STATUS and type(value.get("status")) is not str:
            self._fault("required", "says nothing without it", (place, "status", None))
        elif kind == "Bundle":
            self._tell(bundle_faults(value, self._version), place)

    def _object(self, value: Resource, plan: Plan, place: _Place) -> None:
        if not value:
            self._fault("structure", _NO_OBJECT, place)
            return
        steps = plan.steps
        for name, item in value.items():
            step = steps.get(name)
            if step is None:
                self._beside(name, item, plan, place)
            elif step.many:
                self._many(name, item, step, value, place)
            else:
                self._one(item, step, (place, name, None))
        if plan.name == "Period":
            self._period(value, place)
        elif plan.name == "Reference":
            reference = value.get("reference")
            if type(reference) is str and reference.startswith("#"):
                self._anchors.append((reference, (place, "reference", None)))

    def _many(self, name: str, item: Any, step: Step, value: Resource, place: _Place) -> None:  # noqa: ANN401
        """Walk a list, the element `name` of `value`."""
        if type(item) is not list:
            self._fault("structure", "is to be a list", (place, name, None))
        elif not item:
            self._fault("structure", _NO_LIST, (place, name, None))
        else:
            for index, one in enumerate(item):
                if one is not None or not _has_beside(value, name, index):
                    self._one(one, step, (place, name, index))

    def _one(self, item: Any, step: Step, place: _Place) -> None:  # noqa: ANN401 - JSON
        if type(item) not in step.types:
            code = "value" if step.plan is None and not step.is_resource else "structure"
            self._fault(code, step.rule, place)
        elif step.plan is not None:
            self._object(item, step.plan, place)
        elif step.is_resource:
            self.resource(item, place, contained=place[1] == "contained")
        elif step.codes is not None:
            if item not in step.codes:
                self._fault("code-invalid", "the code is not in the required value set", place)
        elif step.form is not None:
            rule = step.form(item)
            if rule is not None:
                self._fault("value", rule, place)

    def _beside(self, name: str, item: Any, plan: Plan, place: _Place) -> None:  # noqa: ANN401 - JSON
        """What stands under no element's name: ids and extensions of a primitive, or what nobody knows."""
        beside = name.removeprefix("_")
        if name == _COMMENTS:
            return
        if beside == name or not plan.has_beside(beside):
            self._fault("structure", _UNKNOWN, place)  # its name is the message's own word
            return
        many = plan.steps[beside].many
        if many != (type(item) is list):
            rule = "is to be a list" if many else "is to be an object"
            self._fault("structure", rule, (place, beside, None))
            return
        if many and not item:
            self._fault("structure", _NO_LIST, (place, beside, None))
        for index, one in enumerate(item if many else (item,)):
            at = (place, beside, index if many else None)
            if type(one) is dict:
                self._object(one, beside_primitive(self._version), at)
            elif one is not None or not many:
                self._fault("structure", "is to be an object", at)

    def _period(self, value: Resource, place: _Place) -> None:
        start, end = value.get("start"), value.get("end")
        if type(start) is str and type(end) is str and ends_before_it_starts(start, end):
            self._fault("invariant", "per-1: a period does not end before it starts", place)

    def _resolve(self, root: Resource) -> None:
        """Hold the references to contained resources against what `root` contains (ref-1)."""
        contained = root.get("contained")
        inside = contained if type(contained) is list else ()
        ids = {"#" + str(one.get("id")) for one in inside if type(one) is dict} | {"#"}
        for reference, place in self._anchors:
            if reference not in ids:
                self._fault("invariant", "ref-1: no contained resource of that id", place)

    def _tell(self, faults: Iterable[tuple[str, str, str]], place: _Place) -> None:
        for inside, code, rule in faults:
            self.problems.append(Problem(code, rule, f"{_text(place)}{inside}"))

    def _fault(self, code: str, rule: str, place: _Place) -> None:
        self.problems.append(Problem(code, rule, _text(place)))


def _has_beside(value: Resource, name: str, index: int) -> bool:
    """Whether a primitive without a value has an id or an extension in its stead."""
    beside = value.get("_" + name)
    return type(beside) is list and index < len(beside) and type(beside[index]) is dict


def _text(place: _Place) -> str:
    above, name, index = place
    text = name if above is None else f"{_text(above)}.{name}"
    return text if index is None else f"{text}[{index}]"
