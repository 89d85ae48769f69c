"""Consumers with a fault each: the kit names the rule that is broken. All read one month side by side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adapter.conformance.check import Known, Verdict, at_end, judge
from adapter.conformance.playing import player
from adapter.conformance.script import Script
from adapter.outbound.topics import make_topics
from tests.conformance.trying import partitions_made
from tests.consumers.running import PYTHON
from tests.kafka.cluster import ApacheKafka

pytestmark = pytest.mark.kafka

CONSUMER = (PYTHON / "consumer.py").read_text(encoding="utf-8")
CALLBACK = (PYTHON / "callback.py").read_text(encoding="utf-8")

NEWER = "if known is not None and revision <= known:"
KEEP = 'kept = None if picture["moved"] else json.dumps(picture)'
HELD = """row = self.database.execute("select picture from cases where case_id = ?", (case_id,)).fetchone()
        held = json.loads(row[0]) if row and row[0] else {}
        """
MERGE = """for name, value in held.items():
            picture[name] = value if picture[name] is None or name == "statutory" else picture[name]
        """

FAULTS = [
    # fault, what of the shipped consumer is changed, into what, the checks that catch it
    ("none", "", "", set()),
    (
        "ignores tombstones",
        "record.value for record in records}",
        "record.value for record in records if record.value is not None}",
        {"tombstone"},
    ),
    ("ignores the last word", KEEP, "kept = json.dumps(picture)", {"moved"}),
    (
        "never takes a case back",
        NEWER,
        HELD + "if known is not None and (revision <= known or not held):",
        {"moved back"},
    ),
    ("applies old revisions", NEWER, "if known == revision:", {"old revision", "counts once"}),
    ("does not know repeats", NEWER, "if known is not None and revision < known:", {"counts once"}),
    (
        "orders by since",
        NEWER,
        HELD + 'if known and (revision <= known or (picture["since"] or "") < (held.get("since") or "")):',
        {"late"},
    ),
    (
        "never leads a state back",
        NEWER,
        HELD + 'if known and (revision <= known or held and held["state"] == "ready" != picture["state"]):',
        {"correction"},
    ),
    ("merges instead of replacing", KEEP, HELD + MERGE + KEEP, {"protected"}),
    ("knows no deadlines", ', "se.losus.case.deadline.v1"', "", {"deadline"}),
    (
        "reads what is taken back",
        'isolation_level="read_committed",\n        auto_offset_reset="none"',
        'isolation_level="read_uncommitted",\n        auto_offset_reset="none"',
        {"uncommitted"},
    ),
    (
        "waits at a gap",
        "            for missing in",
        "            if revision > known + 1:\n                return\n            for missing in",
        {"gap"},
    ),
    ("sees no gap", "in range(known + 1, revision):", "in ():", {"notices a gap"}),
    ("takes every type", "in KNOWN_TYPES and record.value", "and record.value", {"reads to the end"}),
    (
        "forgets what is void",
        'None if picture["moved"]',
        'None if picture["moved"] or picture["state"] == "voided"',
        {"voided", "merged"},
    ),
    ("begins with what is new", 'offset_reset="earliest"', 'offset_reset="latest"', {"snapshot"}),
]


def module(source: str) -> ModuleType:
    made = ModuleType("consumer")
    exec(compile(source, "consumer.py", "exec"), made.__dict__)  # noqa: S102 - the shipped file, changed
    return made


def told(database: Any) -> dict[str, Known]:
    """What the consumer's callback would answer."""
    callback = module(CALLBACK)
    return {
        one["case_id"]: Known(callback.case(database, one["case_id"]), one["handled"], one["missed"])
        for one in callback.cases(database)
    }


async def verdicts_of(script: Script, store: Any, running: asyncio.Task[None]) -> list[Verdict]:
    """Once it is at the end, or has fallen over."""
    async with asyncio.timeout(60):
        while not at_end(script, told(store.database)) and not running.done():
            await asyncio.sleep(0.1)
    ended = Verdict("reads to the end", at_end(script, told(store.database)), "")
    return [ended, *judge(script, told(store.database))]


@pytest.fixture(scope="module")
async def tried(
    apache: ApacheKafka, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, list[Verdict]]]:
    """The verdicts on every consumer, by its fault; history, all of them started, the rest."""
    folder: Path = tmp_path_factory.mktemp("stores")
    await make_topics(apache.cluster, ("2380",), partitions=3, replication=1)
    script = Script(4, "2380", await partitions_made(apache.cluster))
    consumers: dict[str, tuple[Any, asyncio.Task[None]]] = {}
    async with player(apache.cluster, transactions=True) as playing, AsyncExitStack() as stack:
        await playing.play(script.history())
        for number, (fault, old, new, _) in enumerate(FAULTS):
            assert old in CONSUMER, fault
            consumer = module(CONSUMER.replace(old, new))
            store = consumer.Store(str(folder / f"{number}.sqlite"))
            stack.enter_context(closing(store.database))
            running = asyncio.create_task(
                consumer.run(store, {"bootstrap_servers": apache.bootstrap}, "2380")
            )
            stack.push_async_callback(stopped, running)
            consumers[fault] = (store, running)
        async with asyncio.timeout(60):
            while not all(store.positions() for store, _ in consumers.values()):
                await asyncio.sleep(0.1)
        await playing.play(script.rest())
        yield {fault: await verdicts_of(script, *consumer) for fault, consumer in consumers.items()}
        await playing.play(script.farewell())


async def stopped(task: asyncio.Task[None]) -> None:
    """Who falls over a record has its fault told by its verdicts."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("fault", "checks"), [(fault, checks) for fault, _, _, checks in FAULTS])
async def test_each_fault_is_caught_by_the_rule_that_it_breaks(
    tried: dict[str, list[Verdict]], fault: str, checks: set[str]
) -> None:
    caught = {one.name for one in tried[fault] if not one.passed}
    assert checks <= caught
    assert bool(caught) == bool(checks)


def test_every_check_is_the_first_to_catch_some_fault(tried: dict[str, list[Verdict]]) -> None:
    """Those that need no fault of their own are repeated by others."""
    caught = {check for *_, checks in FAULTS for check in checks}
    spared = {one.name for one in tried["none"]} - caught
    assert spared == {"whole way", "repeat", "unknown", "expired"}
