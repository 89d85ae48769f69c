"""Mapping files, their tables and their examples from a folder: the only reading that the room does.

Owns where mappings lie, and that every fault of a file is told at once with its line; does not own what
a file means (`file`, `plan`) nor whether it does what its examples say (`check`).
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from adapter.datafile import Document, read_document
from adapter.errors import LosusError, Problem, SetupError
from adapter.fhir.document import parse_json
from adapter.mapping.concepts import ConceptMap, concept_map
from adapter.mapping.engine import Mapping, made_ready
from adapter.mapping.file import MappingFile
from adapter.mapping.plan import compile_file

_PACKAGE = Path(__file__).resolve().parent.parent
_SHARED = "shared:"


def default_folder() -> Path:
    """The shipped `mappings/`: beside the package in a checkout, inside it when installed."""
    checkout = _PACKAGE.parent / "mappings"
    return checkout if checkout.is_dir() else _PACKAGE / "data" / "mappings"


def shared_folder() -> Path:
    """Where `shared:…` examples lie: below `LOSUS_SHARED`, or in `shared` beside the checkout."""
    return Path(os.environ.get("LOSUS_SHARED") or _PACKAGE.parents[1] / "shared") / "data"


@dataclass(frozen=True, slots=True)
class Opened:
    """A mapping with the document that it was read from, which knows the line of every place."""

    mapping: Mapping
    document: Document


def open_mapping(path: Path) -> Opened:
    """The mapping of one file, compiled; SetupError with every fault of the file at once."""
    document = read_document(path)
    file = document.parse(MappingFile)
    problems: list[Problem] = []
    if file.id != path.stem:
        problems.append(document.problem(("id",), f"is to be the file's name, {path.stem}"))
    concepts: dict[str, ConceptMap] = {}
    for name, relative in file.codes.items():
        try:
            concepts[name] = _concepts(path.parent / relative, name)
        except SetupError as error:
            problems += [document.problem(("codes", name), p.rule) for p in error.problems]
    made = compile_file(file)
    problems += [document.problem(place, f"{_rule(file, place)}{rule}") for place, rule in made.faults]
    if problems:
        raise SetupError(*problems)
    return Opened(made_ready(file, made, concepts), document)


def load_mapping(path: Path) -> Mapping:
    """The mapping of one file, compiled; SetupError with every fault of the file at once."""
    return open_mapping(path).mapping


def open_folder(folder: Path) -> tuple[dict[str, Opened], tuple[Problem, ...]]:
    """Every sound mapping of `folder` by its id, and the faults of all the others."""
    opened: dict[str, Opened] = {}
    problems: list[Problem] = []
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        problems.append(Problem("not-found", "no mapping file (*.yaml) in this folder", str(folder)))
    for path in paths:
        try:
            opened[path.stem] = open_mapping(path)
        except SetupError as error:
            problems += error.problems
    return opened, tuple(problems)


def load_folder(folder: Path) -> dict[str, Mapping]:
    """Every mapping of `folder` by its id; SetupError with the faults of all files."""
    opened, problems = open_folder(folder)
    if problems:
        raise SetupError(*problems)
    return {name: one.mapping for name, one in opened.items()}


def load_examples(folder: Path, file: MappingFile) -> dict[str, dict[str, Any] | Problem | None]:
    """The inputs of a file's examples: the document, what is wrong with it, or None where it is not here.

    `folder` is the mapping file's own. Only a `shared:` input may be missing.
    """
    inputs = dict.fromkeys(name for example in file.examples for name in example.inputs)
    return {name: _document(folder, name) for name in inputs}


def _document(folder: Path, name: str) -> dict[str, Any] | Problem | None:
    shared = name.startswith(_SHARED)
    path = shared_folder() / name.removeprefix(_SHARED) if shared else folder / name
    if shared and not path.is_file():
        return None
    try:
        return parse_json(path.read_bytes())
    except OSError:
        return Problem("not-found", f"no file {name}")
    except LosusError as error:
        return error.problems[0]


def _rule(file: MappingFile, place: tuple[str | int, ...]) -> str:
    """Name the rule that a place belongs to."""
    if place[0] == "rules" and isinstance(place[1], int):
        return f"rule {file.rules[place[1]].id}: "
    return ""


def _concepts(path: Path, name: str) -> ConceptMap:
    try:
        return concept_map(name, orjson.loads(path.read_bytes()))
    except OSError:
        raise SetupError(Problem("not-found", f"no file {path.name}", str(path))) from None
    except orjson.JSONDecodeError:
        raise SetupError(Problem("structure", f"{path.name} is no JSON", str(path))) from None
    except ValueError as error:
        raise SetupError(Problem("value", f"{path.name}: {error}", str(path))) from None
    except (KeyError, TypeError, AttributeError):
        raise SetupError(Problem("structure", f"{path.name} is no ConceptMap", str(path))) from None
