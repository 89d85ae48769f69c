"""The broker: reachable, able to do transactions, its topics as they are to be and their copies in step.

Owns what of these is a fault and what can wait; not the comparison of topics (`outbound.topic_plan`).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.errors import Problem, UnavailableError
from adapter.kafka import administrator, asker, fault_of
from adapter.outbound.topic_plan import Difference, plan_topics
from adapter.outbound.topics import TopicTerms, topics_of

#: What a broker must know for transactions (KIP-98), by the key of the request.
_TRANSACTIONS = {22: "InitProducerId", 24: "AddPartitionsToTxn", 26: "EndTxn"}
_REACH = (
    "is kafka.bootstrap right, are user and certificate known there, does a NetworkPolicy let us reach it?"
)


def terms_of(it: Deployment) -> TopicTerms:
    """How the settings want topics to be."""
    kafka = it.settings.kafka
    return TopicTerms(kafka.partitions, kafka.replication, kafka.min_insync, kafka.retention_days)


async def reachable(it: Deployment) -> Sequence[Told]:
    """Whether any of the brokers lets us in."""
    try:
        async with _asked(it):
            return [ok("it answers")]
    except UnavailableError as error:
        return [fail(error.problems[0].rule, _REACH)]


async def transactions(it: Deployment) -> Sequence[Told]:
    """Exactly once, or at least once: what is asked for, and what the broker can do."""
    async with _asked(it) as client:
        answer = await client.send(client.get_random_node(), ApiVersionRequest())
    known = {key for key, *_ in answer.api_versions}
    lacking = [name for key, name in _TRANSACTIONS.items() if key not in known]
    if it.settings.kafka.transactions:
        if lacking:
            mend = "use Apache Kafka, or set kafka.transactions: false and bear with repeats"
            return [fail(f"the broker does not know {', '.join(lacking)}", mend)]
        return [ok("exactly once")]
    if lacking:
        return [ok("at least once: the broker knows no transactions")]
    mend = "set kafka.transactions: true, so that subscribers see each event once"
    made = ok("at least once, as a sandbox may") if it.is_sandbox else warn("at least once", mend)
    return [made]


async def topics(it: Deployment) -> Sequence[Told]:
    """What `losus topics apply --dry-run` shows; a topic of nobody's is told of and left."""
    plan = await plan_topics(it.settings.kafka.cluster, it.settings.subscribers, terms_of(it))
    told = [_told(one) for one in plan.differences if one.setting != "topic" or one.now is None]
    return told or [ok(f"{len(topics_of(it.settings.subscribers))} topics as the settings want them")]


def _told(one: Difference) -> Told:
    if one.now is None and one.setting == "topic":
        mend = "`losus topics apply`; if it is there, our user may not see it: `losus topics apply --dry-run`"
        return fail("is not there", mend, one.topic)
    found = f"{one.setting} is {one.now}, not {one.wanted}"
    if one.action == "leave":
        return warn(found, f"not ours to change: {one.why}", one.topic)
    return warn(found, "`losus topics apply`", one.topic)


async def copies(it: Deployment) -> Sequence[Told]:
    """Partitions that nobody leads, or with fewer copies in step than a write needs."""
    wanted, needed = sorted(topics_of(it.settings.subscribers)), terms_of(it).needed
    client = administrator(it.settings.kafka.cluster)
    try:
        await client.start()
        there = sorted(set(wanted) & set(await client.list_topics()))
        found = await client.describe_topics(there) if there else []
    except (KafkaError, OSError) as error:
        raise await _away(it, error) from None
    finally:
        await client.close()
    parts = [(one["topic"], part) for one in found for part in one["partitions"]]
    bare = sorted({name for name, part in parts if part["leader"] < 0 or len(part["isr"]) < needed})
    behind = sorted({name for name, part in parts if len(part["isr"]) < len(part["replicas"])} - set(bare))
    mend = "for the broker's operators: a broker is down, or does not keep up"
    if bare:
        return [fail(f"takes no writes: fewer than {needed} copies are in step", mend, name) for name in bare]
    if behind:
        return [warn("a copy is not in step", mend, name) for name in behind]
    if it.settings.kafka.replication == 1 and not it.is_sandbox:
        mend = "kafka.replication: 3 and min_insync: 2, and move the topics (`losus topics apply --dry-run`)"
        return [warn("one copy of each: the loss of a broker stops publishing, or loses events", mend)]
    return [ok("all copies are in step")]


@asynccontextmanager
async def _asked(it: Deployment) -> AsyncIterator[AIOKafkaClient]:
    client = asker(it.settings.kafka.cluster, "losus-doctor")
    try:
        await client.bootstrap()
        yield client
    except (KafkaError, OSError) as error:
        raise await _away(it, error) from None
    finally:
        await client.close()


async def _away(it: Deployment, error: BaseException) -> UnavailableError:
    """Why, by the kind of fault: TLS, who we are, or that nobody answers."""
    why = await fault_of(it.settings.kafka.cluster) or type(error).__name__
    return UnavailableError(Problem("transient", f"the broker does not answer ({why})"))
