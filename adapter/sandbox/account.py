"""The user that the sandbox's servers run as where we are root, and what that user can reach.

PostgreSQL refuses to run as root, and a young broker had better not. Nothing here adds a user or
changes the rights of a folder that is not the sandbox's own.
"""

import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from adapter.errors import Problem, SetupError


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that a server runs as instead of root."""

    user: int
    group: int


def account() -> Account | None:
    """None for an ordinary user, whose servers run as that user. For root: `nobody`.

    It must have a name, since PostgreSQL's initdb looks it up.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise SetupError(Problem("not-found", "as root the sandbox needs the user `nobody`")) from None
    return Account(entry.pw_uid, entry.pw_gid)


def scratch_place() -> str:
    """Where scratch folders go: the system's place, or /tmp where root's own is closed to `nobody`."""
    usual = Path(tempfile.gettempdir())
    can_pass = os.geteuid() != 0 or _is_way_open(usual / "any")
    return str(usual) if can_pass else "/tmp"  # noqa: S108 - mkdtemp makes a folder of its own there


def hand_over(folder: Path, who: Account | None) -> None:
    """Make `folder` if need be, and give it to `who`; raise SetupError where `who` cannot come to it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if who is None:
        return
    if not _is_way_open(folder):
        rule = f"as root the sandbox's servers run as user `nobody`, who cannot enter {folder}"
        raise SetupError(Problem("security", f"{rule}: choose a folder below /var/tmp, or another user"))
    os.chown(folder, who.user, who.group)


def package_folder(name: str, program: str, scratch: Path, who: Account | None) -> Path:
    """Find the folder of the installed package `name`; a copy in `scratch` where `who` may not run `program`.

    A virtual environment below /root (mode 700), or made under umask 077, is closed to `nobody`.
    Libraries that the wheel keeps beside the package come along.
    """
    found = find_spec(name)
    if found is None or found.origin is None:
        raise SetupError(Problem("not-found", "the sandbox needs `pip install losus-adapter[sandbox]`"))
    package = Path(found.origin).parent
    if _may_run(package / program, who):
        return package
    for folder in (package, package.with_name(f"{name}.libs")):
        if folder.exists():
            _copy_for_all(folder, scratch / folder.name)
    return scratch / name


def _may_run(program: Path, who: Account | None) -> bool:
    if who is None:
        return os.access(program, os.R_OK | os.X_OK)
    needed = stat.S_IROTH | stat.S_IXOTH
    return program.stat().st_mode & needed == needed and _is_way_open(program)


def _is_way_open(path: Path) -> bool:
    """Whether every user can come to `path`: each folder above it lets others pass."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


def _copy_for_all(tree: Path, copy: Path) -> None:
    needless = shutil.ignore_patterns("include", "*.a", "__pycache__")
    shutil.copytree(tree, copy, symlinks=True, ignore=needless)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
