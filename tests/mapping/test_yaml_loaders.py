"""YAML is read by libyaml where that is the same as PyYAML's own reading: values, lines and faults."""

import random
from pathlib import Path

import pytest

from adapter import marks
from adapter.marks import Marked
from tests.servers import REPOSITORY

FILES = sorted([*(REPOSITORY / "agreements").rglob("*.yaml"), *(REPOSITORY / "mappings").rglob("*.yaml")])
#: What a slip of the hand, or somebody who means harm, puts into a file.
SLIPS = (
    *(":", "-", " ", "\t", "\n", '"', "'", "#", "&a", "*a", "? ", "|", ">-", "{", "}", "[", "]", "!x ", "@"),
    *("%", "é", "\x85", "\u2028", "\ufeff", "\0", "---", "...", "<<", "~", ""),
)


def exactly(text: str, monkeypatch: pytest.MonkeyPatch) -> Marked:
    with monkeypatch.context() as patch:
        patch.setattr(marks, "_FAST", marks._EXACT)
        return Marked(text)


def seen(marked: Marked) -> object:
    return marked.value, marked.lines, marked.faults, marked.broken


def test_libyaml_is_there() -> None:
    assert marks._FAST.__mro__[1] is not marks._EXACT.__mro__[1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_files_read_alike(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = file.read_text("utf-8")
    assert seen(Marked(text)) == seen(exactly(text, monkeypatch))


@pytest.mark.parametrize("seed", range(4))
def test_broken_files_read_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)  # noqa: S311 - which slips are tried
    texts = [file.read_text("utf-8") for file in FILES]
    for _ in range(60):
        text = chance.choice(texts)[:1200]
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice(SLIPS) + text[at + chance.randint(0, 3) :]
        assert seen(Marked(text)) == seen(exactly(text, monkeypatch)), text
