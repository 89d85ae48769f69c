"""Which commands stand in the audit, who is said to have run them, and what they asked for bears it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from click.testing import Result
from typer.main import get_group
from typer.testing import CliRunner

from adapter.cli import COMMANDS, app
from adapter.commands.acts import ACTS, Act, Touch
from adapter.store.audit import Entry, read, verify
from adapter.store.database import connect
from adapter.store.migrate import migrate
from tests.outbound.outboxes import add, event, outbox
from tests.outbound.test_deliveries import settle

RUNNER = CliRunner()
SECRET = "a secret of the tests alone"


def words_of(command: Any, words: str) -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from words_of(below, f"{words} {name}")
    else:
        yield words


def test_every_command_is_classified() -> None:
    """A new one has to be said to read persons' data, to change them, or neither."""
    commands = get_group(app)
    found = {words for name in COMMANDS for words in words_of(commands.get_command(None, name), name)}
    assert found == set(ACTS)


GIVEN = {
    "settle": {"stays": None, "month": None, "municipality": None, "issue": False, "early": None}
    | {"confirm_empty": None, "because": None, "no_data": None}
    | {"due": False, "explain": None},
    "replay": {"message": None, "case": None, "source": None, "since": None, "until": None}
    | {"parked": False, "to": None, "run": False, "let_go": None},
    "republish": {"municipality": "2380", "case": None, "run": False},
    "disputes": {"municipality": None, "answer": None, "because": None},
    "import": {"source": ""},
    "audit export": {"what": None},
}
R, C = Touch.READS, Touch.CHANGES
CALLED = [
    # command, how it is called, act, because
    ("settle", {"stays": "x.csv", "month": "2024-03"}, None, "a file of the caller's own"),
    ("settle", {}, None, "used wrongly: it says so, and nothing more"),
    ("settle", {"explain": "abc"}, Act(R, ("case/abc",)), "a person's story"),
    ("settle", {"month": "2024-03"}, Act(R, ("settlement/2024-03",)), "a draft names stays"),
    (
        "settle",
        {"month": "2024-03", "municipality": ["2380"], "issue": True, "early": "a party left"},
        Act(C, ("settlement/2380/2024-03",), "2380", why="a party left"),
        "issued, and why so early",
    ),
    (
        "settle",
        {"month": "2024-07", "confirm_empty": "psychiatric", "because": "closed in July"},
        Act(C, ("settlement/psychiatric/2024-07",), why="closed in July"),
        "a month is said to be empty: who says so, and why",
    ),
    (
        "settle",
        {"month": "2024-07", "issue": True, "no_data": "the feed was lost"},
        Act(C, ("settlement/2024-07",), why="the feed was lost"),
        "issued although nothing is known",
    ),
    ("settle", {"due": True}, Act(C, ("settlement/due",), scheduled=True), "a job, that nobody runs"),
    ("replay", {}, None, "used wrongly"),
    ("replay", {"parked": True}, Act(R, ("messages/held",)), "a dry run looks"),
    (
        "replay",
        {"message": [17], "case": "abc", "source": "ehr", "since": 1, "run": True, "to": "2380"},
        Act(C, ("message/17", "case/abc", "source/ehr", "messages/span"), "2380"),
        "all that is named",
    ),
    (
        "replay",
        {"message": [17], "let_go": "sent anew", "run": True},
        Act(C, ("message/17",), why="sent anew"),
        "discarded, and why",
    ),
    ("republish", {}, Act(R, ("municipality/2380",), "2380"), "a dry run looks"),
    ("republish", {"case": "abc", "run": True}, Act(C, ("case/abc",), "2380"), "told again"),
    ("disputes", {}, Act(R, ("disputes",)), "the questions are of persons' stays"),
    ("disputes", {"answer": "d", "because": "so"}, Act(C, ("Task/d",), why="so"), "answered"),
    ("import", {"source": "ehr"}, Act(C, ("source/ehr",)), "taken in"),
    ("import", {}, None, "used wrongly"),
    ("audit export", {"what": "case/abc"}, Act(R, ("case/abc",)), "who reads the audit stands in it"),
    ("audit export", {}, Act(R, ("audit/all",)), "all of it"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "given", "act", "because"), CALLED)
def test_what_is_said_of_a_command(
    command: str, given: dict[str, Any], act: Act | None, because: str
) -> None:
    assert ACTS[command](GIVEN[command] | given) == act, because


