"""The servers that tests run against: real ones, started once, each test with a place of its own on them."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import pytest

from adapter import wiring
from adapter.fhir.model import FhirVersion
from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from tests import schedule, servers
from tests.databases import Databases, copy_of, make_template
from tests.examples import load_profile
from tests.hapi.server import HapiServer
from tests.kafka.cluster import ApacheKafka
from tests.topic import remove_topics

#: Who runs the commands of the tests: outside the sandbox they ask for a name.
os.environ.setdefault("LOSUS_OPERATOR", "tester")
load_profile()


#: The files that take longest, the longest first (`tests.schedule`).
LONGEST = (
    "tests/commands/test_sandbox.py",
    "tests/sandbox/test_no_orphan.py",
    "tests/settling/test_issued_beside.py",
    "tests/settling/test_controllers_year.py",
    "tests/settling/test_dispute_answers.py",
    "tests/commands/test_door_commands.py",
    "tests/store/test_ten_years.py",
    "tests/specification/test_every_channel.py",
    "tests/losus/test_case_any_order.py",
)
STOPS = schedule.Stops()
_ACCESS_LISTS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    schedule.arrange(items, LONGEST)
    if hasattr(config, "workerinput"):
        schedule.write_groups(items, Path(config.workerinput["groups"]))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    STOPS.after(item, nextitem)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where to write its groups."""
    node.workerinput["groups"] = str(import_module("tests.by_file").exchange())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share out by groups and files; where there are no workers nobody asks."""
    return import_module("tests.by_file").ByFile(config, log)


class Kafka(Protocol):
    """What the sandbox's broker and Apache Kafka have in common."""

    @property
    def bootstrap(self) -> str: ...
    @property
    def is_running(self) -> bool: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    """The shipped files are read and compiled once for all tests, not for each service that one starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "load_folder", cache(wiring.load_folder))
        patch.setattr(wiring, "load_book", cache(wiring.load_book))
        yield


@pytest.fixture(scope="session", autouse=True)
def _shared_brokers() -> Iterator[None]:
    """A test's new database knows nothing of what those before have published to the same broker.

    A relay would refuse to publish, rightly; `tests/recovery` and `tests/soak` let it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOSUS_KAFKA__REFUSE_OLDER", "false")
        yield


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """PostgreSQL, not durable: a commit outlives `kill`, but not a power cut."""
    with Database.start(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
async def template(database: Database) -> str:
    """Name of a database that is migrated and empty, to be copied."""
    return await make_template(database)


@pytest.fixture(scope="session")
def databases(database: Database, template: str) -> Databases:
    """Migrated databases without rows, for one test at a time."""
    return Databases(database, template)


@pytest.fixture
async def dsn(databases: Databases) -> AsyncIterator[str]:
    """Address of a migrated database of the test's own, without rows."""
    async with databases.one() as made:
        yield made


@pytest.fixture
async def other_dsn(databases: Databases) -> AsyncIterator[str]:
    """Address of another such database."""
    async with databases.one() as made:
        yield made


@pytest.fixture
async def unmigrated(database: Database) -> AsyncIterator[str]:
    """Address of a database of the test's own that no migration has been applied to."""
    async with copy_of(database, None) as made:
        yield made


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The sandbox's broker (noida-db)."""
    with Broker.start() as server:
        yield server


@pytest.fixture(scope="session")
def apache() -> Iterator[ApacheKafka]:
    """Apache Kafka, one broker, that asks its access lists; what none speaks of is open.

    Without Java and Maven: skipped, in CI failed.
    """
    with ApacheKafka.start(settings=_ACCESS_LISTS) as server:
        STOPS.add("apache", server.kill)
        yield server


@pytest.fixture(scope="session")
def three_brokers() -> Iterator[ApacheKafka]:
    with ApacheKafka.start(brokers=3) as server:
        STOPS.add("cluster", server.kill)
        yield server


@pytest.fixture
async def cluster3(three_brokers: ApacheKafka) -> ApacheKafka:
    """Apache Kafka, three brokers, each topic on all of them, two needed for a write; no earlier topics."""
    await _emptied(three_brokers)
    return three_brokers


@pytest.fixture
async def empty_broker(broker: Broker) -> Kafka:
    """The sandbox's broker, running, and without the topics of earlier tests."""
    await _emptied(broker)
    return broker


@pytest.fixture
async def empty_apache(apache: ApacheKafka) -> ApacheKafka:
    """The same of Apache Kafka."""
    await _emptied(apache)
    return apache


@pytest.fixture(params=["sandbox", pytest.param("apache", marks=pytest.mark.kafka)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    """Each of the two in turn: for what the relay and the brokers have to agree on, and nothing else."""
    server: Kafka = request.getfixturevalue("empty_broker" if request.param == "sandbox" else "empty_apache")
    return server


async def _emptied(server: Kafka) -> None:
    if not server.is_running:
        server.restart()
    await remove_topics(server.bootstrap)


@pytest.fixture(scope="session")
def hapi_of() -> Iterator[Callable[[FhirVersion], HapiServer]]:
    """HAPI FHIR of a version of FHIR, emptied at each call. Without Java and Maven: skipped, in CI failed."""
    started: dict[FhirVersion, HapiServer] = {}
    with ExitStack() as stack:

        def server_of(version: FhirVersion) -> HapiServer:
            server = started.get(version)
            if server is None:
                server = started[version] = stack.enter_context(HapiServer.start(version))
                STOPS.add("hapi", server.stop)
            if not server.is_running:
                server.restart()
            server.reset()
            return server

        yield server_of


@pytest.fixture
def hapi(hapi_of: Callable[[FhirVersion], HapiServer]) -> HapiServer:
    """HAPI FHIR's JPA server for R4, running, and without what earlier tests left."""
    return hapi_of(FhirVersion.R4)


@pytest.fixture
def hapi_r5(hapi_of: Callable[[FhirVersion], HapiServer]) -> HapiServer:
    """The same for R5."""
    return hapi_of(FhirVersion.R5)


@pytest.fixture
def kcat() -> str:
    """Path of kcat, a client on librdkafka (Debian's package `kcat`)."""
    return servers.program("kcat")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real messages beside the repository."""
    return servers.shared_folder()
