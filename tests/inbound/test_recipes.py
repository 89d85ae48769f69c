"""The recipes of README, «Connect a hospital», are settings that hold."""

import re
import textwrap
from pathlib import Path
from typing import Any

import yaml

from adapter.settings import Source
from tests.servers import REPOSITORY


def blocks() -> list[str]:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text.split("## Connect a hospital")[1].split("\n## ")[0]
    return re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)


def test_a_source_of_the_recipes_holds(tmp_path: Path) -> None:
    first, server = blocks()
    for place in re.findall(r"/run/secrets/[\w.-]+", first + server):
        (tmp_path / Path(place).name).write_text("x", encoding="utf-8")
    source: dict[str, Any] = yaml.safe_load(first)["sources"]["ostersund-ehr"]
    source |= yaml.safe_load(textwrap.dedent(server))
    source["credentials"]["keys"] = ["scrypt$16384$8$1$c2FsdA$aGFzaA"]
    held = Source.model_validate(source)
    assert held.server is not None
    assert held.server.subscribe is not None


def test_what_is_commented_out_holds_too() -> None:
    first, _ = blocks()
    shown = first.replace("# tokens", "tokens").replace("# client", "client").replace("# scopes", "scopes")
    shown = re.sub(r"\s+# who the.*", "", shown)
    source = yaml.safe_load(shown)["sources"]["ostersund-ehr"]
    source["credentials"]["keys"] = []
    held = Source.model_validate(source)
    assert held.credentials.tokens is not None
    assert held.credentials.client == "ostersund"
