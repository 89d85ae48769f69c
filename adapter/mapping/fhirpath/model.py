"""What FHIR says of element types, read once from the tables that the fhirpathpy package ships.

Owns the reading and the questions: which type has an element, under which names a choice stands, which
type is a kind of which. The one place of this package that reads files; nothing is copied by hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_FOLDERS = {"R4": "r4", "R4B": "r4", "R5": "r5"}
VERSIONS = frozenset(_FOLDERS)
SYSTEM_TYPES = frozenset({"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"})
_BACKBONE = frozenset({"BackboneElement", "Element"})
ABSTRACT = frozenset({"Resource", "DomainResource", "CanonicalResource", "MetadataResource"})


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a type: JSON name → type. One entry named as itself, or all forms of a choice.

    `form_of`: the name that FHIRPath has for it where it was asked for by the JSON name of a choice.
    """

    types: Mapping[str, str]
    form_of: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """The types of one FHIR version."""

    choices: Mapping[str, list[str]]
    types: Mapping[str, str]
    parents: Mapping[str, str]
    elsewhere: Mapping[str, str]
    names: frozenset[str]
    choice_names: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, str]

    def element(self, owner: str, name: str) -> Element | None:
        """Give the element `name` of type or path `owner`; None where FHIR has none."""
        kind: str | None = owner
        while kind is not None:
            path = f"{kind}.{name}"
            path = self.elsewhere.get(path, path)
            if path in self.choices:
                return Element({f"{name}{form}": self._named(form) for form in self.choices[path]})
            if path in self.types:
                found = self.types[path]
                return Element({name: path if found in _BACKBONE else found}, self.forms.get(path))
            if any_below(self.types, path):
                return Element({name: path})
            kind = self.parents.get(kind)
        return None

    def _named(self, form: str) -> str:
        lower = form[0].lower() + form[1:]
        return lower if lower in self.parents else form

    def is_primitive(self, kind: str) -> bool:
        """Whether values of `kind` are JSON scalars."""
        return kind.startswith("System.") or (kind[0].islower() and "." not in kind)

    def is_resource(self, kind: str) -> bool:
        """Whether `kind` is a resource type, abstract ones too."""
        return kind in ABSTRACT or self.parents.get(kind) in ABSTRACT

    def is_concrete(self, kind: str) -> bool:
        """Whether a resource may carry `kind` as its resourceType."""
        return kind not in ABSTRACT and self.parents.get(kind) in ABSTRACT

    def kinds_of(self, name: str) -> frozenset[str]:
        """Give every type that is `name` or a kind of it."""
        return frozenset(kind for kind in self.names if self.is_a(kind, name))

    def is_a(self, kind: str, wanted: str) -> bool:
        """Whether `kind` is `wanted` or a kind of it."""
        step: str | None = kind
        while step is not None and step != wanted:
            step = self.parents.get(step) or self.types.get(step)
        return step is not None


def any_below(types: Mapping[str, str], path: str) -> bool:
    """Whether elements stand below `path` though it has no row of its own."""
    return f"{path}.id" in types


@cache
def load_model(fhir: str) -> Model:
    """Give the model of `fhir` ("R4", "R4B", "R5"); KeyError for another version."""
    spec = find_spec("fhirpathpy")
    places = (spec.submodule_search_locations if spec is not None else None) or ()
    folder = Path(next(iter(places))) / "models" / _FOLDERS[fhir]
    choices, types, parents, elsewhere = (
        json.loads((folder / f"{name}.json").read_bytes())
        for name in ("choiceTypePaths", "path2Type", "type2Parent", "pathsDefinedElsewhere")
    )
    return Model(
        choices,
        types,
        parents,
        elsewhere,
        frozenset(parents) | frozenset(parents.values()) | frozenset(types.values()) | ABSTRACT,
        _choice_names(choices),
        {f"{path}{form}": path.rsplit(".", 1)[1] for path, forms in choices.items() for form in forms},
    )


def _choice_names(choices: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Element name → every JSON name that it has as a choice anywhere."""
    found: dict[str, dict[str, None]] = {}
    for path, forms in choices.items():
        name = path.rsplit(".", 1)[1]
        found.setdefault(name, {}).update(dict.fromkeys(f"{name}{form}" for form in forms))
    return {name: tuple(forms) for name, forms in found.items()}
