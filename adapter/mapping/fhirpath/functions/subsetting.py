"""Parts of a collection: FHIRPath N1, 5.3 "Subsetting"."""

from collections.abc import Callable

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import EMPTY, Code, Env, Item, Items, integer_of
from adapter.mapping.fhirpath.comparing import reading, sameness, unique
from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.functions.loops import over


def _cut(part: Callable[[Items], Items]) -> Callable[[Call], Code]:
    def make(call: Call) -> Code:
        return Code(over(call, lambda items, _env: part(items)), call.input.shape)

    return make


def _single(call: Call) -> Code:
    at = call.at

    def only(items: Items, _env: Env) -> Items:
        if len(items) > 1:
            raise EvaluationError("single() found several items", at)
        return items

    return Code(over(call, only), call.input.shape)


def _counted(part: Callable[[Items, int], Items]) -> Callable[[Call], Code]:
    def make(call: Call) -> Code:
        run, number = call.input.run, integer_of(call.need(0), call.at)

        def cut(this: Item, env: Env) -> Items:
            found = number(this, env)
            return EMPTY if found is None else part(run(this, env), max(found, 0))

        return Code(cut, call.input.shape)

    return make


def _intersect(call: Call) -> Code:
    other = call.need(0)
    a, b, same = call.input.run, other.run, sameness(reading(call.input.shape, other.shape))

    def common(this: Item, env: Env) -> Items:
        items = b(this, env)
        return unique([item for item in a(this, env) if same(item, items)])

    return Code(common, call.input.shape)


def _exclude(call: Call) -> Code:
    other = call.need(0)
    a, b, same = call.input.run, other.run, sameness(reading(call.input.shape, other.shape))

    def left(this: Item, env: Env) -> Items:
        items = b(this, env)
        return [item for item in a(this, env) if not same(item, items)]

    return Code(left, call.input.shape)


FUNCTIONS = {
    "first": Function(_cut(lambda items: items if len(items) < 2 else items[:1])),
    "last": Function(_cut(lambda items: items[-1:])),
    "tail": Function(_cut(lambda items: items[1:])),
    "single": Function(_single),
    "skip": Function(_counted(lambda items, number: items[number:]), 1, 1),
    "take": Function(_counted(lambda items, number: items[:number]), 1, 1),
    "intersect": Function(_intersect, 1, 1),
    "exclude": Function(_exclude, 1, 1),
}
