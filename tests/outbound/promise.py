"""Whether a schema still keeps what an earlier one promised to those who read by it.

Owns the rules. A reader is kept whole where everything that may come now might have come before: no field
gone, no field left out, no other kind of value, no other form of it. Two rules go further. A listed value
that is no longer sent is a broken promise too, for somebody waits for it. And nothing may become required
that was not: the events that were recorded before are published again, and they do not have it. What no
rule judges has to be the same.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_WORDS = {
    "title",
    "description",
    "$comment",
    "examples",
    "default",
    "deprecated",
    "x-added",
    "$schema",
    "$defs",
}
_JUDGED = {
    "$id", "type", "enum", "const", "format", "pattern", "required", "properties", "additionalProperties",
    "items", "anyOf", "allOf", "if", "then",
}  # fmt: skip
_LOWEST = ("minimum", "minLength", "minItems")
_HIGHEST = ("maximum", "maxLength", "maxItems")


def broken(old: Schema, new: Schema) -> list[str]:
    """What a reader of `old` can no longer rely on under `new`, each with its place; empty: nothing."""
    return list(_Pair(old, new).within(old, new, ""))


def broken_set(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """The same for named schemas; one that is gone breaks all that it promised."""
    gone = [f"{name}: no longer there" for name in sorted(set(old) - set(new))]
    return gone + [
        f"{name}{one}" for name in sorted(set(old) & set(new)) for one in broken(old[name], new[name])
    ]


class _Pair:
    """Two schemas with their definitions."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new

    def within(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """What of `new` is not within `old`; references are followed, alternatives tried."""
        for choice in _choices(_resolved(new, self._new)):
            tried = [
                (_kinds(one), list(self._one(one, choice, at))) for one in _choices(_resolved(old, self._old))
            ]
            if any(not faults for _, faults in tried):
                continue
            alike = [faults for kinds, faults in tried if _kinds(choice) and _kinds(choice) <= kinds]
            yield from min(alike, key=len) if alike else (f"{at}: another kind of value",)

    def _one(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        if not _kinds(new) <= _kinds(old):
            yield f"{at}: another kind of value"
        yield from _values(old, new, at)
        yield from _forms(old, new, at)
        yield from self._fields(old, new, at)
        yield from self._parts(old, new, at)
        for word in sorted((set(old) | set(new)) - _WORDS - _JUDGED - {*_LOWEST, *_HIGHEST}):
            if old.get(word) != new.get(word):
                yield f"{at}: {word} is not what it was"

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        required, known = set(new.get("required", ())), set(old.get("required", ()))
        for name in sorted(known - required):
            yield f"{at}/{name}: may be left out now"
        for name in sorted(required - known):
            yield f"{at}/{name}: is required now, and events that were recorded before do not have it"
        fields = new.get("properties", {})
        for name, shape in old.get("properties", {}).items():
            if name not in fields:
                yield f"{at}/{name}: gone"
            else:
                yield from self.within(shape, fields[name], f"{at}/{name}")

    def _parts(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """What is in lists and maps, and what holds under conditions."""
        for word, step in (("items", "[]"), ("additionalProperties", "{}"), ("then", "")):
            if word not in old:
                continue
            before, now = old[word], new.get(word, True)
            if isinstance(before, bool) or isinstance(now, bool):
                if before is not True and now is not before:
                    yield f"{at}{step}: anything goes now"
            else:
                yield from self.within(before, now, f"{at}{step}")
        rules = {json.dumps(one.get("if")): one for one in new.get("allOf", ())}
        for rule in old.get("allOf", ()):
            kept = rules.get(json.dumps(rule.get("if")))
            if kept is None:
                yield f"{at}: a condition is gone"
            else:
                yield from self.within(rule, kept, at)


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, now = _listed(old), _listed(new)
    if before is None:
        return
    if now is None:
        yield f"{at}: values that were listed are free now"
        return
    for value in sorted(now - before):
        yield f"{at}: the value {value} is new"
    for value in sorted(before - now):
        yield f"{at}: the value {value} is gone"


def _forms(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for word in ("$id", "format", "pattern"):
        if word in old and old[word] != new.get(word) and _listed(new) is None:
            yield f"{at}: {word} is not what it was"
    for word in _LOWEST:
        if word in old and new.get(word, float("-inf")) < old[word]:
            yield f"{at}: {word} is lower"
    for word in _HIGHEST:
        if word in old and new.get(word, float("inf")) > old[word]:
            yield f"{at}: {word} is higher"


def _resolved(shape: Schema, root: Schema) -> Schema:
    while "$ref" in shape:
        inner = root["$defs"][shape["$ref"].rpartition("/")[2]]
        shape = {**inner, **{word: value for word, value in shape.items() if word != "$ref"}}
    choices = [_resolved(one, root) for one in shape.get("anyOf", ())]
    return {**shape, "anyOf": choices} if choices else shape


def _choices(shape: Schema) -> Iterable[Schema]:
    return shape.get("anyOf") or (shape,)


def _kinds(shape: Schema) -> frozenset[str]:
    """JSON's types that may come; all where nothing is said. An integer is a number too."""
    listed = _listed(shape)
    if listed is not None:
        return frozenset(_kind(json.loads(value)) for value in listed)
    said = shape.get("type", ("object", "array", "string", "integer", "number", "boolean", "null"))
    kinds = {said} if isinstance(said, str) else set(said)
    return frozenset(kinds | {"integer"} if "number" in kinds else kinds)


def _kind(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _listed(shape: Schema) -> frozenset[str] | None:
    """The values that may come, as JSON, where they are listed."""
    if "const" in shape:
        return frozenset({json.dumps(shape["const"])})
    return frozenset(map(json.dumps, shape["enum"])) if "enum" in shape else None
