"""The one place where clients of Kafka are made: nobody can forget TLS, or who we are.

Owns the options of a connection, and the words for why there is none; does not own what a client is for.

When what is read. Each client reads the files of `Cluster` when it is made, and keeps what it read: a new
certificate, authority or password is taken up, without a restart, by the next client. The relay replaces a
producer that fails, and asks with a new client each time; a door that listens begins anew when `stamp_of`
says that a file has changed. Files that are changed one after the other may not fit together for a moment:
that is UnavailableError, and passes.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from adapter.cluster import Cluster
from adapter.errors import Problem, UnavailableError
from adapter.trust import context_of, tls_fault

_LOOK_S = 3.0
_CLOSE_S = 1.0


def producer(cluster: Cluster, **options: Any) -> AIOKafkaProducer:  # noqa: ANN401 - aiokafka's
    """A producer, not started; UnavailableError where a file cannot be used now."""
    return AIOKafkaProducer(**_connection(cluster), **options)


def consumer(cluster: Cluster, *topics: str, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - aiokafka's
    """A consumer, not started; UnavailableError where a file cannot be used now."""
    return AIOKafkaConsumer(*topics, **_connection(cluster), **options)


def administrator(cluster: Cluster) -> AIOKafkaAdminClient:
    """A client that describes and changes topics, not started; UnavailableError as above."""
    return AIOKafkaAdminClient(**_connection(cluster))


def asker(cluster: Cluster, client_id: str) -> AIOKafkaClient:
    """A client for single requests, not started (`bootstrap`); UnavailableError as above."""
    return AIOKafkaClient(**_connection(cluster), client_id=client_id)


def stamp_of(cluster: Cluster) -> tuple[tuple[int, int], ...]:
    """Another one when a file of the cluster was exchanged; one that is away counts too."""
    return tuple(_changed_at(path) for path in cluster.files)


async def fault_of(cluster: Cluster) -> str | None:
    """Why no broker answers us, by the kind of fault alone; None where one does, empty where none says why.

    All are asked at once, for a few seconds. A fault of TLS, or of who we are, tells more than silence.
    """
    try:
        options = _connection(cluster)
    except UnavailableError:
        return "a file of kafka.tls or kafka.sasl cannot be used"
    del options["bootstrap_servers"]
    asked = (_fault_at(address, options) for address in cluster.bootstrap.split(","))
    faults = await asyncio.gather(*asked)
    if None in faults:
        return None
    return next((words for words in faults if words), "")


async def _fault_at(address: str, options: dict[str, Any]) -> str | None:
    """None: it answers; empty: it does not."""
    host, _, port = address.strip().rpartition(":")
    connection = None
    try:
        async with asyncio.timeout(_LOOK_S):
            connection = await create_conn(host.strip("[]"), int(port), **options)
            await connection.send(MetadataRequest([]))
    except SaslAuthenticationFailed:
        return "it does not know our user and password"
    except (UnsupportedSaslMechanismError, IllegalSaslStateError):
        return "it does not offer our SASL mechanism"
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        return tls_fault(error) or ""
    finally:
        if connection is not None:
            await _closed(connection)
    return None


async def _closed(connection: AIOKafkaConnection) -> None:
    closing = connection.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await closing


def _connection(cluster: Cluster) -> dict[str, Any]:
    """What every client of aiokafka is told of the connection."""
    tls, sasl = cluster.tls, cluster.sasl
    options: dict[str, Any] = {
        "bootstrap_servers": cluster.bootstrap,
        "security_protocol": ("SASL_" if sasl else "") + ("SSL" if tls else "PLAINTEXT"),
    }
    if tls is not None:
        options["ssl_context"] = context_of(tls.authority, tls.certificate, tls.key)
    if sasl is not None:
        options["sasl_mechanism"] = sasl.mechanism
        options["sasl_plain_username"] = sasl.username
        options["sasl_plain_password"] = _password(sasl.password_file)
    return options


def _password(path: Path) -> str:
    """The password in the file, without the line end that editors add."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        rule = f"cannot be read ({type(error).__name__})"
        raise UnavailableError(Problem("security", rule, str(path))) from None


def _changed_at(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)
