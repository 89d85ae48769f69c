"""Secret files: that they are there, hold something, and are nobody else's to read.

Owns where in the settings they stand, and what rights are too many.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok
from adapter.servers import Basic, ClientSecret, PrivateKey, Server
from adapter.settings import Settings

_OTHERS = stat.S_IRWXO


def secret_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Each file with a secret in it, by its place in the settings."""
    for number, path in enumerate(settings.seal):
        yield f"seal.{number}", path
    for name, source in settings.sources.items():
        if source.hook_file is not None:
            yield f"sources.{name}.hook_file", source.hook_file
        if source.server is not None:
            yield from _of_server(source.server, f"sources.{name}.server")
    folder = os.environ.get("LOSUS_SECRETS")
    if folder and Path(folder).is_dir():
        for path in sorted(Path(folder).glob("losus_*")):
            yield f"LOSUS_SECRETS/{path.name}", path


def _of_server(server: Server, at: str) -> Iterator[tuple[str, Path]]:
    if isinstance(server.login, Basic):
        yield f"{at}.login.password_file", server.login.password_file
    elif isinstance(server.login, ClientSecret):
        yield f"{at}.login.secret_file", server.login.secret_file
    elif isinstance(server.login, PrivateKey):
        for number, path in enumerate(server.login.keys):
            yield f"{at}.login.keys.{number}", path
    if server.certificate is not None:
        yield f"{at}.certificate.key", server.certificate.key
    if server.subscribe is not None and server.subscribe.secret_file is not None:
        yield f"{at}.subscribe.secret_file", server.subscribe.secret_file


async def rights(it: Deployment) -> Sequence[Told]:
    """A file that is missing, empty, or that every user of the machine could read."""
    found = list(secret_files(it.settings))
    faults = [one for place, path in found if (one := _fault(place, path)) is not None]
    return faults or [ok(f"{len(found)} secret files, none open to others")]


def _fault(place: str, path: Path) -> Told | None:
    try:
        mode, is_empty = path.stat().st_mode, not path.read_bytes().strip()
    except OSError as error:
        mend = "mount the secret under that path, readable by the user that the adapter runs as"
        return fail(f"cannot be read ({type(error).__name__})", mend, place)
    if is_empty:
        return fail("holds nothing", "put the secret into it", place)
    if mode & _OTHERS:
        mend = "chmod o-rwx (Kubernetes: defaultMode 0440 of the volume, with fsGroup)"
        return fail(f"every user of the machine may open it (mode {stat.S_IMODE(mode):04o})", mend, place)
    return None
