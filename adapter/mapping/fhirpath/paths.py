"""Steps of a path: which JSON names an element has, by the model and the shape of what it is asked of.

Owns choice elements (FHIR, "FHIRPath: Polymorphism"), steps from items whose type only the message
tells, and the extensions of primitives. `walk` does the walking.
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
    itself,
)
from adapter.mapping.fhirpath.faults import EvaluationError, RefusedError
from adapter.mapping.fhirpath.model import ABSTRACT, Element, Model
from adapter.mapping.fhirpath.walk import Take, choice_taker, over, primitive_leaf, walk


def member(code: Code, name: str, at: int, model: Model, unknown: Callable[[str], None]) -> Code:
    """Give the elements `name` of the items of `code`; `unknown` is told what no possible type has."""
    if name == "extension" or (name == "id" and code.shape and any(map(model.is_primitive, code.shape))):
        code = beside(code, model, at)
    shape = code.shape
    if shape == NONE:
        return Code(lambda _this, _env: EMPTY, NONE)
    if shape is not None and shape >= ANYTHING:
        return _key(code, name, ANYTHING, primitive=True)
    if shape is None or not shape.isdisjoint(ABSTRACT):
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
    run, take = code.run, choice_taker(forms)
    return Code(over(run, take), frozenset(forms.values()), steps=Steps(run, (), forms))


def _key(code: Code, name: str, shape: Shape, *, primitive: bool) -> Code:
    """Give a step that is one JSON name, joined to the steps before it."""
    before = code.steps
    if before is None or before.forms:
        before = Steps(code.run, ())
    keys = (*before.keys, name)
    return Code(walk(before.base, keys, primitive=primitive), shape, steps=Steps(before.base, keys))


def _any_type(code: Code, name: str, model: Model) -> Code:
    """Give a step from items whose type only the message tells: resources by resourceType, others by name."""
    forms = tuple((form, f"_{form}") for form in model.choice_names.get(name, ()))
    if not forms:
        return _key(code, name, None, primitive=True)
    under = f"_{name}"
    by_type: dict[str, Take] = {}

    def other(owner: dict[str, Any]) -> Items:
        if name in owner or under in owner:
            return primitive_leaf(owner, name, under, owner.get(name))
        for form, below in forms:
            if form in owner or below in owner:
                return primitive_leaf(owner, form, below, owner.get(form))
        return EMPTY

    def take(owner: dict[str, Any]) -> Items:
        kind = owner.get("resourceType")
        if not isinstance(kind, str) or not model.is_concrete(kind):
            return other(owner)
        if kind not in by_type:
            element = model.element(kind, name) or Element({name: kind})
            by_type[kind] = choice_taker(element.types)
        return by_type[kind](owner)

    return Code(over(code.run, take))


def beside(code: Code, model: Model, at: int) -> Code:
    """Give what carries the extensions of the items: themselves, or what JSON puts beside a primitive.

    RefusedError where the items may be primitives that no path leads to.
    """
    shape, steps = code.shape, code.steps
    if shape is not None and not any(map(model.is_primitive, shape)):
        return code
    if steps is None or not (steps.keys or steps.forms):
        if shape is None:
            return Code(_own(code.run, at), frozenset({"Element"}))
        raise RefusedError("extensions of a primitive away from its path", at)
    names = {name: f"_{name}" for name in steps.forms or (steps.keys[-1],)}
    before = Code(steps.base or itself) if steps.forms else _before_last(steps)
    return Code(over(before.run, _sides(names)), frozenset({"Element"}))


def _own(run: Run, at: int) -> Run:
    """Give the items that are objects; scalars may have extensions that cannot be seen from here."""

    def own(this: Item, env: Env) -> Items:
        found: Items = []
        for item in run(this, env):
            if not isinstance(item, dict | NoValue):
                raise EvaluationError("extensions of a primitive away from its path", at)
            found.append(item if isinstance(item, dict) else item.element)
        return found

    return own


def _before_last(steps: Steps) -> Code:
    if len(steps.keys) > 1:
        return Code(walk(steps.base, steps.keys[:-1], primitive=False))
    return Code(steps.base or itself)


def _sides(names: Mapping[str, str]) -> Take:
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
