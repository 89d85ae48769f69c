"""Topics as the settings want them: made, set, never cut or deleted; and who may read which."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from adapter.cluster import Cluster
from adapter.outbound.access_lists import access_lists, user_of
from adapter.outbound.topic_plan import TopicPlan, plan_topics
from adapter.outbound.topics import (
    DEAD_LETTER,
    PROGRESS,
    PROGRESS_PARTITIONS,
    UNROUTED,
    TopicTerms,
    cases_topic,
    create_topics,
    events_topic,
    settlements_topic,
    topics_of,
)
from tests import cli
from tests.kafka.cluster import ApacheKafka
from tests.service import settings
from tests.topic import remove_topics

CODES = ("2380", "2309")
TERMS = TopicTerms(partitions=3, replication=1)
DAY = 24 * 3600 * 1000


@pytest.fixture
async def admin(apache: ApacheKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    if not apache.is_running:
        apache.restart()
    await remove_topics(apache.bootstrap)
    client = AIOKafkaAdminClient(bootstrap_servers=apache.bootstrap)
    await client.start()
    yield client
    await client.close()


def losus(bootstrap: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    given = settings("postgresql://none")
    environment = os.environ | {
        "LOSUS_DATABASE": "postgresql://none",
        "LOSUS_SECRET": given.secret.get_secret_value(),
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_KAFKA": orjson.dumps({"bootstrap": bootstrap, **more}).decode(),
        "LOSUS_SUBSCRIBERS": orjson.dumps({c: s.model_dump() for c, s in given.subscribers.items()}).decode(),
    }
    return cli.run("topics", *words, env=environment)


@pytest.mark.kafka
async def test_what_is_missing_is_made_and_then_nothing_differs(
    admin: AIOKafkaAdminClient, apache: ApacheKafka
) -> None:
    plan = await plan_topics(apache.cluster, CODES, TERMS)
    assert {(one.topic, one.action) for one in plan.differences} == {(t, "make") for t in topics_of(CODES)}
    await plan.apply(apache.cluster)
    await planned(apache.bootstrap, set(), grow=False)
    (progress,) = await admin.describe_topics([PROGRESS])
    assert len(progress["partitions"]) == PROGRESS_PARTITIONS


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("topic", "partitions", "configs", "grow", "expected", "because"),
    [
        ("cases", 3, {"cleanup.policy": "delete"}, False, {("cleanup.policy", "delete", "compact", "set")},
         "newest picture of each case"),
        ("events", 3, {"retention.ms": str(DAY)}, False, {("retention.ms", str(DAY), str(90 * DAY), "set")},
         "ninety days by default"),
        ("settlements", 3, {"max.message.bytes": "1000"}, False,
         {("max.message.bytes", "1000", "16000000", "set")}, "a month's Bundle is large"),
        ("events", 5, None, True, {("partitions", "5", "3", "leave")}, "never taken away"),
        ("events", 2, None, False, {("partitions", "2", "3", "leave")}, "a case would change its partition"),
        ("events", 2, None, True, {("partitions", "2", "3", "add")}, "asked for"),
    ],
)  # fmt: skip
async def test_what_differs_is_told_and_set_right(
    admin: AIOKafkaAdminClient,
    apache: ApacheKafka,
    topic: str,
    partitions: int,
    configs: dict[str, str] | None,
    grow: bool,
    expected: set[tuple[str, str, str, str]],
    because: str,
) -> None:
    name = f"losus.2380.{topic}"
    wanted = topics_of(CODES, TERMS)
    given = {**wanted[name], **(configs or {}), "segment.bytes": "1048576"}
    await create_topics(admin, {one: wanted[one] for one in wanted if one != name}, TERMS)
    await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=given)])
    plan = await planned(apache.bootstrap, expected, grow=grow)
    await plan.apply(apache.cluster)
    left = {one for one in expected if one[-1] == "leave"}
    await planned(apache.bootstrap, left, grow=grow)
    (_, overrides) = await _settings(admin, name)
    assert overrides["segment.bytes"] == "1048576", "what somebody else set stays"
    assert because


async def planned(bootstrap: str, expected: set[tuple[str, str, str, str]], *, grow: bool) -> TopicPlan:
    """The plan, once it shows what is expected: a broker tells what is new a moment later."""
    async with asyncio.timeout(20):
        while True:
            plan = await plan_topics(Cluster(bootstrap), CODES, TERMS, grow=grow)
            if {(d.setting, d.now, d.wanted, d.action) for d in plan.differences} == expected:
                return plan
            await asyncio.sleep(0.1)


async def _settings(admin: AIOKafkaAdminClient, name: str) -> tuple[dict[str, str], dict[str, str]]:
    from adapter.outbound import topic_plan  # noqa: PLC0415

    return (await topic_plan._settings(admin, [name]))[name]


@pytest.mark.kafka
async def test_a_topic_of_no_subscriber_is_told_and_stays(
    admin: AIOKafkaAdminClient, apache: ApacheKafka
) -> None:
    await (await plan_topics(apache.cluster, CODES, TERMS)).apply(apache.cluster)
    await planned(apache.bootstrap, set(), grow=False)
    plan = await plan_topics(apache.cluster, CODES[:1], TERMS)
    assert {one.topic for one in plan.differences} == {
        f"losus.2309.{n}" for n in ("events", "cases", "settlements")
    }
    assert {one.action for one in plan.differences} == {"leave"}
    await plan.apply(apache.cluster)
    assert events_topic("2309") in await admin.list_topics()


@pytest.mark.kafka
@pytest.mark.usefixtures("admin")
def test_the_command_shows_then_makes_then_agrees(apache: ApacheKafka) -> None:
    shown = losus(apache.bootstrap, "apply", "--dry-run", "--format", "json")
    assert (shown.returncode, json.loads(shown.stdout)["applied"]) == (1, False), shown.stderr
    assert len(json.loads(shown.stdout)["differences"]) == len(topics_of(CODES))
    made = losus(apache.bootstrap, "apply")
    assert (made.returncode, made.stdout.count("made ")) == (0, len(topics_of(CODES))), made.stderr
    agreed = losus(apache.bootstrap, "apply", "--dry-run", "--format", "json")
    assert (agreed.returncode, json.loads(agreed.stdout)["differences"]) == (0, [])
    refused = losus(apache.bootstrap, "apply", partitions=2)
    assert refused.returncode == 1
    assert refused.stdout.count("never taken away") == len(topics_of(CODES)) - 1


def test_a_broker_that_is_away_is_told_and_no_traceback() -> None:
    done = losus("127.0.0.1:1", "apply", "--dry-run")
    assert done.returncode == 1
    assert "the broker does not answer" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("replication", "asked", "needed", "because"),
    [
        (1, None, 1, "there is but one copy"),
        (3, None, 2, "the loss of one broker is borne"),
        (3, 3, 3, "as asked"),
    ],
)
def test_how_many_copies_an_answer_needs(
    replication: int, asked: int | None, needed: int, because: str
) -> None:
    terms = TopicTerms(replication=replication, min_insync=asked)
    for settings_of in topics_of(CODES, terms).values():
        assert settings_of["min.insync.replicas"] == str(needed), because


def test_a_municipality_may_read_its_own_topics_and_nothing_else() -> None:
    for code in CODES:
        lists = [one for one in access_lists(CODES) if one.user == user_of(code)]
        assert {(one.kind, one.name, one.prefix) for one in lists} == {
            ("topic", events_topic(code), False),
            ("topic", cases_topic(code), False),
            ("topic", settlements_topic(code), False),
            ("group", f"losus.{code}.", True),
        }
        assert {operation for one in lists for operation in one.operations} == {"Read", "Describe"}


def test_a_unit_of_open_care_may_read_its_own_two_topics_and_nothing_else() -> None:
    """Contract 4: a subscriber of kind `open-care` gets cases; statements are a municipality's."""
    unit = "region.zata"
    lists = [one for one in access_lists([*CODES, unit]) if one.user == user_of(unit)]
    assert {(one.kind, one.name, one.prefix, one.operations) for one in lists} == {
        ("topic", "losus.region.zata.events", False, ("Read", "Describe")),
        ("topic", "losus.region.zata.cases", False, ("Read", "Describe")),
        ("group", "losus.region.zata.", True, ("Read",)),
    }
    assert set(topics_of([unit])) - set(topics_of([])) == {events_topic(unit), cases_topic(unit)}
    assert topics_of([unit])[cases_topic(unit)]["cleanup.policy"] == "compact"
    writes = {
        one.name for one in access_lists([unit]) if one.user == "losus-relay" and "Write" in one.operations
    }
    assert {events_topic(unit), cases_topic(unit)} <= writes


