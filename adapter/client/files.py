"""The secret files of a source's server.

Owns reading them; they are read anew each time they are needed, so that a secret can be exchanged for
another while the adapter runs.
"""

from pathlib import Path

from adapter.errors import Problem, SetupError


def read_file(path: Path) -> bytes:
    """The file's bytes; SetupError, with its path alone, where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(Problem("not-found", f"cannot be read: {type(error).__name__}", str(path))) from None


def read_secret(path: Path) -> str:
    """The secret in the file, without the line end that editors add."""
    try:
        return read_file(path).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SetupError(Problem("value", "no text in UTF-8", str(path))) from None
