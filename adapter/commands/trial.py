"""`losus try`: what a mapping makes of messages, rule by rule; nothing is stored.

Owns the printing; does not own the reading (`mapping.rehearsal`).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from adapter.commands.output import Format, out, print_json
from adapter.errors import Problem, SetupError
from adapter.fhir.document import parse_json
from adapter.losus.instants import instant_text
from adapter.losus.process import STATUTE
from adapter.mapping.engine import Mapping
from adapter.mapping.load import default_folder, load_mapping
from adapter.mapping.rehearsal import Rehearsal, rehearse


def try_command(
    files: Annotated[
        list[Path], typer.Argument(help="Bundles or resources (JSON), or folders.", exists=True)
    ],
    mapping: Annotated[str, typer.Option(help="A shipped mapping's id, or a mapping file.")],
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Show which rule matched, which signal it gave at what time, and the case that results."""
    now = datetime.now(UTC)
    documents = [parse_json(path.read_bytes()) for path in _spread(files)]
    rehearsal = rehearse(find_mapping(mapping), documents, now)
    if form is Format.JSON:
        print_json(as_json(rehearsal, now))
    else:
        _show(rehearsal, now)


def find_mapping(name: str) -> Mapping:
    """The mapping of that id among the shipped, or of that file; SetupError where there is none."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else default_folder() / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in default_folder().glob("*.yaml")))
        raise SetupError(Problem("not-found", f"no such mapping; there are: {known}", "--mapping"))
    return load_mapping(path)


def _spread(files: list[Path]) -> list[Path]:
    return [one for path in files for one in (sorted(path.glob("*.json")) if path.is_dir() else [path])]


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
            "path": s.path,
            "rule": s.rule,
            "matched": s.matched,
            "signal": s.signal,
            "at": s.at,
            "why_not": s.why_not,
        }
        for s in rehearsal.trace
    ]
    first = next(iter(cases.values()), None)
    more = {"cases": cases} if len(cases) > 1 else {}
    return {"signals": signals, "case": first, **more, "trace": trace}


def _show(rehearsal: Rehearsal, now: datetime) -> None:
    table = Table("where", "rule", "signal", "at, or why not")
    for step in rehearsal.trace:
        style = None if step.matched else "dim"
        table.add_row(
            step.path, step.rule, step.signal if step.matched else "-", step.at or step.why_not, style=style
        )
    out.print(table)
    for key, case in rehearsal.cases(STATUTE, now).items():
        state = f"{case.state.value} ({case.picture.label})" if case.state else "no state yet"
        leave = ", on leave" if case.picture.on_leave else ""
        out.print(f"case {key}: {state}{leave}, municipality {case.municipality or 'not known'}")
