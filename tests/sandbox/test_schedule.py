"""How the tests are shared out: what each needs, in which order, and when a server is stopped."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conftest, schedule
from tests.by_file import ByFile
from tests.servers import REPOSITORY


class Item:
    """What `schedule` looks at of a test."""

    def __init__(self, nodeid: str, *fixtures: str, kafka: bool = False) -> None:
        self.nodeid = nodeid
        self.fixturenames = fixtures
        self.marks = ["kafka"] if kafka else []

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None

    def add_marker(self, mark: str) -> None:
        self.marks.append(mark)


GROUP = [
    # test, group, slow, because
    (
        Item("tests/a/test_a.py::t", "dsn", "broker"),
        None,
        False,
        "the sandbox's servers are each worker's own",
    ),
    (Item("tests/a/test_a.py::t", "dsn", "apache"), "apache", True, "Java"),
    (Item("tests/a/test_a.py::t", kafka=True), "apache", True, "asked for by getfixturevalue"),
    (Item("tests/a/test_a.py::t", "hapi", "hapi_of"), "hapi", True, "all versions on one worker"),
    (Item("tests/kafka/test_a.py::t", "cluster3", kafka=True), "cluster", True, "not the broker of one"),
    (Item("tests/helm/test_a.py::t"), "helm", True, "Go's tools are built once"),
    (Item("tests/image/test_a.py::t"), None, True, "the image's tools"),
]


@pytest.mark.parametrize(("item", "group", "slow", "because"), GROUP)
def test_groups(item: Item, group: str | None, slow: bool, because: str) -> None:
    assert schedule.group_of(item) == group, because
    schedule.arrange([item], ())
    assert ("slow" in item.marks) is slow, because


def test_groups_stand_together_and_long_files_come_before_the_others() -> None:
    names = ("b/test_b.py::1", "a/test_a.py::1", "c/test_c.py::1", "a/test_a.py::2")
    plain = [Item(f"tests/{name}") for name in names]
    java = [Item("tests/a/test_a.py::3", "hapi_of"), Item("tests/a/test_a.py::4", "apache")]
    items = [
        plain[0],
        java[0],
        plain[1],
        java[1],
        plain[2],
        plain[3],
        Item("tests/d/test_d.py::1", "hapi_of"),
    ]
    schedule.arrange(items, ["tests/c/test_c.py"])
    assert [item.nodeid.removeprefix("tests/") for item in items] == [
        "a/test_a.py::4",
        "a/test_a.py::3",
        "d/test_d.py::1",
        "c/test_c.py::1",
        *(names[number] for number in (0, 1, 3)),
    ]


def test_a_server_stops_when_the_last_of_its_group_has_run() -> None:
    stops, stopped = schedule.Stops(), []
    stops.add("hapi", lambda: stopped.append("R4"))
    stops.add("hapi", lambda: stopped.append("R5"))
    hapi, other = Item("tests/a/test_a.py::1", "hapi_of"), Item("tests/a/test_a.py::2")
    for item, following in ((other, hapi), (hapi, hapi), (hapi, None)):
        stops.after(item, following)
    assert stopped == [], "one of its group comes, or the session closes it"
    stops.after(hapi, other)
    stops.after(hapi, other)
    assert stopped == ["R4", "R5"], "once"


def test_a_worker_gets_a_group_or_a_file(tmp_path: Path) -> None:
    grouped, plain = (
        Item("tests/a/test_a.py::test[x::y]", "hapi_of"),
        Item("tests/a/test_a.py::Of::test[a@b]"),
    )
    schedule.write_groups([grouped, plain], tmp_path / "groups.json")
    scheduling = ByFile.__new__(ByFile)
    scheduling.groups = json.loads((tmp_path / "groups.json").read_bytes())
    assert [scheduling._split_scope(one.nodeid) for one in (grouped, plain)] == ["hapi", "tests/a/test_a.py"]


RUN = """
import pytest
@pytest.mark.parametrize("x", range(6))
def test_on(x, worker_id, {fixture}): print("ran", "{name}", worker_id)
"""


@pytest.mark.slow
def test_two_workers_share_out_files_and_keep_a_group_together(tmp_path: Path) -> None:
    """The real pytest-xdist: its releases and pytest's have not always fitted."""
    for name, fixture in (("a", "hapi_of"), ("b", "hapi_of"), ("c", "tmp_path"), ("d", "tmp_path")):
        folder = tmp_path / "tests" / name
        folder.mkdir(parents=True)
        (folder / f"test_{name}.py").write_text(RUN.format(fixture=fixture, name=name))
    (tmp_path / "conftest.py").write_text(
        "import pytest\nfrom tests.conftest import *\n"
        "@pytest.fixture\ndef hapi_of(): pass\n"
        "@pytest.fixture(autouse=True, scope='session')\ndef _read_once(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n slow: s\n")
    plugins = ("-p", "xdist", "-p", "pytest_asyncio", "-p", "no:cacheprovider")
    argv = (*plugins, "-q", "-rP", "-n2", "--dist=loadfile", "--no-loadscope-reorder", "tests")
    env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *argv],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran = {tuple(line.split()[1:]) for line in done.stdout.splitlines() if line.startswith("ran ")}
    where = {name: {worker for one, worker in ran if one == name} for name in "abcd"}
    assert {len(workers) for workers in where.values()} == {1}, "a file is one worker's"
    assert where["a"] == where["b"], "so is a group"


def test_what_is_said_to_take_longest_is_there() -> None:
    assert [path for path in conftest.LONGEST if not (REPOSITORY / path).is_file()] == []
