"""`losus key`: a new API key for a source, or the proof of an ingress, told once with its hash.

Owns what is printed. Does not own the form of a key (`adapter.access.api_keys`).
"""

import hashlib
from secrets import token_urlsafe
from typing import Annotated

import typer

from adapter.access.api_keys import new_key
from adapter.commands.output import Format, err, out, print_json


def key_command(
    ingress: Annotated[bool, typer.Option("--ingress", help="The secret that the ingress sends.")] = False,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Make a random key: give it to the sender, put its hash into the settings. It is told this once."""
    if ingress:
        key = token_urlsafe(32)
        made = {"key": key, "proof": hashlib.sha256(key.encode()).hexdigest()}
    else:
        key, hashed = new_key()
        made = {"key": key, "hash": hashed}
    if format_ is Format.JSON:
        print_json(made)
        return
    for name, value in made.items():
        out.print(f"{name:5} {value}", markup=False)
    err.print("The key is kept nowhere: hand it over now. The settings hold the other line.")
