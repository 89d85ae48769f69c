"""A call to one source's server, asked patiently: credentials, circuit, pauses, redirects.

Owns the order of these and when a call is asked again; each is in its own file. A refusal is asked once.
Logs and metrics name source, call and outcome, and nothing else of it.
"""

from dataclasses import replace

import structlog
from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt

from adapter.client.answers import Answer
from adapter.client.auth import Authorization
from adapter.client.breaker import Breaker
from adapter.client.exchange import Call, Line
from adapter.client.faults import AwayError, GoneError, OpenError, RefusedError, fault
from adapter.client.outside import Outside
from adapter.client.urls import Base
from adapter.errors import SetupError
from adapter.servers import Patience
from adapter.watch import CLIENT_CIRCUIT_OPEN, CLIENT_REQUESTS

log = structlog.get_logger()

_REDIRECTS = frozenset({301, 302, 307, 308})
_MOST_REDIRECTS = 3


class Asker:
    """Asks one server; many calls at the same time share its circuit and its token."""

    def __init__(
        self,
        *,
        source: str,
        base: Base,
        line: Line,
        login: Authorization | None,
        breaker: Breaker,
        patience: Patience,
        outside: Outside,
    ) -> None:
        self._source, self._base, self._line, self._login = source, base, line, login
        self._breaker, self._patience, self._outside = breaker, patience, outside

    async def ask(self, call: Call) -> Answer:
        """The answer, of a status that is no refusal.

        Raises AwayError where the server did not answer however often it was asked, OpenError where it was
        not asked, RefusedError (GoneError) where it refuses, SetupError where a secret cannot be read.
        """
        retrying = AsyncRetrying(
            sleep=self._outside.sleep,
            stop=stop_after_attempt(self._patience.attempts),
            retry=lambda state: self._is_worth_it(call, state),
            wait=self._pause,
            before_sleep=lambda state: self._tell(call, state),
            reraise=True,
        )
        try:
            return await retrying(self._once, call)
        except (GoneError, OpenError):  # an answer like any other; told of when the circuit opened
            raise
        except (AwayError, RefusedError) as error:
            problem = str(error)  # names the rule, never a value
            log.warning(
                "client.failed", source=self._source, call=call.name, answered=error.answered, problem=problem
            )
            raise

    def _is_worth_it(self, call: Call, state: RetryCallState) -> bool:
        """Whether asking again helps, does no harm, and the server does not want us back later only."""
        error = _error(state)
        if not isinstance(error, AwayError) or isinstance(error, OpenError):
            return False
        is_soon = (error.retry_after_s or 0.0) <= self._patience.longest_s
        return is_soon and (call.repeatable or error.untouched)

    def _pause(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: never sooner than the server asks, and never all at once."""
        error = _error(state)
        if isinstance(error, AwayError) and error.retry_after_s is not None:
            return error.retry_after_s + self._outside.chance() * self._patience.first_s
        ceiling = min(self._patience.longest_s, self._patience.first_s * 2.0 ** (state.attempt_number - 1))
        return self._outside.chance() * ceiling

    def _tell(self, call: Call, state: RetryCallState) -> None:
        answered = getattr(_error(state), "answered", None)
        log.info(
            "client.again",
            source=self._source,
            call=call.name,
            answered=answered,
            attempt=state.attempt_number,
            pause_s=round(state.upcoming_sleep, 3),
        )

    async def _once(self, call: Call) -> Answer:
        """Ask once, and tell circuit and metrics what became of it."""
        try:
            self._breaker.admit(self._outside.monotonic())
        except OpenError:
            self._count("held")
            raise
        try:
            answer = await self._follow(call)
        except AwayError as error:
            self._failed(error)
            raise
        except RefusedError:
            self._breaker.succeeded()
            self._count("refused")
            raise
        except SetupError as error:
            log.error("client.setup", source=self._source, problem=str(error))  # noqa: TRY400 - no traceback
            self._breaker.left()
            raise
        except BaseException:  # cancelled: that tells nothing of the server
            self._breaker.left()
            raise
        self._breaker.succeeded()
        self._count("ok")
        return answer

    def _failed(self, error: AwayError) -> None:
        """A server that says «too many requests» is there; every other way of not answering is a failure."""
        now = self._outside.monotonic()
        if error.answered == 429:
            self._breaker.succeeded()
        else:
            self._breaker.failed(now)
        if error.retry_after_s is not None and error.retry_after_s > self._patience.longest_s:
            self._breaker.rest(now, error.retry_after_s)
        outcomes = {None: "unreachable", 429: "throttled"}
        self._count(outcomes.get(error.answered, "failed"))
        if self._breaker.is_open:
            log.warning("client.circuit.open", source=self._source)

    def _count(self, outcome: str) -> None:
        CLIENT_REQUESTS.labels(self._source, outcome).inc()
        CLIENT_CIRCUIT_OPEN.labels(self._source).set(int(self._breaker.is_open))

    async def _follow(self, call: Call) -> Answer:
        """Ask, and follow redirects of a reading call as long as they stay on the server."""
        for _ in range(1 + _MOST_REDIRECTS):
            answer = await self._show(call)
            if call.method != "GET" or answer.status not in _REDIRECTS or not answer.location:
                break
            url = self._base.own(answer.location, call.url)
            call = replace(call, url=url)
        wrong = fault(answer.status, answer.retry_after_s)
        if wrong is not None:
            raise wrong
        return answer

    async def _show(self, call: Call) -> Answer:
        """Ask with credentials; once more with new ones where the server does not take the first."""
        if self._login is None:
            return await self._line.ask(call)
        shown = await _header(self._login)
        answer = await self._line.ask(call, shown)
        if answer.status == 401 and await self._login.renew(shown):
            answer = await self._line.ask(call, await _header(self._login))
        return answer


async def _header(login: Authorization) -> str:
    try:
        return await login.header()
    except AwayError as error:
        error.untouched = True  # the call itself did not go out, or was refused
        raise


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
