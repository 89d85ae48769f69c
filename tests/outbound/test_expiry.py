"""A case that ended long ago leaves `.cases` by a tombstone: once for each revision, and never `.events`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from adapter.losus.terms import State
from adapter.outbound.expiry import ENDED, expire
from adapter.outbound.topics import cases_topic, events_topic
from adapter.store.database import connect
from tests.conftest import Kafka
from tests.outbound.test_relay import drained, relay, stored
from tests.topic import records

NOW = datetime(2030, 6, 1, tzinfo=UTC)
DAYS = 365


async def changed(
    dsn: str, days_ago: int, state: State = State.DISCHARGED, told: str = '{"2380": 13}'
) -> None:
    """The only case as if it had changed so long ago."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "update cases set changed_at = $1, state = $2, revisions = $3",
        NOW - timedelta(days=days_ago),
        state.value,
        told,
    )
    await connection.close()


async def expired(dsn: str) -> int:
    database = await connect(dsn)
    async with database.transaction() as connection:
        count, place = await expire(connection, NOW, DAYS)
    await database.close()
    assert place is None
    return count


@pytest.mark.parametrize(
    ("given", "count", "because"),
    [
        ({"days_ago": 366}, 1, "ended, and unchanged for longer than it is kept"),
        ({"days_ago": 365}, 0, "not longer, just as long"),
        ({"days_ago": 366, "state": State.PLANNING}, 0, "it has not ended"),
        ({"days_ago": 366, "state": State.VOIDED}, 1, "voided is an end"),
        ({"days_ago": 366, "told": '{"2380": 13, "": 1}'}, 0, "the last that was told of it is nobody"),
        ({"days_ago": 366, "told": "{}"}, 0, "nobody was told of it"),
        ({"days_ago": 366, "told": '{"region.zata": 2, "2380": 13}'}, 2, "off both streams"),
        (
            {"days_ago": 366, "told": '{"2380": 13, "region.zata": 2, "region.": 0}'},
            1,
            "the unit was told it left",
        ),
    ],
)
async def test_which_cases_leave(dsn: str, given: dict[str, Any], count: int, because: str) -> None:
    async with stored(dsn):
        await changed(dsn, **given)
    assert await expired(dsn) == count, because
    assert await expired(dsn) == 0, "once for each revision"


async def test_a_case_that_is_heard_of_again_leaves_again(dsn: str) -> None:
    async with stored(dsn):
        await changed(dsn, 366)
    assert await expired(dsn) == 1
    await changed(dsn, 366, told='{"2380": 14}')
    assert await expired(dsn) == 1


async def test_the_subscriber_sees_a_tombstone_on_cases_alone(dsn: str, empty_broker: Kafka) -> None:
    async with stored(dsn):
        await changed(dsn, 366)
    assert await expired(dsn) == 1
    with relay(dsn, empty_broker.bootstrap):
        await drained(dsn)
    told = await records(empty_broker.bootstrap, events_topic("2380"))
    newest = await records(empty_broker.bootstrap, cases_topic("2380"))
    assert [record.value["revision"] for record in told if record.value] == list(range(1, 14))
    assert len(newest) == 14
    assert newest[-1].value is None
    assert newest[-1].key == newest[-2].key


def test_what_has_ended_is_what_nothing_more_is_expected_of() -> None:
    assert set(State) - set(ENDED) == {
        State.ADMITTED, State.NOTIFIED, State.PLANNING, State.READY, State.HOME_READY,
    }  # fmt: skip
