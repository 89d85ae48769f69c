"""YAML files that people edit, read so that every fault has its file, line and rule.

Owns reading into a model, and where each fault is told; does not own how YAML is read (`marks`) nor
what a file may say (its pydantic model).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from adapter.errors import Problem, SetupError
from adapter.marks import Marked

M = TypeVar("M", bound=BaseModel)


class Document:
    """A YAML text whose every place has a line; `name` is what faults call the file."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._marked = Marked(text)

    def where(self, place: Sequence[str | int]) -> str:
        """`file:line` of `place`, or of the nearest place around it that the text has."""
        at = tuple(place)
        while at and at not in self._marked.lines:
            at = at[:-1]
        return f"{self.name}:{self._marked.lines.get(at, 1)}"

    def problem(self, place: Sequence[str | int], rule: str, code: str = "value") -> Problem:
        """A fault of this file at `place`; `rule` says what is asked for."""
        dotted = ".".join(str(step) for step in place)
        return Problem(code, f"{dotted}: {rule}" if dotted else rule, self.where(place))

    def parse(self, model: type[M]) -> M:
        """The whole as a `model`; SetupError with every fault at once."""
        problems = [Problem("structure", rule, f"{self.name}:{line}") for line, rule in self._marked.faults]
        value: M | None = None
        if not problems:
            try:
                value = model.model_validate(self._marked.value)
            except ValidationError as error:
                problems = [self.problem(fault["loc"], fault["msg"]) for fault in error.errors()]
        if value is None:
            raise SetupError(*problems)
        return value


def read_document(path: Path) -> Document:
    """The YAML file at `path`; SetupError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(Problem("not-found", type(error).__name__, str(path))) from None
    return Document(text, str(path))
