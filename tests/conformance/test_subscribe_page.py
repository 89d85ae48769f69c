"""The page «Subscribe» shows the very files that the tests run, and says what is so."""

import re
import shlex

import pytest

from adapter.conformance.script import Script
from adapter.outbound.schemas import schemas
from tests.consumers.running import FOLDER, PYTHON, python_consumer
from tests.servers import REPOSITORY, program

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGE = README.partition("## Subscribe\n")[2].partition("\n## ")[0]
COMMANDS = [line[2:] for line in PAGE.splitlines() if line.startswith("$ ")]


def test_it_is_short_and_every_file_that_it_names_is_there() -> None:
    assert 0 < len(PAGE.splitlines()) <= 80
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) >= 5
    for link in links:
        assert (REPOSITORY / link).is_file(), link


def test_the_python_command_is_the_one_that_is_tested() -> None:
    (shown,) = [shlex.split(one) for one in COMMANDS if "consumer.py" in one]
    tested = [str(one) for one in python_consumer("HOST:PORT", "cases.sqlite")]
    assert [REPOSITORY / shown[1], *shown[2:]] == [PYTHON / "consumer.py", *tested[2:]]


def test_the_kcat_command_is_the_one_that_is_tested() -> None:
    (shown,) = [shlex.split(one) for one in COMMANDS if "follow.sh" in one]
    assert shown[0] == "bash"
    assert REPOSITORY / shown[1] == FOLDER / "kcat" / "follow.sh"


def test_the_schemas_that_it_names_are_there() -> None:
    named = re.findall(r"/schemas/([a-z0-9.]+)\.json", PAGE)
    assert named
    assert set(named) <= set(schemas())


@pytest.mark.parametrize(
    "path", [PYTHON / "consumer.py", PYTHON / "callback.py", FOLDER / "java/folder_callback.py"]
)
def test_what_is_shown_needs_nothing_of_ours(path) -> None:
    """Whoever copies the file has it all."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"^(from|import) (adapter|tests)\b", text, re.MULTILINE)


def test_the_shell_script_is_sound() -> None:
    assert (FOLDER / "kcat" / "follow.sh").read_text().startswith("#!/usr/bin/env bash\n")
    assert program("bash")


def test_the_kit_plays_what_the_page_says() -> None:
    """Each kind of thing in the list is a story of its own."""
    stories = {one.name for one in Script(1, "2380", 1).stories}
    said = {"repeat", "old revision", "correction", "late", "deadline", "protected", "moved", "moved back"}
    assert said | {"voided", "merged", "uncommitted", "gap", "unknown", "snapshot", "tombstone"} <= stories
