"""Joint follow-ups and amounts that a restore lost are kept again from what Kafka has of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from adapter.losus.days import Month
from adapter.recovery.issued import keep_again
from adapter.settlement.joint_entries import ENTERED, Party
from adapter.settling.announcing import announce
from adapter.settling.joint_follow_ups import Writer, enter, find_follow_up, head_of
from adapter.settling.joint_judging import office_of
from adapter.store.migrate import migrate
from adapter.store.putting_back import Staged
from tests.service import service
from tests.settling.hospital import JH, at, book, database, ledger, messages, rows, settled, tell
from tests.store.aging import past_triggers

NOW = datetime(2019, 4, 10, tzinfo=UTC)
BY = Writer(Party.REGION, "staff", "anna", "controller")
NAME = head_of(JH, "2380", "somatic", Month(2019, 3)).id
TEXTS = ("Kallelserna är sena.", "Läkemedel saknas.")
LOSE = ("joint_follow_up_resource", "joint_follow_up_version", "joint_follow_up_entry")
KAFKA = """select municipality, case_id, revision, type, ce_id, payload, closing, created_at from event
           where type = '{}' order by id"""


async def staged(dsn: str, kind: str) -> list[Staged]:
    found = await rows(dsn, KAFKA.format(kind))
    return [replace(Staged(*row), partition=0, offset=n, delivered_at=NOW) for n, row in enumerate(found)]


async def kept(dsn: str, events: list[Staged]) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            return [(await keep_again(connection, one, NOW)).outcome for one in events]
    finally:
        await connection.close()


async def test_entries_that_were_lost_are_kept_again_and_versions_go_on(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await settled(dsn, "2019-03", "2019-04-01", issue=True, municipalities=("2380",))

    async def write(text: str) -> Any:
        async with database(dsn) as opened, opened.transaction() as connection:
            content = ENTERED.validate_python({"kind": "finding", "text": text})
            return await enter(connection, office_of(ledger(dsn)), NAME, content, BY, at("2019-04-03"))

    for text in TEXTS:
        await write(text)
    events = await staged(dsn, "se.losus.followup.v1")
    assert [one.revision for one in events] == [1, 2, 3]
    async with database(dsn) as opened, opened.transaction() as connection:
        before = await find_follow_up(connection, NAME, None)
    await past_triggers(
        dsn,
        *((f"delete from {table}",) for table in LOSE),  # noqa: S608 - names of ours
        ("delete from joint_follow_up",),
        ("delete from delivery",),
        ("delete from outbox",),
        ("delete from event where type = 'se.losus.followup.v1'",),
    )
    assert await kept(dsn, events) == ["kept"] * 3
    assert await kept(dsn, events) == ["other"] * 3, "a second run changes nothing"
    async with database(dsn) as opened, opened.transaction() as connection:
        after = await find_follow_up(connection, NAME, None)
    assert after.version == before.version == 3
    assert [(e.number, e.at, e.party, e.content) for e in after.follow_up.entries] == [
        (e.number, e.at, e.party, e.content) for e in before.follow_up.entries
    ]
    assert (await write("Efter återläsning.")).version == 4, "contiguous with what subscribers have"
    bundles = await rows(dsn, "select bundle from joint_follow_up_version order by version")
    assert [row[0] for row in bundles[:3]] == [one.payload for one in events], "byte for byte"


async def test_an_amount_that_was_announced_is_known_again(dsn: str) -> None:
    await migrate(dsn)

    async def again(agreed: Any) -> list[bool]:
        async with database(dsn) as opened, opened.transaction() as connection:
            return [one.fresh for one in await announce(connection, agreed, ["2380"], 2019, NOW)]

    assert await again(book()) == [True]
    events = await staged(dsn, "se.losus.rate.announced.v1")
    await past_triggers(
        dsn, ("delete from rate_announcement",), ("delete from outbox",), ("delete from event",)
    )
    assert await kept(dsn, events) == ["kept"]
    assert await again(book()) == [False], "and is not announced once more"
    assert orjson.loads(events[0].payload)["amount"] == "7800"
