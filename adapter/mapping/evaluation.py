"""One resource looked at by expressions: its names, what it refers to, and the instant it is seen at.

Owns that the resource, what it refers to and `%bundle` are seen as they hold at one instant (`in_force`),
that what is not dated is evaluated once, and the words of a fault of evaluation. Does not own what a mapping
asks for (`reader`).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from adapter.errors import MappingError, Problem
from adapter.fhir.model import FhirVersion
from adapter.mapping.concepts import ConceptMap, translate
from adapter.mapping.fhirpath import Expression, FhirPathError
from adapter.mapping.fields import FieldFault
from adapter.mapping.file import MappingFile
from adapter.mapping.in_force import Keep, OverTime, over_time
from adapter.mapping.message import Message, Resource
from adapter.mapping.names import Names
from adapter.mapping.plan import Name, asked_for

#: `%bundle`, among the references: no reference is written so.
_BUNDLE = "%bundle"


class _View:
    """The resource as it holds at `at`, and the names found in it; `keep` as in `in_force`."""

    __slots__ = ("at", "keep", "names", "resource")

    def __init__(self, resource: Resource, names: Names, at: datetime, keep: Keep) -> None:
        self.resource, self.names, self.at, self.keep = resource, names, at, keep


class Evaluation:
    """Evaluates expressions on one resource; `look` chooses the instant at which it is seen."""

    def __init__(
        self,
        file: MappingFile,
        let: Mapping[str, Name],
        concepts: Mapping[str, ConceptMap],
        resource: Resource,
        *,
        path: str,
        message: Message,
    ) -> None:
        self.file, self.let, self.concepts = file, let, concepts
        self.resource, self.path, self.message = resource, path, message
        self.missing: set[str] = set()  # references by identifier that found nothing
        self._given: dict[str, object] = {"now": message.now}
        self._later: dict[str, Callable[[], list[Any]]] = {
            name: partial(self._named, name, spec) for name, spec in let.items()
        }
        self._later["bundle"] = self._bundle
        self._fhir = FhirVersion(file.fhir)
        self._over_time = over_time(resource, self._fhir)
        #: Whether anything looked at so far is dated; what was found before is the same at any time.
        self._is_dated = self._over_time is not None
        self._timeless: dict[str, list[Any]] = {}
        self._reached: dict[str, tuple[Resource | None, OverTime | None]] = {}
        self._views: dict[tuple[datetime, Keep], _View] = {}
        self._view: _View

    def names_of(self, name: str, find: Callable[[], list[Any]]) -> None:
        """Let `%name` stand for what `find` gives when it is first asked for."""
        self._later[name] = find

    def know(self, name: str, value: object) -> None:
        """Let `%name` stand for a value that was not known from the beginning."""
        self._given[name] = value
        self._views.clear()

    def look(self, at: datetime, keep: Keep = "all") -> None:
        """See the resource as of `at` from now on."""
        view = self._views.get((at, keep))
        if view is None:
            resource = self.resource if self._over_time is None else self._over_time.at(at, keep)
            view = self._views[at, keep] = _View(resource, Names(dict(self._given), self._later), at, keep)
        self._view = view

    def boundaries(self) -> set[datetime]:
        """Give the instants from which something that was looked at holds otherwise than before."""
        dated = (self._over_time, *(one for _, one in self._reached.values()))
        return {edge for one in dated if one is not None for edge in one.boundaries}

    def find(self, expression: Expression, part: str) -> list[Any]:
        """Evaluate an expression; MappingError that names `part` of the mapping where it cannot be."""
        view = self._view
        if not expression.compiled:  # the library gets all names at once: those it needs are to be known
            for name in asked_for(expression.text):
                view.names.get(name)
        try:
            return expression(view.resource, view.names, self.resolve)
        except FhirPathError as error:
            rule = error.problems[0].rule
            raise self.fault(f"{part} cannot be evaluated: {rule}") from None

    def fault(self, rule: str) -> MappingError:
        """Make the error that says what is wrong, at the path of the resource."""
        return MappingError(Problem("processing", f"{self.file.id}: {rule}", self.path))

    def resolve(self, reference: str) -> Resource | None:
        """Find what a reference means, as it holds at the instant that the resource is seen at.

        One by identifier that finds nothing is noted.
        """
        if reference.startswith("#"):
            inside: list[Resource] = self._view.resource.get("contained", [])
            return next((one for one in inside if one.get("id") == reference[1:]), None)
        if reference not in self._reached:
            found = self.message.resolve(reference)
            self._reached[reference] = found, None if found is None else over_time(found, self._fhir)
        found, dated = self._reached[reference]
        if found is None and self.is_looked_up(reference):
            self.missing.add(reference)
        return found if dated is None else self._seen(dated)

    def _seen(self, dated: OverTime) -> Resource:
        self._is_dated = True
        return dated.at(self._view.at, self._view.keep)

    def _bundle(self) -> list[Any]:
        """What `%bundle` stands for: the Bundle that the resource came in, empty where it came alone."""
        bundle = self.message.bundle
        if not bundle:
            return []
        if _BUNDLE not in self._reached:
            self._reached[_BUNDLE] = bundle, over_time(bundle, self._fhir)
        dated = self._reached[_BUNDLE][1]
        return [bundle if dated is None else self._seen(dated)]

    def name_of(self, reference: str) -> str | None:
        """Give the name (Type/id) of what a literal reference means; None where it names nothing here."""
        if reference.startswith("#"):
            return None
        found = self.message.resolve(reference) if reference.startswith("urn:") else None
        name = f"{found['resourceType']}/{found['id']}" if found is not None and found.get("id") else None
        return name or self.message.own_name(reference)

    def is_looked_up(self, reference: str) -> bool:
        """Whether it names its target by an identifier that has to be found."""
        return "?" in reference and self.message.looks_up

    def _named(self, name: str, spec: Name) -> list[Any]:
        if name in self._timeless:
            return self._timeless[name]
        found = self.find(spec.expression, f"let {name}")
        if spec.map is not None:
            try:
                found = list(translate(self.concepts[spec.map], found))
            except FieldFault as fault:
                raise self.fault(f"let {name} {fault}") from None
        if not self._is_dated:
            self._timeless[name] = found
        return found


def place_of(resource: Resource, value: str, path: str) -> str:
    """Give the path of the first element with that text in the resource at `path`, else `path`."""
    return next(_places(resource, value, path), path)


def _places(held: Any, value: str, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(held, dict):
        for name, inner in held.items():
            yield from _places(inner, value, f"{path}.{name.removesuffix('DateTime')}")
    elif isinstance(held, list):
        for index, inner in enumerate(held):
            yield from _places(inner, value, f"{path}[{index}]")
    elif held == value:
        yield path
