"""The names of the topics, and making them where they are missing.

Owns names and settings of topics; does not own who may read them. Names are fixed by the contract:
`losus.<kommunkod>.events`, `.cases` (compacted), `.settlements`; for the region alone
`losus.dead-letter` and `losus.unrouted`.
"""

from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from adapter.errors import Problem, UnavailableError

DEAD_LETTER = "losus.dead-letter"
UNROUTED = "losus.unrouted"
#: Where the relay commits how far it has come, inside its transactions.
PROGRESS = "losus.relay-progress"
#: Bytes that the Bundle of a statement may have; a record of a broker's default has a million.
LARGEST_STATEMENT = 15_000_000


def events_topic(municipality: str) -> str:
    """Every change of a municipality's cases, in order per case."""
    return f"losus.{municipality}.events"


def cases_topic(municipality: str) -> str:
    """The newest picture of each of a municipality's cases (compacted)."""
    return f"losus.{municipality}.cases"


def settlements_topic(municipality: str) -> str:
    """The statements of a municipality, as FHIR Bundles."""
    return f"losus.{municipality}.settlements"


def topics_of(municipalities: Iterable[str]) -> dict[str, dict[str, str]]:
    """All topics there are to be, with the settings in which they differ from the broker's."""
    large = {"max.message.bytes": str(LARGEST_STATEMENT + 1_000_000)}
    topics: dict[str, dict[str, str]] = {DEAD_LETTER: {}, UNROUTED: large, PROGRESS: {}}
    for municipality in municipalities:
        topics[events_topic(municipality)] = {}
        topics[cases_topic(municipality)] = {"cleanup.policy": "compact"}
        topics[settlements_topic(municipality)] = large
    return topics


async def make_topics(
    bootstrap: str,
    municipalities: Iterable[str],
    *,
    partitions: int,
    replication: int,
    more: Iterable[str] = (),
) -> list[str]:
    """Make the topics that are missing, `more` among them; their names.

    UnavailableError where the broker refuses one.
    """
    wanted = topics_of(municipalities) | {name: {} for name in more}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        missing = sorted(set(wanted) - set(await admin.list_topics()))
        if not missing:
            return []
        new = [
            NewTopic(
                name,
                num_partitions=1 if name == PROGRESS else partitions,
                replication_factor=replication,
                topic_configs=wanted[name],
            )
            for name in missing
        ]
        answer = await admin.create_topics(new)
    finally:
        await admin.close()
    for name, code, *_ in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            rule = f"the broker does not make the topic ({for_code(code).__name__})"
            raise UnavailableError(Problem("transient", rule, name))
    return missing
