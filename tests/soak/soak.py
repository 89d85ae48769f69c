"""One soak: load and faults for a while, then faults off and everything drains, then the judgement."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.soak.faults import Mischief
from tests.soak.judge import judge
from tests.soak.load import send_all
from tests.soak.region import Region, in_thread, region

_DRAINS_WITHIN_S = 240.0


@dataclass(frozen=True, slots=True)
class Report:
    """What was done and found: counts, the faults by kind, times in seconds, and what is wrong."""

    seed: int
    brokers: int
    cases: int
    messages: int
    attempts: int
    events: int
    done: dict[str, int]
    longest_silence_s: float
    longest_lag_s: float
    drained_after_s: float
    faults: tuple[str, ...]

    def lines(self) -> list[str]:
        """For a person."""
        done = ", ".join(f"{kind} {number}" for kind, number in sorted(self.done.items()))
        sent = f"messages answered 2xx {self.messages} in {self.attempts} attempts"
        silence = f"longest without a 2xx {self.longest_silence_s:.1f} s"
        lag = f"oldest event unpublished {self.longest_lag_s:.1f} s"
        return [
            f"seed {self.seed}, brokers {self.brokers}",
            f"cases {self.cases}, {sent}, events {self.events}",
            f"faults done: {sum(self.done.values())} ({done})",
            f"{silence}, {lag}, drained {self.drained_after_s:.1f} s after the last fault",
            *(f"WRONG: {fault}" for fault in self.faults[:20]),
            f"wrong: {len(self.faults)}",
        ]


async def soak(
    *,
    seed: int,
    seconds: float,
    brokers: int,
    per_second: float = 25.0,
    pause_s: tuple[float, float] = (2, 8),
) -> Report:
    """Mistreat a region of its own for `seconds`, then let it drain, and judge."""
    entered = region(brokers)
    one = await asyncio.to_thread(entered.__enter__)
    try:
        return await _soak(one, seed=seed, seconds=seconds, brokers=brokers, rate=per_second, pause_s=pause_s)
    except BaseException:
        for process in (*one.services, *one.relays):
            print(process.name, *process.complaints(), sep="\n")
        raise
    finally:
        await asyncio.to_thread(entered.__exit__, None, None, None)


async def _soak(
    one: Region, *, seed: int, seconds: float, brokers: int, rate: float, pause_s: tuple[float, float]
) -> Report:
    calm, quiet = asyncio.Event(), asyncio.Event()
    mischief, lag = Mischief(one, seed, pause_s), _Lag()
    sending = asyncio.create_task(send_all(one, seed, quiet, rate))
    watching = asyncio.create_task(lag.watch(one))
    doing = asyncio.create_task(mischief.run(calm))
    await asyncio.wait({sending, doing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    calm.set()
    quiet.set()
    await doing
    await in_thread(one.heal)
    ended_at = time.monotonic()
    async with asyncio.timeout(_DRAINS_WITHIN_S):
        sent = await sending
        while await _left(one):
            await asyncio.sleep(0.5)
    drained = time.monotonic() - ended_at
    watching.cancel()
    verdict = await judge(one, sent)
    return Report(
        seed,
        brokers,
        len(sent.accepted),
        sent.messages,
        sent.attempts,
        verdict.events,
        dict(mischief.done),
        sent.longest_silence_s,
        lag.longest_s,
        drained,
        verdict.faults,
    )


_OLDEST = """select extract(epoch from now() - min(created_at))::float8
             from outbox join event on id = event"""


class _Lag:
    """How old the oldest event got that Kafka had not confirmed."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self, one: Region) -> None:
        while True:
            age = await _asked(one, _OLDEST)
            self.longest_s = max(self.longest_s, float(age or 0.0))
            await asyncio.sleep(0.5)


async def _left(one: Region) -> int:
    """How many events Kafka has not confirmed; 1 where the database cannot say."""
    found = await _asked(one, "select count(*) from outbox")
    return 1 if found is None else int(found)


async def _asked(one: Region, query: str) -> Any:
    try:
        connection = await asyncpg.connect(one.database.dsn, timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return None
    try:
        return await connection.fetchval(query, timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return None
    finally:
        connection.terminate()
