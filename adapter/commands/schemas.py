"""`losus schemas`: what subscribers are promised, and what the log says, written to a folder or printed.

Owns the files' names; does not own what stands in them (`adapter.outbound.schemas`, `asyncapi`, `logbook`).
"""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from adapter import logbook
from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, out, print_json
from adapter.outbound.asyncapi import Deployment, document
from adapter.outbound.topics import TopicTerms
from adapter.web.schemas import as_json, as_yaml, deployment_of, made_examples, made_schemas

#: Where no settings are asked for: any municipality, and the broker's address is to be filled in.
_ANY = Deployment(version("losus-adapter"), "kafka.example:9093", {}, TopicTerms(replication=3))


def schemas_command(
    to: Annotated[Path | None, typer.Option(help="Folder to write to; it is made.", file_okay=False)] = None,
    installed: Annotated[
        bool, typer.Option("--installed", help="Tell of this installation: settings from LOSUS_….")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Write the JSON Schemas (of events, of a line of the log) and the AsyncAPI document; or list them."""
    told = document(deployment_of(checked_settings()) if installed else _ANY, made_examples())
    if to is None and form is Format.JSON:
        print_json({"schemas": made_schemas(), "asyncapi": told, "log": logbook.schema()})
        return
    files = {f"{name}.json": as_json(shape) for name, shape in made_schemas().items()}
    files |= {"asyncapi.json": as_json(told), "asyncapi.yaml": as_yaml(told)}
    files[f"{logbook.NAME}.json"] = as_json(logbook.schema())
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        if to is not None:
            (to / name).write_bytes(body)
        if form is Format.JSON:
            print_json({"file": str(to / name) if to else name, "bytes": len(body)})
        else:
            out.print(f"{name:<28} {len(body):>7} bytes", markup=False)
