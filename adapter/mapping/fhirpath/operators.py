"""The operators between two collections, as closures.

Owns FHIRPath N1, 6.1-6.5 but for arithmetic (`arithmetic`): equality, order, membership, union and
three-valued logic. The right side of `and`, `or`, `implies` is not evaluated where the left decides.
"""

from collections.abc import Callable

from adapter.mapping.fhirpath.closure import Code, Env, Item, Items, Truth, from_truth, one_item, truth_of
from adapter.mapping.fhirpath.comparing import (
    Reading,
    equal,
    equal_lists,
    equivalent_lists,
    order,
    reading,
    sameness,
    unique,
)

Maker = Callable[[Code, Code, int], Code]


def _equals(left: Code, right: Code, _at: int) -> Code:
    return from_truth(_equality(left, right))


def _differs(left: Code, right: Code, _at: int) -> Code:
    equals = _equality(left, right)

    def truth(this: Item, env: Env) -> bool | None:
        found = equals(this, env)
        return None if found is None else not found

    return from_truth(truth)


def _equality(left: Code, right: Code) -> Truth:
    how = reading(left.shape, right.shape)
    for one, other in ((left, right), (right, left)):
        if other.constant is not None and len(other.constant) == 1 and how is Reading.TEXT:
            value = other.constant[0]
            if isinstance(value, str):
                return _equals_text(one, value)
    run_left, run_right = left.run, right.run

    def truth(this: Item, env: Env) -> bool | None:
        a, b = run_left(this, env), run_right(this, env)
        if len(a) == 1 and len(b) == 1:
            return equal(a[0], b[0], how)
        return equal_lists(a, b, how)

    return truth


def _equals_text(code: Code, text: str) -> Truth:
    """`path = 'text'`, the commonest test of all; one step from `$this` needs no list."""
    run, steps = code.run, code.steps
    wanted = [text]

    def truth(this: Item, env: Env) -> bool | None:
        items = run(this, env)
        if len(items) == 1:
            value = items[0]
            return value == text if isinstance(value, str) else equal(value, text, Reading.TEXT)
        return equal_lists(items, wanted, Reading.TEXT)

    if steps is None or steps.base is not None or len(steps.keys) != 1 or steps.forms:
        return truth
    key = steps.keys[0]

    def direct(this: Item, env: Env) -> bool | None:
        value = this.get(key) if isinstance(this, dict) else None
        return value == text if isinstance(value, str) else truth(this, env)

    return direct


def _equivalence(*, wanted: bool) -> Maker:
    def make(left: Code, right: Code, _at: int) -> Code:
        how, a, b = reading(left.shape, right.shape), left.run, right.run
        return from_truth(lambda this, env: equivalent_lists(a(this, env), b(this, env), how) is wanted)

    return make


def _ordering(holds: Callable[[int], bool]) -> Maker:
    def make(left: Code, right: Code, at: int) -> Code:
        how, a, b = reading(left.shape, right.shape), left.run, right.run

        def truth(this: Item, env: Env) -> bool | None:
            x, y = one_item(a(this, env), at), one_item(b(this, env), at)
            if x is None or y is None:
                return None
            found = order(x, y, how, at)
            return None if found is None else holds(found)

        return from_truth(truth)

    return make


def _is_in(left: Code, right: Code, at: int) -> Code:
    a, b, same = left.run, right.run, sameness(reading(left.shape, right.shape))

    def truth(this: Item, env: Env) -> bool | None:
        item = one_item(a(this, env), at)
        return None if item is None else same(item, b(this, env))

    return from_truth(truth)


def _contains(left: Code, right: Code, at: int) -> Code:
    return _is_in(right, left, at)


def union(left: Code, right: Code, _at: int) -> Code:
    """Both collections as one, each item once."""
    a, b = left.run, right.run
    shape = None if left.shape is None or right.shape is None else left.shape | right.shape

    def run(this: Item, env: Env) -> Items:
        one, other = a(this, env), b(this, env)
        return unique(one + other) if other else unique(one)

    return Code(run, shape)


def _and(left: Code, right: Code, at: int) -> Code:
    a, b = truth_of(left, at), truth_of(right, at)

    def truth(this: Item, env: Env) -> bool | None:
        first = a(this, env)
        if first is False:
            return False
        second = b(this, env)
        return second if first or second is False else None

    return from_truth(truth)


def _or(left: Code, right: Code, at: int) -> Code:
    a, b = truth_of(left, at), truth_of(right, at)

    def truth(this: Item, env: Env) -> bool | None:
        first = a(this, env)
        if first:
            return True
        second = b(this, env)
        return second if second or first is False else None

    return from_truth(truth)


def _xor(left: Code, right: Code, at: int) -> Code:
    a, b = truth_of(left, at), truth_of(right, at)

    def truth(this: Item, env: Env) -> bool | None:
        first, second = a(this, env), b(this, env)
        return None if first is None or second is None else first is not second

    return from_truth(truth)


def _implies(left: Code, right: Code, at: int) -> Code:
    a, b = truth_of(left, at), truth_of(right, at)

    def truth(this: Item, env: Env) -> bool | None:
        first = a(this, env)
        if first is False:
            return True
        second = b(this, env)
        return second if first or second else None

    return from_truth(truth)


OPERATORS: dict[str, Maker] = {
    "=": _equals,
    "!=": _differs,
    "~": _equivalence(wanted=True),
    "!~": _equivalence(wanted=False),
    "<": _ordering(lambda found: found < 0),
    "<=": _ordering(lambda found: found <= 0),
    ">": _ordering(lambda found: found > 0),
    ">=": _ordering(lambda found: found >= 0),
    "in": _is_in,
    "contains": _contains,
    "|": union,
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
}
