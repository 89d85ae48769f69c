"""One broker with TLS, users and access lists for all tests of them."""

import asyncio
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from adapter.outbound.topics import make_topics
from tests.kafka.secured import Refused, SecuredKafka, printed
from tests.outbound.outboxes import LANES
from tests.topic import remove_topics


@pytest.fixture(scope="package")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One broker for all; its access lists are what `losus topics apply` prints, which makes the topics."""
    with SecuredKafka(tmp_path_factory.mktemp("secured")) as kafka:
        lists = printed(kafka.administrator, "--dry-run")
        kafka.allow(lists)
        assert printed(kafka.scram("losus-topics")) == lists
        yield kafka


@pytest.fixture
async def empty(secured: SecuredKafka) -> SecuredKafka:
    """The same with nothing on the topics of earlier tests; their access lists stay."""
    await remove_topics(secured.administrator.bootstrap)
    await make_topics(secured.administrator, LANES, partitions=3, replication=1)
    return secured


@pytest.fixture
def refused() -> Iterator[Refused]:
    """Waits until the relay has said why it waits; and holds that it says no password."""
    with capture_logs() as lines:

        async def said(words: str, *, again: bool = False) -> None:
            if again:
                lines.clear()
            async with asyncio.timeout(60):
                while not [line for line in lines if words in line.get("error", "")]:
                    await asyncio.sleep(0.02)
            assert "guess" not in str(lines)

        yield said
