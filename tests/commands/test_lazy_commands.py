"""Every command is there by its name, and none waits for what only another needs."""

import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from adapter.cli import COMMANDS, app

#: What only the server, the store, the sandbox and the asking doors need.
HEAVY = ("fastapi", "uvicorn", "asyncpg", "aiokafka", "httpx", "structlog", "fhirpathpy", "fhir.resources")
LOADED = """
import sys
from typer.testing import CliRunner
from adapter.cli import app
result = CliRunner().invoke(app, sys.argv[1:])
assert result.exit_code == 0, result.output
print(*sys.modules)
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_can_be_asked_for_its_help(name):
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"losus {name} " in result.output.replace("root", "losus")


def test_all_commands_stand_in_the_help():
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"})
    rows = [line.split()[1] for line in result.output.splitlines() if line.startswith("│ ")]
    told = [name for name in rows if name in COMMANDS or name.startswith("-")]
    assert [name for name in told if not name.startswith("-")] == list(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words", "because"),
    [
        (["settl"], "Did you mean 'settle'?", "a slip of the hand"),
        (["nothing-like-it"], "No such command 'nothing-like-it'", "no command"),
        (["agreements", "nothing-like-it"], "No such command 'nothing-like-it'", "no command of a group"),
        (["settle", "--nothing-like-it"], "No such option: --nothing-like-it", "no option"),
    ],
)
def test_a_command_that_there_is_not(arguments, words, because):
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 2, because
    assert words in result.output, because


def loaded(*arguments: Any) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_settling_a_file_does_not_wait_for_the_server(tmp_path):
    path = tmp_path / "stays.ndjson"
    path.write_bytes(b"")
    agreement = "lus-2017-612"
    for command in (("settle",), ("compare", agreement, agreement)):
        assert loaded(*command, "--stays", path).isdisjoint(HEAVY), command
