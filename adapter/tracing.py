"""Spans: what is under way, told to an OpenTelemetry collector where one is configured.

    with work("read", here()) as reading:
        …
        reading.note({"losus.entries": 3})

Owns beginning and ending; does not own the trace itself (`trace`) nor the SDK (`telemetry`, imported only
where the environment names a collector: without one a span costs nothing, a trace is but its ids). No name
and no attribute of a span holds a value of a message, an id of a person, or an address with either.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from adapter.trace import Trace, enter, leave, new_trace

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool]

_NOTHING: Attributes = {}


class Span(Protocol):
    """A span that will be told of (`telemetry`)."""

    def note(self, attributes: Attributes) -> None:
        """Say more of it."""

    def rename(self, name: str) -> None:
        """Call it otherwise."""

    def end(self, error: str | None) -> None:
        """End it; `error`: the kind of what went wrong."""


class Recorder(Protocol):
    """What spans are given to (`telemetry`)."""

    def begin(
        self,
        name: str,
        parent: Trace | None,
        kind: Kind,
        attributes: Attributes,
        *,
        is_remote: bool,
        links: Sequence[Trace],
        began_ns: int | None,
    ) -> tuple[Trace, Span | None]:
        """The span's place, and the span; None where it is not sampled."""

    def stop(self) -> None:
        """Tell what is left, and end."""


class Work:
    """Something under way: its place in the trace, and its span where that is told of."""

    __slots__ = ("_span", "trace")

    def __init__(self, trace: Trace, span: Span | None = None) -> None:
        self.trace, self._span = trace, span

    @property
    def is_recorded(self) -> bool:
        """Whether anything that is noted will be told."""
        return self._span is not None

    def note(self, attributes: Attributes) -> None:
        """Say more of it."""
        if self._span is not None:
            self._span.note(attributes)

    def rename(self, name: str) -> None:
        """Call it otherwise."""
        if self._span is not None:
            self._span.rename(name)

    def end(self, error: str | None = None) -> None:
        """End it; `error`: the kind of what went wrong, no more. What is never ended is never told."""
        if self._span is not None:
            self._span.end(error)


_recorders: list[Recorder] = []  # none or one


def record_with(recorder: Recorder | None) -> None:
    """Give spans to this recorder from now on, or to none; the one before is stopped."""
    for before in _recorders:
        before.stop()
    _recorders[:] = [recorder] if recorder is not None else []


def is_recording() -> bool:
    """Whether spans are told of at all."""
    return bool(_recorders)


def begin(
    name: str,
    parent: Trace | None,
    kind: Kind = "internal",
    attributes: Attributes = _NOTHING,
    *,
    is_remote: bool = False,
    links: Sequence[Trace] = (),
    began_ns: int | None = None,
) -> Work:
    """Begin something; without `parent` a trace of its own.

    `is_remote`: the parent is of another process, so that this is to have an id of its own in any case.
    `links` are other traces that it has to do with; `began_ns` where it began before now (Unix time).
    """
    if not _recorders:
        if parent is None:
            return Work(new_trace())
        return Work(parent.child() if is_remote else parent)
    if parent is not None and not parent.sampled and not is_remote:
        return Work(parent)
    made = _recorders[0].begin(
        name, parent, kind, attributes, is_remote=is_remote, links=links, began_ns=began_ns
    )
    return Work(*made)


def work(
    name: str,
    parent: Trace | None,
    kind: Kind = "internal",
    attributes: Attributes = _NOTHING,
    *,
    is_remote: bool = False,
    links: Sequence[Trace] = (),
) -> "Within":
    """Begin something as `begin`, let what is done within belong to it, and end it."""
    return Within(begin(name, parent, kind, attributes, is_remote=is_remote, links=links))


class Within:
    """`with Within(begun):` what is done within belongs to it; then it ends. No generator: it is faster."""

    __slots__ = ("_begun", "_token")

    def __init__(self, begun: Work) -> None:
        self._begun = begun

    def __enter__(self) -> Work:
        self._token = enter(self._begun.trace)
        return self._begun

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        leave(self._token)
        self._begun.end(kind.__name__ if kind is not None else None)
