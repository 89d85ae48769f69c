"""What each FHIR type is made of: its elements in the specification's order, each with type and number.

Owns the reading of fhir.resources' models as definitions, for those who walk a resource by its types (XML,
the rules on ids, dates and periods); does not own what is checked or written.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, get_args, get_origin

from fhir_core.constraints import FHIR_PRIMITIVES_MAPS
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase
from pydantic.fields import FieldInfo

from adapter.fhir.model import PACKAGE, FhirVersion, model


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type: `kind` is its FHIR type, `code`, `Period`, `BundleEntry`; `many` if 0..*.

    `inner` is the type that it is made of, None for a primitive; of kind `Resource` it may be any resource.
    """

    name: str
    kind: str
    many: bool
    inner: type[FHIRAbstractModel] | None


@dataclass(frozen=True, slots=True)
class Structure:
    """One FHIR type: its elements by name, in the order in which XML has them."""

    name: str
    is_resource: bool
    elements: dict[str, Element]

    def is_attribute(self, name: str) -> bool:
        """Whether XML writes that element as an attribute: ids of elements, and an extension's url."""
        return (name == "id" and not self.is_resource) or (name == "url" and self.name == "Extension")


def of_resource(kind: str, version: FhirVersion) -> Structure | None:
    """The structure of resource type `kind`, or None where that version has no such type."""
    found = model(kind, version)
    return None if found is None else of_model(found)


@cache
def primitive(version: FhirVersion) -> Structure:
    """What a primitive has beside its value: an id and extensions."""
    package = import_module(f"{PACKAGE[version]}fhirprimitiveextension")
    found: type[FHIRAbstractModel] = package.FHIRPrimitiveExtension
    return of_model(found)


@cache
def of_model(type_: type[FHIRAbstractModel]) -> Structure:
    """The structure of the type that `type_` is the model of."""
    names = type_.get_alias_mapping()
    return Structure(
        type_.get_resource_type(),
        type_.has_resource_base(),
        {name: _element(name, type_.model_fields[names[name]]) for name in type_.elements_sequence()},
    )


def _element(name: str, field: FieldInfo) -> Element:
    kind, inner = _kind(field.annotation, field.metadata)
    return Element(name, kind, _is_list(field.annotation), inner)


def _kind(annotation: Any, metadata: list[Any]) -> tuple[str, type[FHIRAbstractModel] | None]:  # noqa: ANN401
    """The FHIR type of an annotation of fhir.resources, and its model where it is no primitive."""
    if isinstance(annotation, type) and issubclass(annotation, FhirBase):
        inner = annotation.get_model_klass()
        return inner.get_resource_type(), inner
    for known in (annotation, *(type(one) for one in metadata)):
        if known.__hash__ is not None and known in FHIR_PRIMITIVES_MAPS:
            return FHIR_PRIMITIVES_MAPS[known], None
    first, *_ = (part for part in get_args(annotation) if part is not type(None))
    return _kind(first, metadata)


def _is_list(annotation: Any) -> bool:  # noqa: ANN401
    return get_origin(annotation) is list or any(_is_list(part) for part in get_args(annotation))
