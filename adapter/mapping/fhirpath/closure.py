"""What the compiler makes: closures over one item, with what is known of their result beforehand.

Owns the calling convention. A closure takes `this` (the item in focus) and `env` (the one evaluation)
and returns a list that **nobody may change**: it may be a list of the message itself, or one shared by
all evaluations. Holds no state, so any number of threads may run the same closure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.temporal import Temporal

Item = Any
Items = list[Any]
Shape = frozenset[str] | None
"""Types that the items may have: FHIR types, paths of backbone elements, `System.…`; None for unknown."""

EMPTY: Final[Items] = []
TRUE: Final[Items] = [True]
FALSE: Final[Items] = [False]
NOTHING: Final = object()
"""The focus of a function that is called on an empty collection."""

BOOLEAN: Final = frozenset({"System.Boolean"})
STRING: Final = frozenset({"System.String"})
INTEGER: Final = frozenset({"System.Integer"})
DECIMAL: Final = frozenset({"System.Decimal"})
NUMBER: Final = INTEGER | DECIMAL
NONE: Final[frozenset[str]] = frozenset()
ANYTHING: Final = frozenset({"?"})
"""The root before any resource is seen: takes every type test, so that a trial compilation tells what
can be compiled at all. Closures made with it are never run."""


@dataclass(frozen=True, slots=True)
class NoValue:
    """A primitive element without a value, present for its `id` or `extension` (JSON `_name`) only."""

    element: Mapping[str, Any]


class Env:
    """One evaluation: the resource, the variables, the resolver, and what the loops count."""

    __slots__ = ("index", "resolver", "resource", "total", "variables")

    def __init__(
        self,
        resource: Item,
        variables: Mapping[str, object],
        resolver: Callable[[str], dict[str, Any] | None] | None,
    ) -> None:
        self.resource = resource
        self.variables = variables
        self.resolver = resolver
        self.index = 0
        self.total: Items = EMPTY

    def inside(self, index: int, total: Items) -> "Env":
        """Give the same evaluation, one loop further in."""
        inner = Env(self.resource, self.variables, self.resolver)
        inner.index, inner.total = index, total
        return inner


Run = Callable[[Item, Env], Items]
Truth = Callable[[Item, Env], bool | None]
One = Callable[[Item, Env], Item]


@dataclass(frozen=True, slots=True)
class Steps:
    """How a path got here, so that the next step can be joined to it instead of put upon it.

    `base` None: from `this`. `keys`: JSON names in order. `forms`: the JSON names of a last step that
    is a choice, with their types.
    """

    base: Run | None
    keys: tuple[str, ...]
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled part: its closure, the shape of the result, and shorter ways to it where there are any.

    `truth` gives a boolean without a list about it; `steps` tells that it is a path; `constant` holds
    the result where it never changes.
    """

    run: Run
    shape: Shape = None
    truth: Truth | None = None
    steps: Steps | None = None
    constant: Items | None = None


def always(items: Items, shape: Shape) -> Code:
    """Give a constant."""
    return Code(lambda _this, _env: items, shape, constant=items)


def from_truth(truth: Truth) -> Code:
    """Give a boolean closure as one that gives a collection; None becomes empty."""

    def run(this: Item, env: Env) -> Items:
        found = truth(this, env)
        return EMPTY if found is None else TRUE if found else FALSE

    return Code(run, BOOLEAN, truth)


def from_one(one: One, shape: Shape) -> Code:
    """Give a closure that gives one value or None as one that gives a collection."""

    def run(this: Item, env: Env) -> Items:
        found = one(this, env)
        return EMPTY if found is None else [found]

    return Code(run, shape)


def truth_of(code: Code, at: int) -> Truth:
    """Give the result as a boolean; a single item that is no boolean counts as true (N1, 4.5)."""
    if code.truth is not None:
        return code.truth
    run = code.run

    def truth(this: Item, env: Env) -> bool | None:
        found = one_item(run(this, env), at)
        if found is None or found is True or found is False:
            return found
        return True

    return truth


def one_item(items: Items, at: int) -> Item:
    """Give the only item, None for none (or for one without a value); more than one is an error."""
    if not items:
        return None
    if len(items) > 1:
        raise EvaluationError("expected one item at most, found several", at)
    found = items[0]
    return None if isinstance(found, NoValue) else found


def itself(this: Item, _env: Env) -> Items:
    """Give the focus."""
    return EMPTY if this is NOTHING else [this]


def one_of(code: Code, at: int) -> One:
    """Give the only item of the result, or None."""
    if code.constant is not None and len(code.constant) == 1:
        value = code.constant[0]
        return lambda _this, _env: value
    run = code.run
    return lambda this, env: one_item(run(this, env), at)


def text_of(code: Code, at: int) -> Callable[[Item, Env], str | None]:
    """Give the only item as a string; one that is no string is an error."""
    if code.constant and isinstance(code.constant[0], str) and len(code.constant) == 1:
        written: str = code.constant[0]
        return lambda _this, _env: written
    run = code.run

    def text(this: Item, env: Env) -> str | None:
        found = one_item(run(this, env), at)
        if isinstance(found, Temporal):
            return found.text
        if found is None or isinstance(found, str):
            return found
        raise EvaluationError("expected a string", at)

    return text


def integer_of(code: Code, at: int) -> Callable[[Item, Env], int | None]:
    """Give the only item as an integer; one that is none is an error."""
    run = code.run

    def integer(this: Item, env: Env) -> int | None:
        found = number(one_item(run(this, env), at))
        if found is None:
            return None
        if not is_number(found) or found != int(found):
            raise EvaluationError("expected an integer", at)
        return int(found)

    return integer


def number(value: Item) -> Any:  # noqa: ANN401 -- any item goes in, and comes out unless it is a number
    """Give a JSON number as int or Decimal, by its shortest text; any other item unchanged."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def is_number(value: Item) -> bool:
    """Whether the item is a number; booleans are none."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
