"""The bridge to fhirpathpy, for what the compiler refuses.

Owns the call into the library: its own parse tree, our resolver and our clock put in as user functions,
its results turned into plain values. The import takes a tenth of a second and reads the models of four
FHIR versions, so it waits until an expression needs it. The library keeps state in globals (the model
of type tests, the time), so one evaluation runs at a time. None of its error texts is passed on: they
hold values.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from threading import Lock
from typing import Any

from adapter.mapping.fhirpath.call import uses_call
from adapter.mapping.fhirpath.closure import Items
from adapter.mapping.fhirpath.faults import EvaluationError, FhirPathSyntaxError
from adapter.mapping.fhirpath.functions.tree import reference_text
from adapter.mapping.fhirpath.functions.utility import CLOCKS, instant
from adapter.mapping.fhirpath.nodes import Call, Node, fixed_variable, parts
from adapter.mapping.fhirpath.nodes import variables as variables_of
from adapter.mapping.fhirpath.quantity import CALENDAR_WORDS, Quantity

Resolver = Callable[[str], dict[str, Any] | None]
_ONE_AT_A_TIME = Lock()


@cache
def _registry() -> frozenset[str]:
    from fhirpathpy.engine.invocations import invocation_registry  # noqa: PLC0415 -- slow, seldom needed

    return frozenset(invocation_registry)


def unknown_function(node: Node) -> Call | None:
    """Find the first call in the tree that the library does not know either."""
    if isinstance(node, Call) and node.name not in _registry() | {"resolve"}:
        return node
    return next((found for part in parts(node) if (found := unknown_function(part)) is not None), None)


class LibraryExpression:
    """One expression evaluated by fhirpathpy."""

    def __init__(self, text: str, node: Node, fhir: str) -> None:
        missing = unknown_function(node)
        if missing is not None:
            raise FhirPathSyntaxError(f"no such function: {missing.name}()", text, missing.at)
        from fhirpathpy.models import models  # noqa: PLC0415 -- slow, seldom needed
        from fhirpathpy.parser import parse  # noqa: PLC0415 -- same

        self._parsed = parse(text)  # type: ignore[no-untyped-call]
        self._model = models["r5" if fhir == "R5" else "r4"]
        self._clocks = [name for name in CLOCKS if uses_call(node, name)]
        self._fixed = {
            name: fixed for name in variables_of(node) if (fixed := fixed_variable(name)) is not None
        }

    def __call__(self, resource: object, context: Mapping[str, object], resolver: Resolver | None) -> Items:
        """Evaluate; EvaluationError without any word of the library's where it fails."""
        from fhirpathpy import apply_parsed_path  # noqa: PLC0415 -- slow, seldom needed

        variables = {**self._fixed, "resource": resource, "rootResource": resource, **context}
        options = {"userInvocationTable": self._functions(context, resolver), "traceFn": _silent}
        try:
            with _ONE_AT_A_TIME:
                found = apply_parsed_path(  # type: ignore[no-untyped-call]
                    resource, self._parsed, variables, self._model, options
                )
        except EvaluationError:
            raise
        except Exception:  # noqa: BLE001 -- the library raises bare Exceptions, with values in their texts
            raise EvaluationError("the library cannot evaluate this", 0) from None
        if any(isinstance(item, dict) and item.get("$status") == "error" for item in found):
            raise EvaluationError("single() found several items", 0)
        return [_plain(item) for item in found]

    def _functions(self, context: Mapping[str, object], resolver: Resolver | None) -> dict[str, Any]:
        table: dict[str, Any] = {"resolve": {"fn": _resolving(resolver), "arity": {0: []}}}
        if self._clocks:
            now = instant(context.get("now"))
            if now is None:
                raise EvaluationError("needs the variable %now, an instant with its offset", 0)
            for name in self._clocks:
                told = CLOCKS[name][1](now)
                table[name] = {"fn": _saying("" if told is None else told.text)}
        return table


def _silent(_label: str, _items: Items) -> None:
    """Stand in for the library's trace, which would print."""


def _saying(text: str) -> Callable[[Items], str]:
    return lambda _items: text


def _resolving(resolver: Resolver | None) -> Callable[[Items], Items]:
    def resolve(items: Items) -> Items:
        if resolver is None:
            raise EvaluationError("resolve() was given nothing to look references up in", 0)
        references = [reference_text(item) for item in items]
        found = [resolver(reference) for reference in references if reference is not None]
        return [target for target in found if target is not None]

    return resolve


def _plain(item: Any) -> Any:  # noqa: ANN401 -- whatever the library gives
    unit, value = getattr(item, "unit", None), getattr(item, "value", None)
    if isinstance(unit, str) and value is not None:
        name = unit.strip("'")
        return Quantity(Decimal(value), name, name in CALENDAR_WORDS).as_json()
    text = getattr(item, "asStr", None)
    return text if isinstance(text, str) else item
