"""Credentials in the settings: each proves one source, and what cannot be is told at the start."""

from pathlib import Path
from typing import Any

import pytest

from adapter.access.doorkeeper import Doorkeeper
from adapter.credentials import Credentials
from adapter.errors import SetupError
from adapter.settings import Source
from tests.access.issuer import issuer
from tests.access.people import HASH, KEYS
from tests.access.test_doorkeeper import settings

SHARED = [
    # credentials of one, of another, because
    ({"keys": (KEYS["other"][1],)}, {"keys": (KEYS["other"][1],)}, "one key for two"),
    (
        {"certificates": (HASH,)},
        {"certificates": (":".join((HASH[:2].upper(), HASH[2:])),)},
        "one certificate",
    ),
    ({"certificates": ("CN=a",)}, {"certificates": ("CN=a",)}, "one subject"),
]


@pytest.mark.parametrize(("one", "another", "because"), SHARED)
def test_a_credential_proves_one_source(
    tmp_path: Path, one: dict[str, Any], another: dict[str, Any], because: str
) -> None:
    given = {
        name: Source(mapping="m", credentials=Credentials(**own))
        for name, own in (("one", one), ("another", another))
    }
    with pytest.raises(SetupError) as caught:
        Doorkeeper(settings(tmp_path, sources=given))
    assert "stands twice" in caught.value.problems[0].rule, because


def test_one_client_for_two_sources(tmp_path: Path) -> None:
    shown = Credentials(tokens=issuer(tmp_path), client="a")
    given = {name: Source(mapping="m", credentials=shown) for name in ("one", "another")}
    with pytest.raises(SetupError):
        Doorkeeper(settings(tmp_path, sources=given))


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_secret_that_is_not_there(tmp_path: Path, content: str | None) -> None:
    """An empty file would else let everybody in who sends an empty header."""
    file = tmp_path / "empty"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(SetupError):
        Doorkeeper(settings(tmp_path, sources={"a": Source(mapping="m", hook_file=file)}))


def test_tokens_name_a_client(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="go together"):
        Credentials(tokens=issuer(tmp_path))
    with pytest.raises(ValueError, match="go together"):
        Credentials(client="a")
