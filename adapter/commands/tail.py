"""`losus tail`: a municipality's topic as a person reads it.

Owns the reading of a topic from its start or its end, and a line for each event. It joins no group
and commits nothing, so it disturbs no subscriber.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from adapter.access.demands import kafka_demands
from adapter.cluster import Cluster
from adapter.commands.output import Format, err, out, print_json
from adapter.errors import Problem, SetupError, UnavailableError
from adapter.kafka import consumer, fault_of
from adapter.losus.days import local
from adapter.outbound.topics import UNROUTED, cases_topic, events_topic, settlements_topic
from adapter.settings import load_kafka


def tail_command(
    municipality: Annotated[str, typer.Argument(help="Kommunkod, `region.<unit>` or `unrouted`.")],
    kafka: Annotated[
        str | None, typer.Option(help="The broker; otherwise that of the settings, whose TLS and user hold.")
    ] = None,
    topic: Annotated[str, typer.Option(help="events, cases or settlements")] = "events",
    follow: Annotated[bool, typer.Option(help="Wait for more; otherwise end at what is there now.")] = True,
    from_start: Annotated[
        bool, typer.Option(help="From the first record on; otherwise only new ones.")
    ] = True,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Show a topic, record by record."""
    names = {"events": events_topic, "cases": cases_topic, "settlements": settlements_topic}
    if topic not in names:
        raise typer.BadParameter("one of events, cases, settlements", param_hint="--topic")
    name = UNROUTED if municipality == "unrouted" else names[topic](municipality)
    with suppress(KeyboardInterrupt):
        asyncio.run(_tail(name, _cluster(kafka), follow=follow, from_start=from_start, form=form))


def _cluster(address: str | None) -> Cluster:
    """The settings' broker, or that of the address; SetupError where others could read along."""
    kafka = load_kafka(address)
    faults = kafka_demands(kafka)
    if faults:
        raise SetupError(*faults)
    return kafka.cluster


async def _tail(name: str, cluster: Cluster, *, follow: bool, from_start: bool, form: Format) -> None:
    try:
        async for record in read_topic(name, cluster, follow=follow, from_start=from_start):
            if form is Format.JSON:
                print_json(as_json(record))
            else:
                out.print(line(record))
    except (KafkaError, OSError) as error:
        why = await fault_of(cluster)
        err.print(f"losus: {cluster.bootstrap}: {why or type(error).__name__}")
        raise typer.Exit(1) from None


async def read_topic(
    name: str, cluster: Cluster, *, follow: bool, from_start: bool = True
) -> AsyncIterator[ConsumerRecord]:
    """The committed records of a topic; ends at the present end of every partition unless `follow`.

    Raises UnavailableError where the broker does not know the topic.
    """
    reader = consumer(
        cluster,
        name,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest" if from_start else "latest",
    )
    try:
        await reader.start()
        ends = await reader.end_offsets(reader.assignment())
        while follow or [one for one, end in ends.items() if await reader.position(one) < end]:
            for records in (await reader.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record
    except UnknownTopicOrPartitionError:
        raise UnavailableError(Problem("not-found", "the broker has no such topic", name)) from None
    finally:
        await reader.stop()


def as_json(record: ConsumerRecord) -> dict[str, Any]:
    """A record as JSON: topic, key, headers as text, value as it stands (null for a tombstone)."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key.decode(),
        "headers": {name: value.decode() for name, value in record.headers},
        "value": orjson.Fragment(record.value) if record.value is not None else None,
    }


def line(record: ConsumerRecord) -> str:
    """A case event in one line: revision, state, and what has changed. No name, no number."""
    if record.value is None:
        return f"{record.key[:8].decode()}  (removed)"
    picture = orjson.loads(record.value)
    if "state" not in picture:
        return f"{record.key[:8].decode()}  {picture.get('resourceType', 'record')}"
    if picture.get("moved"):
        return f"{picture['case_id'][:8]}  rev {picture['revision']:>2}  left this municipality"
    since = _local(picture.get("since"))
    words = f"{picture['label']:<32} {' · '.join(_remarks(picture))}".rstrip()
    return f"{picture['case_id'][:8]}  rev {picture['revision']:>2}  {since}  {words}"


def _remarks(picture: dict[str, Any]) -> Iterator[str]:
    """What is worth a look: leave, criteria met, limits missed, what else has changed."""
    if picture["on_leave"]:
        yield "on leave"
    if picture["protected"]:
        yield "protected identity: handle by hand"
    criteria = picture["criteria"]
    if "criteria" in picture["changed"] and (met := [one for one in criteria if one["met_at"]]):
        yield f"{len(met)} of {len(criteria)} criteria"
    if "deadlines" in picture["changed"]:
        yield from (f"missed: {one['name']}" for one in picture["deadlines"] if one["status"] == "missed")
    if picture["previous_state"] and (changed := [name for name in picture["changed"] if name not in _TOLD]):
        yield "changed: " + ", ".join(changed)


#: Fields that the line tells in words, or that follow from others.
_TOLD = frozenset(
    {"state", "label", "since", "previous_state", "sources", "times", "on_leave", "criteria", "deadlines"}
)


def _local(since: str | None) -> str:
    return f"{local(datetime.fromisoformat(since)):%Y-%m-%d %H:%M}" if since else " " * 16
