"""Apache Kafka on the loopback interface: one broker, or three, in KRaft mode, to be stopped and killed.

Owns storage, ports and settings of the brokers. Each is broker and controller in one, in a process of
its own that ends with the tests (`adapter.sandbox.processes`). Blocks while it waits: call from a thread
(`asyncio.to_thread`) where clients in the same event loop must go on.
"""

import base64
import os
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient

from adapter.cluster import Cluster
from adapter.errors import UnavailableError
from adapter.sandbox.broker import is_kafka
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports, run, start_listening
from tests.jars import locked
from tests.kafka.foreign import Seen, console_consumer
from tests.kafka.libraries import class_archive, jvm
from tests.servers import java
from tests.topic import again

_LOG4J = Path(__file__).with_name("log4j2.properties")
_SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "1",
    # small, so that three brokers fit beside the tests on two cores
    "num.network.threads": "2",
    "num.io.threads": "2",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.num.partitions": "3",
    "share.coordinator.state.topic.num.partitions": "1",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.index.size.max.bytes": "1048576",
    # quick, so that the loss of a broker is seen in seconds
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "group.initial.rebalance.delay.ms": "0",
    "log.initial.task.delay.ms": "1000",
}


class ApacheBroker:
    """One broker; `node_id` counts from 1. Its data stay until the cluster is closed."""

    def __init__(
        self, node_id: int, port: int, cluster_id: str, settings: Mapping[str, str], users: Sequence[str] = ()
    ) -> None:
        self.jvm = jvm("256m")
        self.node_id = node_id
        self.port = port
        self._guardian = Guardian()
        self._settings = self._guardian.folder / "server.properties"
        own = {"node.id": str(node_id), "log.dirs": str(self._guardian.folder / "data")}
        lines = (f"{key}={value}\n" for key, value in {**settings, **own}.items())
        self._settings.write_text("".join(lines))
        self._cluster_id = cluster_id
        self._users = tuple(word for user in users for word in ("--add-scram", user))

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._guardian.is_running

    def format(self) -> None:
        """Write the cluster's id and the first metadata to the storage."""
        options = ("--cluster-id", self._cluster_id, "--config", str(self._settings))
        run(self._guardian, self._program("kafka.tools.StorageTool", "format", *options, *self._users))

    def start(self) -> None:
        """Start it, and wait until it answers; it needs the others, for a majority of controllers."""
        server = self._program("kafka.Kafka", str(self._settings))
        start_listening(self._guardian, lambda _: server, lambda _pid, port: is_kafka(port), (self.port,))

    def stop(self) -> None:
        """Stop orderly: it hands its partitions to the others first."""
        self._guardian.stop()

    def kill(self) -> None:
        """`kill -9` it."""
        self._guardian.kill()

    def close(self) -> None:
        self._guardian.close()

    def _program(self, main: str, *arguments: str) -> Program:
        log4j = f"-Dlog4j2.configurationFile={_LOG4J}"
        argv = (java(), *self.jvm, log4j, main, *arguments)
        log = self._guardian.folder / "broker.log"
        return Program(argv, log=log, env=os.environ | {"LC_ALL": "C.UTF-8"}, grace_s=20)


