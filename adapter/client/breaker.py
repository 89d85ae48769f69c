"""The circuit of one source: a server that fails again and again is left alone for a while.

Closed: everything is let through. Open: nothing, for `rest_s` seconds. Half-open after that: one request
tries the server, and what becomes of it closes or opens the circuit.

Owns the state; time is passed in (seconds that never run backwards).
"""

from adapter.client.faults import OpenError
from adapter.errors import Problem


class Breaker:
    """Counts failures in a row; `admit` says no while the server is left alone."""

    def __init__(self, failures: int, rest_s: float) -> None:
        self._most, self._rest_s = failures, rest_s
        self._failures, self._shut_until, self._trying = 0, 0.0, False

    @property
    def is_open(self) -> bool:
        """Whether the server failed so often that it is left alone, or tried by one request alone."""
        return self._failures >= self._most

    def admit(self, now: float) -> None:
        """Let one request through, or raise OpenError; what becomes of it must be told afterwards."""
        if now < self._shut_until:
            rule = "the server failed or asked to be left alone, and is not asked until later"
            raise OpenError(Problem("transient", rule), retry_after_s=self._shut_until - now)
        if self.is_open:
            if self._trying:
                rule = "the server failed, and another request is trying it"
                raise OpenError(Problem("transient", rule), retry_after_s=self._rest_s)
            self._trying = True

    def succeeded(self) -> None:
        """The server answered, be it with a refusal."""
        self._failures, self._trying = 0, False

    def failed(self, now: float) -> None:
        """The server could not answer."""
        self._failures, self._trying = self._failures + 1, False
        if self.is_open:
            self.rest(now, self._rest_s)

    def rest(self, now: float, seconds: float) -> None:
        """Leave the server alone for `seconds`."""
        self._shut_until = max(self._shut_until, now + seconds)

    def left(self) -> None:
        """The request ended without telling anything of the server: it was cancelled."""
        self._trying = False
