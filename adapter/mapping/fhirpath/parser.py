"""Tokens to syntax tree, by precedence climbing (Pratt), as HL7's FHIRPath N1 orders its operators.

Owns grammar and precedence. `is` and `as` bind tighter than `|` and `<`, which HL7's suite asks for
(testPrecedence3, testPrecedence4). Errors name line, column and what was expected.
"""

from decimal import Decimal

from adapter.mapping.fhirpath.faults import FhirPathSyntaxError
from adapter.mapping.fhirpath.nodes import (
    Binary,
    Call,
    Empty,
    Indexer,
    Literal,
    Member,
    Node,
    Sign,
    Special,
    TypeName,
    TypeTest,
    Variable,
)
from adapter.mapping.fhirpath.quantity import CALENDAR_WORDS, Quantity
from adapter.mapping.fhirpath.temporal import parse_temporal
from adapter.mapping.fhirpath.tokens import Token, tokenize

_LEVELS = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<=", "<", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_BINDING = {op: level for level, ops in enumerate(_LEVELS, start=1) for op in ops}
_RESERVED = frozenset({"and", "or", "xor", "implies", "div", "mod", "true", "false"})
_DEEPEST = 100


def parse(text: str) -> Node:
    """Read the whole of `text` as a syntax tree; FhirPathSyntaxError where it is not FHIRPath."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.position = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self.expression(0)
        if self.token.kind != "end":
            raise self.expected("an operator or the end")
        return node

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def expected(self, what: str) -> FhirPathSyntaxError:
        found = self.token
        shown = "the end" if found.kind == "end" else f"{found.text!r}"
        return FhirPathSyntaxError(f"expected {what}, found {shown}", self.text, found.at)

    def advance(self) -> Token:
        token = self.token
        self.position += 1
        return token

    def sees(self, symbol: str) -> bool:
        return self.token.kind == "symbol" and self.token.text == symbol

    def take(self, symbol: str) -> Token:
        if not self.sees(symbol):
            raise self.expected(f"{symbol!r}")
        return self.advance()

    def expression(self, above: int) -> Node:
        """Read an expression whose operators all bind tighter than level `above`."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FhirPathSyntaxError(f"nested deeper than {_DEEPEST}", self.text, self.token.at)
        left = self.signed()
        while True:
            op = self.token
            level = _BINDING.get(op.text, 0) if op.kind in {"symbol", "word"} else 0
            if level <= above:
                self.depth -= 1
                return left
            self.advance()
            if op.text in {"is", "as"}:
                left = TypeTest(op.text, left, self.type_name(), op.at)
            else:
                left = Binary(op.text, left, self.expression(level), op.at)

    def signed(self) -> Node:
        if self.sees("+") or self.sees("-"):
            sign = self.advance()
            return Sign(sign.text, self.expression(len(_LEVELS)), sign.at)
        return self.postfix(self.term())

    def postfix(self, node: Node) -> Node:
        while True:
            if self.sees("."):
                self.advance()
                node = self.invocation(node)
            elif self.sees("["):
                at = self.advance().at
                node = Indexer(node, self.expression(0), at)
                self.take("]")
            else:
                return node

    def term(self) -> Node:
        token = self.token
        if token.kind == "symbol":
            return self.bracketed(token)
        if token.kind == "string":
            return Literal(self.advance().text, token.at)
        if token.kind == "number":
            return self.number()
        if token.kind in {"datetime", "time"}:
            return self.temporal()
        if token.kind == "word" and token.text in {"true", "false"}:
            return Literal(self.advance().text == "true", token.at)
        return self.invocation(None)

    def bracketed(self, token: Token) -> Node:
        if token.text == "(":
            self.advance()
            node = self.expression(0)
            self.take(")")
            return node
        if token.text == "{":
            self.advance()
            self.take("}")
            return Empty(token.at)
        if token.text == "%":
            self.advance()
            if self.token.kind == "string":
                return Variable(self.advance().text, token.at)
            return Variable(self.identifier("the name of a variable"), token.at)
        raise self.expected("a value, a path or '('")

    def number(self) -> Node:
        token = self.advance()
        unit = self.token
        if unit.kind == "string" or (unit.kind == "word" and unit.text in CALENDAR_WORDS):
            self.advance()
            return Literal(Quantity(Decimal(token.text), unit.text, unit.kind == "word"), token.at)
        return Literal(Decimal(token.text) if "." in token.text else int(token.text), token.at)

    def temporal(self) -> Node:
        token = self.advance()
        value = parse_temporal(token.text[1:])
        if value is None:
            raise FhirPathSyntaxError("expected a day and time that exist", self.text, token.at)
        return Literal(value, token.at)

    def invocation(self, left: Node | None) -> Node:
        token = self.token
        if token.kind == "special":
            if left is not None:
                raise self.expected("the name of an element or function")
            return Special(self.advance().text[1:], token.at)
        name = self.identifier("the name of an element or function" if left else "a value or a path")
        if not self.sees("("):
            return Member(left, name, token.at)
        self.advance()
        return Call(left, name, self.arguments(), token.at)

    def arguments(self) -> tuple[Node, ...]:
        args: list[Node] = []
        if not self.sees(")"):
            args.append(self.expression(0))
            while self.sees(","):
                self.advance()
                args.append(self.expression(0))
        if not self.sees(")"):
            raise self.expected("',' or ')'")
        self.advance()
        return tuple(args)

    def identifier(self, what: str) -> str:
        token = self.token
        if token.kind == "word" and token.text in _RESERVED:
            raise self.expected(f"{what} (a reserved word is written in backticks: `{token.text}`)")
        if token.kind not in {"word", "delimited"}:
            raise self.expected(what)
        return self.advance().text

    def type_name(self) -> TypeName:
        at = self.token.at
        first = self.identifier("the name of a type")
        if not self.sees(".") or first not in {"FHIR", "System"}:
            return TypeName(None, first, at)
        self.advance()
        return TypeName(first, self.identifier("the name of a type"), at)
