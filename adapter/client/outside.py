"""The outside world as one value: clocks, chance, sleep, unique ids.

Owns nothing but the names; tests hand in a world of their own, so that each pause and each expiry is exact.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


def _unique() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Outside:
    """What the client needs of the world.

    `now` is the wall clock, for what is told to others; `monotonic` seconds that never run backwards, for
    what is measured here; `chance` a number from 0 up to 1; `unique` an id that was never given before.
    """

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    unique: Callable[[], str] = _unique
