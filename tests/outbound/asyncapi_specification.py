"""AsyncAPI's own JSON Schema of a document, fetched once by npm into `.cache/` of the repository."""

import hashlib
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.jars import CACHE, made
from tests.servers import missing, program

_PACKAGE = "@asyncapi/specs@6.11.1"
_SHA512 = (
    "0375812ea00a1a8276fba15616da63065090d6814272ce06c45ef3b081af36aa"
    "7f9251941e3940dda01c67d5cc3292c613cccf7980f3db1f4598ee834ae2ab69"
)
_SCHEMA = "package/schemas/3.0.0.json"


def specification() -> dict[str, Any]:
    """The JSON Schema (draft 7) that a document of AsyncAPI 3.0.0 obeys."""
    folder = made(CACHE / "asyncapi" / _SHA512[:16], _fetch)
    found: dict[str, Any] = json.loads((folder / "3.0.0.json").read_bytes())
    return found


def _fetch(folder: Path) -> None:
    argv = (program("npm"), "pack", "--silent", "--pack-destination", str(folder), _PACKAGE)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        missing(f"{_PACKAGE} from npm, which could not be fetched")
    (archive,) = folder.glob("*.tgz")
    if hashlib.sha512(archive.read_bytes()).hexdigest() != _SHA512:
        raise AssertionError(f"{_PACKAGE} is not what it was")
    with tarfile.open(archive) as files:
        inner = files.extractfile(_SCHEMA)
        if inner is None:
            raise AssertionError(_SCHEMA)
        (folder / "3.0.0.json").write_bytes(inner.read())
    archive.unlink()
