"""Clients that nobody here wrote read the municipality's topic as CloudEvents in binary mode."""

from collections.abc import Callable

import orjson
import pytest

from adapter.outbound.topics import events_topic
from tests.conftest import Kafka as Broker
from tests.kafka import foreign
from tests.outbound.test_relay import drained, relay, stored

EVENTS = events_topic("2380")


@pytest.fixture(params=["kcat", pytest.param("console consumer", marks=pytest.mark.kafka)])
def client(request: pytest.FixtureRequest) -> Callable[[str], list[foreign.Seen]]:
    """Either client: gives what it sees of a topic of thirteen records."""
    if request.param == "kcat":
        request.getfixturevalue("kcat")
        return lambda bootstrap: foreign.kcat(bootstrap, EVENTS)
    return lambda bootstrap: foreign.console_consumer(bootstrap, EVENTS, 13)


async def test_a_foreign_client_reads_the_way_home(
    dsn: str, kafka: Broker, client: Callable[[str], list[foreign.Seen]]
) -> None:
    async with stored(dsn):
        with relay(dsn, kafka.bootstrap):
            await drained(dsn)
    seen = client(kafka.bootstrap)
    assert [orjson.loads(record.value or "")["revision"] for record in seen] == list(range(1, 14))
    assert {dict(record.headers)["ce_type"] for record in seen} == {"se.losus.case.changed.v1"}
    assert {record.key for record in seen} == {orjson.loads(seen[0].value or "")["case_id"]}
