"""One message's way as a collector sees it: HTTP, reading, database, Kafka; and no value of it anywhere."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg
import pytest

from adapter.delivery import Delivery, Door
from adapter.errors import SetupError
from adapter.inbound.flood import Flood
from adapter.inbound.library import Library
from adapter.inbound.receiver import Receiver
from adapter.inbound.rereader import reread_now
from adapter.outbound.topics import events_topic
from adapter.process import configure_tracing, wants_spans
from adapter.sandbox.broker import Broker
from adapter.settings import Kafka
from adapter.store.database import connect
from adapter.store.migrate import migrate
from adapter.trace import Trace, new_trace
from adapter.tracing import begin, record_with, work
from adapter.wiring import world_of
from tests.outbound.outboxes import emptied, outbox, relaying
from tests.service import renewed, send, service, settings, way_home
from tests.topic import records, remove_topics
from tests.tracing.collector import Collector, Seen, collector

SERVER, CLIENT, PRODUCER, INTERNAL, CONSUMER = 2, 3, 4, 1, 5
NEVER = (b"191212121212", b"19121212", b"Tolvan", b"Tolvansson", b"stay-1")


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector, and this process telling it of its spans."""
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.endpoint)
        configure_tracing("test", os.environ)
        yield found
        record_with(None)


def flushed(found: Collector) -> list[Seen]:
    """All spans, after what was left has been sent."""
    record_with(None)
    for never in NEVER:
        assert not any(never in body for body in found.raw), never
    return found.spans


async def test_one_message_from_http_to_kafka(dsn: str, broker: Broker, collected: Collector) -> None:
    await remove_topics(broker.bootstrap)
    async with service(dsn, kafka=Kafka(bootstrap=broker.bootstrap)) as client:
        answer = await send(client, way_home()[0])
        assert answer.status_code == 200
        async with outbox(dsn) as connection, relaying(dsn, broker.bootstrap, transactions=False):
            await emptied(connection, "2380")
    [record] = await records(broker.bootstrap, events_topic("2380"))
    flushed(collected)
    trace = answer.headers["x-request-id"]
    mine = [one for one in collected.spans if one.trace_id == trace]
    topic = events_topic("2380")
    route = "/fhir/{source}/$process-message"
    told = {one.name: one for one in mine}
    assert set(told) == {f"POST {route}", "receive", "read", "COMMIT", f"publish {topic}"}
    assert len(mine) == 5
    root, taken, commit = told[f"POST {route}"], told["receive"], told["COMMIT"]
    assert (root.kind, root.parent_id, root.attributes) == (
        SERVER,
        "",
        {
            "http.request.method": "POST",
            "url.scheme": "http",
            "http.route": route,
            "http.response.status_code": 200,
        },
    )
    assert (taken.kind, taken.parent_id) == (INTERNAL, root.span_id)
    assert taken.attributes == {
        "losus.source": "losus-r4",
        "losus.door": "message",
        "losus.outcome": "taken",
        "losus.message": 1,
    }
    assert (told["read"].parent_id, told["read"].kind) == (taken.span_id, INTERNAL)
    assert (commit.kind, commit.parent_id) == (CLIENT, taken.span_id)
    assert commit.attributes == {"db.system.name": "postgresql", "db.operation.name": "COMMIT"}
    published = told[f"publish {topic}"]
    assert (published.kind, published.parent_id) == (PRODUCER, commit.span_id)
    assert published.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
    }
    assert record.headers["traceparent"] == f"00-{trace}-{commit.span_id}-01", "the span that decided it"
    assert root.began_ns <= taken.began_ns <= commit.began_ns <= commit.ended_ns <= published.ended_ns
    assert {one.service for one in mine} == {"losus-test"}
    assert not any(one.is_error for one in mine)


async def test_what_fails_is_told_by_its_kind(dsn: str, collected: Collector) -> None:
    """A fault of the message is an outcome; only ours are errors; an address is told by its route."""
    async with service(dsn) as client:
        await send(client, b"{")
        await client.get("/cases/191212121212/timeline")
        await client.get("/191212121212")
        broken = renewed(way_home()[0], "broken")
        encounter = next(
            e["resource"] for e in broken["entry"] if e["resource"]["resourceType"] == "Encounter"
        )
        del encounter["period"]
        assert (await send(client, broken)).status_code == 422
        connection = await asyncpg.connect(dsn)
        await connection.execute("alter table message rename to elsewhere")
        await connection.close()
        assert (await send(client, renewed(way_home()[0], "late"))).status_code == 503
    flushed(collected)
    route = "/fhir/{source}/$process-message"
    statuses = [one.attributes["http.response.status_code"] for one in collected.named(f"POST {route}")]
    assert statuses == [400, 422, 503]
    assert [one.is_error for one in collected.named("receive")] == [True, False, False]
    assert [one.attributes.get("losus.outcome") for one in collected.named("receive")] == [
        None,
        "held",
        "refused",
    ]
    assert [one.attributes.get("error.type") for one in collected.named("read")] == [
        "MalformedError",
        None,
        None,
    ]
    assert [one.attributes.get("error.type") for one in collected.named("COMMIT")][
        -1
    ] == "UndefinedTableError"
    assert collected.named("GET /cases/{case_id}/timeline")
    assert collected.named("GET"), "no route: no more than the method"


