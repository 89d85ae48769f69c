"""`losus mappings check`: are the mapping files sound, and do their examples give what they say.

Owns the printing and the exit code; does not own the checks (`mapping.check`).
"""

from pathlib import Path
from typing import Annotated

import typer

from adapter.commands.output import Format, out, print_json
from adapter.errors import Problem, SetupError
from adapter.mapping.load import default_folder, load_folder

mappings_app = typer.Typer(help="Mapping files: how each kind of EHR speaks.", no_args_is_help=True)


@mappings_app.callback()
def _group() -> None:
    """Keep `check` a command of its own name."""


@mappings_app.command("check")
def check_command(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of mapping files; default: the shipped.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Check every mapping file of a folder; exit code 1 where one has a fault."""
    try:
        mappings = load_folder(folder or default_folder())
        problems: tuple[Problem, ...] = ()
    except SetupError as error:
        mappings, problems = {}, error.problems
    if form is Format.JSON:
        faults = [{"where": p.expression, "rule": p.rule} for p in problems]
        print_json({"mappings": sorted(mappings), "problems": faults})
    else:
        for name, mapping in mappings.items():
            out.print(f"{name}: {len(mapping.file.rules)} rules, sound")
        for problem in problems:
            out.print(f"{problem.expression}: {problem.rule}")
    raise typer.Exit(1 if problems else 0)
