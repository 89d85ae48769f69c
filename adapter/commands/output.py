"""What commands print with: data on standard output, words about it on standard error.

Owns the two consoles and the choice of format.
"""

from enum import StrEnum

import orjson
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """How data is printed: for people, or one JSON value a line."""

    TABLE = "table"
    JSON = "json"


def print_json(value: object) -> None:
    """One JSON value on one line of standard output."""
    print(orjson.dumps(value, default=str).decode(), flush=True)  # noqa: T201 - data, not words
