"""A place in a trace: the way of one message, from the door that it came by to the records that tell of it.

Owns the value, how W3C Trace Context writes it, and which one the work of this task belongs to. The trace's
id is the correlation id: it stands in every log line of that work, in the answer, with the message, with each
event that follows and in the header of its record. Does not own spans (`tracing`). Ids are made at the edges
alone, and are random: nothing of a message or a person is in them.
Source: W3C Trace Context, Recommendation, 3.2 (traceparent).
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import MappingProxyType

_WRITTEN = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED = 0x01


@dataclass(frozen=True, slots=True)
class Trace:
    """One span's place: `trace_id` 32, `span_id` 16 hexadecimal digits; `sampled`: spans may be told of."""

    trace_id: str
    span_id: str
    sampled: bool = False

    @property
    def traceparent(self) -> str:
        """As the header says it, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> "Trace":
        """A span of our own in the same trace, made now."""
        return Trace(self.trace_id, secrets.token_hex(8), self.sampled)


@dataclass(frozen=True, slots=True)
class Causes:
    """What the change of a case is put down to, where many messages are stored together.

    The last message of the batch that names the case; of a case that is touched only through what it is about
    (a patient's record), the last one of its source; and `otherwise` where time or a person decided.
    """

    by_case: Mapping[str, Trace] = field(default_factory=lambda: MappingProxyType({}))
    by_source: Mapping[str, Trace] = field(default_factory=lambda: MappingProxyType({}))
    otherwise: Trace | None = None

    def of(self, case_id: str, source: str) -> Trace | None:
        """The trace that the events of this case belong to; None where none is known."""
        return self.by_case.get(case_id) or self.by_source.get(source) or self.otherwise


#: Nothing is known of what a change is put down to.
UNKNOWN = Causes()

_here: ContextVar[Trace | None] = ContextVar("losus_trace", default=None)


def new_trace() -> Trace:
    """A trace that begins here."""
    return Trace(secrets.token_hex(16), secrets.token_hex(8))


def read_traceparent(text: str | None) -> Trace | None:
    """The place that a `traceparent` names; None where it is missing or malformed, which counts as missing.

    A later version than 00 may say more after a dash; what is known of it is read.
    """
    found = _WRITTEN.fullmatch(text) if text is not None else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def here() -> Trace | None:
    """What the work of this task belongs to; None outside of any."""
    return _here.get()


def enter(trace: Trace | None) -> Token[Trace | None]:
    """Let the work of this task belong to `trace`, until it is left with what is given here."""
    return _here.set(trace)


def leave(entered: Token[Trace | None]) -> None:
    """Let it belong again to what it belonged to before."""
    _here.reset(entered)


@contextmanager
def at(trace: Trace | None) -> Iterator[None]:
    """Let the work within belong to `trace`."""
    entered = enter(trace)
    try:
        yield
    finally:
        leave(entered)
