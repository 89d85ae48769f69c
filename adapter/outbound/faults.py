"""Whose fault it is that a claim could not be published: one lane's, or the broker's.

Owns what the broker says of topics; does not own what a producer saw (`courier`). What it says is a fact:
a topic that is not there, that we may not see, that has a partition without a leader.
"""

from collections.abc import Iterable

from aiokafka.errors import LeaderNotAvailableError, TopicAuthorizationFailedError

from adapter.cluster import Cluster
from adapter.kafka import administrator
from adapter.outbound.progress import broker_asked
from adapter.outbound.topics import topics_of_lane

_REASONS = {TopicAuthorizationFailedError.errno: "denied", LeaderNotAvailableError.errno: "leaderless"}


async def lanes_at_fault(cluster: Cluster, lanes: Iterable[str]) -> dict[str, str]:
    """The lanes with a topic that nothing can be written to now, and why; UnavailableError: no broker."""
    lane_of = {topic: lane for lane in lanes for topic in topics_of_lane(lane)}
    faults: dict[str, str] = {}
    async with broker_asked(cluster, "topics"):
        admin = administrator(cluster)
        try:
            await admin.start()
            described = await admin.describe_topics(sorted(lane_of))
        finally:
            await admin.close()
    for topic in described:
        lane = lane_of[topic["topic"]]
        if topic["error_code"]:
            faults[lane] = _REASONS.get(topic["error_code"], "missing")
        elif any(partition["leader"] < 0 for partition in topic["partitions"]):
            faults.setdefault(lane, "leaderless")
    return faults
