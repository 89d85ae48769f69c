"""Spans to an OpenTelemetry collector by OTLP over HTTP, as the environment names it.

Owns the SDK: nothing else imports it, and this is imported only where spans are to be told of (`process`).
Settings are OpenTelemetry's own: OTEL_EXPORTER_OTLP_ENDPOINT or …_TRACES_ENDPOINT, …_HEADERS, …_CERTIFICATE,
OTEL_TRACES_SAMPLER and …_ARG, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, OTEL_BSP_…;
OTEL_SDK_DISABLED=true or OTEL_TRACES_EXPORTER=none switch it off.
Source: OpenTelemetry, Environment Variable Specification; OTLP exporter.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from adapter.trace import Trace
from adapter.tracing import Attributes, Kind, Span

_KINDS: Mapping[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}


class _Told:
    """A span that is recorded."""

    __slots__ = ("_span",)

    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def note(self, attributes: Attributes) -> None:
        """Say more of it."""
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        """Call it otherwise."""
        self._span.update_name(name)

    def end(self, error: str | None) -> None:
        """End it; of an error the kind alone is told, its text may hold values."""
        if error is not None:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class Telemetry:
    """A recorder of spans that sends them to a collector, many at a time, beside the work."""

    def __init__(self, process: str) -> None:
        given = {
            "service.name": f"losus-{process}",
            "service.namespace": "losus",
            "service.version": version("losus-adapter"),
        }
        said = OTELResourceDetector().detect().attributes  # the environment's word counts
        self._provider = TracerProvider(resource=Resource.create({**given, **said}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("losus", given["service.version"])

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
        """Begin a span; None where the sampler passes it over: its place is known all the same."""
        context = Context()
        if parent is not None:
            context = set_span_in_context(NonRecordingSpan(_context(parent, is_remote=is_remote)), context)
        span = self._tracer.start_span(
            name,
            context,
            _KINDS[kind],
            attributes,
            links=[Link(_context(one, is_remote=True)) for one in links],
            start_time=began_ns,
        )
        at = span.get_span_context()
        trace = Trace(format(at.trace_id, "032x"), format(at.span_id, "016x"), at.trace_flags.sampled)
        return trace, _Told(span) if span.is_recording() else None

    def stop(self) -> None:
        """Send what is left, and end."""
        self._provider.shutdown()


def _context(trace: Trace, *, is_remote: bool) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if trace.sampled else TraceFlags.DEFAULT)
    return SpanContext(int(trace.trace_id, 16), int(trace.span_id, 16), is_remote, flags)
