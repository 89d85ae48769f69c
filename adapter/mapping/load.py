"""Mapping files from a folder: the only reading of files that the mapping room does.

Owns where mappings lie and that a folder's files are all sound; does not own their meaning.
"""

from functools import lru_cache
from pathlib import Path

import orjson

from adapter.datafile import Document, read_document
from adapter.errors import LosusError, Problem, SetupError
from adapter.mapping.concepts import ConceptMap, concept_map
from adapter.mapping.engine import Mapping, compile_mapping
from adapter.mapping.file import MappingFile

_PACKAGE = Path(__file__).resolve().parent.parent


def default_folder() -> Path:
    """The shipped `mappings/`: beside the package in a checkout, inside it when installed."""
    checkout = _PACKAGE.parent / "mappings"
    return checkout if checkout.is_dir() else _PACKAGE / "data" / "mappings"


@lru_cache(maxsize=64)
def load_mapping(path: Path) -> Mapping:
    """The mapping of one file, compiled; SetupError with every fault of the file at once."""
    document = read_document(path)
    file = document.parse(MappingFile)
    problems: list[Problem] = []
    concepts: dict[str, ConceptMap] = {}
    for name, relative in file.codes.items():
        try:
            concepts[name] = _concepts(path.parent / relative, name)
        except SetupError as error:
            problems += [document.problem(("codes", name), p.rule) for p in error.problems]
    problems += _unknown_tables(document, file)
    try:
        mapping = compile_mapping(file, concepts)
    except LosusError as error:
        problems += [document.problem(("rules",), p.rule) for p in error.problems]
    if problems:
        raise SetupError(*problems)
    return mapping


def load_folder(folder: Path) -> dict[str, Mapping]:
    """Every mapping of `folder` by its id; SetupError with the faults of all files."""
    mappings: dict[str, Mapping] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            mapping = load_mapping(path)
        except SetupError as error:
            problems += error.problems
            continue
        if mapping.file.id != path.stem:
            problems.append(Problem("value", f"id: is to be the file's name, {path.stem}", f"{path}:1"))
        mappings[mapping.file.id] = mapping
    if problems:
        raise SetupError(*problems)
    return mappings


def _concepts(path: Path, name: str) -> ConceptMap:
    try:
        resource = orjson.loads(path.read_bytes())
        return concept_map(name, resource)
    except OSError:
        raise SetupError(Problem("not-found", f"no file {path.name}", str(path))) from None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise SetupError(Problem("structure", f"{path.name} is no ConceptMap", str(path))) from None


def _unknown_tables(document: Document, file: MappingFile) -> list[Problem]:
    return [
        document.problem(("rules", index, "with", name), "names a table that `codes` does not list")
        for index, rule in enumerate(file.rules)
        for name, spec in rule.fields.items()
        if hasattr(spec, "map") and spec.map not in file.codes
    ]
