"""Who may do what on the broker: each subscriber reads its own topics, and no other.

Owns the access lists and how they are written, for Kafka's own tool and for Strimzi; sets none of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

from adapter.outbound.topics import (
    DEAD_LETTER,
    PROGRESS,
    UNROUTED,
    TopicTerms,
    partitions_of,
    topics_of,
    topics_of_lane,
)

RELAY = "losus-relay"
REGION = "losus-region"
LISTENER = "losus-listener"
ADMINISTRATOR = "losus-topics"


@dataclass(frozen=True, slots=True)
class Access:
    """What one user may do with one thing; `prefix`: with all whose name begins so."""

    user: str
    kind: Literal["topic", "group", "transactionalId"]
    name: str
    prefix: bool
    operations: tuple[str, ...]

    def command(self) -> str:
        """As an argument list of `kafka-acls`."""
        flag = {"topic": "--topic", "group": "--group", "transactionalId": "--transactional-id"}[self.kind]
        pattern = " --resource-pattern-type prefixed" if self.prefix else ""
        doing = " ".join(f"--operation {one}" for one in self.operations)
        return f"--add --allow-principal User:{self.user} {doing} {flag} {self.name}{pattern}"

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def user_of(municipality: str) -> str:
    """The user of a municipality or of a federation: its principal is `User:` and this."""
    return f"losus-{municipality}"


def group_prefix(municipality: str) -> str:
    """What the consumer groups of a municipality or of a federation are to begin with."""
    return f"losus.{municipality}."


def access_lists(
    municipalities: Iterable[str],
    relay: str = RELAY,
    source_topics: Iterable[str] = (),
    federations: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> list[Access]:
    """All that has to be allowed, and no more; where nothing is allowed, the broker denies.

    `source_topics`: topics that hospitals write to, which `losus listen` reads. Who only looks whether the
    broker answers (`/readyz` of `losus serve`) has to be a user, and be allowed nothing.
    `federations`: the members of each federation, whose topics its own user reads beside them.
    """
    read = ("Read", "Describe")
    lists = []
    for municipality in municipalities:
        user = user_of(municipality)
        names = topics_of_lane(municipality)
        lists += [Access(user, "topic", name, False, read) for name in names]
        lists.append(Access(user, "group", group_prefix(municipality), True, ("Read",)))
        lists += [Access(relay, "topic", name, False, ("Write", "Describe")) for name in names]
    for federation, members in federations.items():
        user = user_of(federation)
        names = tuple(name for code in sorted(members) for name in topics_of_lane(code))
        lists += [Access(user, "topic", name, False, read) for name in names]
        lists.append(Access(user, "group", group_prefix(federation), True, ("Read",)))
    for name in (DEAD_LETTER, UNROUTED):
        lists.append(Access(REGION, "topic", name, False, read))
        lists.append(Access(relay, "topic", name, False, ("Write", "Describe")))
    lists.append(Access(REGION, "group", "losus.region.", True, ("Read",)))
    lists.append(Access(relay, "topic", PROGRESS, False, ("Read", "Write", "Describe")))
    lists.append(Access(relay, "transactionalId", f"{RELAY}-", True, ("Write", "Describe")))
    lists += [Access(LISTENER, "topic", name, False, read) for name in source_topics]
    return lists


def administrator_lists() -> list[Access]:
    """What `losus topics apply` itself has to be allowed; the relay too, where it is to make topics."""
    doing = ("Create", "Describe", "DescribeConfigs", "Alter", "AlterConfigs")
    return [Access(ADMINISTRATOR, "topic", "losus.", True, doing)]


def strimzi(
    municipalities: Iterable[str],
    terms: TopicTerms,
    *,
    cluster: str,
    api: str,
    authentication: str,
    source_topics: Iterable[str] = (),
    federations: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Iterator[dict[str, Any]]:
    """The topics and users as resources of Strimzi's operator (`KafkaTopic`, `KafkaUser`)."""
    codes = tuple(municipalities)
    labels = {"strimzi.io/cluster": cluster}

    def resource(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        meta = {"name": name, "labels": labels}
        return {"apiVersion": f"kafka.strimzi.io/{api}", "kind": kind, "metadata": meta, "spec": dict(spec)}

    for topic, settings in sorted(topics_of(codes, terms).items()):
        config = {key: int(value) if value.isdigit() else value for key, value in settings.items()}
        counts = {"partitions": partitions_of(topic, terms), "replicas": terms.replication}
        yield resource("KafkaTopic", topic, {**counts, "config": config})
    lists = access_lists(codes, source_topics=source_topics, federations=federations)
    for user in dict.fromkeys(one.user for one in lists):
        acls = [
            {
                "resource": {
                    "type": one.kind,
                    "name": one.name,
                    "patternType": "prefix" if one.prefix else "literal",
                },
                "operations": list(one.operations),
                "host": "*",
            }
            for one in lists
            if one.user == user
        ]
        simple = {"type": "simple", "acls": acls}
        yield resource(
            "KafkaUser", user, {"authentication": {"type": authentication}, "authorization": simple}
        )
