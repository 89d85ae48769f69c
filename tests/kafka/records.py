"""Writes and reads records with aiokafka, for the tests of the brokers."""

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from tests.topic import again

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_COME_WITHIN_S = 30


async def make_topic(bootstrap: str, copies: int = 1) -> str:
    """Make a topic of one partition, and give its name."""
    name = f"test.{uuid.uuid4().hex[:12]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await _create(admin, NewTopic(name, 1, copies))
    finally:
        await admin.close()
    return name


@again
async def _create(admin: AIOKafkaAdminClient, topic: NewTopic) -> None:
    """Create it; asked again where the controller is still coming up, and fine where it is there by then."""
    answer = await admin.create_topics([topic])
    for _, code, *_ in answer.topic_errors:
        if code not in {NoError.errno, TopicAlreadyExistsError.errno}:
            raise for_code(code)


@asynccontextmanager
async def producer(bootstrap: str, **options: object) -> "AsyncIterator[AIOKafkaProducer]":
    one = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, **options)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


async def read(bootstrap: str, topic: str, count: int, isolation: str = "read_committed") -> list[str]:
    """Read `count` values from the beginning; TimeoutError where they do not come."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level=isolation, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(_COME_WITHIN_S):
            return [(await consumer.getone()).value.decode() for _ in range(count)]
    finally:
        await consumer.stop()
