"""Stays of many patients, sent as a bad network would have them: repeated, out of order, and until answered.

Owns what is sent and the count of what was answered; the same seed sends the same.
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.service import stay, way_home
from tests.soak.region import MUNICIPALITIES, SOURCE, Region

Message = dict[str, Any]

_WORKERS = 8
_ANSWER_S = 20.0
_REPEATED = 0.15
_MOVES = 0.2
_SYSTEM = "urn:oid:1.2.752.129.2.2.1.17"


@dataclass(slots=True)
class Sent:
    """What was answered 2xx, and how long at the most nothing was."""

    accepted: dict[int, list[Message]] = field(default_factory=dict)
    messages: int = 0
    attempts: int = 0
    longest_silence_s: float = 0.0
    last_answer_at: float = field(default_factory=time.monotonic)

    def answered(self, case: int, message: Message) -> None:
        """Count a message that was answered 2xx."""
        now = time.monotonic()
        self.longest_silence_s = max(self.longest_silence_s, now - self.last_answer_at)
        self.last_answer_at = now
        self.messages += 1
        self.accepted.setdefault(case, []).append(message)


def messages_of(case: int, chance: random.Random) -> list[Message]:
    """The messages of one stay: so far as it has come, perhaps with a move to another municipality."""
    every = way_home()
    told = every[: chance.randint(1, len(every))]
    home, other = chance.sample(sorted(MUNICIPALITIES), 2)
    made = [stay(_living_in(message, home), case, index) for index, message in enumerate(told)]
    if chance.random() < _MOVES:
        moved = stay(_living_in(every[0], other), case, len(every))
        patient = moved["entry"][2]["resource"]
        patient["meta"] = {"versionId": "2", "lastUpdated": "2024-03-09T08:00:00+01:00"}
        made.append(moved)
    return made


def _living_in(message: Message, municipality: str) -> Message:
    text = json.dumps(message)
    copy: Message = json.loads(text)
    for entry in copy["entry"]:
        for address in entry["resource"].get("address", ()):
            for extension in address.get("extension", ()):
                if extension.get("valueCoding", {}).get("system") == _SYSTEM:
                    extension["valueCoding"]["code"] = municipality
    return copy


async def send_all(region: Region, seed: int, stop: asyncio.Event, per_second: float) -> Sent:
    """Send stays until `stop`, then what is left of those begun; ends when all of it was answered 2xx."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    sent = Sent()
    queue: asyncio.Queue[tuple[int, Message] | None] = asyncio.Queue(_WORKERS)
    async with httpx.AsyncClient(timeout=_ANSWER_S) as client:
        workers = [asyncio.create_task(_work(client, region, queue, sent, seed + n)) for n in range(_WORKERS)]
        case = 0
        while not stop.is_set():
            group: list[tuple[int, Message]] = []
            for _ in range(20):
                case += 1
                group += [(case, message) for message in messages_of(case, chance)]
            group += [one for one in group if chance.random() < _REPEATED]
            chance.shuffle(group)
            for one in group:
                await queue.put(one)
                await asyncio.sleep(chance.expovariate(per_second))
                if stop.is_set() and one is not group[-1]:
                    continue
        for _ in workers:
            await queue.put(None)
        await asyncio.gather(*workers)
    return sent


async def _work(
    client: httpx.AsyncClient,
    region: Region,
    queue: "asyncio.Queue[tuple[int, Message] | None]",
    sent: Sent,
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    while (one := await queue.get()) is not None:
        case, message = one
        while not await _is_taken(client, chance.choice(region.urls), message, sent):
            await asyncio.sleep(chance.uniform(0.1, 0.5))
        sent.answered(case, message)


async def _is_taken(client: httpx.AsyncClient, url: str, message: Message, sent: Sent) -> bool:
    sent.attempts += 1
    try:
        answer = await client.post(f"{url}/fhir/{SOURCE}/$process-message", content=json.dumps(message))
    except httpx.HTTPError:
        return False
    if answer.status_code not in {200, 503, 429}:
        raise AssertionError(f"a sound message was answered {answer.status_code}")
    return answer.status_code == 200
