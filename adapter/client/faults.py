"""What can go wrong when a source's own server is asked.

    RefusedError   the server, or a check of ours on its answer, says no: asking again is no help
    └─ GoneError   what was asked for is not there (404), or no longer (410)
    AwayError      the server cannot answer now: asking again helps (retryable)
    └─ OpenError   it was not asked, since it failed before or asked to be left alone

Owns the classes and which HTTP status means which. No text here holds a URL, a value of a query or a word
of an answer: an answer is named by its status alone.
"""

from adapter.errors import LosusError, Problem, UnavailableError


class RefusedError(LosusError):
    """The server says no, or says what cannot be used; `answered` is the HTTP status, if there was one."""

    status = 502

    def __init__(self, *problems: Problem, answered: int | None = None) -> None:
        super().__init__(*problems)
        self.answered = answered


class GoneError(RefusedError):
    """What was asked for is not there (404), or no longer (410)."""


class AwayError(UnavailableError):
    """The server cannot answer now.

    `retry_after_s` is the pause that it asked for. `untouched`: it did nothing of what was asked, so that
    even a request that is not repeatable can be sent again.
    """

    def __init__(
        self,
        *problems: Problem,
        answered: int | None = None,
        retry_after_s: float | None = None,
        untouched: bool = False,
    ) -> None:
        super().__init__(*problems)
        self.answered, self.retry_after_s, self.untouched = answered, retry_after_s, untouched


class OpenError(AwayError):
    """The server was not asked: it failed too often, or asked to be left alone until later."""


#: HTTP statuses after which asking again helps → FHIR issue code. 501 and 505 are of the server's making
#: for good; every other 5xx may pass.
_PASSING = {408: "timeout", 425: "transient", 429: "throttled", 503: "transient", 504: "timeout"}
#: Statuses that say that nothing was done.
_UNTOUCHED = frozenset({425, 429, 503})
#: HTTP statuses that are final → FHIR issue code.
_FINAL = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    501: "not-supported",
    505: "not-supported",
}


def fault(status: int, retry_after_s: float | None) -> RefusedError | AwayError | None:
    """What the HTTP status of an answer means; None where it is an answer that can be used."""
    if status < 300:
        return None
    rule = f"the server answered with HTTP {status}"
    if status in _PASSING or (status >= 500 and status not in _FINAL):
        problem = Problem(_PASSING.get(status, "transient"), rule)
        untouched = status in _UNTOUCHED
        return AwayError(problem, answered=status, retry_after_s=retry_after_s, untouched=untouched)
    problem = Problem(_FINAL.get(status, "processing"), rule)
    return (GoneError if status in {404, 410} else RefusedError)(problem, answered=status)
