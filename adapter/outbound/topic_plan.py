"""How the topics on the broker differ from what they are to be, and setting that right.

Owns the comparison and what is never done: no topic is deleted, no partition taken away, and none added
unless that is asked for, since a case's key would then lead to another partition: its order would be lost,
and `.cases` would hold it twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from adapter.cluster import Cluster
from adapter.errors import Problem, UnavailableError
from adapter.kafka import administrator
from adapter.outbound.topics import PROGRESS, TopicTerms, create_topics, partitions_of, topics_of

Action = Literal["make", "set", "add", "leave"]
_OVERRIDE = 1  # DescribeConfigs: set for the topic, not the broker's default
_PREFIX = "losus."


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting of one topic: what it is (None: there is no such topic), and what it is to be.

    `action`: the topic is to be made, the setting set, partitions added; or left as it is, for the reason
    in `why`.
    """

    topic: str
    setting: str
    now: str | None
    wanted: str
    action: Action
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A topic as the broker has it; `overrides` are those settings that were set for it."""

    partitions: int
    replication: int
    settings: Mapping[str, str]
    overrides: Mapping[str, str]


class TopicPlan:
    """The wanted topics beside those that are there; `differences` in the order of their names."""

    def __init__(
        self,
        wanted: dict[str, dict[str, str]],
        terms: TopicTerms,
        found: Mapping[str, "_Found"],
        *,
        grow: bool,
    ) -> None:
        self._wanted, self._terms, self._found = wanted, terms, found
        self.differences = tuple(
            one for topic in sorted(wanted.keys() | found.keys()) for one in self._of(topic, grow=grow)
        )

    def _of(self, topic: str, *, grow: bool) -> Iterable[Difference]:
        found, wanted = self._found.get(topic), self._wanted.get(topic)
        if wanted is None:
            yield Difference(topic, "topic", "there", "none", "leave", "of no subscriber; nothing is deleted")
            return
        if found is None:
            yield Difference(topic, "topic", None, "there", "make")
            return
        yield from self._partitions(topic, found, grow=grow or topic == PROGRESS)
        if found.replication != self._terms.replication:
            now, copies = str(found.replication), str(self._terms.replication)
            why = "copies are moved by kafka-reassign-partitions, with a plan of where to"
            yield Difference(topic, "replication", now, copies, "leave", why)
        for setting, value in sorted(wanted.items()):
            if (now_set := found.settings.get(setting)) != value:
                yield Difference(topic, setting, now_set, value, "set")

    def _partitions(self, topic: str, found: "_Found", *, grow: bool) -> Iterable[Difference]:
        count = partitions_of(topic, self._terms)
        now, wanted = str(found.partitions), str(count)
        if found.partitions > count:
            yield Difference(topic, "partitions", now, wanted, "leave", "partitions are never taken away")
        elif found.partitions < count and grow:
            yield Difference(topic, "partitions", now, wanted, "add")
        elif found.partitions < count:
            why = "a case would change its partition: order and compaction end there (--more-partitions)"
            yield Difference(topic, "partitions", now, wanted, "leave", why)

    async def apply(self, cluster: Cluster) -> None:
        """Make, set and add what differs; UnavailableError names what the broker refuses."""
        to_do: dict[Action, list[str]] = {}
        for one in self.differences:
            to_do.setdefault(one.action, []).append(one.topic)
        async with _admin(cluster) as admin:
            made = {topic: self._wanted[topic] for topic in to_do.get("make", ())}
            await create_topics(admin, made, self._terms)
            added = sorted(set(to_do.get("add", ())))
            if added:
                await admin.create_partitions(
                    {topic: NewPartitions(partitions_of(topic, self._terms)) for topic in added}
                )
            await self._set(admin, sorted(set(to_do.get("set", ()))))

    async def _set(self, admin: AIOKafkaAdminClient, topics: Sequence[str]) -> None:
        """Set settings; the request replaces all that were set for a topic, so those go with it."""
        if not topics:
            return
        resources = [
            ConfigResource(
                ConfigResourceType.TOPIC, topic, {**self._found[topic].overrides, **self._wanted[topic]}
            )
            for topic in topics
        ]
        problems = [
            Problem("transient", f"the broker does not set it ({for_code(code).__name__})", name)
            for answer in await admin.alter_configs(resources)
            for code, _, _, name in answer.resources
            if code
        ]
        if problems:
            raise UnavailableError(*problems)


async def plan_topics(
    cluster: Cluster, municipalities: Iterable[str], terms: TopicTerms, *, grow: bool = False
) -> TopicPlan:
    """Compare; `grow`: partitions may be added. UnavailableError where the broker does not answer."""
    wanted = topics_of(municipalities, terms)
    async with _admin(cluster) as admin:
        there = [name for name in await admin.list_topics() if name.startswith(_PREFIX) or name in wanted]
        return TopicPlan(wanted, terms, await _describe(admin, there), grow=grow)


async def _describe(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, _Found]:
    if not topics:
        return {}
    settings = await _settings(admin, topics)
    found: dict[str, _Found] = {}
    for one in await admin.describe_topics(list(topics)):
        if one["error_code"] == UnknownTopicOrPartitionError.errno:
            continue
        values, overrides = settings[one["topic"]]
        copies = min((len(part["replicas"]) for part in one["partitions"]), default=0)
        found[one["topic"]] = _Found(len(one["partitions"]), copies, values, overrides)
    return found


async def _settings(
    admin: AIOKafkaAdminClient, topics: Sequence[str]
) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Each topic's settings, and those among them that were set for it."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    found = {}
    for answer in await admin.describe_configs(resources):
        for code, _, _, name, entries in answer.resources:
            if code:
                rule = f"the broker does not tell how it is set ({for_code(code).__name__})"
                raise UnavailableError(Problem("transient", rule, name))
            values = {entry[0]: entry[1] for entry in entries}
            found[name] = (values, {entry[0]: entry[1] for entry in entries if _is_override(entry)})
    return found


def _is_override(entry: Sequence[Any]) -> bool:
    """Of version 0 of the answer: not the default; of later ones: set for the topic."""
    return not entry[3] if isinstance(entry[3], bool) else entry[3] == _OVERRIDE


class _admin:  # noqa: N801 - used as a function
    """A started client; the broker's faults as UnavailableError."""

    def __init__(self, cluster: Cluster) -> None:
        self._client = administrator(cluster)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        try:
            await self._client.start()
        except (KafkaError, OSError) as error:
            await self._client.close()
            raise _away(error) from None
        return self._client

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await self._client.close()
        if isinstance(error, KafkaError | OSError):
            raise _away(error) from None


def _away(error: BaseException) -> UnavailableError:
    return UnavailableError(Problem("transient", f"the broker does not answer ({type(error).__name__})"))
