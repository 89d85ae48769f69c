"""Nobody connects but where TLS is known of, and no process starts but on settings that were checked."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import adapter

ROOT = Path(adapter.__file__).parent
#: What opens a connection, or gives settings as they come, and the files that may.
DOORS = {
    "AIOKafkaProducer": {"kafka.py"},
    "AIOKafkaConsumer": {"kafka.py"},
    "AIOKafkaAdminClient": {"kafka.py"},
    "AIOKafkaClient": {"kafka.py"},
    "create_conn": {"kafka.py"},
    "asyncpg.connect": {"store/database.py"},
    "asyncpg.create_pool": {"store/database.py"},
    "load_settings": {"commands/checked.py", "commands/doctor.py"},  # the doctor tells what is wrong
}


def callers(name: str, tree: ast.AST) -> Iterator[int]:
    """The lines where it is called, or handed on to be called."""
    annotations = {
        id(node)
        for parent in ast.walk(tree)
        for field in ("annotation", "returns")
        if (found := getattr(parent, field, None)) is not None
        for node in ast.walk(found)
    }
    for node in ast.walk(tree):
        is_name = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
        if is_name and id(node) not in annotations and _spelled(node).endswith(name):
            yield node.lineno


def _spelled(node: ast.expr) -> str:
    """`a.b.c` as it is written; of what is no such chain, its end."""
    if isinstance(node, ast.Attribute):
        return f"{_spelled(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def places(name: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if name.rpartition(".")[2] in (text := path.read_text(encoding="utf-8"))
        for _ in callers(name, ast.parse(text))
    }


@pytest.mark.parametrize(("name", "files"), DOORS.items())
def test_a_connection_is_opened_in_one_place_alone(name: str, files: set[str]) -> None:
    assert places(name) == files


@pytest.mark.parametrize(
    ("code", "count", "because"),
    [
        ("client = AIOKafkaProducer(bootstrap_servers=b)", 1, "called"),
        ("client = aiokafka.AIOKafkaProducer(bootstrap_servers=b)", 1, "called by its module"),
        ("make = AIOKafkaProducer", 1, "called later, under another name"),
        ("def carry(one: AIOKafkaProducer) -> AIOKafkaProducer: ...", 0, "a type"),
        ("producer: AIOKafkaProducer", 0, "a field's type"),
        ("from aiokafka import AIOKafkaProducer", 0, "named for its type"),
    ],
)
def test_what_counts_as_opening_one(code: str, count: int, because: str) -> None:
    assert len(list(callers("AIOKafkaProducer", ast.parse(code)))) == count, because
