"""A tool that is missing: on a developer's machine skipped with the reason, in CI a failure of the run."""

import os
import subprocess
import sys

import pytest

from tests import servers

#: A run of a test that needs Java, without the plugins that it does not need: they take seconds to import.
needs_java = [
    *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
    *("-p", "pytest_asyncio.plugin", "-p", "pytest_timeout"),
    "tests/kafka/test_brokers.py::test_what_apache_kafka_acknowledged_outlives_kill_9",
]


@pytest.mark.parametrize(
    ("ci", "verdict", "because"),
    [
        ("true", pytest.fail.Exception, "a green run in CI means that everything ran"),
        ("false", pytest.skip.Exception, "only CI=true is CI"),
        (None, pytest.skip.Exception, "a developer may lack a tool"),
    ],
)
def test_missing(monkeypatch, ci, verdict, because):
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    with pytest.raises(verdict, match="needs a thing") as raised:
        servers.missing("a thing")
    assert type(raised.value) is verdict, because


@pytest.mark.parametrize(("ci", "exit_code", "said"), [("true", 1, "error"), ("", 0, "skipped")])
def test_a_run_without_java(ci, exit_code, said):
    env = {**os.environ, "PATH": "/nonexistent", "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    env.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        needs_java, cwd=servers.REPOSITORY, env=env, capture_output=True, text=True, check=False
    )
    last = done.stdout.splitlines()[-1]
    assert (done.returncode, said in last, "passed" in last) == (exit_code, True, False), done.stdout
    assert "needs Java 17" in done.stdout


def test_an_old_java_is_no_java(monkeypatch, tmp_path):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    old = tmp_path / "java"
    old.write_text("""#!/bin/sh\necho 'openjdk version "11.0.2" 2019-01-15' >&2\n""")
    old.chmod(0o755)
    with pytest.raises(pytest.skip.Exception, match="an older one"):
        servers.java()


def test_shared_data_are_looked_for_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("LOSUS_SHARED", str(tmp_path))
    assert servers.shared_folder() == tmp_path
    monkeypatch.setenv("LOSUS_SHARED", str(tmp_path / "none"))
    with pytest.raises(pytest.skip.Exception, match="shared data"):
        servers.shared_folder()
