"""Steps of a path: `a.b.c` walks as one closure, without a list for what is single.

Owns how an element is found in JSON: choice elements by the model (FHIR, "FHIRPath: Polymorphism"),
primitives that have extensions but no value (JSON `_name`), repeating elements in order.
"""

from collections.abc import Callable, Mapping
from typing import Any

from adapter.mapping.fhirpath.closure import (
    ANYTHING,
    EMPTY,
    NONE,
    Code,
    Env,
    Item,
    Items,
    NoValue,
    Run,
    Shape,
    Steps,
)
from adapter.mapping.fhirpath.faults import RefusedError
from adapter.mapping.fhirpath.model import ANY_RESOURCE, Element, Model

_FEW_FORMS = 6


def member(code: Code, name: str, at: int, model: Model, unknown: Callable[[str], None]) -> Code:
    """Give the elements `name` of the items of `code`; `unknown` is told what no possible type has."""
    if name == "extension" or (name == "id" and code.shape and any(map(model.is_primitive, code.shape))):
        code = beside(code, model, at)
    shape = code.shape
    if shape == NONE:
        return Code(lambda _this, _env: EMPTY, NONE)
    if shape is not None and shape >= ANYTHING:
        return _key(code, name, ANYTHING, primitive=True)
    if shape is None or not shape.isdisjoint((ANY_RESOURCE, "DomainResource")):
        return _any_type(code, name, model)
    found = [element for kind in sorted(shape) if (element := model.element(kind, name)) is not None]
    if not found or any(element.form_of for element in found):
        unknown(name)
    if not found:
        return _key(code, name, None, primitive=True)
    forms: dict[str, str] = {}
    for element in found:
        forms.update(element.types)
    types = frozenset(forms.values())
    if tuple(forms) == (name,):
        return _key(code, name, types, primitive=any(map(model.is_primitive, types)))
    return choice(code, forms)


def choice(code: Code, forms: Mapping[str, str]) -> Code:
    """Give the element that stands under one of the JSON names `forms`."""
    run, take = code.run, _choice_taker(forms)
    return Code(_over(run, take), frozenset(forms.values()), steps=Steps(run, (), forms))


def _key(code: Code, name: str, shape: Shape, *, primitive: bool) -> Code:
    """Give a step that is one JSON name, joined to the steps before it."""
    before = code.steps
    if before is None or before.forms:
        before = Steps(code.run, ())
    keys = (*before.keys, name)
    return Code(_walk(before.base, keys, primitive=primitive), shape, steps=Steps(before.base, keys))


def _walk(base: Run | None, keys: tuple[str, ...], *, primitive: bool) -> Run:
    leaf = _primitive_leaf if primitive else _complex_leaf
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
            if isinstance(value, str | dict):
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
            found += leaf(item, last, under, item.get(last))
    return found


def _complex_leaf(_owner: dict[str, Any], _name: str, _under: str, value: Item) -> Items:
    if isinstance(value, list):
        return [item for item in value if item is not None] if None in value else value
    return EMPTY if value is None else [value]


def _primitive_leaf(owner: dict[str, Any], _name: str, under: str, value: Item) -> Items:
    if value is None:
        return _without_value(owner.get(under))
    if not isinstance(value, list):
        return [value]
    if None not in value:
        return value
    beside = owner.get(under) or []
    filled = (
        NoValue(beside[at]) if item is None and at < len(beside) and beside[at] else item
        for at, item in enumerate(value)
    )
    return [item for item in filled if item is not None]


def _without_value(beside: Item) -> Items:
    if isinstance(beside, dict):
        return [NoValue(beside)]
    return [NoValue(item) for item in beside if item] if isinstance(beside, list) else EMPTY


def _over(run: Run, take: Callable[[dict[str, Any]], Items]) -> Run:
    """`take` for every item that is an object."""

    def over(this: Item, env: Env) -> Items:
        items = run(this, env)
        if len(items) == 1:
            item = items[0]
            return take(item) if isinstance(item, dict) else EMPTY
        return [found for item in items if isinstance(item, dict) for found in take(item)]

    return over


def _choice_taker(forms: Mapping[str, str]) -> Callable[[dict[str, Any]], Items]:
    """At most one form of a choice is present: look for each, or for each element where forms are many."""
    pairs = tuple((name, f"_{name}") for name in forms)
    known = {alias: pair for pair in pairs for alias in pair}

    def take(owner: dict[str, Any]) -> Items:
        for name, under in pairs:
            if name in owner or under in owner:
                return _primitive_leaf(owner, name, under, owner.get(name))
        return EMPTY

    def take_of_many(owner: dict[str, Any]) -> Items:
        for key in owner:
            if key in known:
                name, under = known[key]
                return _primitive_leaf(owner, name, under, owner.get(name))
        return EMPTY

    return take if len(forms) <= _FEW_FORMS else take_of_many


def _any_type(code: Code, name: str, model: Model) -> Code:
    """Give a step from items whose type only the message tells: resources by resourceType, others by name."""
    forms = tuple((form, f"_{form}") for form in model.choice_names.get(name, ()))
    if not forms:
        return _key(code, name, None, primitive=True)
    under = f"_{name}"
    by_type: dict[str, Callable[[dict[str, Any]], Items]] = {}

    def other(owner: dict[str, Any]) -> Items:
        if name in owner or under in owner:
            return _primitive_leaf(owner, name, under, owner.get(name))
        for form, below in forms:
            if form in owner or below in owner:
                return _primitive_leaf(owner, form, below, owner.get(form))
        return EMPTY

    def take(owner: dict[str, Any]) -> Items:
        kind = owner.get("resourceType")
        if not isinstance(kind, str) or not model.is_concrete(kind):
            return other(owner)
        if kind not in by_type:
            element = model.element(kind, name) or Element({name: kind})
            by_type[kind] = _choice_taker(element.types)
        return by_type[kind](owner)

    return Code(_over(code.run, take))


def beside(code: Code, model: Model, at: int) -> Code:
    """Give what carries the extensions of the items: themselves, or what JSON puts beside a primitive.

    RefusedError where the items may be primitives that no path leads to.
    """
    shape, steps = code.shape, code.steps
    if shape is not None and not any(map(model.is_primitive, shape)):
        return code
    if steps is None or not (steps.keys or steps.forms):
        if shape is None:
            return code
        raise RefusedError("extensions of a primitive away from its path", at)
    names = {name: f"_{name}" for name in steps.forms or (steps.keys[-1],)}
    before = Code(steps.base or _identity) if steps.forms else _before_last(steps)
    return Code(_over(before.run, _sides(names)), frozenset({"Element"}))


def _identity(this: Item, _env: Env) -> Items:
    return [this]


def _before_last(steps: Steps) -> Code:
    if len(steps.keys) > 1:
        return Code(_walk(steps.base, steps.keys[:-1], primitive=False))
    return Code(steps.base or _identity)


def _sides(names: Mapping[str, str]) -> Callable[[dict[str, Any]], Items]:
    """Of an owner: the objects under `name`, and what stands under `_name` for those that are primitives."""

    def take(owner: dict[str, Any]) -> Items:
        found: Items = []
        for pair in names.items():
            for key in pair:
                value = owner.get(key)
                found += [
                    one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)
                ]
        return found

    return take
