"""Mapping files and resources of tests, written in as few lines as they can be."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from adapter.mapping.check import Report, check
from adapter.mapping.concepts import ConceptMap
from adapter.mapping.engine import Mapping, Message, Reading, Step, compile_mapping
from adapter.mapping.file import MappingFile
from adapter.mapping.load import load_examples, open_mapping

NOW = datetime(2024, 6, 1, tzinfo=UTC)
START = "2024-03-04T14:20:00+01:00"


def rule(signal: str = "admitted", at: str = "period.start", **more: Any) -> dict[str, Any]:
    return {
        "id": more.pop("id", signal),
        "on": more.pop("on", "Encounter"),
        "signal": signal,
        "at": at,
        **more,
    }


def mapping(*rules: dict[str, Any], tables: dict[str, ConceptMap] | None = None, **heads: Any) -> Mapping:
    codes = dict.fromkeys(tables or {}, "concepts/x.json")
    head = {
        "id": "test",
        "title": "Test",
        "fhir": "R4",
        "case": {"Encounter": "id", "Task": "encounter.reference"},
    }
    return compile_mapping(
        MappingFile.model_validate({**head, "codes": codes, "rules": list(rules or (rule(),)), **heads}),
        tables or {},
    )


def encounter(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "period": {"start": START},
    } | more


def alone(bundle: dict[str, Any] | None = None, sent: str = "") -> Message:
    return Message(bundle, lambda _: None, sent, "2024-06-01T00:00:00Z")


def read(one: Mapping, resource: dict[str, Any], message: Message | None = None, **more: Any) -> Reading:
    reading = one.read("test", resource, resource["resourceType"], message or alone(), **more)
    assert reading is not None
    return reading


def traced(one: Mapping, resource: dict[str, Any]) -> list[Step]:
    trace: list[Step] = []
    read(one, resource, trace=trace)
    return trace


def written(folder: Path, text: str, **files: Any) -> Path:
    """A mapping file in `folder` with other JSON files beside it (`__` for a slash)."""
    path = folder / "test.yaml"
    path.write_text(text, encoding="utf-8")
    for name, content in files.items():
        beside = folder / f"{name.replace('__', '/')}.json"
        beside.parent.mkdir(exist_ok=True)
        beside.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def checked(folder: Path, text: str, **files: Any) -> Report:
    path = written(folder, text, **files)
    opened = open_mapping(path)
    return check(opened.mapping, opened.document, load_examples(folder, opened.mapping.file), NOW)


def as_yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False)
