"""The brokers of the rehearsal."""

import pytest

from tests.conftest import Kafka
from tests.topic import remove_topics


@pytest.fixture
async def kafka_for(apache: Kafka) -> Kafka:
    """Apache Kafka without the topics of earlier tests."""
    if not apache.is_running:
        apache.restart()
    await remove_topics(apache.bootstrap)
    return apache
