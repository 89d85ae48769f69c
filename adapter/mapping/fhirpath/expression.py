"""An expression ready to run: its closures for each type of resource, or the library.

Owns the choice between the two, what goes in (plain JSON, variables, a resolver) and what comes out
(plain values). An `Expression` may be used by any number of threads at once.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from adapter.errors import Problem
from adapter.mapping.fhirpath.call import Scope, uses_call
from adapter.mapping.fhirpath.closure import ANYTHING, Env, Items, NoValue, Run, Shape
from adapter.mapping.fhirpath.compile import ROOT_NAMES, Compilation
from adapter.mapping.fhirpath.faults import EvaluationError, FhirPathError, RefusedError, place
from adapter.mapping.fhirpath.functions import VOLATILE
from adapter.mapping.fhirpath.library import LibraryExpression
from adapter.mapping.fhirpath.model import Model
from adapter.mapping.fhirpath.nodes import Node, unordered, variables
from adapter.mapping.fhirpath.quantity import Quantity
from adapter.mapping.fhirpath.temporal import Temporal

Resolver = Callable[[str], dict[str, Any] | None]
Context = Mapping[str, object]
_MOST_SPECIALISED = 256
_READY = frozenset({str, dict, bool, int, Decimal})
_NO_CONTEXT: Context = {}
_BARE = Env(None, _NO_CONTEXT, None)


class Expression:
    """A FHIRPath expression. Call it on a resource (a dict, as orjson parses it) to get a list of values.

    Values: dict, str, bool, int, Decimal; dates and times as text; quantities as a FHIR Quantity. Empty
    list where there is nothing. `FhirPathError` where the expression cannot be evaluated on the resource.
    """

    __slots__ = (
        "_env",
        "_fhir",
        "_library",
        "_model",
        "_names",
        "_node",
        "_ready",
        "_roots",
        "compiled",
        "text",
    )

    def __init__(self, text: str, node: Node, model: Model, fhir: str) -> None:
        self.text = text
        self._node, self._model, self._fhir = node, model, fhir
        self._names = tuple(sorted(variables(node)))
        self._env = None if self._names or any(uses_call(node, name) for name in VOLATILE) else _BARE
        self._roots = tuple(name for name in self._names if name in ROOT_NAMES)
        self._ready: dict[object, Run | None] = {}
        self._library: LibraryExpression | None = None
        self.compiled = self._compile(ANYTHING, dict.fromkeys(self._names, ANYTHING)) is not None
        """Whether closures of our own answer; False where fhirpathpy does."""
        if not self.compiled:
            self._library = self._from_library()

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __call__(
        self, resource: dict[str, Any], context: Context | None = None, resolver: Resolver | None = None
    ) -> list[Any]:
        """Evaluate on `resource`; `context` holds the `%variables`, `resolver` what `resolve()` asks."""
        if context is None:
            context = _NO_CONTEXT
        kind = resource.get("resourceType")
        run = self._ready.get(kind) if isinstance(kind, str) else None
        if run is None:
            run = self._specialised(resource, context)
        try:
            if run is None:
                library = self._library or self._from_library()
                return _plain(library(resource, context, resolver))
            items = run(resource, self._env or Env(resource, context, resolver))
        except EvaluationError as fault:
            raise FhirPathError(fault.rule, self.text, fault.at) from None
        except ArithmeticError:
            raise FhirPathError("a number is out of range", self.text, 0) from None
        if len(items) == 1 and type(items[0]) in _READY:
            return [items[0]]
        return _plain(items)

    def check(self, resource_type: str) -> tuple[Problem, ...]:
        """Tell what evaluates on a `resource_type`, but is most often a slip of the pen.

        Elements that FHIR does not know there (the JSON names of choices, `valueQuantity`, among them),
        and `first()`, `skip(1)` … of what has no order.
        """
        shape = frozenset({resource_type})
        work = Compilation(self.text, self._model, dict.fromkeys(ROOT_NAMES, shape))
        with suppress(RefusedError):
            work.compile(self._node, Scope(shape))
        rules = [(f"no such element: {name!r}", at) for name, at in dict.fromkeys(work.unknown)]
        rules += [("what comes before has no order", at) for at in unordered(self._node)]
        return tuple(self._problem(rule, at) for rule, at in rules)

    def compiled_for(self, resource: dict[str, Any], context: Context | None = None) -> bool:
        """Whether closures of our own answer for a resource of this type and these variables."""
        return self._specialised(resource, _NO_CONTEXT if context is None else context) is not None

    def _problem(self, rule: str, at: int) -> Problem:
        line, column = place(self.text, at)
        return Problem("invalid", f"line {line}, column {column}: {rule}", self.text)

    def _specialised(self, resource: dict[str, Any], context: Context) -> Run | None:
        """Give the closure for the type of the resource, made on first sight; None for the library.

        A context may find its values only when asked, so the types of variables are looked at only if
        the expression cannot be compiled without them.
        """
        root = _kind(resource, self._model)
        key = (root, *(name in context for name in self._roots)) if self._roots else root
        run = self._made(key, root, dict.fromkeys(name for name in self._roots if name in context))
        if run is not None or not self.compiled or not self._names:
            return run
        kinds = {name: _kind(context.get(name), self._model) for name in self._names if name in context}
        return self._made((root, *kinds.items()), root, kinds)

    def _made(self, key: object, root: str | None, kinds: Mapping[str, str | None]) -> Run | None:
        if key in self._ready:
            return self._ready[key]
        if len(self._ready) >= _MOST_SPECIALISED:
            key, root, kinds = None, None, {}
        known: dict[str, Shape] = {name: _shape(root) for name in ROOT_NAMES}
        known |= {name: _shape(kind) for name, kind in kinds.items()}
        return self._ready.setdefault(key, self._compile(_shape(root), known))

    def _compile(self, shape: Shape, known: Mapping[str, Shape]) -> Run | None:
        try:
            return Compilation(self.text, self._model, known).compile(self._node, Scope(shape)).run
        except RefusedError:
            return None

    def _from_library(self) -> LibraryExpression:
        return LibraryExpression(self.text, self._node, self._fhir)


def _kind(value: object, model: Model) -> str | None:
    """Give the type of a resource, or of several of one type; None for anything else."""
    if isinstance(value, list):
        kinds = {_kind(item, model) for item in value}
        return kinds.pop() if len(kinds) == 1 else None
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) and model.is_concrete(kind) else None


def _shape(kind: str | None) -> Shape:
    return None if kind is None else frozenset({kind})


def _plain(items: Items) -> list[Any]:
    """Give a list of the caller's own, of plain values only."""
    return [_value(item) for item in items if item is not None and not isinstance(item, NoValue)]


def _value(item: Any) -> Any:  # noqa: ANN401 -- any item goes in, a plain value comes out
    if isinstance(item, Temporal):
        return item.text
    if isinstance(item, Quantity):
        return item.as_json()
    return Decimal(repr(item)) if isinstance(item, float) else item
