"""The JSON Schemas of the files in `agreements/`, made from the models that read them.

Owns their titles and the names of their parts; the files `agreements/*.schema.json` are this, printed,
and a test holds them in step.
"""

import json
from typing import Any

from pydantic import BaseModel

from adapter.agreements.agreement import Agreement
from adapter.agreements.federation import Federations
from adapter.agreements.rates import Rates

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def agreement_schema() -> str:
    """Give the schema of an agreement file, as the text of the published file."""
    return _schema(Agreement, "An agreement on payment for utskrivningsklara patients")


def rates_schema() -> str:
    """Give the schema of `rates.yaml`, as the text of the published file."""
    return _schema(Rates, "Amounts per day and year")


def federations_schema() -> str:
    """Give the schema of `federations.yaml`, as the text of the published file."""
    return _schema(Federations, "Federations that pay and receive for municipalities")


def _schema(model: type[BaseModel], title: str) -> str:
    schema = model.model_json_schema(by_alias=True)
    schema = {"$schema": _DRAFT, **schema, "title": title}
    text = json.dumps(schema, ensure_ascii=False, indent=2)
    for name in sorted(schema.get("$defs", {}), key=len, reverse=True):
        text = text.replace(f'"{name}"', f'"{_plain(name)}"').replace(f'/{name}"', f'/{_plain(name)}"')
    return json.dumps(_untitled(json.loads(text)), ensure_ascii=False, indent=2, sort_keys=False) + "\n"


def _plain(name: str) -> str:
    """Make a readable name of a generic model's: pydantic spells out the whole type."""
    words = [word for word in name.replace("_", " ").split() if word not in _NOISE]
    return "".join(words) or name


_NOISE = frozenset(
    ("Annotated", "Union", "FieldInfo", "annotation", "NoneType", "required", "True", "metadata")
)


def _untitled(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Drop the titles that only repeat a field's name."""
    if isinstance(value, dict):
        drop = isinstance(value.get("title"), str) and "$schema" not in value
        return {key: _untitled(item) for key, item in value.items() if not (drop and key == "title")}
    if isinstance(value, list):
        return [_untitled(item) for item in value]
    return value
