"""Choosing and reshaping items: FHIRPath N1, 5.2 "Filtering and projection", 7 "Aggregates"; `sort`."""

from functools import cmp_to_key

from adapter.mapping.fhirpath.call import Call, Function, Scope, uses
from adapter.mapping.fhirpath.closure import EMPTY, NONE, Code, Env, Item, Items, One, one_of
from adapter.mapping.fhirpath.comparing import Reading, identity, order
from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.functions.loops import criteria, over, projection
from adapter.mapping.fhirpath.kinds import cast, check_type, of_type, type_test
from adapter.mapping.fhirpath.nodes import Node, Sign

_MOST_REPEATED = 10_000


def _where(call: Call) -> Code:
    return Code(over(call, criteria(call)), call.input.shape)


def _select(call: Call) -> Code:
    code, projected = projection(call)
    return Code(over(call, projected), code.shape)


def _repeat(call: Call) -> Code:
    """Project, its own results too, until nothing new comes; the input itself is left out."""
    code = call.each(0, call.input.shape)
    if code.shape != call.input.shape:
        scope = Scope(None, True, call.scope.in_aggregate, call.scope.total)
        code = call.compiler.compile(call.node.args[0], scope)
    run, at = code.run, call.at

    def repeated(items: Items, env: Env) -> Items:
        seen: dict[object, Item] = {}
        waiting = list(items)
        for item in waiting:
            for found in run(item, env):
                key = identity(found)
                if key not in seen:
                    seen[key] = found
                    waiting.append(found)
            if len(waiting) > _MOST_REPEATED:
                raise EvaluationError("repeat() does not come to an end", at)
        return list(seen.values())

    return Code(over(call, repeated), code.shape)


def _of_type(call: Call) -> Code:
    wanted = call.type_name()
    check_type(wanted, call.compiler.model, call.compiler.text)
    return of_type(call.input, wanted, call.compiler.model)


def _is(call: Call) -> Code:
    wanted = call.type_name()
    check_type(wanted, call.compiler.model, call.compiler.text)
    return type_test(call.input, wanted, call.compiler.model)


def _as(call: Call) -> Code:
    wanted = call.type_name()
    check_type(wanted, call.compiler.model, call.compiler.text)
    return cast(call.input, wanted, call.compiler.model)


def _aggregate(call: Call) -> Code:
    start = call.arg(1)
    shape = NONE if start is None else start.shape
    scope = Scope(call.input.shape, in_loop=True, in_aggregate=True)
    run, first = call.compiler.compile(call.node.args[0], scope).run, start.run if start else None

    source = call.input.run

    def folded(this: Item, env: Env) -> Items:
        total = EMPTY if first is None else first(this, env)
        for at, item in enumerate(source(this, env)):
            total = run(item, env.inside(at, total))
        return total

    return Code(folded, shape or None)


def _sort(call: Call) -> Code:
    """By each argument in turn; `-argument` from last to first. Items without the key always come first."""
    keys = [_sort_key(call, node) for node in call.node.args] or [(lambda this, _env: this, 1)]
    at = call.at

    def sorted_items(items: Items, env: Env) -> Items:
        def compare(a: Item, b: Item) -> int:
            for key, sign in keys:
                found = _order(key(a, env), key(b, env), sign, at)
                if found:
                    return found
            return 0

        return sorted(items, key=cmp_to_key(compare))

    return Code(over(call, sorted_items), call.input.shape)


def _sort_key(call: Call, node: Node) -> tuple[One, int]:
    sign = -1 if isinstance(node, Sign) and node.sign == "-" else 1
    inner = node.operand if isinstance(node, Sign) and sign == -1 else node
    code = call.compiler.compile(inner, Scope(call.input.shape, in_loop=not uses(inner, "index")))
    return one_of(code, call.at), sign


def _order(a: Item, b: Item, sign: int, at: int) -> int:
    if a is None or b is None:
        return (a is not None) - (b is not None)
    return (order(a, b, Reading.GUESS, at) or 0) * sign


FUNCTIONS = {
    "where": Function(_where, 1, 1),
    "select": Function(_select, 1, 1),
    "repeat": Function(_repeat, 1, 1),
    "ofType": Function(_of_type, 1, 1),
    "is": Function(_is, 1, 1),
    "as": Function(_as, 1, 1),
    "aggregate": Function(_aggregate, 1, 2),
    "sort": Function(_sort, 0, 8),
}
