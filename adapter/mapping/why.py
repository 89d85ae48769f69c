"""Why a rule did not match: the first part of its `when` that does not hold, in the rule's own words.

Owns the taking apart of an expression at its outermost `and`s; quotes the mapping, never the message.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from adapter.errors import LosusError
from adapter.mapping.fhirpath import Expression, compile_expression

_WORD = re.compile(r"'(?:\\.|[^'\\])*'|`[^`]*`|[A-Za-z_]\w*|[()\[\]{}]|.", re.DOTALL)
_LOOSER = frozenset({"or", "xor", "implies"})


def why_not(when: Expression, fhir: str, find: Callable[[Expression], list[Any]]) -> str:
    """Tell which part of `when` does not hold; `find` evaluates an expression on the resource."""
    parts = _conjuncts(when.text, fhir)
    for part in parts if len(parts) > 1 else ():
        if find(part) != [True]:
            return f"does not hold: {part.text}"
    return f"does not hold: {' '.join(when.text.split())}"


@lru_cache(maxsize=1024)
def _conjuncts(text: str, fhir: str) -> tuple[Expression, ...]:
    try:
        return tuple(compile_expression(part, fhir=fhir) for part in _split(text))
    except LosusError:  # taken apart wrongly: then the whole is quoted
        return ()


def _split(text: str) -> Iterator[str]:
    """Give what stands between the outermost `and`s; the whole where a looser operator stands outermost."""
    parts: list[str] = []
    depth = start = 0
    for match in _WORD.finditer(text):
        word = match.group()
        depth += (word in "([{") - (word in ")]}")
        if depth == 0 and word in _LOOSER:
            parts = []
            start = 0
            break
        if depth == 0 and word == "and":
            parts.append(text[start : match.start()])
            start = match.end()
    return (" ".join(part.split()) for part in [*parts, text[start:]])
