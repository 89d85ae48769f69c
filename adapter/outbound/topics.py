"""The names of the topics, how each is to be, and making them where they are missing.

Owns names and settings of topics; does not own who may read them (`acls`), nor the comparison with those
that are there (`topic_plan`). Names are fixed by the contract: `losus.<kommunkod>.events`, `.cases`
(compacted), `.settlements`; `losus.region.<unit>.events` and `.cases` for units of its open care; for the
region alone `losus.dead-letter` and `losus.unrouted`. No topic is the archive (PDL 3:17, HSLF-FS 2016:40
4:9): that is the database, which keeps every event.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from adapter.cluster import Cluster
from adapter.errors import Problem, UnavailableError
from adapter.kafka import administrator, fault_of
from adapter.streams import is_open_care

DEAD_LETTER = "losus.dead-letter"
UNROUTED = "losus.unrouted"
#: Where the relay writes how far it has come, inside its transactions.
PROGRESS = "losus.relay-progress"
#: The outbox is dealt to so many shares, which relays divide among themselves. Part of the protocol, as a
#: topic's number of partitions is: relays that disagreed would both publish a lane.
SHARES = 8
#: A share has a partition of its own; its lanes that are in quarantine have another.
PROGRESS_PARTITIONS = 2 * SHARES
#: Bytes that the Bundle of a statement may have; a record of a broker's default has a million.
LARGEST_STATEMENT = 15_000_000

_DAY_MS = 24 * 3600 * 1000
#: A reader that was away for less sees every tombstone; one that was away for longer begins anew.
_TOMBSTONE_DAYS = 30
_COMPACTED_WITHIN_DAYS = 7


@dataclass(frozen=True, slots=True)
class TopicTerms:
    """How topics are made. `min_insync` None: one less than `replication`, so that one loss is borne."""

    partitions: int = 3
    replication: int = 1
    min_insync: int | None = None
    retention_days: int = 90

    @property
    def needed(self) -> int:
        """How many copies a record must have before it is acknowledged (`min.insync.replicas`)."""
        return self.min_insync or max(1, self.replication - 1)


def events_topic(municipality: str) -> str:
    """Every change of a municipality's cases, in order per case."""
    return f"losus.{municipality}.events"


def cases_topic(municipality: str) -> str:
    """The newest picture of each of a municipality's cases (compacted)."""
    return f"losus.{municipality}.cases"


def settlements_topic(municipality: str) -> str:
    """The statements of a municipality, as FHIR Bundles."""
    return f"losus.{municipality}.settlements"


def topics_of_lane(lane: str) -> tuple[str, ...]:
    """The topics of a stream: a municipality's three, a unit's of open care two, or the region's one."""
    if f"losus.{lane}" in {DEAD_LETTER, UNROUTED}:
        return (f"losus.{lane}",)
    if is_open_care(lane):  # it owes nothing
        return (events_topic(lane), cases_topic(lane))
    return (events_topic(lane), cases_topic(lane), settlements_topic(lane))


def topics_of(municipalities: Iterable[str], terms: TopicTerms | None = None) -> dict[str, dict[str, str]]:
    """All topics there are to be, with the settings that matter."""
    terms = terms or TopicTerms()
    safe = {"min.insync.replicas": str(terms.needed)}
    kept = {"cleanup.policy": "delete", "retention.ms": str(terms.retention_days * _DAY_MS), **safe}
    large = {**kept, "max.message.bytes": str(LARGEST_STATEMENT + 1_000_000)}
    compacted = {"cleanup.policy": "compact", **safe}
    topics = {DEAD_LETTER: kept, UNROUTED: large, PROGRESS: {**compacted, "segment.ms": str(_DAY_MS)}}
    for municipality in municipalities:
        topics[events_topic(municipality)] = kept
        topics[cases_topic(municipality)] = {
            **compacted,
            "delete.retention.ms": str(_TOMBSTONE_DAYS * _DAY_MS),
            "max.compaction.lag.ms": str(_COMPACTED_WITHIN_DAYS * _DAY_MS),
        }
        if not is_open_care(municipality):
            topics[settlements_topic(municipality)] = large
    return topics


def partitions_of(topic: str, terms: TopicTerms) -> int:
    """How many partitions a topic is to have."""
    return PROGRESS_PARTITIONS if topic == PROGRESS else terms.partitions


async def make_topics(
    cluster: Cluster,
    municipalities: Iterable[str],
    *,
    partitions: int,
    replication: int,
    min_insync: int | None = None,
    retention_days: int = 90,
    more: Iterable[str] = (),
) -> list[str]:
    """Make the topics that are missing, `more` among them; their names. What is there is left as it is.

    UnavailableError where the broker is away, or refuses one; the others are made all the same.
    """
    terms = TopicTerms(partitions, replication, min_insync, retention_days)
    wanted = topics_of(municipalities, terms) | {name: {} for name in more}
    admin = administrator(cluster)
    try:
        await admin.start()
        missing = sorted(set(wanted) - set(await admin.list_topics()))
        await create_topics(admin, {name: wanted[name] for name in missing}, terms)
        if PROGRESS not in missing:
            await widen_progress(admin)
    except (KafkaError, OSError, TimeoutError) as error:
        rule = f"the broker makes no topics ({await fault_of(cluster) or type(error).__name__})"
        raise UnavailableError(Problem("transient", rule)) from None
    finally:
        await admin.close()
    return missing


async def create_topics(
    admin: AIOKafkaAdminClient, wanted: dict[str, dict[str, str]], terms: TopicTerms
) -> None:
    """Make topics; UnavailableError names all that the broker refuses."""
    if not wanted:
        return
    answer = await admin.create_topics(
        [
            NewTopic(
                name,
                num_partitions=partitions_of(name, terms),
                replication_factor=terms.replication,
                topic_configs=configs,
            )
            for name, configs in wanted.items()
        ]
    )
    refused = [
        Problem("transient", f"the broker does not make the topic ({for_code(code).__name__})", name)
        for name, code, *_ in answer.topic_errors
        if code not in {0, TopicAlreadyExistsError.errno}
    ]
    if refused:
        raise UnavailableError(*refused)


async def widen_progress(admin: AIOKafkaAdminClient) -> None:
    """Give the relay's own topic the partitions that it needs; nobody else reads it."""
    (described,) = await admin.describe_topics([PROGRESS])
    if len(described["partitions"]) < PROGRESS_PARTITIONS:
        await admin.create_partitions({PROGRESS: NewPartitions(PROGRESS_PARTITIONS)})
