"""How often a source may knock: a token bucket for each, so that one in a hurry slows no other.

Owns the buckets of this process; does not own who is the source (`access`: ask for a token only when it
has shown who it is, else anybody could use up another's) nor the answer (429, `negotiation.refuse`).
Source: RFC 6585, 4; RFC 9110, 10.2.3 (Retry-After).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from time import monotonic

from adapter.errors import Problem, ThrottledError

_MINUTE_S = 60.0


@dataclass(slots=True)
class _Bucket:
    """`rate` tokens at most, and `rate` new ones a minute; `tokens` of them were there `at` (s)."""

    rate: int
    tokens: float
    at: float


class Rates:
    """The buckets of the sources that have a limit: `per_minute` by name; others knock as they please.

    A minute's worth may come at once. `clock` gives seconds that never run backwards.
    """

    def __init__(self, per_minute: Mapping[str, int | None], clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        now = clock()
        self._buckets = {name: _Bucket(rate, rate, now) for name, rate in per_minute.items() if rate}

    def take(self, source: str) -> None:
        """Use one token of `source`; ThrottledError, and none is used, where none is left.

        The error's `retry_after_s` is when the next one is there, in whole seconds, at least 1.
        """
        bucket = self._buckets.get(source)
        if bucket is None:
            return
        now = self._clock()
        grown = (now - bucket.at) * bucket.rate / _MINUTE_S
        bucket.tokens = min(float(bucket.rate), bucket.tokens + grown)
        bucket.at = now
        if bucket.tokens < 1:
            wait_s = max(1, ceil((1 - bucket.tokens) * _MINUTE_S / bucket.rate))
            rule = f"at most {bucket.rate} requests a minute of this source"
            raise ThrottledError(Problem("throttled", rule), retry_after_s=wait_s)
        bucket.tokens -= 1
