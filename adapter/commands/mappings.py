"""`losus mappings`: are the mapping files right, and what may stand in one.

Owns the printing and the exit code; does not own the checks (`mapping.check`).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from adapter.commands.output import Format, out, print_json
from adapter.errors import Problem
from adapter.mapping.check import Report, check
from adapter.mapping.file import schema
from adapter.mapping.load import default_folder, load_examples, open_folder

mappings_app = typer.Typer(help="Mapping files: how each kind of EHR speaks.", no_args_is_help=True)


@mappings_app.command("check")
def check_command(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of mapping files; default: the shipped.", exists=True)
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Check every mapping file of a folder and run its examples; exit code 1 where one has a fault."""
    where = folder or default_folder()
    opened, problems = open_folder(where)
    now = datetime.now(UTC)
    reports = {
        name: check(one.mapping, one.document, load_examples(where, one.mapping.file), now)
        for name, one in opened.items()
    }
    found = (*problems, *(problem for report in reports.values() for problem in report.problems))
    if form is Format.JSON:
        print_json(_as_json(reports, found))
    else:
        for name, report in reports.items():
            file = opened[name].mapping.file
            verdict = "sound" if not report.problems else f"{len(report.problems)} faults"
            out.print(f"{name}: {len(file.rules)} rules, {len(file.examples)} examples, {verdict}")
        for note in (note for report in reports.values() for note in report.notes):
            out.print(f"{note}", style="dim")
        for problem in found:
            out.print(f"{problem.expression}: {problem.rule}")
    raise typer.Exit(1 if found else 0)


def _as_json(reports: dict[str, Report], found: tuple[Problem, ...]) -> dict[str, object]:
    return {
        "mappings": sorted(reports),
        "problems": [{"where": problem.expression, "rule": problem.rule} for problem in found],
        "notes": [note for report in reports.values() for note in report.notes],
    }


@mappings_app.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a mapping file, as it is published in mappings/mapping.schema.json."""
    print_json(schema())