class ApacheKafka:
    """A cluster. `stop`, `kill` and `restart` are of all brokers; `brokers[i]` has its own."""

    def __init__(
        self,
        brokers: int,
        settings: Mapping[str, str],
        listeners: Mapping[str, int] | None = None,
        users: Sequence[str] = (),
    ) -> None:
        ports = free_ports(2 * brokers)
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        pairs = list(zip(ports[:brokers], ports[brokers:], strict=True))
        voters = ",".join(f"{n}@{LOOPBACK}:{control}" for n, (_, control) in enumerate(pairs, start=1))
        common = {**_SETTINGS, **_replication(brokers), "controller.quorum.voters": voters}
        self.brokers = tuple(
            ApacheBroker(
                n,
                port,
                cluster_id,
                {**common, **_listeners(port, control, listeners or {}), **settings},
                users,
            )
            for n, (port, control) in enumerate(pairs, start=1)
        )

    @classmethod
    def start(
        cls,
        brokers: int = 1,
        settings: Mapping[str, str] | None = None,
        listeners: Mapping[str, int] | None = None,
        users: Sequence[str] = (),
    ) -> Self:
        """Start a cluster of 1 or 3 brokers; `settings` add to those of every broker, or replace them.

        `listeners`: ports by name of more listeners, of a single broker. `users`: of SCRAM, made before the
        first start, as `kafka-storage format --add-scram` takes them.
        """
        with locked("kafka-classes"):
            if not class_archive().exists():
                _make_class_archive()
        for attempts_left in (2, 1, 0):
            cluster = cls(brokers, settings or {}, listeners, users)
            try:
                cluster._each("format")
                cluster._each("start")
            except UnavailableError:  # a port was taken in between: others are drawn
                cluster.close()
                if not attempts_left:
                    raise
            except BaseException:
                cluster.close()
                raise
            else:
                return cluster
        raise AssertionError

    @property
    def bootstrap(self) -> str:
        """Addresses of all brokers, as Kafka clients take them."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    @property
    def cluster(self) -> Cluster:
        """The same for our own clients."""
        return Cluster(self.bootstrap)

    @property
    def is_running(self) -> bool:
        """Whether every broker runs."""
        return all(broker.is_running for broker in self.brokers)

    def stop(self) -> None:
        self._each("stop")

    def kill(self) -> None:
        self._each("kill")

    def restart(self) -> None:
        """Start every broker that does not run."""
        down = [broker for broker in self.brokers if not broker.is_running]
        self._each("start", down)

    @again
    async def leader_of(self, topic: str, partition: int = 0) -> ApacheBroker | None:
        """Ask which broker leads the partition now; None while nobody does."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            (described,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        leaders = {part["partition"]: part["leader"] for part in described["partitions"]}
        return next((broker for broker in self.brokers if broker.node_id == leaders.get(partition)), None)

    def console_consumer(self, topic: str, count: int, *, isolation: str = "read_committed") -> list[Seen]:
        """Read `count` records with Kafka's own console consumer: see `foreign.console_consumer`."""
        return console_consumer(self.bootstrap, topic, count, isolation=isolation)

    def close(self) -> None:
        """End all brokers and remove their data."""
        self._each("close")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _each(self, what: str, brokers: list[ApacheBroker] | None = None) -> None:
        """Do it to all at the same time, for one alone has no majority."""
        chosen = self.brokers if brokers is None else brokers
        with ThreadPoolExecutor(max_workers=len(self.brokers)) as pool:
            for done in [pool.submit(getattr(broker, what)) for broker in chosen]:
                done.result()


def _make_class_archive() -> None:
    """Let a broker live and end once, so that Java writes down which classes it loaded."""
    made = class_archive().with_suffix(f".{uuid.uuid4().hex}")
    with ApacheKafka(1, {}) as cluster:
        (broker,) = cluster.brokers
        broker.format()
        broker.jvm = jvm("256m", "ArchiveClassesAtExit", made)
        broker.start()
        broker.stop()
    if made.exists():
        made.replace(class_archive())


def _listeners(port: int, control: int, more: Mapping[str, int]) -> dict[str, str]:
    told = ",".join(f"{name}://{LOOPBACK}:{at}" for name, at in {"PLAINTEXT": port, **more}.items())
    return {"listeners": f"{told},CONTROLLER://{LOOPBACK}:{control}", "advertised.listeners": told}


def _replication(brokers: int) -> dict[str, str]:
    """Every topic on every broker; with three, a write needs two of them."""
    copies, needed = str(brokers), str(min(2, brokers))
    return {
        "default.replication.factor": copies,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "share.coordinator.state.topic.replication.factor": copies,
        "min.insync.replicas": needed,
        "transaction.state.log.min.isr": needed,
        "share.coordinator.state.topic.min.isr": needed,
    }
