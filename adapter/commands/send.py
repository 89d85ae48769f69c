"""`losus send`: message Bundles from files to an adapter, with the answers.

Owns the sending and what is printed of an answer: its code and, where refused, where and why.
"""

from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer

from adapter.commands.output import Format, err, out, print_json


def send_command(
    files: Annotated[list[Path], typer.Argument(help="Message Bundles (JSON).", exists=True, dir_okay=False)],
    source: Annotated[str, typer.Option(help="The source to send as.")] = "losus-r4",
    to: Annotated[str, typer.Option(help="The adapter.", envvar="LOSUS_URL")] = "http://127.0.0.1:8000",
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Send message Bundles in the order given; exit code 1 where one was not taken."""
    refused = 0
    with httpx.Client(base_url=to, timeout=30) as client:
        for file in files:
            try:
                answer = send_message(client, source, file.read_bytes())
            except httpx.TransportError as error:
                err.print(f"losus: {to}: no answer ({type(error).__name__})")
                raise typer.Exit(1) from None
            refused += answer["code"] != "ok"
            if form is Format.JSON:
                print_json({"file": str(file), **answer})
            else:
                out.print(f"{file.name}: {answer['status']} {answer['code']}")
                for issue in answer["issues"]:
                    out.print(f"  {issue.get('expression', ['message'])[0]}: {issue.get('diagnostics', '')}")
    raise typer.Exit(1 if refused else 0)


def send_message(client: httpx.Client, source: str, body: bytes) -> dict[str, Any]:
    """Send one message; its HTTP status, response code and issues."""
    reply = client.post(
        f"/fhir/{source}/$process-message", content=body, headers={"content-type": "application/fhir+json"}
    )
    resource = orjson.loads(reply.content)
    issues: list[Any] = []
    code = "fatal-error"
    for one in [resource, *(entry["resource"] for entry in resource.get("entry", ()))]:
        if one["resourceType"] == "MessageHeader":
            code = one["response"]["code"]
        if one["resourceType"] == "OperationOutcome":
            issues += one["issue"]
    return {"status": reply.status_code, "code": code, "issues": issues}