async def losus(dsn: str, *words: str, **environment: str | None) -> Result:
    given = {"LOSUS_DATABASE": dsn, "LOSUS_SECRET": SECRET, "LOSUS_SETTINGS": ""}
    given |= {"LOSUS_OPEN_DOORS": "true"} | environment
    return await asyncio.to_thread(RUNNER.invoke, app, [*words], env=given)


async def entries(dsn: str) -> list[Entry]:
    store = await connect(dsn, size=1)
    try:
        async with store.transaction() as connection:
            assert await verify(connection) is None
            return [one.entry async for one in read(connection)]
    finally:
        await store.close()


async def test_a_command_is_written_down_before_it_begins(dsn: str) -> None:
    await migrate(dsn)
    done = await losus(dsn, "--as", "anna", "--because", "ticket 17", "cases", "parked")
    assert done.exit_code == 0, done.output
    [one] = await entries(dsn)
    assert (one.kind, one.who, one.action, one.why, one.outcome) == (
        "operator", "anna", "read: losus cases parked", "ticket 17", "ok",
    )  # fmt: skip


#: Settings that may be used outside the sandbox.
SOUND = {
    "LOSUS_OPEN_DOORS": "false",
    "LOSUS_SECRET": "Vq3r0-hTz8kLw2Xn9PbY5cJd7fGmSa4u",
    "LOSUS_STAFF__TOKENS__ISSUER": "https://login.example",
    "LOSUS_STAFF__TOKENS__AUDIENCE": "https://region.example",
    "LOSUS_STAFF__TOKENS__JWKS": "/keys.json",
}


async def test_outside_the_sandbox_nobody_is_nameless(dsn: str) -> None:
    await migrate(dsn)
    refused = await losus(dsn, "cases", "parked", LOSUS_OPERATOR=None, **SOUND)
    assert refused.exit_code != 0
    assert "say who you are" in str(refused.exception.problems[0].rule)  # type: ignore[union-attr]
    assert await entries(dsn) == []
    done = await losus(dsn, "cases", "parked", LOSUS_OPERATOR=None)
    assert done.exit_code == 0, "in the sandbox it is the user of the machine"
    [one] = await entries(dsn)
    assert (one.kind, one.why) == ("operator", "not said")
    assert one.who


async def test_a_scheduled_command_needs_no_person(dsn: str) -> None:
    await migrate(dsn)
    await losus(dsn, "settle", "--due", LOSUS_OPERATOR=None, LOSUS_SETTLE_FROM="2026-01")
    [one] = await entries(dsn)
    assert (one.kind, one.who, one.why) == ("system", "losus settle", "scheduled")


async def test_what_fails_is_written_down_too(dsn: str) -> None:
    await migrate(dsn)
    failed = await losus(dsn, "settle", "--explain", "nobody")
    assert failed.exit_code != 0
    told = [(one.action, one.what, one.outcome) for one in await entries(dsn)]
    assert told == [
        ("read: losus settle", ("case/nobody",), "ok"),
        ("read: losus settle", ("case/nobody",), "failed"),
    ]


async def test_what_an_operator_asked_for_is_told_with_the_delivery(dsn: str) -> None:
    """PDL 3:11: to whom and when; and it can be seen at whose wish it was told again."""
    async with outbox(dsn) as connection:
        await add(dsn, event("2380", "a", 1))
        await settle(connection, 1)
        subscribers = json.dumps({"2380": {"name": "Östersund"}})
        told = ("republish", "2380", "--case", "a", "--run", "--wait", "0")
        done = await losus(
            dsn, "--as", "anna", "--because", "their disk broke", *told, LOSUS_SUBSCRIBERS=subscribers
        )
        assert done.exit_code == 0, (done.output, done.exception)
        await settle(connection, 1)
        shown = await losus(dsn, "audit", "deliveries", "--case", "a", "--format", "json")
        lines = [json.loads(line) for line in shown.stdout.splitlines()]
        assert [(one["revision"], one["asked"] and one["asked"]["who"]) for one in lines] == [
            (1, None),
            (1, "anna"),
        ]
        assert lines[1]["why"].endswith("asked by anna: their disk broke")
        [first, again, _] = await entries(dsn)
        assert (first.action, again.action, again.who) == ("change: losus republish", "republish", "anna")
        assert await asked(connection) == [None, 1]


async def asked(connection: asyncpg.Connection) -> list[int | None]:
    return [row["asked"] for row in await connection.fetch("select asked from delivery order by number")]
