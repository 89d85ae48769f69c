"""What is done to a region, at random and repeatably: kills with -9, cut connections, a frozen process."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
from aiokafka.errors import KafkaError

from adapter.outbound.topics import events_topic
from tests.soak.region import MUNICIPALITIES, Process, Region, in_thread


class Mischief:
    """Does one thing after another until told to stop; `done` counts them by kind."""

    def __init__(self, region: Region, seed: int, pause_s: tuple[float, float]) -> None:
        self._region, self._pause_s = region, pause_s
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.done: Counter[str] = Counter()

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until `stop`; what was broken is mended again after a while, as somebody would."""
        while not stop.is_set():
            await self._wait(stop, *self._pause_s)
            kind = self._chance.choice(sorted(_KINDS))
            with suppress(OSError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await _KINDS[kind](self)
                self.done[kind] += 1
            await in_thread(self._region.heal)

    async def _wait(self, stop: asyncio.Event, least_s: float, most_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), self._chance.uniform(least_s, most_s))

    async def _kill(self, process: Process) -> None:
        await in_thread(process.kill)
        await asyncio.sleep(self._chance.uniform(0.0, 2.0))

    async def service(self) -> None:
        await self._kill(self._chance.choice(self._region.services))

    async def services(self) -> None:
        for process in self._region.services:
            await in_thread(process.kill)

    async def relay(self) -> None:
        await self._kill(self._chance.choice(self._region.relays))

    async def relays(self) -> None:
        for process in self._region.relays:
            await in_thread(process.kill)

    async def frozen_relay(self) -> None:
        """One that believes itself alive when another has taken over: it has to be fenced."""
        pid = self._chance.choice(self._region.relays).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(self._chance.uniform(2.0, 12.0))
        finally:
            os.kill(pid, signal.SIGCONT)

    async def database(self) -> None:
        await in_thread(self._region.database.kill)
        await asyncio.sleep(self._chance.uniform(0.0, 2.0))

    async def connections(self) -> None:
        """Every session of the database ended in the middle of whatever it does."""
        connection = await asyncpg.connect(self._region.database.dsn, timeout=5)
        try:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()

    async def broker(self) -> None:
        broker = self._chance.choice(self._region.kafka.brokers)
        await in_thread(broker.kill)
        await asyncio.sleep(self._chance.uniform(0.0, 3.0))

    async def leader(self) -> None:
        """The broker that leads a partition of a municipality's events."""
        topic = events_topic(self._chance.choice(sorted(MUNICIPALITIES)))
        async with asyncio.timeout(10):
            broker = await self._region.kafka.leader_of(topic, self._chance.randrange(3))
        if broker is not None:
            await in_thread(broker.kill)
            await asyncio.sleep(self._chance.uniform(0.0, 3.0))


_KINDS: dict[str, Callable[[Mischief], Awaitable[None]]] = {
    "service": Mischief.service,
    "both services": Mischief.services,
    "relay": Mischief.relay,
    "both relays": Mischief.relays,
    "frozen relay": Mischief.frozen_relay,
    "database": Mischief.database,
    "connections": Mischief.connections,
    "broker": Mischief.broker,
    "leader": Mischief.leader,
}
