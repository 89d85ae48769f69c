"""`losus try`: what a mapping makes of messages, rule by rule; nothing is stored.

Owns the printing; does not own the reading (`mapping.rehearsal`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

import typer

from adapter.commands.output import Format, out, print_json
from adapter.errors import LosusError, Problem, SetupError
from adapter.fhir.document import parse_json
from adapter.fhir.model import FhirVersion
from adapter.losus.case import Case
from adapter.losus.instants import instant_text
from adapter.losus.process import STATUTE
from adapter.mapping.engine import Mapping, Step
from adapter.mapping.load import default_folder, load_mapping
from adapter.mapping.rehearsal import Rehearsal


def try_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Bundles or resources (JSON), or folders, in the order they are sent.", exists=True
        ),
    ],
    mapping: Annotated[str, typer.Option(help="A shipped mapping's id, or a mapping file.")],
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
    fhir: Annotated[
        FhirVersion | None, typer.Option(help="The files' FHIR version; default: the mapping's.")
    ] = None,
) -> None:
    """Show which rule matched, which signal it gave at what time, and the case that results."""
    now = datetime.now(UTC)
    paths = list(_spread(files))
    if not paths:
        raise SetupError(Problem("not-found", "no JSON file in the folder", str(files[0])))
    rehearsal = Rehearsal(find_mapping(mapping), now, fhir)
    for path in paths:
        _add(rehearsal, path)
    if form is Format.JSON:
        print_json(as_json(rehearsal, now))
    else:
        _show(rehearsal, paths, now)


def find_mapping(name: str) -> Mapping:
    """The mapping of that id among the shipped, or of that file; SetupError where there is none."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else default_folder() / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in default_folder().glob("*.yaml")))
        raise SetupError(Problem("not-found", f"no such mapping; there are: {known}", "--mapping"))
    return load_mapping(path)


def _spread(files: list[Path]) -> Iterator[Path]:
    for path in files:
        yield from sorted(path.glob("*.json")) if path.is_dir() else (path,)


def _add(rehearsal: Rehearsal, path: Path) -> None:
    """Read one file; a fault of it names the file too."""
    try:
        rehearsal.add(parse_json(path.read_bytes()))
    except LosusError as error:
        problems = (
            Problem(p.code, p.rule, f"{path}: {p.expression}" if p.expression else str(path))
            for p in error.problems
        )
        raise type(error)(*problems) from None


def as_json(rehearsal: Rehearsal, now: datetime) -> dict[str, Any]:
    """`{"signals": …, "case": …, "trace": …}`, and `cases` where the documents hold more than one."""
    cases = {key: case.picture.model_dump(mode="json") for key, case in rehearsal.cases(STATUTE, now).items()}
    signals = [
        {
            "signal": signal.kind.value,
            "at": instant_text(signal.at),
            **({"with": dict(signal.fields)} if signal.fields else {}),
            "resource": reading.fact.resource,
            "version": reading.fact.version,
            "path": reading.path,
            "case": reading.key,
        }
        for reading in rehearsal.readings
        for signal in reading.fact.signals
    ]
    trace = [
        {
            "path": step.path,
            "rule": step.rule,
            "matched": step.matched,
            "signal": step.signal,
            "at": step.at,
            "found_at": step.found_at,
            "why_not": step.why_not,
            "contradiction": step.contradiction,
        }
        for step in (*rehearsal.trace, *rehearsal.unasked())
    ]
    first = next(iter(cases.values()), None)
    more = {"cases": cases} if len(cases) > 1 else {}
    return {"signals": signals, "case": first, **more, "trace": trace}


def _show(rehearsal: Rehearsal, paths: list[Path], now: datetime) -> None:
    for file, trace in zip(paths, rehearsal.traces(), strict=True):
        for path, steps in groupby(trace, key=attrgetter("path")):
            out.print(f"{file.name}: {path}", style="bold", markup=False)
            for step in steps:
                _show_step(step)
    for why, steps in groupby(rehearsal.unasked(), key=attrgetter("why_not")):
        out.print(f"{why}: {', '.join(step.rule for step in steps)}", style="dim")
    if len(paths) > 1:
        out.print("in the order in which they were read", style="bold")
        for number, file in enumerate(paths, 1):
            for key, case in rehearsal.cases(STATUTE, now, number).items():
                out.print(f"  {file.name}: case {key}: {_stand(case)}")
    for key, case in rehearsal.cases(STATUTE, now).items():
        out.print(f"case {key}: {_stand(case)}, municipality {case.municipality or 'not known'}")


def _show_step(step: Step) -> None:
    if not step.matched:
        out.print(f"  - {step.rule:<22} {step.why_not}", style="dim", markup=False)
    elif step.at is None:
        out.print(f"  + {step.rule:<22} all that it said is void")
    else:
        found = " ".join((step.found_at or "").split())
        out.print(f"  + {step.rule:<22} {step.signal} at {step.at}, from {found}", markup=False)
        if step.contradiction:
            out.print(f"    {'':<22} though it is expected that {step.contradiction}", markup=False)


def _stand(case: Case) -> str:
    if case.state is None:
        return "no state yet"
    leave = ", on leave" if case.standing.on_leave else ""
    since = f" since {instant_text(case.picture.since)}" if case.picture.since else ""
    return f"{case.state.value} ({case.picture.label}){since}{leave}"
