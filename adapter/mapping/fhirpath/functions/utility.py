"""The rest: `now`, `today`, `timeOfDay` (N1, 5.9.2), `trace` (no-op), `type`, `getValue`.

Time is a variable: `context["now"]`, an aware datetime or its ISO text. Without it these functions are
an error, for this room reads no clock.
"""

from collections.abc import Callable
from datetime import datetime

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import EMPTY, Code, Env, Item, Items, NoValue
from adapter.mapping.fhirpath.faults import EvaluationError, RefusedError
from adapter.mapping.fhirpath.functions.loops import over
from adapter.mapping.fhirpath.model import ABSTRACT
from adapter.mapping.fhirpath.temporal import Temporal, parse_temporal, parse_time


def instant(value: object) -> Temporal | None:
    """Read the variable `now` as a DateTime; None where it is no instant with an offset."""
    if isinstance(value, datetime):
        value = value.isoformat(timespec="milliseconds")
    found = parse_temporal(value) if isinstance(value, str) else value
    return found if isinstance(found, Temporal) and found.offset is not None else None


def _time(now: Temporal) -> Temporal | None:
    clock = now.text.partition("T")[2].partition("Z")[0].partition("+")[0].partition("-")[0]
    return parse_time(clock)


CLOCKS: dict[str, tuple[str, Callable[[Temporal], Temporal | None]]] = {
    "now": ("DateTime", lambda now: now),
    "today": ("Date", lambda now: parse_temporal(now.text.partition("T")[0])),
    "timeOfDay": ("Time", _time),
}
"""Function → its type, and what it takes from the variable `now`."""


def _clock(name: str) -> Callable[[Call], Code]:
    kind, part = CLOCKS[name]

    def make(call: Call) -> Code:
        at = call.at

        def run(_this: Item, env: Env) -> Items:
            now = instant(env.variables.get("now"))
            found = None if now is None else part(now)
            if found is None:
                raise EvaluationError(f"{name}() needs the variable %now, an instant with its offset", at)
            return [found]

        return Code(run, frozenset({f"System.{kind}"}))

    return make


def _trace(call: Call) -> Code:
    call.need(0)
    if len(call.node.args) > 1:
        call.each(1, call.input.shape)
    return call.input


def _get_value(call: Call) -> Code:
    """FHIR: the System value of a primitive, nothing for anything else."""

    def values(items: Items, _env: Env) -> Items:
        if len(items) != 1 or isinstance(items[0], NoValue | dict):
            return EMPTY
        return items

    return Code(over(call, values), call.input.shape)


def _type(call: Call) -> Code:
    """Namespace and name of each item's type, where all have the same."""
    shape = call.input.shape
    if shape is None or len(shape) != 1 or not shape.isdisjoint(ABSTRACT):
        raise RefusedError("a type that only the library keeps track of", call.at)
    kind = next(iter(shape))
    space, name = kind.split(".") if kind.startswith("System.") else ("FHIR", kind)
    told = {"namespace": space, "name": "BackboneElement" if "." in name else name}
    return Code(over(call, lambda items, _env: [told for _ in items]))


FUNCTIONS = {
    **{name: Function(_clock(name)) for name in CLOCKS},
    "trace": Function(_trace, 1, 2),
    "getValue": Function(_get_value),
    "type": Function(_type),
}
