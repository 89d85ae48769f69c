"""How a function runs its argument once for each item.

Owns the loop's `$this` and `$index`; an environment of its own is made only where `$index` is asked for.
"""

from collections.abc import Callable

from adapter.mapping.fhirpath.call import Call, uses
from adapter.mapping.fhirpath.closure import Code, Env, Item, Items, Run, Truth, truth_of

Filter = Callable[[Items, Env], Items]


def criteria(call: Call, index: int = 0) -> Filter:
    """Give the items for which argument `index` is true."""
    truth: Truth = truth_of(call.each(index, call.input.shape), call.at)
    if not uses(call.node.args[index], "index"):

        def kept(items: Items, env: Env) -> Items:
            if len(items) == 1:
                return items if truth(items[0], env) else []
            return [item for item in items if truth(item, env)]

        return kept

    def counted(items: Items, env: Env) -> Items:
        return [item for at, item in enumerate(items) if truth(item, env.inside(at, env.total))]

    return counted


def projection(call: Call, index: int = 0) -> tuple[Code, Callable[[Items, Env], Items]]:
    """Give what argument `index` gives for each item, in a row; beside it the compiled argument."""
    code = call.each(index, call.input.shape)
    run: Run = code.run
    if not uses(call.node.args[index], "index"):

        def projected(items: Items, env: Env) -> Items:
            if len(items) == 1:
                return run(items[0], env)
            return [found for item in items for found in run(item, env)]

        return code, projected

    def counted(items: Items, env: Env) -> Items:
        return [found for at, item in enumerate(items) for found in run(item, env.inside(at, env.total))]

    return code, counted


def over(call: Call, work: Callable[[Items, Env], Items]) -> Run:
    """`work` on the input of the call."""
    run = call.input.run

    def done(this: Item, env: Env) -> Items:
        return work(run(this, env), env)

    return done
