"""The logbook is complete: what is logged anywhere stands in it, with its level and exactly its fields."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import adapter
from adapter.logbook import ENVELOPE, EVENTS, FIELDS, schema

FOLDER = Path(adapter.__file__).parent
#: Written by `logs` itself, for libraries and for what ends a process.
BY_THE_FORM = {"library.logged"}
ANOTHER_WAY = {"process.failed"}


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Every call of a log: where, the call, the method."""
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = ast.unparse(node.func.value)
                if of == "log" or of.startswith(("structlog.get_logger(", "log.bind(")):
                    yield f"{path.relative_to(FOLDER)}:{node.lineno}", node, node.func.attr


CALLS = list(calls())


def test_there_are_calls_to_look_at() -> None:
    assert len(CALLS) > 40


@pytest.mark.parametrize(("place", "call", "level"), CALLS, ids=[place for place, *_ in CALLS])
def test_a_call_says_what_the_logbook_says(place: str, call: ast.Call, level: str) -> None:
    assert level in {"debug", "info", "warning", "error"}, f"{place}: `exception` would write its text"
    assert len(call.args) == 1, f"{place}: an event, and fields by name"
    assert isinstance(call.args[0], ast.Constant), f"{place}: the event's name is no expression"
    event = EVENTS.get(str(call.args[0].value))
    assert event is not None, f"{place}: {call.args[0].value} is to be described in adapter/logbook.py"
    assert event.level == level, f"{place}: another level than in adapter/logbook.py"
    assert {one.arg for one in call.keywords} == set(event.fields), f"{place}: not the fields of the logbook"


def test_nothing_is_described_that_nobody_says() -> None:
    said = {str(call.args[0].value) for _, call, _ in CALLS if isinstance(call.args[0], ast.Constant)}
    assert set(EVENTS) - BY_THE_FORM == said | ANOTHER_WAY
    assert {name for event in EVENTS.values() for name in event.fields} == set(FIELDS)
    assert not set(FIELDS) & set(ENVELOPE)


def test_no_room_has_a_log_of_another_kind() -> None:
    """`print` is refused by ruff; `logging` writes what it is given."""
    for path in FOLDER.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name not in {"logs.py", "connect.py"}:
            assert "import logging" not in text, path


SAME: dict[str, Any] = {
    "timestamp": "2024-03-04T13:20:00.000001Z",
    "level": "warning",
    "event": "message.held",
    "service": "losus",
    "process": "serve",
    "version": "0.1.0",
}
HELD: dict[str, Any] = {"source": "losus-r4", "door": "message", "message": 17, "rules": ["no rule for it"]}
TRACE = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"}

LINES = [
    # line, whether it is one, because
    ({**SAME, **HELD}, True, "all that every line has, and its own fields"),
    ({**SAME, **HELD, **TRACE}, True, "with its trace"),
    ({**SAME, **HELD, "trace_id": TRACE["trace_id"]}, False, "a trace has both its ids"),
    ({**SAME, **HELD, "patient": "x"}, False, "a field that is not the event's"),
    ({**SAME, **HELD, "lane": "2380"}, False, "another event's field"),
    ({**SAME, "source": "losus-r4"}, False, "an event tells all its fields"),
    ({**SAME, **HELD, "level": "info"}, False, "an event has one level"),
    ({**SAME, **HELD, "event": "message.seen"}, False, "no such event"),
    ({**SAME, **HELD, "message": "17"}, False, "a number is one"),
    ({**SAME, **HELD, "source": "Tolvan Tolvansson"}, False, "a name of a person is none of a source"),
    ({**SAME, **HELD, "rules": ["not 191212121212"]}, False, "what may be a personnummer"),
    ({**SAME, **HELD, "rules": ["not 19121212-1212"]}, False, "the same as people write it"),
    ({**SAME, **HELD, "rules": ["not 121212+1212"]}, False, "and of somebody older than a hundred"),
    ({**SAME, **HELD, "rules": ["a\nb"]}, False, "one line is one line"),
    ({**SAME, **HELD, "timestamp": "2024-03-04T14:20:00+01:00"}, False, "times are UTC"),
    ({**{k: v for k, v in SAME.items() if k != "process"}, **HELD}, False, "whose log it is"),
]


@pytest.mark.parametrize(("line", "good", "because"), LINES, ids=[row[-1] for row in LINES])
def test_a_line_is_held_to_the_schema(line: dict[str, Any], good: bool, because: str) -> None:
    Draft202012Validator.check_schema(schema())
    assert Draft202012Validator(schema()).is_valid(line) is good, because