def test_the_region_alone_reads_what_is_of_nobody() -> None:
    readers = {
        (one.name, one.user)
        for one in access_lists(CODES)
        if one.name in {UNROUTED, DEAD_LETTER} and "Read" in one.operations
    }
    assert readers == {(UNROUTED, "losus-region"), (DEAD_LETTER, "losus-region")}


def test_strimzi_is_given_the_same_topics_and_lists() -> None:
    done = losus("127.0.0.1:1", "apply", "--format", "strimzi", "--cluster", "region", replication=3)
    assert done.returncode == 0, done.stderr
    found = list(yaml.safe_load_all(done.stdout))
    assert {one["metadata"]["labels"]["strimzi.io/cluster"] for one in found} == {"region"}
    topics = {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "KafkaTopic"}
    assert topics.keys() == topics_of(CODES).keys()
    assert topics[cases_topic("2380")]["replicas"] == 3
    assert topics[cases_topic("2380")]["config"]["cleanup.policy"] == "compact"
    assert topics[cases_topic("2380")]["config"]["min.insync.replicas"] == 2
    users = {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "KafkaUser"}
    assert users.keys() == {"losus-2380", "losus-2309", "losus-relay", "losus-region"}
    group = [
        acl for acl in users["losus-2380"]["authorization"]["acls"] if acl["resource"]["type"] == "group"
    ]
    assert [acl["resource"] for acl in group] == [
        {"type": "group", "name": "losus.2380.", "patternType": "prefix"}
    ]
