"""Walking JSON along a path, as closures, without a list for what is single.

Owns how elements are found in objects: repeating ones in order, the forms of a choice, and primitives
that have extensions but no value (JSON `_name`). Knows no model; `paths` decides which names to look for.
"""

from collections.abc import Callable, Collection
from typing import Any

from adapter.mapping.fhirpath.closure import EMPTY, Env, Item, Items, NoValue, Run

_FEW_FORMS = 6
Take = Callable[[dict[str, Any]], Items]
"""What an object gives for a step."""


def walk(base: Run | None, keys: tuple[str, ...], *, primitive: bool) -> Run:
    """Give the closure from the items of `base` (None: from `this`) along `keys`.

    `primitive`: the last may be one, so that JSON's `_name` counts too.
    """
    leaf = primitive_leaf if primitive else _complex_leaf
    *inner, last = keys
    under = f"_{last}"
    ahead = [(key, keys[at:]) for at, key in enumerate(inner)]

    def from_one(current: Item) -> Items:
        for key, rest in ahead:
            if isinstance(current, dict):
                current = current.get(key)
            elif isinstance(current, list):
                return _fan(current, rest, leaf)
            else:
                return EMPTY
        if isinstance(current, dict):
            value = current.get(last)
            if isinstance(value, (str, dict)):
                return [value]
            return leaf(current, last, under, value)
        return _fan(current, (last,), leaf) if isinstance(current, list) else EMPTY

    if base is None:
        return lambda this, _env: from_one(this)

    def run(this: Item, env: Env) -> Items:
        items = base(this, env)
        return from_one(items[0]) if len(items) == 1 else _fan(items, keys, leaf)

    return run


Leaf = Callable[[dict[str, Any], str, str, Item], Items]


def _fan(items: Items, keys: tuple[str, ...], leaf: Leaf) -> Items:
    """Walk where there are several items, in their order."""
    *inner, last = keys
    for key in inner:
        below: Items = []
        for item in items:
            value = item.get(key) if isinstance(item, dict) else None
            if isinstance(value, list):
                below += value
            elif value is not None:
                below.append(value)
        items = below
    under = f"_{last}"
    found: Items = []
    for item in items:
        if isinstance(item, dict):
            value = item.get(last)
            if isinstance(value, (str, dict)):
                found.append(value)
            else:
                found += leaf(item, last, under, value)
    return found


def _complex_leaf(_owner: dict[str, Any], _name: str, _under: str, value: Item) -> Items:
    if isinstance(value, list):
        return [item for item in value if item is not None] if None in value else value
    return EMPTY if value is None else [value]


def primitive_leaf(owner: dict[str, Any], _name: str, under: str, value: Item) -> Items:
    """List what stands under a name, with a NoValue where JSON has only its `_name` (`under`)."""
    if value is None:
        return _without_value(owner.get(under))
    if not isinstance(value, list):
        return [value]
    if None not in value:
        return value
    beside = owner.get(under)
    asides = beside if isinstance(beside, list) else []
    filled = (_filled(item, asides, at) for at, item in enumerate(value))
    return [item for item in filled if item is not None]


def _filled(item: Item, asides: Items, at: int) -> Item:
    if item is None and at < len(asides) and isinstance(asides[at], dict):
        return NoValue(asides[at])
    return item


def _without_value(beside: Item) -> Items:
    if isinstance(beside, dict):
        return [NoValue(beside)]
    if not isinstance(beside, list):
        return EMPTY
    return [NoValue(item) for item in beside if isinstance(item, dict)]


def over(run: Run, take: Take) -> Run:
    """Apply `take` to every item that is an object."""

    def over(this: Item, env: Env) -> Items:
        items = run(this, env)
        if len(items) == 1:
            item = items[0]
            return take(item) if isinstance(item, dict) else EMPTY
        return [found for item in items if isinstance(item, dict) for found in take(item)]

    return over


def choice_taker(forms: Collection[str]) -> Take:
    """Give what finds the one form of a choice that is present, by its JSON names `forms`.

    Where forms are many, the elements that are there are gone through instead.
    """
    pairs = tuple((name, f"_{name}") for name in forms)
    known = {alias: pair for pair in pairs for alias in pair}

    def take(owner: dict[str, Any]) -> Items:
        for name, under in pairs:
            if name in owner or under in owner:
                return primitive_leaf(owner, name, under, owner.get(name))
        return EMPTY

    def take_of_many(owner: dict[str, Any]) -> Items:
        for key in owner:
            if key in known:
                name, under = known[key]
                return primitive_leaf(owner, name, under, owner.get(name))
        return EMPTY

    return take if len(forms) <= _FEW_FORMS else take_of_many
