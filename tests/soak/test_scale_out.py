"""Several services, relays and watchers on one database and one broker: nothing twice, nothing lost, and more
of them do more.

The database is made to seem far away (40 ms there and back), so that what is measured is waiting and not the
two cores of a small machine: replicas that stood in one line for a lock would be no faster than one.
"""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from adapter.cluster import Cluster
from adapter.commands.tail import read_topic
from adapter.outbound.topics import cases_topic, events_topic
from tests.kafka.cluster import ApacheKafka
from tests.outbound.outboxes import add, event, until
from tests.soak.replicas import replicas, send
from tests.topic import records, remove_topics

pytestmark = [pytest.mark.long, pytest.mark.kafka, pytest.mark.timeout(600)]

_ONE_WAY_S = 0.02
_MANY = 3
_EACH = 16  # messages a service
_AT_ONCE = 2
_GROWS = 1.5  # at least so many times the work of one, on a machine that does much else beside
_HOME = "2380"
_LONG_AGO = datetime(2024, 3, 4, 13, 20, tzinfo=UTC)
_NEARLY_A_DAY = timedelta(hours=24, seconds=-20)  # the notice is due a while after the admission is told
_LEFT = "select count(*) from outbox"
CHANGED, DEADLINE = "se.losus.case.changed.v1", "se.losus.case.deadline.v1"
#: A lane of each share, see `records.share_of`.
_LANES = ("2380", "1280", "2580", "0115", "2309", "0114", "2180", "2305")


async def test_services_and_watchers(dsn: str, apache: ApacheKafka) -> None:
    await remove_topics(apache.bootstrap)
    async with replicas(dsn, apache.bootstrap, _ONE_WAY_S, LOSUS_KAFKA__PARTITIONS="2") as region:
        await region.serve(1)
        await region.relay(1)
        alone = await send(region.urls, range(_EACH), lambda: _LONG_AGO, _AT_ONCE)
        await region.serve(_MANY)
        await region.relay(_MANY)
        await region.watch(_MANY)
        numbers = range(_EACH, _EACH * (_MANY + 1))
        together = await send(region.urls, numbers, lambda: datetime.now(UTC) - _NEARLY_A_DAY, _AT_ONCE)
        connection = await asyncpg.connect(dsn)
        told = "select count(*) from event where type = $1"
        await until(connection, told, lambda count: count >= len(numbers), DEADLINE)
        await until(connection, _LEFT, lambda count: count == 0)
        await connection.close()
    seen = await records(apache.bootstrap, events_topic(_HOME))
    assert len({one.headers["ce_id"] for one in seen}) == len(seen), "an event twice"
    by_case = Counter(one.key for one in seen)
    assert len(by_case) == _EACH * (_MANY + 1), "a case lost"
    kinds = Counter(one.headers["ce_type"] for one in seen)
    assert kinds == {CHANGED: len(by_case), DEADLINE: len(numbers)}, "a limit told twice, or not"
    newest = {one.key: one.value for one in await records(apache.bootstrap, cases_topic(_HOME))}
    assert newest == {one.key: one.value for one in seen}
    print(f"messages/s: one service {alone:.1f}, {_MANY} services {together:.1f}")
    assert together > _GROWS * alone


async def test_relays(dsn: str, apache: ApacheKafka) -> None:
    await remove_topics(apache.bootstrap)
    more = {
        "LOSUS_KAFKA__PARTITIONS": "1",
        "LOSUS_KAFKA__BATCH": "5",
        "LOSUS_SUBSCRIBERS": "{" + ", ".join(f'"{lane}": {{"name": "{lane}"}}' for lane in _LANES) + "}",
    }
    rates: dict[int, float] = {}
    async with replicas(dsn, apache.bootstrap, _ONE_WAY_S, **more) as region:
        done = 0
        for count in (1, _MANY):
            await region.relay(count)
            connection = await asyncpg.connect(dsn)
            for revisions in (range(done + 1, done + 2), range(done + 2, done + 12)):  # the first makes warm
                began = datetime.now(UTC)
                await add(dsn, *(event(lane, f"case-{lane}", one) for one in revisions for lane in _LANES))
                await until(connection, _LEFT, lambda left: left == 0)
                rates[count] = len(revisions) * len(_LANES) / (datetime.now(UTC) - began).total_seconds()
            await connection.close()
            done += 11
    for lane in _LANES:
        topic = read_topic(events_topic(lane), Cluster(apache.bootstrap), follow=False)
        told = [json.loads(record.value)["revision"] async for record in topic]
        assert told == list(range(1, done + 1)), lane
    print(f"events/s: one relay {rates[1]:.1f}, {_MANY} relays {rates[_MANY]:.1f}")
    assert rates[_MANY] > _GROWS * rates[1]
