"""The two pipes that the adapter is measured against, as uvicorn applications.

`bare` parses JSON and produces to Kafka; `naive` has fhir.resources validate the body first. Both
answer when the broker has the record. Settings: PIPE_KAFKA, PIPE_TOPIC.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response
from fhir.resources.R4B.bundle import Bundle

_TOPIC = os.environ.get("PIPE_TOPIC", "")


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["PIPE_KAFKA"], acks="all")
    await producer.start()
    app.state.producer = producer
    yield
    await producer.stop()


bare = FastAPI(lifespan=_life)
naive = FastAPI(lifespan=_life)


@bare.post("/")
async def take(request: Request) -> Response:
    """Parse and produce."""
    body = await request.body()
    orjson.loads(body)
    await request.app.state.producer.send_and_wait(_TOPIC, body)
    return Response()


@naive.post("/")
async def check(request: Request) -> Response:
    """Parse, validate and produce."""
    body = await request.body()
    Bundle.model_validate(orjson.loads(body))
    await request.app.state.producer.send_and_wait(_TOPIC, body)
    return Response()
