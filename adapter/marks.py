"""YAML text to plain values, with the line of every place.

Owns how YAML scalars are read: `true`/`false`, whole numbers, decimals (exact, never float), dates;
all else is text, so that 12:00 stays a time of day, 0114 a kommunkod and `on` a key. A key twice in one
mapping, and anchors that contain themselves, are faults. Does not own what the values mean.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

#: Where in a document: keys and indices from the root.
Place = tuple[str | int, ...]


_NUMBERS = "-0123456789"
#: How a plain scalar is read: its tag, by its text and the characters that such a text begins with.
_RESOLVERS = (
    ("!null", re.compile(r"^(?:null|~|)$"), ("n", "~", "")),
    ("!bool", re.compile(r"^(?:true|false)$"), ("t", "f")),
    ("!int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), tuple(_NUMBERS)),
    ("!decimal", re.compile(r"^-?[0-9]+\.[0-9]+$"), tuple(_NUMBERS)),
    ("!date", re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), tuple(_NUMBERS)),
)


def _loader(parent: Any) -> Any:  # noqa: ANN401 - PyYAML's classes have no common type
    """Make a loader that composes nodes by `_RESOLVERS`, and no others."""
    made: Any = type("_Loader", (parent,), {"yaml_implicit_resolvers": {}})
    for tag, pattern, first in _RESOLVERS:
        made.add_implicit_resolver(tag, pattern, first)
    return made


#: libyaml, where PyYAML has it, is many times as fast; PyYAML's own code is stricter and says what is wrong.
_FAST, _EXACT = _loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)), _loader(yaml.SafeLoader)
_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "!null": lambda _: None,
    "!bool": lambda text: text == "true",
    "!int": int,
    "!decimal": Decimal,
    "!date": date.fromisoformat,
    "tag:yaml.org,2002:str": str,
}


class Marked:
    """The `value` of a YAML text, the line (from 1) of each place, and the faults: (line, rule).

    `broken` is true where the text is no YAML at all; `value` is then None.
    """

    def __init__(self, text: str) -> None:
        self.value: Any = None
        self.lines: dict[Place, int] = {}
        self.faults: list[tuple[int, str]] = []
        self.broken = False
        try:
            node = _compose(text)
        except yaml.YAMLError as fault:
            self.broken = True
            self.faults.append(_syntax(fault))
        else:
            if node is not None:
                self.value = self._build(node, (), ())

    def _build(self, node: yaml.Node, place: Place, above: tuple[int, ...]) -> Any:  # noqa: ANN401
        self.lines.setdefault(place, node.start_mark.line + 1)
        if id(node) in above:
            self._fault(node, "an anchor contains itself")
            return None
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return {key: self._build(value, (*place, key), above) for key, value in self._pairs(node, place)}
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*place, i), above) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _pairs(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[str, yaml.Node]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(key_node, "a key is a word")
                continue
            key = str(key_node.value)
            if key in seen:
                self._fault(key_node, f"`{key}` stands twice")
            seen.add(key)
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            yield key, value_node

    def _scalar(self, node: yaml.Node) -> Any:  # noqa: ANN401
        try:
            read = _SCALARS[node.tag]
        except KeyError:
            self._fault(node, "a tag that is not known here")
            return None
        try:
            return read(node.value)
        except ValueError:
            self._fault(node, "no such date")
            return None

    def _fault(self, node: yaml.Node, rule: str) -> None:
        self.faults.append((node.start_mark.line + 1, rule))


def _compose(text: str) -> yaml.Node | None:
    """Compose the document; None where it is empty. YAMLError where it is no YAML."""
    if "\t" not in text:  # libyaml takes tabs where YAML does not allow them
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=_FAST)
    return yaml.compose(text, Loader=_EXACT)


def _syntax(fault: yaml.YAMLError) -> tuple[int, str]:
    if not isinstance(fault, yaml.MarkedYAMLError):
        return 1, "no YAML: a character that YAML does not allow"
    mark = fault.problem_mark or fault.context_mark
    return mark.line + 1 if mark else 1, f"no YAML: {fault.problem}"
