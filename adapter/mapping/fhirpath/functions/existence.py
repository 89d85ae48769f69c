"""Whether there is something, and whether all of it is so: FHIRPath N1, 5.1 "Existence"."""

from collections.abc import Callable

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import (
    INTEGER,
    Code,
    Env,
    Item,
    Items,
    NoValue,
    from_truth,
    truth_of,
)
from adapter.mapping.fhirpath.comparing import reading, sameness, unique
from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.functions.loops import criteria


def _empty(call: Call) -> Code:
    run = call.input.run
    return from_truth(lambda this, env: not run(this, env))


def _exists(call: Call) -> Code:
    run = call.input.run
    if not call.node.args:
        return from_truth(lambda this, env: bool(run(this, env)))
    kept = criteria(call)
    return from_truth(lambda this, env: bool(kept(run(this, env), env)))


def _all(call: Call) -> Code:
    run, kept = call.input.run, criteria(call)

    def truth(this: Item, env: Env) -> bool:
        items = run(this, env)
        return len(kept(items, env)) == len(items)

    return from_truth(truth)


def _not(call: Call) -> Code:
    truth = truth_of(call.input, call.at)

    def turned(this: Item, env: Env) -> bool | None:
        found = truth(this, env)
        return None if found is None else not found

    return from_truth(turned)


def _booleans(judge: Callable[[list[bool]], bool]) -> Callable[[Call], Code]:
    def make(call: Call) -> Code:
        run, at = call.input.run, call.at

        def truth(this: Item, env: Env) -> bool:
            items = [item for item in run(this, env) if not isinstance(item, NoValue)]
            if not all(isinstance(item, bool) for item in items):
                raise EvaluationError("expected booleans only", at)
            return judge(items)

        return from_truth(truth)

    return make


def _subset(*, turned: bool) -> Callable[[Call], Code]:
    def make(call: Call) -> Code:
        source, other = call.input, call.need(0)
        a, b = (other.run, source.run) if turned else (source.run, other.run)
        same = sameness(reading(source.shape, other.shape))

        def truth(this: Item, env: Env) -> bool:
            whole = b(this, env)
            return all(same(item, whole) for item in a(this, env))

        return from_truth(truth)

    return make


def _count(call: Call) -> Code:
    run = call.input.run
    return Code(lambda this, env: [len(run(this, env))], INTEGER)


def _distinct(call: Call) -> Code:
    run = call.input.run
    return Code(lambda this, env: unique(run(this, env)), call.input.shape)


def _is_distinct(call: Call) -> Code:
    run = call.input.run

    def truth(this: Item, env: Env) -> bool:
        items: Items = run(this, env)
        return len(unique(items)) == len(items)

    return from_truth(truth)


def _has_value(call: Call) -> Code:
    """FHIR: whether the input is one primitive with a value."""
    run = call.input.run

    def truth(this: Item, env: Env) -> bool:
        items = run(this, env)
        return len(items) == 1 and not isinstance(items[0], NoValue | dict)

    return from_truth(truth)


FUNCTIONS = {
    "empty": Function(_empty),
    "exists": Function(_exists, 0, 1),
    "all": Function(_all, 1, 1),
    "not": Function(_not),
    "allTrue": Function(_booleans(all)),
    "anyTrue": Function(_booleans(any)),
    "allFalse": Function(_booleans(lambda items: not any(items))),
    "anyFalse": Function(_booleans(lambda items: not all(items))),
    "subsetOf": Function(_subset(turned=False), 1, 1),
    "supersetOf": Function(_subset(turned=True), 1, 1),
    "count": Function(_count),
    "distinct": Function(_distinct),
    "isDistinct": Function(_is_distinct),
    "hasValue": Function(_has_value),
}
