"""YAML files that people edit, read so that every fault has its file, line and rule.

Owns reading and the line of each place; does not own what a file may say (its pydantic model
does) nor where files lie.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from adapter.errors import Problem, SetupError

M = TypeVar("M", bound=BaseModel)

#: Where in a document: keys and indices from the root.
Place = tuple[str | int, ...]


class Document:
    """A YAML text with the line of each of its places; raises SetupError where it is no YAML."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        try:
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
            self.data: Any = yaml.load(text, Loader=yaml.CSafeLoader)  # noqa: S506 - a safe loader
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise SetupError(Problem("structure", f"not YAML: {error.problem}", f"{name}:{line}")) from None
        self._lines: dict[Place, int] = {}
        self._repeated: list[Place] = []
        if node is not None:
            self._walk(node, ())

    def _walk(self, node: yaml.Node, place: Place) -> None:
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*place, key.value)
                if inner in self._lines:
                    self._repeated.append(inner)
                self._lines[inner] = key.start_mark.line + 1
                self._walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._walk(value, (*place, index))

    def where(self, place: Sequence[str | int]) -> str:
        """`file:line` of `place`, or of the nearest place around it that the text has."""
        at = tuple(place)
        while at and at not in self._lines:
            at = at[:-1]
        return f"{self.name}:{self._lines.get(at, 1)}"

    def problem(self, place: Sequence[str | int], rule: str, code: str = "value") -> Problem:
        """A fault of this file at `place`; `rule` says what is asked for."""
        dotted = ".".join(str(step) for step in place)
        return Problem(code, f"{dotted}: {rule}" if dotted else rule, self.where(place))

    def parse(self, model: type[M]) -> M:
        """The whole as a `model`; SetupError with every fault at once, a key written twice too."""
        problems = [self.problem(place, "this key stands here twice") for place in self._repeated]
        value: M | None = None
        try:
            value = model.model_validate(self.data)
        except ValidationError as error:
            problems += [self.problem(fault["loc"], fault["msg"]) for fault in error.errors()]
        if problems or value is None:
            raise SetupError(*problems)
        return value


def read_document(path: Path) -> Document:
    """The YAML file at `path`; SetupError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(Problem("not-found", type(error).__name__, str(path))) from None
    return Document(text, str(path))
