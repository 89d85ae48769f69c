"""A process of the adapter begins: its log, and where its traces go.

Owns that every command that works begins alike, and what of OpenTelemetry's environment switches spans on.
Does not own the SDK (`telemetry`): without a collector it is not even imported.
"""

import os
from collections.abc import Mapping

from adapter.errors import Problem, SetupError
from adapter.logs import configure_log
from adapter.settings import DatabaseAlone, Settings
from adapter.tracing import record_with

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_LASTING = frozenset({"serve", "relay", "watch", "poll", "listen"})
_SPOKEN = "http/protobuf"
_EXPORTER = "OTEL_TRACES_EXPORTER"


def begin_process(name: str, settings: Settings | DatabaseAlone) -> None:
    """Write the log in this name, at the level of the settings; tell of spans where there is a collector.

    Raises SetupError where the collector is to be spoken to in a way that is not spoken here.
    """
    configure_log(name, settings.log_level, lasting=name in _LASTING)
    configure_tracing(name, os.environ)


def configure_tracing(process: str, environment: Mapping[str, str]) -> None:
    """Tell of spans from now on where the environment names a collector, else of none."""
    if not wants_spans(environment):
        record_with(None)
        return
    from adapter.telemetry import Telemetry  # noqa: PLC0415 - half a second that nobody without it waits for

    record_with(Telemetry(process))


def wants_spans(environment: Mapping[str, str]) -> bool:
    """Whether the environment names a collector, and nothing switches it off; SetupError as said above."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    is_off = given.get("OTEL_SDK_DISABLED", "").lower() == "true" or given.get(_EXPORTER) == "none"
    if is_off or not any(name in given for name in _ENDPOINTS):
        return False
    problems = []
    if given.get(_EXPORTER, "otlp") != "otlp":
        problems.append(Problem("not-supported", "spans go by otlp, or none", _EXPORTER))
    protocol = next((name for name in _PROTOCOLS if name in given), None)
    if protocol is not None and given[protocol] != _SPOKEN:
        problems.append(Problem("not-supported", f"OTLP is spoken as {_SPOKEN} alone", protocol))
    if problems:
        raise SetupError(*problems)
    return True
