"""What the maker of one function gets, and the table it is entered in.

Owns `Call` and `Function`; the functions themselves are in `functions/`, one file a subject.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from adapter.mapping.fhirpath.closure import Code, Shape
from adapter.mapping.fhirpath.faults import FhirPathSyntaxError
from adapter.mapping.fhirpath.model import Model
from adapter.mapping.fhirpath.nodes import Call as CallNode
from adapter.mapping.fhirpath.nodes import Literal, Member, Node, Special, TypeName, parts


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a part stands: the shape of `$this`, and whether `$index` and `$total` mean something."""

    this: Shape
    in_loop: bool = False
    in_aggregate: bool = False
    total: Shape = None


class Compiler(Protocol):
    """What functions need of the compiler."""

    text: str
    model: Model

    def compile(self, node: Node, scope: Scope) -> Code:
        """`node` as closures."""
        ...

    def member(self, code: Code, name: str, at: int) -> Code:
        """One step of a path from `code`."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the input, the call as written, and where it stands."""

    compiler: Compiler
    input: Code
    node: CallNode
    scope: Scope

    @property
    def at(self) -> int:
        """Offset of the function's name."""
        return self.node.at

    def arg(self, index: int) -> Code | None:
        """Argument `index`, evaluated where the call stands; None if not given."""
        if index >= len(self.node.args):
            return None
        return self.compiler.compile(self.node.args[index], self.scope)

    def need(self, index: int) -> Code:
        """Argument `index`, which the function's arity makes sure of."""
        return self.compiler.compile(self.node.args[index], self.scope)

    def each(self, index: int, this: Shape, *, loop: bool = True) -> Code:
        """Argument `index`, evaluated for an item of shape `this` as `$this`."""
        scope = Scope(this, loop or self.scope.in_loop, self.scope.in_aggregate, self.scope.total)
        return self.compiler.compile(self.node.args[index], scope)

    def literal(self, index: int) -> str | None:
        """Argument `index` where it is a string written out."""
        node = self.node.args[index]
        return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None

    def type_name(self) -> TypeName:
        """Read the only argument as the name of a type."""
        match self.node.args[0]:
            case Member(left=None, name=name, at=at):
                return TypeName(None, name, at)
            case Member(left=Member(left=None, name="FHIR" | "System" as space), name=name, at=at):
                return TypeName(space, name, at)
        text = self.compiler.text
        raise FhirPathSyntaxError("expected the name of a type", text, self.node.args[0].at)


@dataclass(frozen=True, slots=True)
class Function:
    """How a function is made, with how many arguments it takes at least and at most."""

    make: Callable[[Call], Code]
    least: int = 0
    most: int = 0


Functions = Mapping[str, Function]


def uses(node: Node, special: str) -> bool:
    """Whether `$special` stands anywhere in the tree."""
    return (isinstance(node, Special) and node.name == special) or any(uses(p, special) for p in parts(node))


def uses_call(node: Node, name: str) -> bool:
    """Whether the function `name` is called anywhere in the tree."""
    return (isinstance(node, CallNode) and node.name == name) or any(uses_call(p, name) for p in parts(node))
