"""One patient's way home, played: message by message in, event by event out; then a statement.

Owns the play: which messages, in which order, and what is said of them. The messages are the
examples of the mapping `losus-r4`; the statement is of Bilaga 9's worked example.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
from aiokafka import ConsumerRecord

from adapter.commands.output import out
from adapter.commands.send import send_message
from adapter.commands.tail import line, read_topic
from adapter.errors import Problem, UnavailableError
from adapter.mapping.load import default_folder
from adapter.outbound.topics import events_topic
from adapter.sandbox.sandbox import Sandbox

_MUNICIPALITY = "2380"
_SOURCE = "losus-r4"
_PATIENCE_S = 30.0


def play(running: Sandbox) -> None:
    """Send the way home and show what arrives; UnavailableError where an event does not come."""
    files = sorted((default_folder() / "examples" / _SOURCE).glob("*.json"))
    asyncio.run(_way_home(running, {file.stem: file.read_bytes() for file in files}))


async def _way_home(running: Sandbox, messages: dict[str, bytes]) -> None:
    topic = events_topic(_MUNICIPALITY)
    out.rule("A patient's way home: FHIR messages in, events on " + topic)
    arriving = read_topic(topic, running.kafka, follow=True)
    with httpx.Client(base_url=running.http, timeout=_PATIENCE_S) as client:
        for name, body in messages.items():
            await _one(client, name, body, arriving)
    await arriving.aclose()  # type: ignore[attr-defined]


async def _one(client: httpx.Client, name: str, body: bytes, arriving: AsyncIterator[ConsumerRecord]) -> None:
    """Send one message and show the event that it calls for."""
    answer = await asyncio.to_thread(send_message, client, _SOURCE, body)
    out.print(f"→ {name:<32} {answer['code']}")
    if answer["code"] != "ok":
        raise UnavailableError(*(Problem(i["code"], i["diagnostics"]) for i in answer["issues"]))
    try:
        record = await asyncio.wait_for(anext(arriving), _PATIENCE_S)
    except TimeoutError:
        raise UnavailableError(Problem("timeout", "no event arrived on the topic")) from None
    out.print(f"    {line(record)}")
