"""The sample of readings: each as likely as any other, drawn again by the same seed, and written down."""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.commands.audit_sample import draw
from adapter.store.audit import Entry, Kept, append
from adapter.store.database import connect
from adapter.store.migrate import migrate
from tests.access.issuer import NOW
from tests.access.test_access_commands import apart
from tests.access.test_audit_chain import entry


async def rows(actions: list[str]) -> AsyncIterator[Kept]:
    for number, action in enumerate(actions):
        said = Entry(NOW, "staff", "x", action, ("case/1",), "ok", "auditor")
        yield Kept(number, said, b"", b"")


async def drawn(actions: list[str], count: int, seed: int) -> list[int]:
    return [one.number for one in await draw(rows(actions), count, random.Random(seed))]  # noqa: S311


ACTIONS = ["read", "search", "update", "deliver", "login", "read: losus settle", "change: losus replay"]


@pytest.mark.parametrize(
    ("count", "numbers", "because"),
    [(3, [0, 1, 5], "readings alone"), (9, [0, 1, 5], "all, where there are fewer")],
)
async def test_what_is_drawn_from(count: int, numbers: list[int], because: str) -> None:
    assert await drawn(ACTIONS, count, 1) == numbers, because


@given(st.lists(st.sampled_from(ACTIONS), max_size=40), st.integers(1, 9), st.integers(0, 99))
async def test_so_many_in_order_none_twice_and_again_the_same(
    actions: list[str], count: int, seed: int
) -> None:
    found = await drawn(actions, count, seed)
    assert found == sorted(set(found))
    assert len(found) == min(count, sum(one in {"read", "search", "read: losus settle"} for one in actions))
    assert found == await drawn(actions, count, seed)


async def test_each_is_as_likely_as_any_other() -> None:
    """2 of 10, four thousand times: 800 each, give or take five standard deviations (25 each)."""
    counted: Counter[int] = Counter()
    for seed in range(4000):
        counted.update(await drawn(["read"] * 10, 2, seed))
    assert all(675 < counted[number] < 925 for number in range(10)), counted


async def test_the_drawing_is_written_down(dsn: str) -> None:
    await migrate(dsn)
    store = await connect(dsn, size=1)
    async with store.transaction() as connection:
        await append(connection, [entry(n) for n in range(9)])
    await store.close()
    words = ("audit", "sample", "--count", "2", "--seed", "17", "--until", "2026-03-03", "--format", "json")
    first, again = [(await apart(*words, dsn=dsn)).stdout for _ in "ab"]
    assert first == again
    assert len(first.splitlines()) == 2
    shown = await apart("audit", "export", "--what", "audit/sample", "--format", "json", dsn=dsn)
    told = [json.loads(line) for line in shown.stdout.splitlines()]
    kept = [(one["who"], one["why"]) for one in told if "sample" in one["action"]]
    assert kept == [("tester", "2 readings, seed 17")] * 2
