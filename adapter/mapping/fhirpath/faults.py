"""What can go wrong with an expression: told with its text and the place in it, never with a data value.

Owns the two public errors and the two signals that closures use among themselves. `FhirPathSyntaxError`
is the mapping author's fault and is found when the expression is compiled; `FhirPathError` is found
while it is evaluated on a resource (FHIRPath N1, 4.5 "Singleton evaluation of collections").
"""

from adapter.errors import MappingError, Problem, SetupError


def place(text: str, at: int) -> tuple[int, int]:
    """Line and column, both from 1, of offset `at` in `text`."""
    line = text.count("\n", 0, at) + 1
    return line, at - (text.rfind("\n", 0, at) + 1) + 1


class FhirPathSyntaxError(SetupError):
    """The expression is not FHIRPath, or names a function or type that does not exist."""

    def __init__(self, rule: str, text: str, at: int) -> None:
        self.text, self.at = text, at
        self.line, self.column = place(text, at)
        super().__init__(Problem("invalid", f"line {self.line}, column {self.column}: {rule}", text))


class FhirPathError(MappingError):
    """The expression cannot be evaluated on this resource; `line` and `column` say which part of it."""

    def __init__(self, rule: str, text: str, at: int) -> None:
        self.text, self.at = text, at
        self.line, self.column = place(text, at)
        super().__init__(Problem("processing", f"line {self.line}, column {self.column}: {rule}", text))


class EvaluationError(Exception):
    """Inside the closures: evaluation stops at offset `at`; `Expression` turns it into FhirPathError."""

    def __init__(self, rule: str, at: int) -> None:
        super().__init__(rule)
        self.rule, self.at = rule, at


class RefusedError(Exception):
    """Inside the compiler: this part is left to the library; `reason` says why."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.reason, self.at = reason, at
