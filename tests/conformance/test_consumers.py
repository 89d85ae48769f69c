"""The consumers that are shown, treated badly: begun at a bad moment, away too long, on topics that grew."""

import asyncio
import json
from pathlib import Path

import pytest

from adapter.conformance.playing import player
from adapter.conformance.script import Script
from adapter.conformance.telling import Kept
from adapter.outbound.topics import make_topics
from tests.conformance.trying import (
    begun,
    eventually,
    following,
    forget,
    grow,
    known,
    partitions_made,
    present,
    shown,
)
from tests.conftest import Kafka as Broker
from tests.consumers.running import kcat_lines, process, python_consumer


@pytest.mark.kafka
async def test_kcat_shows_the_newest_picture_of_each_case(apache: Broker, kcat: str) -> None:  # noqa: ARG001
    """Before and after: each revision once, in order, and the last one is what the case is."""
    await make_topics(apache.cluster, ("2380",), partitions=3, replication=1)
    script = Script(6, "2380", await partitions_made(apache.cluster))
    async with player(apache.cluster, transactions=True) as playing:
        await playing.play(script.history())
        before, _ = await asyncio.to_thread(kcat_lines, apache.bootstrap)
        await playing.play(script.rest())
        lines, words = await asyncio.to_thread(kcat_lines, apache.bootstrap)
        await playing.play(script.farewell())
    assert {key for key, *_ in before} & {one.case_id for one in script.stories} == {
        one.case_id for one in script.stories if one.history and one.name not in {"tombstone", "expired"}
    }
    shown = {key: json.loads(picture) for key, _, picture in lines}
    for story in (*script.stories, *script.ends):
        if story.kept is Kept.YES:
            assert {name: shown[story.case_id][name] for name in story.picture} == story.picture, story.name
        else:
            assert story.case_id not in shown, story.name
    assert words == ""


@pytest.mark.kafka
async def test_kcat_tells_gaps_and_passes_over_repeats(
    empty_apache: Broker,
    tmp_path: Path,
    kcat: str,  # noqa: ARG001
) -> None:
    """Followed while the month is played, on topics that were empty."""
    await make_topics(empty_apache.cluster, ("2380",), partitions=3, replication=1)
    script = Script(7, "2380", await partitions_made(empty_apache.cluster))
    told, words = tmp_path / "told", tmp_path / "words"
    async with player(empty_apache.cluster, transactions=True) as playing:
        await playing.play(script.history())
        with following(empty_apache.bootstrap, told, words):
            assert await eventually(lambda: told.stat().st_size > 0)
            await playing.play(script.rest())
            ends = [one.case_id for one in script.ends]
            assert await eventually(lambda: all(one in told.read_text() for one in ends))
        await playing.play(script.farewell())
    seen: dict[str, list[int]] = {}
    for line in told.read_text().splitlines():
        key, revision, _ = line.split("	")
        seen.setdefault(key, []).append(int(revision))
    assert all(numbers == sorted(set(numbers)) for numbers in seen.values())
    (gap,) = [one for one in script.stories if one.name == "gap"]
    assert words.read_text() == f"gap: {gap.case_id} from 2 to 4\n"


@pytest.mark.kafka
@pytest.mark.parametrize("consumer", ["python", "java", "kcat"])
async def test_begun_while_a_transaction_is_open_it_misses_nothing(
    apache: Broker, tmp_path: Path, consumer: str
) -> None:
    """What is not decided yet is in no snapshot, and lies before the last record of `.events`."""
    await make_topics(apache.cluster, ("2380",), partitions=3, replication=1)
    seed = {"python": 21, "java": 22, "kcat": 23}[consumer]
    script = Script(seed, "2380", await partitions_made(apache.cluster))
    (quiet,) = [one for one in script.stories if one.is_snapshot]
    (late,) = [one for one in script.stories if one.name == "deadline"]
    async with (
        player(apache.cluster, transactions=True) as playing,
        player(apache.cluster, transactions=True) as other,
    ):
        await playing.play(quiet.deliveries)
        await other.producer.begin_transaction()
        await other._send(late.deliveries[0])
        told = tmp_path / "store"
        with begun(consumer, apache.bootstrap, told):
            assert await eventually(lambda: quiet.case_id in shown(told))
            await other.producer.commit_transaction()
            assert await eventually(lambda: late.case_id in shown(told))
        await playing.play(script.farewell())


@pytest.mark.kafka
async def test_away_for_longer_than_the_topic_keeps_it_begins_anew(apache: Broker, tmp_path: Path) -> None:
    """Its offsets are gone with the records: the snapshot has it all, `.events` has no more."""
    await make_topics(apache.cluster, ("2380",), partitions=3, replication=1)
    store = tmp_path / "cases.sqlite"
    argv = python_consumer(apache.bootstrap, store)
    partitions = await partitions_made(apache.cluster)
    script = Script(3, "2380", partitions)
    async with player(apache.cluster, transactions=True) as playing:
        await playing.play(script.history())
        with process(*argv, log=tmp_path / "log"):
            wanted = await present(apache.bootstrap)
            assert await eventually(lambda: known(store) == wanted)
        await playing.play(script.rest())
        await forget(apache.bootstrap, "losus.2380.events", partitions)
        with process(*argv, log=tmp_path / "log"):
            wanted = await present(apache.bootstrap)
            assert await eventually(lambda: known(store) == wanted)
        await playing.play(script.farewell())


@pytest.mark.kafka
@pytest.mark.parametrize("consumer", ["python", "java"])
async def test_where_partitions_were_added_it_begins_anew(
    apache: Broker, tmp_path: Path, consumer: str
) -> None:
    """Cases lie elsewhere from then on; a partition that nobody follows would be missed for good."""
    await make_topics(apache.cluster, ("2380",), partitions=3, replication=1)
    told = tmp_path / "store"
    before = await partitions_made(apache.cluster)
    script = Script({"python": 31, "java": 32}[consumer], "2380", before + 1)
    async with player(apache.cluster, transactions=True) as playing:
        await playing.play(script.history())
        quiet = next(one.case_id for one in script.stories if one.is_snapshot)
        with begun(consumer, apache.bootstrap, told):
            assert await eventually(lambda: quiet in shown(told))
        await grow(apache.bootstrap, before + 1)
    async with player(apache.cluster, transactions=True) as playing:
        await playing.play(script.rest())
        with begun(consumer, apache.bootstrap, told):
            ends = [one.case_id for one in script.ends]
            assert await eventually(lambda: all(one in shown(told) for one in ends))
        await playing.play(script.farewell())
