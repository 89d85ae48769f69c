"""Several collections as one: FHIRPath N1, 5.4 "Combining"; `coalesce`; `iif` (5.5)."""

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import (
    EMPTY,
    NONE,
    NOTHING,
    Code,
    Env,
    Item,
    Items,
    Run,
    Shape,
    truth_of,
)
from adapter.mapping.fhirpath.faults import EvaluationError, FhirPathSyntaxError
from adapter.mapping.fhirpath.operators import union

_MOST_ARGUMENTS = 32


def _union(call: Call) -> Code:
    return union(call.input, call.need(0), call.at)


def _combine(call: Call) -> Code:
    other = call.need(0)
    a, b = call.input.run, other.run
    return Code(lambda this, env: a(this, env) + b(this, env), _either(call.input.shape, other.shape))


def _either(*shapes: Shape) -> Shape:
    known = [shape for shape in shapes if shape is not None]
    return frozenset().union(*known) if len(known) == len(shapes) else None


def _coalesce(call: Call) -> Code:
    codes = [call.need(index) for index in range(len(call.node.args))]
    runs = [code.run for code in codes]

    def first(this: Item, env: Env) -> Items:
        return next((found for run in runs if (found := run(this, env))), EMPTY)

    return Code(first, _either(*(code.shape for code in codes)))


def _iif(call: Call) -> Code:
    """Only the branch that is taken is evaluated; `$this` is the only item of the input."""
    shape = call.input.shape
    test = call.each(0, shape, loop=False)
    if test.constant and not isinstance(test.constant[0], bool):
        text = call.compiler.text
        raise FhirPathSyntaxError("expected a condition that is a boolean", text, call.node.args[0].at)
    yes = call.each(1, shape, loop=False)
    no = call.each(2, shape, loop=False) if len(call.node.args) > 2 else None
    return Code(_branches(call, test, yes.run, no), _either(yes.shape, NONE if no is None else no.shape))


def _branches(call: Call, test: Code, yes: Run, no: Code | None) -> Run:
    truth, at, source = truth_of(test, call.at), call.at, call.input.run
    other = None if no is None else no.run

    def run(this: Item, env: Env) -> Items:
        items = source(this, env)
        if len(items) > 1:
            raise EvaluationError("iif() is called on one item at most", at)
        focus = items[0] if items else NOTHING
        if truth(focus, env):
            return yes(focus, env)
        return EMPTY if other is None else other(focus, env)

    return run


FUNCTIONS = {
    "union": Function(_union, 1, 1),
    "combine": Function(_combine, 1, 1),
    "coalesce": Function(_coalesce, 1, _MOST_ARGUMENTS),
    "iif": Function(_iif, 2, 3),
}
