"""The JSON Schema of the chart's values: keys and their words from `helm/values.yaml`, forms from here.

Owns what a value may be. The settings' own part is what `adapter.settings` says of itself, less what the chart
sets by itself, and stricter where the service would refuse to start. Made, not written:

    python -m tests.helm.values_schema > helm/values.schema.json
"""

# ruff: noqa: E501 - an address or a command stands on one line

import json
import re
from typing import Any

import yaml

from adapter.settings import Settings
from tests.helm.forms import FORMS, SETTINGS
from tests.servers import REPOSITORY

VALUES = REPOSITORY / "helm" / "values.yaml"
SCHEMA = REPOSITORY / "helm" / "values.schema.json"
#: What the chart sets by itself, or nobody may set.
_NOT_OF_VALUES = ("database", "secret", "mappings", "agreements", "open_doors")
_KEY = re.compile(r"^(?P<indent> *)(?P<key>\w+):")

Schema = dict[str, Any]
Path = tuple[str, ...]


def values_schema() -> Schema:
    """The schema of all values."""
    text = VALUES.read_text("utf-8")
    settings = Settings.model_json_schema(ref_template="#/$defs/{model}")
    own = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: one for name, one in settings["properties"].items() if name not in _NOT_OF_VALUES
        },
    }
    form = _form((), yaml.safe_load(text), words(text))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the chart losus-adapter",
        **form,
        "$defs": {
            **{name: _closed(one) for name, one in settings["$defs"].items()},
            "Settings": _closed(own),
        },
    }


def words(text: str) -> dict[Path, str]:
    """By path of a key, the comment that stands right above it; ValueError where there is none."""
    said: dict[Path, str] = {}
    comment: list[str] = []
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line.strip().removeprefix("#").removeprefix(" "))
            continue
        if found := _KEY.match(line):
            indent = len(found["indent"])
            path = [(at, key) for at, key in path if at < indent] + [(indent, found["key"])]
            if not comment and not _within_free(tuple(key for _, key in path)):
                raise ValueError(f"values.yaml: no comment above {'.'.join(key for _, key in path)}")
            said[tuple(key for _, key in path)] = " ".join(comment)
        comment = []
    return said


def form_of(path: Path) -> Schema | None:
    """The form of a value that its default does not tell: by its path, else by its key."""
    return FORMS.get(".".join(path)) or FORMS.get(path[-1] if path else "")


def _within_free(path: Path) -> bool:
    """Whether it is a key inside of what has a form as a whole (a list of peers, say)."""
    return any(form_of(path[:length]) is not None for length in range(1, len(path)))


def _form(path: Path, default: Any, said: dict[Path, str]) -> Schema:
    told = {"description": said[path]} if path else {}
    if path == ("settings",):
        return {**told, **SETTINGS}
    given = form_of(path)
    if given is not None:
        return {**told, **given}
    if isinstance(default, dict):
        return {
            **told,
            "type": "object",
            "additionalProperties": False,
            **({"required": ["settings"]} if not path else {}),
            "properties": {key: _form((*path, key), value, said) for key, value in default.items()},
        }
    kinds = {bool: "boolean", int: "integer", str: "string"}
    return {**told, "type": kinds[type(default)]}


def _closed(schema: Any) -> Any:
    """The same, with no way around the names that it knows, and without what only pydantic needs."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _closed(one) for key, one in schema.items() if key not in {"default", "discriminator"}}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return kept


if __name__ == "__main__":
    print(json.dumps(values_schema(), indent=2, ensure_ascii=False))