async def test_each_of_many_has_a_way_of_its_own(dsn: str, collected: Collector) -> None:
    """A look brings many: each is a trace, linked to the look; a record goes on from its writer's trace."""
    await migrate(dsn)
    world, database = world_of(settings(dsn)), await connect(dsn)
    flood = Flood(world, database, lambda: datetime.now(UTC))
    receiver = Receiver(world, database, lambda: datetime.now(UTC), Library(), flood)
    written = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
    bodies = [json.dumps(one).encode() for one in way_home()[:3]]
    with work("poll", None) as looking:
        await receiver.take_in_order(
            [
                Delivery("losus-r4", Door.STREAM, bodies[0], trace=written),
                Delivery("losus-r4", Door.STREAM, bodies[1]),
                Delivery("losus-r4", Door.IMPORT, bodies[2]),
            ]
        )
    await reread_now(world, database, Library(), [1], datetime.now(UTC))
    connection = await asyncpg.connect(dsn)
    kept = [row[0] for row in await connection.fetch("select traceparent from message order by id")]
    await connection.close()
    await database.close()
    flushed(collected)
    first, second, third = collected.named("receive")
    assert (first.trace_id, first.parent_id, first.kind) == (written.trace_id, written.span_id, CONSUMER)
    assert (second.parent_id, third.parent_id, third.kind) == ("", "", INTERNAL)
    assert len({one.trace_id for one in (first, second, third)} | {looking.trace.trace_id}) == 4
    assert {one.links for one in (first, second, third)} == {(looking.trace.trace_id,)}
    commits = collected.named("COMMIT")
    assert sorted(one.trace_id for one in commits) == sorted(one.trace_id for one in (first, second, third))
    assert {one.attributes["db.operation.batch.size"] for one in commits} == {3}
    assert [one.split("-")[1] for one in kept] == [one.trace_id for one in (first, second, third)]
    [again] = collected.named("reread")
    assert (again.links, again.trace_id == first.trace_id) == ((first.trace_id,), False)


SAMPLED = [
    # sampler, its argument, trace that it comes in, whether it is told of, because
    ("parentbased_traceidratio", "0", None, False, "none of ours"),
    ("parentbased_traceidratio", "0", True, True, "whose sender tells of it, of that we do too"),
    ("parentbased_always_on", "", False, False, "whose sender does not"),
    ("parentbased_always_on", "", None, True, "all of ours"),
    ("traceidratio", "0", True, False, "a sender has no say"),
]


@pytest.mark.parametrize(("sampler", "argument", "parent", "told", "because"), SAMPLED)
def test_what_is_sampled(
    monkeypatch: pytest.MonkeyPatch,
    sampler: str,
    argument: str,
    parent: bool | None,
    told: bool,
    because: str,
) -> None:
    """What is not told of has its ids all the same, and its record says so (flag 00)."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    came = None if parent is None else Trace(new_trace().trace_id, "00f067aa0ba902b7", parent)
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.endpoint)
        configure_tracing("test", os.environ)
        root = begin("GET", came, is_remote=came is not None)
        inner = begin("read", root.trace)
        inner.end()
        root.end("ValueError")
        record_with(None)
    assert (root.trace.sampled, inner.is_recorded) == (told, told), because
    assert sorted(one.name for one in found.spans) == (["GET", "read"] if told else [])
    assert inner.trace.trace_id == root.trace.trace_id == (came.trace_id if came else root.trace.trace_id)
    assert (inner.trace == root.trace) is not told


SWITCHED = [
    # environment, on, because
    ({}, False, "nobody to tell"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318"}, True, "a collector"),
    ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://otel:4318/v1/traces"}, True, "one for traces"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False, "an empty one counts as none (specification)"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_SDK_DISABLED": "TRUE"}, False, "switched off"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_TRACES_EXPORTER": "none"}, False, "no traces"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_TRACES_EXPORTER": "otlp"}, True, "as it is"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_TRACES_EXPORTER": "zipkin"}, None, "not spoken"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None, "not spoken"),
    (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
        True,
        "spoken",
    ),
]


@pytest.mark.parametrize(("environment", "on", "because"), SWITCHED)
def test_opentelemetrys_environment_switches_it(
    environment: dict[str, str], on: bool | None, because: str
) -> None:
    if on is None:
        with pytest.raises(SetupError):
            wants_spans(environment)
    else:
        assert wants_spans(environment) is on, because


def test_without_a_collector_the_sdk_is_not_even_imported() -> None:
    told = (
        "import sys; from adapter.process import configure_tracing; from adapter.tracing import begin;"
        "configure_tracing('test', {}); begin('GET', None).end();"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0
