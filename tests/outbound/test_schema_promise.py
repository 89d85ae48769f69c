"""What was promised to subscribers is kept: the schemas as released, and what would break a reader."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from adapter.outbound.asyncapi import Deployment, document
from adapter.outbound.schemas import schemas
from adapter.outbound.topics import TopicTerms
from tests.outbound.promise import broken, broken_set
from tests.servers import REPOSITORY

RELEASED = REPOSITORY / "tests" / "data" / "schemas" / "v1"
ANYWHERE = Deployment("0", "kafka.example:9093", {}, TopicTerms())

Shape = dict[str, Any]


def channels(told: Shape) -> dict[str, Shape]:
    """What a subscriber relies on of the topics: address, messages with their keys, whether compacted."""
    messages = told["components"]["messages"]
    return {
        name: {
            "address": one["address"],
            "messages": {m: messages[m]["bindings"]["kafka"]["key"]["pattern"] for m in one["messages"]},
            "cleanup": one["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"],
        }
        for name, one in told["channels"].items()
    }


def test_the_schemas_keep_what_was_released() -> None:
    """To release an addition: `losus schemas --to tests/data/schemas/v1`, of which the rest is in git."""
    released = {path.name[:-5]: json.loads(path.read_text()) for path in RELEASED.glob("*.v1.json")}
    assert len(released) >= 8
    assert broken_set(released, schemas()) == []


def test_the_topics_keep_what_was_released() -> None:
    """A message more may come on a topic: who reads it passes over types that it does not know."""
    released = json.loads((RELEASED / "channels.json").read_text())
    now = channels(document(ANYWHERE, ()))
    assert set(released) <= set(now)
    for name, one in released.items():
        assert (one["address"], one["cleanup"]) == (now[name]["address"], now[name]["cleanup"])
        assert one["messages"].items() <= now[name]["messages"].items()


def fields(shape: Shape) -> Shape:
    return shape["properties"]


def drop(name: str) -> Callable[[Shape], None]:
    def change(shape: Shape) -> None:
        del fields(shape)[name]
        shape["required"].remove(name)

    return change


def rename(shape: Shape) -> None:
    fields(shape)["status"] = fields(shape)["state"]
    drop("state")(shape)
    shape["required"].append("status")


def put(name: str, **words: Any) -> Callable[[Shape], None]:
    """Say something else of a field; None takes a word away."""

    def change(shape: Shape) -> None:
        said = fields(shape)[name] | words
        fields(shape)[name] = {word: value for word, value in said.items() if value is not None}

    return change


def define(part: str, change: Callable[[Shape], None]) -> Callable[[Shape], None]:
    return lambda shape: change(shape["$defs"][part])


def values(change: Callable[[list[str]], None]) -> Callable[[Shape], None]:
    return define("State", lambda shape: change(shape["enum"]))


def add(*, required: bool) -> Callable[[Shape], None]:
    def change(shape: Shape) -> None:
        fields(shape)["floor"] = {"type": "string"} | ({} if required else {"x-added": "0.2"})
        if required:
            shape["required"].append("floor")

    return change


def demand(name: str) -> Callable[[Shape], None]:
    return lambda shape: shape["required"].append(name)


def none_missed(shape: Shape) -> None:
    shape["allOf"][0]["then"]["properties"]["deadlines"].clear()


C = "case.changed.v1"

CHANGES = [
    # schema, change, is it broken, because
    (C, lambda _: None, None, "nothing has changed"),
    (C, drop("unit"), "/unit: gone", "a field that was promised"),
    (C, rename, "/state: gone", "a name is what a reader knows"),
    (C, lambda s: s["required"].remove("unit"), "/unit: may be left out", "it always came"),
    (C, add(required=False), None, "objects are open: a reader passes over what it does not know"),
    (C, add(required=True), "/floor: is required", "recorded events come again, without it"),
    (C, define("Deadline", drop("clause")), "/deadlines[]/clause: gone", "also deep inside"),
    (C, define("Deadline", add(required=False)), None, "also deep inside"),
    (C, put("revision", type="string"), "/revision: another kind", "a number was promised"),
    (C, put("revision", type="number"), "/revision: another kind", "1.5 is no integer"),
    (C, put("revision", type=["integer", "null"]), "/revision: another kind", "null may come now"),
    (C, put("revision", minimum=0), "/revision: minimum is lower", "counts from 1"),
    (C, put("revision", minimum=None), "/revision: minimum is lower", "counts from 1"),
    (C, put("revision", maximum=10**9), None, "what comes is within what might have come"),
    (C, put("since", anyOf=[{"type": "string", "format": "date-time"}]), None, "never null now"),
    (C, put("since", anyOf=[{"type": "string"}, {"type": "null"}]), "/since: format", "any text"),
    (C, put("since", anyOf=[{"type": "string", "format": "date"}]), "/since: format", "a day"),
    (C, put("day_zero", anyOf=[{"type": "integer"}]), "/day_zero: another kind", "days of what?"),
    (C, put("reason", anyOf=[{"type": "string", "maxLength": 9}]), None, "shorter is text too"),
    (C, put("payload", enum=["full", "statutory", "some"]), '/payload: the value "some"', "unknown"),
    (C, put("payload", enum=["statutory", "full"]), None, "their order says nothing"),
    (C, put("payload", enum=None), "/payload: values that were listed", "anything may come"),
    (C, put("consent", anyOf=[{"enum": ["given"]}]), None, "a code out of a list is text too"),
    (C, values(lambda v: v.append("lost")), '/state: the value "lost" is new', "no reader knows it"),
    (C, values(lambda v: v.remove("ready")), '/state: the value "ready" is gone', "one waits for it"),
    (C, put("times", additionalProperties={"type": "string"}), "/times{}: format", "any text"),
    (C, put("times", additionalProperties=None), "/times{}: anything", "any value"),
    (C, put("changed", items={"type": "integer"}), "/changed[]: another kind", "names were promised"),
    (C, put("changed", description="else"), None, "words; whether they still mean the same, people see"),
    (C, lambda s: s["allOf"].pop(), "a condition is gone", "withheld fields may come now"),
    (C, lambda s: s["allOf"][0]["then"]["properties"].pop("unit"), "/unit: gone", "it names a ward"),
    (C, lambda s: s["allOf"].append({"if": {}, "then": {"required": ["unit"]}}), None, "narrower"),
    (C, lambda s: s.update({"$id": "urn:x"}), "$id is not", "it is known by its name"),
    (C, lambda s: s.update({"not": {}}), "not is not what it was", "what no rule judges stays"),
    ("case.closing.v1", put("moved", const=False), "/moved: the value", "the last word says so"),
    ("case.closing.v1", put("municipality", const="2380"), "/municipality: another", "no word of where to"),
    ("case.deadline.v1", none_missed, "contains", "it tells of one that was missed"),
    ("headers.v1", put("ce_id", pattern="^.*$"), "/ce_id: pattern", "32 hex digits, as columns may have it"),
    ("headers.v1", put("ce_specversion", const="1.1"), "/ce_specversion: the value", "CloudEvents 1.0"),
    ("headers.v1", demand("traceparent"), "/traceparent: is required", "some have none"),
    ("message.parked.v1", put("message", minimum=5), None, "what comes is within what might have come"),
    ("settlement.issued.v1", put("entry", minItems=0), "/entry: minItems is lower", "a Bundle of something"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "finds", "because"), CHANGES)
def test_a_change_is_seen_for_what_it_does_to_a_reader(
    name: str, change: Callable[[Shape], object], finds: str | None, because: str
) -> None:
    old = schemas()[name]
    new = copy.deepcopy(old)
    change(new)
    found = broken(old, new)
    assert (found == []) if finds is None else any(finds in one for one in found), (because, found)


def test_a_schema_that_is_gone_is_broken_and_a_new_one_is_not() -> None:
    now = schemas()
    assert broken_set({"case.v0": {}} | now, now) == ["case.v0: no longer there"]
    assert broken_set(now, {"case.v2": {}} | now) == []
