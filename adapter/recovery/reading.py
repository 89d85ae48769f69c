"""The topics read to their ends: each committed record as the event that it tells of.

Owns what is waited for before reading, so that nothing is hidden behind a transaction that is still open, and
what a record says. Does not own what is done with it (`run`). Holds a page of records at a time.

Bounds. `.events`, `.settlements` and the region's topics keep a record for `kafka.retention_days`, so what a
backup older than that does not know cannot be read any more but for the newest picture of each case, which
`.cases` keeps.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from adapter.cluster import Cluster
from adapter.errors import Problem, UnavailableError
from adapter.kafka import administrator, consumer
from adapter.outbound.events import (
    CASE_CHANGED,
    CASE_EXPIRED,
    DEADLINE_MISSED,
    FOLLOW_UP_RECORDED,
    OF_SETTLEMENTS,
    RATE_ANNOUNCED,
)
from adapter.outbound.parked import MESSAGE_PARKED
from adapter.outbound.progress import TRANSACTION_TIMEOUT_S, broker_asked, fence
from adapter.outbound.records import DEAD_LETTER_LANE, UNROUTED_LANE
from adapter.store.putting_back import Staged

_LANE = re.compile(
    rf"losus\.(?:(?P<code>[0-9]{{4}}|region\.[a-z0-9-]+)\.(?:events|cases|settlements)|({UNROUTED_LANE})|({DEAD_LETTER_LANE}))"
)
_OF_CASES = frozenset({CASE_CHANGED, DEADLINE_MISSED})
_KNOWN = _OF_CASES | OF_SETTLEMENTS | {MESSAGE_PARKED, CASE_EXPIRED}
_MARGIN_S = 15.0  # the broker looks for old transactions every ten seconds
_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of all: how many were read so far, of how many offsets."""

    events: tuple[Staged, ...]
    done: int
    of: int


async def lanes_on(cluster: Cluster) -> dict[str, list[str]]:
    """The topics of each lane that the broker has, also of municipalities that subscribe no more."""
    async with broker_asked(cluster, "topics"):
        admin = administrator(cluster)
        await admin.start()
        try:
            names = await admin.list_topics()
        finally:
            await admin.close()
    lanes: dict[str, list[str]] = {}
    for name in sorted(names):
        if _LANE.fullmatch(name):
            lanes.setdefault(_lane_of(name), []).append(name)
    return lanes


def _lane_of(topic: str) -> str:
    found = _LANE.fullmatch(topic)
    return (found["code"] if found else None) or topic.removeprefix("losus.")


async def decided(cluster: Cluster, topics: Sequence[str], producers: Sequence[str]) -> None:
    """Wait until no transaction is open on the topics; `producers`: whose open ones may be ended at once.

    UnavailableError where one is still open when the broker should have ended it.
    """
    for producer in producers:
        with suppress(UnavailableError):
            await fence(cluster, producer)
    clock = asyncio.get_running_loop().time
    until = clock() + TRANSACTION_TIMEOUT_S + _MARGIN_S
    while open_ := await _undecided(cluster, topics):
        if clock() > until:
            raise UnavailableError(Problem("transient", "a transaction is still open", open_[0]))
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _undecided(cluster: Cluster, topics: Sequence[str]) -> list[str]:
    written, committed = [await _ends(cluster, topics, how) for how in ("read_uncommitted", "read_committed")]
    return sorted({place.topic for place, end in written.items() if committed[place] < end})


async def _ends(cluster: Cluster, topics: Sequence[str], isolation: str) -> dict[TopicPartition, int]:
    async with broker_asked(cluster, "ends"):
        reader = consumer(cluster, *topics, isolation_level=isolation)
        await reader.start()
        try:
            ends: dict[TopicPartition, int] = await reader.end_offsets(reader.assignment())
        finally:
            await reader.stop()
    return ends


async def read_all(cluster: Cluster, topics: Sequence[str]) -> AsyncIterator[Page]:
    """Every committed record of the topics, up to where they end now; UnavailableError: no broker."""
    if not topics:
        return
    reader = consumer(
        cluster,
        *topics,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with broker_asked(cluster, "start"):
        await reader.start()
    try:
        places = list(reader.assignment())
        async with broker_asked(cluster, "ends"):
            first, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
        of = sum(ends[one] - first[one] for one in places)
        left = set(places)
        while left:
            async with broker_asked(cluster, "records"):
                found = await reader.getmany(timeout_ms=500, max_records=1000)
                at = {one: await reader.position(one) for one in places}
            left = {one for one in places if at[one] < ends[one]}
            events = tuple(event for records in found.values() for one in records if (event := event_of(one)))
            yield Page(events, sum(at[one] - first[one] for one in places), of)
    finally:
        await reader.stop()


def event_of(record: ConsumerRecord) -> Staged | None:
    """The event that a record tells of; None for a tombstone beside an event, and for what is not ours."""
    headers = dict(record.headers)
    kind = headers.get("ce_type", b"").decode()
    if kind not in _KNOWN or (record.value is None) != (kind == CASE_EXPIRED):
        return None
    revision, closing = 1, False
    if kind in _OF_CASES:
        picture = orjson.loads(record.value)
        revision, closing = picture["revision"], picture["moved"]
    elif kind == RATE_ANNOUNCED:
        revision = orjson.loads(record.value)["version"]
    elif kind == FOLLOW_UP_RECORDED:
        revision = int(orjson.loads(record.value)["entry"][0]["resource"]["meta"]["versionId"])
    return Staged(
        _lane_of(record.topic),
        record.key.decode(),
        0 if kind == CASE_EXPIRED else revision,
        kind,
        headers["ce_id"].decode(),
        record.value or b"",
        closing,
        datetime.fromisoformat(headers["ce_time"].decode()),
        headers["traceparent"].decode() if "traceparent" in headers else None,
        record.partition,
        record.offset,
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
