"""Syntax tree to closures, for one FHIR version and one type of root resource.

Owns the walk over the tree, variables, the folding of constants and the refusal of what only the library
can answer. Functions are in `functions/`, operators in `operators` and `arithmetic`.
"""

from collections.abc import Mapping
from datetime import datetime

from adapter.mapping.fhirpath.arithmetic import ARITHMETIC, signed
from adapter.mapping.fhirpath.call import Call, Scope
from adapter.mapping.fhirpath.closure import (
    BOOLEAN,
    DECIMAL,
    EMPTY,
    INTEGER,
    NONE,
    STRING,
    Code,
    Env,
    Item,
    Items,
    Shape,
    Steps,
    always,
    integer_of,
    itself,
)
from adapter.mapping.fhirpath.faults import EvaluationError, FhirPathSyntaxError, RefusedError
from adapter.mapping.fhirpath.functions import FUNCTIONS, VOLATILE
from adapter.mapping.fhirpath.kinds import cast, check_type, head, type_test
from adapter.mapping.fhirpath.model import Model
from adapter.mapping.fhirpath.nodes import (
    Binary,
    Empty,
    Indexer,
    Literal,
    Member,
    Node,
    Sign,
    Special,
    TypeTest,
    Value,
    Variable,
    fixed_variable,
    parts,
)
from adapter.mapping.fhirpath.nodes import Call as CallNode
from adapter.mapping.fhirpath.operators import OPERATORS
from adapter.mapping.fhirpath.paths import member
from adapter.mapping.fhirpath.quantity import Quantity
from adapter.mapping.fhirpath.temporal import Temporal

ROOT_NAMES = frozenset({"resource", "context", "rootResource"})
_SHAPES = {bool: BOOLEAN, str: STRING, int: INTEGER, Quantity: frozenset({"System.Quantity"})}


class Compilation:
    """One compilation; `unknown` collects (name, offset) of elements that no type in question has."""

    def __init__(self, text: str, model: Model, variables: Mapping[str, Shape]) -> None:
        self.text = text
        self.model = model
        self.variables = variables
        self.unknown: list[tuple[str, int]] = []

    def compile(self, node: Node, scope: Scope) -> Code:
        """`node` as closures; RefusedError where the library must do it."""
        code = self._made(node, scope)
        return _folded(code) if code.constant is None and _is_constant(node) else code

    def _made(self, node: Node, scope: Scope) -> Code:
        match node:
            case Literal(value=value):
                code = always([value], _shape_of(value))
            case Empty():
                code = always(EMPTY, NONE)
            case Variable():
                code = self._variable(node)
            case Special():
                code = self._special(node, scope)
            case Member():
                code = self._member(node, scope)
            case CallNode():
                code = self._call(node, scope)
            case Indexer():
                code = self._indexer(node, scope)
            case _:
                code = self._operation(node, scope)
        return code

    def _operation(self, node: Sign | TypeTest | Binary, scope: Scope) -> Code:
        if isinstance(node, Sign):
            return signed(node.sign, self.compile(node.operand, scope), node.at)
        if isinstance(node, TypeTest):
            check_type(node.type, self.model, self.text)
            test = type_test if node.op == "is" else cast
            return test(self.compile(node.operand, scope), node.type, self.model)
        make = OPERATORS.get(node.op) or ARITHMETIC[node.op]
        return make(self.compile(node.left, scope), self.compile(node.right, scope), node.at)

    def member(self, code: Code, name: str, at: int) -> Code:
        """One step of a path from `code`."""
        return member(code, name, at, self.model, lambda missing: self.unknown.append((missing, at)))

    def _member(self, node: Member, scope: Scope) -> Code:
        if node.left is not None:
            return self.member(self.compile(node.left, scope), node.name, node.at)
        by_type = head(node.name, scope.this, self.model)
        if by_type is not None and by_type.shape == NONE:
            self.unknown.append((node.name, node.at))
        return by_type or self.member(_this(scope), node.name, node.at)

    def _special(self, node: Special, scope: Scope) -> Code:
        if node.name == "this":
            return _this(scope)
        if node.name == "index":
            if not scope.in_loop:
                raise FhirPathSyntaxError("$index means nothing outside a loop", self.text, node.at)
            return Code(lambda _this, env: [env.index], INTEGER)
        if not scope.in_aggregate:
            raise FhirPathSyntaxError("$total means nothing outside aggregate()", self.text, node.at)
        return Code(lambda _this, env: env.total, scope.total)

    def _call(self, node: CallNode, scope: Scope) -> Code:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise RefusedError(f"the function {node.name}()", node.at)
        if not function.least <= len(node.args) <= function.most:
            bounds = f"{function.least}" + (f" to {function.most}" if function.most > function.least else "")
            rule = f"{node.name}() takes {bounds} arguments, found {len(node.args)}"
            raise FhirPathSyntaxError(rule, self.text, node.at)
        source = _this(scope) if node.left is None else self.compile(node.left, scope)
        return function.make(Call(self, source, node, scope))

    def _indexer(self, node: Indexer, scope: Scope) -> Code:
        source, index = self.compile(node.left, scope), integer_of(self.compile(node.index, scope), node.at)
        run = source.run

        def picked(this: Item, env: Env) -> Items:
            items, at = run(this, env), index(this, env)
            return [items[at]] if at is not None and 0 <= at < len(items) else EMPTY

        return Code(picked, source.shape)

    def _variable(self, node: Variable) -> Code:
        name, at = node.name, node.at
        fixed = fixed_variable(name)

        def run(_this: Item, env: Env) -> Items:
            if name in env.variables:
                return _as_items(env.variables[name])
            if name in ROOT_NAMES:
                return [env.resource]
            if fixed is not None:
                return [fixed]
            raise EvaluationError(f"no variable %{name} was given", at)

        return Code(run, self.variables.get(name))


def _this(scope: Scope) -> Code:
    return Code(itself, scope.this, steps=Steps(None, ()))


def _as_items(value: object) -> Items:
    if isinstance(value, list):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, datetime):
        return [value.isoformat()]
    return EMPTY if value is None else [value]


def _shape_of(value: Value) -> Shape:
    if isinstance(value, Temporal):
        return frozenset({f"System.{value.kind}"})
    return _SHAPES.get(type(value), DECIMAL)


def _is_constant(node: Node) -> bool:
    if isinstance(node, Variable | Special | Member) or (isinstance(node, CallNode) and node.left is None):
        return False
    if isinstance(node, CallNode) and node.name in VOLATILE:
        return False
    return all(map(_is_constant, parts(node)))


def _folded(code: Code) -> Code:
    """Put the result in place of the closure; an error stays for the evaluation to raise."""
    try:
        items = code.run(None, Env(None, {}, None))
    except (EvaluationError, ArithmeticError):
        return code
    return Code(lambda _this, _env: items, code.shape, constant=items)
