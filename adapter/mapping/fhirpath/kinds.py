"""Types of items: `is`, `as`, `ofType`, and the type that heads a path.

Owns what the compiler can decide beforehand from shapes, and what must be read off a resource. Where the
type of an item can be known by neither, the expression is refused (N1, 6.3 "Types").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapter.mapping.fhirpath.closure import (
    ANYTHING,
    EMPTY,
    NONE,
    Code,
    Env,
    Item,
    Items,
    Run,
    Shape,
    Steps,
    from_truth,
    itself,
    one_item,
)
from adapter.mapping.fhirpath.faults import FhirPathSyntaxError, RefusedError
from adapter.mapping.fhirpath.model import ABSTRACT, SYSTEM_TYPES, Model
from adapter.mapping.fhirpath.nodes import TypeName
from adapter.mapping.fhirpath.paths import choice
from adapter.mapping.fhirpath.quantity import Quantity
from adapter.mapping.fhirpath.temporal import Temporal

Answer = bool | None
"""True or False for all items alike; None where it depends on the item."""


def check_type(wanted: TypeName, model: Model, text: str) -> None:
    """FhirPathSyntaxError where no type has that name; in the namespace System any name is a type."""
    if wanted.namespace == "System" or wanted.name in model.names:
        return
    if wanted.namespace is None and wanted.name in SYSTEM_TYPES:
        return
    raise FhirPathSyntaxError(f"no such type: {wanted.name!r}", text, wanted.at)


def kind_is(kind: str, wanted: TypeName, model: Model, *, exact: bool) -> bool:
    """Whether an item of type `kind` is of type `wanted`; `exact` leaves kinds of primitives out."""
    if kind.startswith("System."):
        return wanted.namespace != "FHIR" and kind == f"System.{wanted.name}"
    if wanted.namespace == "System":
        return False
    if exact and model.is_primitive(kind):
        return kind == wanted.name
    return model.is_a(kind, wanted.name)


def type_test(code: Code, wanted: TypeName, model: Model) -> Code:
    """`is`: whether the only item is of the type."""
    if code.steps is not None and code.steps.forms:
        return _is_choice(code, wanted, model)
    test = _test(code, wanted, model, exact=False)
    run, at = code.run, wanted.at

    def truth(this: Item, env: Env) -> bool | None:
        found = one_item(run(this, env), at)
        return None if found is None else test(found)

    return from_truth(truth)


def cast(code: Code, wanted: TypeName, model: Model) -> Code:
    """`as`: the only item if it is of the type, else nothing."""
    kept, at = of_type(code, wanted, model), wanted.at
    before, after = code.run, kept.run

    def run(this: Item, env: Env) -> Items:
        one_item(before(this, env), at)
        return after(this, env)

    return Code(run, kept.shape, steps=None)


def of_type(code: Code, wanted: TypeName, model: Model) -> Code:
    """`ofType()`: the items that are of the type."""
    if code.steps is not None and code.steps.forms:
        return _of_choice(code, wanted, model)
    shape = code.shape
    if shape is not None and shape >= ANYTHING:
        return code
    known = None if shape is None else {kind_is(kind, wanted, model, exact=True) for kind in shape}
    if known == {True}:
        return code
    if known in ({False}, set()) and not _open(shape):
        run_all = code.run
        return Code(lambda this, env: run_all(this, env) and EMPTY, NONE)
    return Code(_kept(code, wanted, model), frozenset({wanted.name}))


def _kept(code: Code, wanted: TypeName, model: Model) -> Run:
    test, run = _test(code, wanted, model, exact=True), code.run
    if not isinstance(test, _OfResource) or test.names != {wanted.name}:
        return lambda this, env: [item for item in run(this, env) if test(item)]
    name = wanted.name

    def kept(this: Item, env: Env) -> Items:
        items = run(this, env)
        return [item for item in items if isinstance(item, dict) and item.get("resourceType") == name]

    return kept


def _of_choice(code: Code, wanted: TypeName, model: Model) -> Code:
    """Narrow a choice to the JSON names of the type."""
    return _narrowed(code, wanted, model, exact=True)


def _is_choice(code: Code, wanted: TypeName, model: Model) -> Code:
    """`is` on a choice: whether what is there stands under a JSON name of the type."""
    run, narrowed, at = code.run, _narrowed(code, wanted, model, exact=False).run, wanted.at

    def truth(this: Item, env: Env) -> bool | None:
        found = one_item(run(this, env), at)
        return None if found is None else bool(narrowed(this, env))

    return from_truth(truth)


def _narrowed(code: Code, wanted: TypeName, model: Model, *, exact: bool) -> Code:
    forms, base = (code.steps.forms, code.steps.base) if code.steps is not None else ({}, None)
    kept = {name: kind for name, kind in forms.items() if kind_is(kind, wanted, model, exact=exact)}
    if base is None or not kept:
        return Code(lambda _this, _env: EMPTY, NONE)
    return choice(Code(base), kept)


def _open(shape: Shape) -> bool:
    return shape is None or not shape.isdisjoint(ABSTRACT)


def _test(code: Code, wanted: TypeName, model: Model, *, exact: bool) -> Callable[[Item], bool]:
    shape = code.shape
    if shape is not None and shape >= ANYTHING:
        return bool
    if not _open(shape) and shape is not None:
        answers = {kind: kind_is(kind, wanted, model, exact=exact) for kind in shape}
        if len(set(answers.values())) <= 1:
            answer = any(answers.values())
            return lambda _item: answer
        by_class = _by_class(answers)
        if by_class is not None:
            return lambda item: by_class.get(type(item), False)
    if wanted.namespace != "System" and model.is_resource(wanted.name):
        return _OfResource(model.kinds_of(wanted.name))
    if shape is not None and _open(shape) and len(shape) == 1:
        return lambda _item: False
    raise RefusedError("a type that only the library keeps track of", wanted.at)


_NUMBERS = frozenset({"integer", "decimal", "positiveInt", "unsignedInt", "integer64"})


def _by_class(answers: Mapping[str, bool]) -> Mapping[type, bool] | None:
    """Give the answer for each class of JSON value, where the class alone decides; else None."""
    found: dict[type, bool] = {}
    for kind, answer in answers.items():
        for json_class in _json_classes(kind):
            if found.setdefault(json_class, answer) is not answer:
                return None
    return found


def _json_classes(kind: str) -> tuple[type, ...]:
    if kind.startswith("System."):
        return (bool, int, float, Decimal, str, dict, Temporal, Quantity)
    if kind == "boolean":
        return (bool,)
    if kind in _NUMBERS:
        return (int, float, Decimal)
    return (str,) if kind[0].islower() and "." not in kind else (dict,)


@dataclass(frozen=True, slots=True)
class _OfResource:
    """Whether an item is a resource of one of the types `names`."""

    names: frozenset[str]

    def __call__(self, item: Item) -> bool:
        kind = item.get("resourceType") if isinstance(item, dict) else None
        return isinstance(kind, str) and kind in self.names


def head(name: str, shape: Shape, model: Model) -> Code | None:
    """`Encounter` at the head of a path: the focus if it is of that type; None where `name` is no type."""
    if name not in model.names or name[0].islower():
        return None
    if shape is not None and not _open(shape) and not shape >= ANYTHING:
        if all(kind_is(kind, TypeName(None, name, 0), model, exact=False) for kind in shape):
            return None if shape == NONE else Code(itself, shape, steps=Steps(None, ()))
        return Code(lambda _this, _env: EMPTY, NONE)
    test = _OfResource(model.kinds_of(name))

    def run(this: Item, _env: Env) -> Items:
        return [this] if test(this) else EMPTY

    return Code(run, frozenset({name}) if model.is_concrete(name) else None)
