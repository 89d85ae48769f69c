"""What can be watched: the names of metrics, and how the log is written.

Owns names and form; each is set where the thing happens. No label and no log line holds a value of
a message.
"""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "losus_messages_total", "Messages answered, by source and response code.", ["source", "code"]
)
RECEIVE_SECONDS = Histogram(
    "losus_receive_seconds",
    "From the whole body to the answer.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
OUTBOX_EVENTS = Gauge("losus_outbox_events", "Events that Kafka has not confirmed yet.")
CLIENT_REQUESTS = Counter(
    "losus_client_requests_total",
    "Requests to a source's own server, by source and outcome: ok, refused, throttled, failed, unreachable;"
    " held where the circuit let none out.",
    ["source", "outcome"],
)
CLIENT_CIRCUIT_OPEN = Gauge(
    "losus_client_circuit_open", "1 while a source's own server is not asked since it failed.", ["source"]
)
STOPPED_SOURCES = Gauge("losus_source_stopped", "1 while a source is stopped by the flood guard.", ["source"])
HOOK_GAPS = Counter(
    "losus_hook_gaps_total", "Times that events of a Subscription were missing, by source.", ["source"]
)
SUBSCRIBED = Gauge(
    "losus_subscribed", "1 while the Subscriptions at a source's server are alive.", ["source"]
)
POLLED_AT = Gauge(
    "losus_poll_timestamp_seconds", "When a source's server was last asked to the end.", ["source"]
)
HELD_MESSAGES = Gauge(
    "losus_held_messages", "Messages that were taken in and cannot be used yet.", ["source", "cause"]
)
ACCESS_REFUSED = Counter(
    "losus_access_refused_total",
    "Attempts that were refused, by the source they named (unknown: none that is known) and reason.",
    ["source", "reason"],
)

# Of the relay; `lane` is a municipality's code, `unrouted` or `dead-letter`.
LAG_EVENTS = Gauge("losus_outbox_lag_events", "Events that wait to be published.", ["lane"])
LAG_SECONDS = Gauge("losus_outbox_lag_seconds", "Age of the oldest event that waits.", ["lane"])
PARKED_CASES = Gauge("losus_parked_cases", "Cases with an event that the broker refuses.", ["lane"])
QUARANTINED = Gauge("losus_lane_quarantined", "1: the lane is published apart from the others.", ["lane"])
PUBLISHED = Counter("losus_events_published_total", "Events that Kafka has acknowledged.")
PUBLISH_SECONDS = Histogram(
    "losus_publish_seconds",
    "From the event's decision to Kafka's acknowledgement.",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600),
)
PUBLISH_RETRIES = Counter("losus_publish_retries_total", "Attempts of a lane that failed.", ["lane"])
RELAY_FENCED = Counter("losus_relay_fenced_total", "Times that another relay took over a transactional id.")
RELAY_SHARES = Gauge("losus_relay_shares", "Shares of the outbox that this relay holds.")


def configure_log(level: int = logging.INFO) -> None:
    """One JSON object a line on standard error: time, level, event, and the fields of the event."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[libraries], level=logging.ERROR)  # what passes, our own rooms tell
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
