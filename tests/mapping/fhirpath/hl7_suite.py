"""HL7's own FHIRPath suite: its rows, how one is run either way, and what counts as its expected answer."""

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from adapter.mapping.fhirpath import FhirPathError, FhirPathSyntaxError, compile_expression
from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.library import LibraryExpression
from adapter.mapping.fhirpath.parser import parse

FOLDER = (
    Path(os.environ.get("LOSUS_SHARED") or Path(__file__).resolve().parents[4] / "shared")
    / "data"
    / "fhirpath"
)
NOW = {"now": "2026-03-01T12:00:00.000+01:00"}
FAULT = "fault"
Answer = list[Any] | str
"""The values, or FAULT."""


@dataclass(frozen=True)
class Row:
    """One test of the suite; `resource` None where its input file is not among the shared data."""

    name: str
    text: str
    resource: dict[str, Any] | None
    invalid: str | None
    predicate: bool
    expected: tuple[tuple[str | None, str], ...]

    def __str__(self) -> str:
        return self.name


def rows() -> list[Row]:
    """All rows, in order; none where the shared data is missing."""
    path = FOLDER / "tests-fhir-r4.xml"
    if not path.exists():
        return []
    return [_row(test) for test in ET.parse(path).iter("test")]  # noqa: S314 -- HL7's file, read by a test


def _row(test: ET.Element) -> Row:
    expression = test.find("expression")
    assert expression is not None
    return Row(
        name=test.attrib["name"],
        text=expression.text or "",
        resource=_input(test.get("inputfile")),
        invalid=expression.get("invalid"),
        predicate=test.get("predicate") == "true",
        expected=tuple((out.get("type"), out.text or "") for out in test.findall("output")),
    )


def _input(name: str | None) -> dict[str, Any] | None:
    if name is None:
        return {}
    path = FOLDER / Path(name).with_suffix(".json").name
    return json.loads(path.read_bytes()) if path.exists() else None


def accepted(row: Row) -> bool:
    """Whether the compiler takes the row: closures of ours answer, or find it wrong."""
    try:
        return compile_expression(row.text).compiled_for(row.resource or {}, NOW)
    except FhirPathSyntaxError:
        return row.invalid is not None


def ask_ours(row: Row) -> Answer:
    """What `compile_expression` gives; for a semantic fault its `check()` speaks too."""
    resource = row.resource or {}
    try:
        expression = compile_expression(row.text)
        values = expression(resource, NOW)
    except (FhirPathError, FhirPathSyntaxError):
        return FAULT
    if row.invalid == "semantic" and expression.check(resource["resourceType"]):
        return FAULT
    return values


def ask_library(row: Row) -> Answer:
    """What fhirpathpy gives for the same."""
    try:
        return LibraryExpression(row.text, parse(row.text), "R4")(row.resource or {}, NOW, None)
    except (EvaluationError, FhirPathSyntaxError):
        return FAULT


def as_expected(row: Row, answer: Answer) -> bool:
    """Whether the answer is the suite's, in value and type."""
    if row.invalid is not None or isinstance(answer, str):
        return row.invalid is not None and answer == FAULT
    values = [bool(answer)] if row.predicate else answer
    pairs = zip(row.expected, values, strict=False)
    return len(values) == len(row.expected) and all(_same(kind, text, value) for (kind, text), value in pairs)


def _same(kind: str | None, text: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind in {"boolean", None} and text == str(value).lower()
    if isinstance(value, int | Decimal):
        fits = isinstance(value, int) if kind == "integer" else kind in {"decimal", None}
        return fits and Decimal(text) == value
    if isinstance(value, dict):
        return kind in {"Quantity", None} and text == f"{value['value']} '{value['unit']}'"
    if kind in {"date", "dateTime", "time", None}:
        return text.lstrip("@").removeprefix("T") == value
    return kind in {"string", "code", "id"} and text == value
