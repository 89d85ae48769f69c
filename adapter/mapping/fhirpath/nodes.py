"""The syntax tree of an expression: frozen values, each with `at`, its offset in the text.

Owns the shapes only; `parser` makes them and `compile` turns them into closures.
"""

from dataclasses import dataclass
from decimal import Decimal

from adapter.mapping.fhirpath.quantity import Quantity
from adapter.mapping.fhirpath.temporal import Temporal

Value = bool | int | Decimal | str | Temporal | Quantity


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the expression."""

    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class Empty:
    """The empty collection `{}`."""

    at: int


@dataclass(frozen=True, slots=True)
class Variable:
    """`%name`, a value from outside."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Special:
    """`$this`, `$index` or `$total` (`name` without the dollar sign)."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Member:
    """`left.name`; `left` is None at the head of a path."""

    left: "Node | None"
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """`left.name(args)`; `left` is None where the call is made on the focus itself."""

    left: "Node | None"
    name: str
    args: "tuple[Node, ...]"
    at: int


@dataclass(frozen=True, slots=True)
class Indexer:
    """`left[index]`, counted from 0."""

    left: "Node"
    index: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Sign:
    """`+operand` or `-operand`."""

    sign: str
    operand: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right`."""

    op: str
    left: "Node"
    right: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as written: `Patient`, `FHIR.Patient`, `System.String`; `namespace` None where not written."""

    namespace: str | None
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is type` or `operand as type`."""

    op: str
    operand: "Node"
    type: TypeName
    at: int


Node = Literal | Empty | Variable | Special | Member | Call | Indexer | Sign | Binary | TypeTest


def parts(node: Node) -> tuple[Node, ...]:
    """Give the nodes directly below `node`, from left to right."""
    match node:
        case Member(left=left):
            return () if left is None else (left,)
        case Call(left=left, args=args):
            return args if left is None else (left, *args)
        case Indexer(left=left, index=index):
            return (left, index)
        case Sign(operand=operand) | TypeTest(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
    return ()


def variables(node: Node) -> frozenset[str]:
    """Names of all `%variables` in the tree."""
    own = {node.name} if isinstance(node, Variable) else set()
    return frozenset(own.union(*map(variables, parts(node))))


_FIXED = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
_FIXED_PREFIXES = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


def fixed_variable(name: str) -> str | None:
    """Give the value of a variable that HL7 fixes (`%ucum`, `%`vs-…``); None for any other."""
    for prefix, base in _FIXED_PREFIXES.items():
        if name.startswith(prefix):
            return base + name.removeprefix(prefix)
    return _FIXED.get(name)


_ORDERED = frozenset({"first", "last", "tail", "skip", "take"})
_UNORDERED = frozenset({"children", "descendants"})


def unordered(node: Node) -> tuple[int, ...]:
    """Offsets of the functions that ask for order right behind a function that gives none."""
    own: tuple[int, ...] = ()
    if isinstance(node, Indexer) or (isinstance(node, Call) and node.name in _ORDERED):
        left = node.left
        own = (node.at,) if isinstance(left, Call) and left.name in _UNORDERED else ()
    return own + tuple(at for part in parts(node) for at in unordered(part))
