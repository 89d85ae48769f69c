"""What is to be looked at in each FHIR type, made ready once: for every element its kind, form and codes.

Owns the plans that `rules` walks a resource by; does not own the walk, nor what a resource holds.
"""

from dataclasses import dataclass
from functools import cache, cached_property

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from adapter.fhir.forms import FORMS, KINDS, TEXT, Form, reference_form
from adapter.fhir.model import FhirVersion, model
from adapter.fhir.structure import Element, Structure, of_model, primitive
from adapter.fhir.valuesets import REQUIRED


@dataclass(frozen=True, slots=True)
class Step:
    """One element: what it is to be. `plan` is None for a primitive; `is_resource`: any resource by name."""

    many: bool
    types: tuple[type, ...]
    rule: str
    form: Form | None = None
    codes: frozenset[str] | None = None
    plan: "Plan | None" = None
    is_resource: bool = False


class Plan:
    """One FHIR type: a step for each element; made when it is first walked, for types hold one another."""

    def __init__(self, structure: Structure, version: FhirVersion) -> None:
        self.name = structure.name
        self._structure = structure
        self._version = version

    @cached_property
    def steps(self) -> dict[str, Step]:
        """The steps by name of element; `resourceType` among them where it is a resource."""
        steps = {name: self._step(one) for name, one in self._structure.elements.items()}
        if self._structure.is_resource:
            steps["resourceType"] = Step(many=False, types=TEXT[0], rule=TEXT[1])
        return steps

    def has_beside(self, name: str) -> bool:
        """Whether an id and extensions may stand beside that element: it is a primitive, no attribute."""
        step = self.steps.get(name)
        is_primitive = step is not None and step.plan is None and not step.is_resource
        return is_primitive and name != "resourceType" and not self._structure.is_attribute(name)

    def _step(self, element: Element) -> Step:
        if element.kind == "Resource":
            return Step(element.many, (dict,), "is to be a resource", is_resource=True)
        if element.inner is not None:
            plan = _plan(element.inner, self._version)
            return Step(element.many, (dict,), "is to be an object", plan=plan)
        types, rule = KINDS.get(element.kind, TEXT)
        is_reference = (self.name, element.name) == ("Reference", "reference")
        return Step(
            element.many,
            types,
            rule,
            reference_form if is_reference else FORMS.get(element.kind),
            REQUIRED.get((self.name, element.name, self._version)),
        )


def plan_of(kind: str, version: FhirVersion) -> Plan | None:
    """The plan of resource type `kind`, or None where that version has no such type."""
    found = model(kind, version)
    return None if found is None else _plan(found, version)


@cache
def beside_primitive(version: FhirVersion) -> Plan:
    """The plan of what stands beside a primitive, under its name with `_`: an id and extensions."""
    return Plan(primitive(version), version)


@cache
def _plan(type_: type[FHIRAbstractModel], version: FhirVersion) -> Plan:
    return Plan(of_model(type_), version)
