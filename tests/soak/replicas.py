"""Replicas of each process on one database and one broker: what they do, and how fast.

Owns starting them, the messages that they are sent, and the clock; does not own what must hold.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import httpx
from personnummer import personnummer

from adapter.outbound.topics import SHARES
from adapter.sandbox.processes import LOOPBACK, free_ports
from tests.service import stay, way_home
from tests.soak.distance import far_away
from tests.soak.region import SOURCE, environment, process

_WITHIN_S = 120.0
_ADMITTED = "2024-03-04T14:20:00+01:00"


@dataclass(slots=True)
class Replicas:
    """The processes that run; `urls` of the services, `pages` of the relays."""

    stack: ExitStack
    environment: dict[str, str]
    urls: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    async def serve(self, replicas: int) -> None:
        """Start services until there are so many; from each the database is far away."""
        await self._start("serve", replicas, self.urls, "--sandbox", "--no-watch")

    async def relay(self, replicas: int) -> None:
        """Start relays until there are so many and they have divided the shares between them."""
        await self._start("relay", replicas, self.pages)
        async with asyncio.timeout(_WITHIN_S), httpx.AsyncClient() as client:
            while not _is_even([await _shares(client, page) for page in self.pages]):
                await asyncio.sleep(0.1)

    async def watch(self, replicas: int) -> None:
        """Start watchers."""
        await self._start("watch", replicas, [])

    async def _start(self, command: str, replicas: int, there: list[str], *options: str) -> None:
        ports = free_ports(replicas - len(there))
        for port in ports:
            arguments = (command, *options, "--port", str(port))
            process(self.stack, f"{command}-{port}", arguments, self.environment).start()
            there.append(f"http://{LOOPBACK}:{port}")
        async with asyncio.timeout(_WITHIN_S), httpx.AsyncClient() as client:
            for url in there:
                while not await _answers(client, url):
                    await asyncio.sleep(0.1)


@asynccontextmanager
async def replicas(dsn: str, bootstrap: str, one_way_s: float, **more: str) -> AsyncIterator[Replicas]:
    """No process yet; `one_way_s` is how far away the database is from each that is started."""
    parts = urlsplit(dsn)
    async with far_away(parts.port or 0, one_way_s) as port:
        far = dsn.replace(f":{parts.port}/", f":{port}/")
        with ExitStack() as stack:
            yield Replicas(stack, environment(far, bootstrap, 1) | more)


async def send(
    urls: Sequence[str], numbers: range, admitted_at: Callable[[], datetime], at_once: int
) -> float:
    """Tell the services of the admission of so many patients, at an instant that is asked for each.

    Each service is told its part, so many at once. Gives how many were answered 200 in a second, of all.
    """
    began = time.monotonic()
    lines = [(url, numbers[n :: len(urls) * at_once]) for n, url in enumerate(list(urls) * at_once)]
    async with httpx.AsyncClient(timeout=60) as client:
        await asyncio.gather(*(_tell(client, url, some, admitted_at) for url, some in lines))
    return len(numbers) / (time.monotonic() - began)


async def _tell(
    client: httpx.AsyncClient, url: str, numbers: Iterable[int], admitted_at: Callable[[], datetime]
) -> None:
    for number in numbers:
        text = json.dumps(way_home()[0]).replace(_ADMITTED, admitted_at().isoformat())
        message = stay(json.loads(text), number, 0)
        message["entry"][2]["resource"]["identifier"][0]["value"] = _personnummer(number)
        answer = await client.post(f"{url}/fhir/{SOURCE}/$process-message", content=json.dumps(message))
        assert answer.status_code == 200, answer.status_code


def _personnummer(number: int) -> str:
    """One of its own for each patient: records of one person are told one after the other."""
    every = (f"19450101{number + 100}{check}" for check in range(10))
    return next(one for one in every if personnummer.valid(one))


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def _shares(client: httpx.AsyncClient, page: str) -> int:
    lines = (await client.get(f"{page}/metrics")).text.splitlines()
    return sum(int(float(line.split()[1])) for line in lines if line.startswith("losus_relay_shares "))


def _is_even(held: list[int]) -> bool:
    return sum(held) == SHARES and max(held) - min(held) <= 1
