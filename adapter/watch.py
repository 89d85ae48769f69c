"""What can be watched: the names of metrics.

Owns the names; each is set where the thing happens. No label holds a value of a message. The log is in `logs`
and `logbook`, traces in `tracing`.
"""

from importlib.metadata import version

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
DATABASE_OLDER = Gauge(
    "losus_database_older",
    "1: Kafka has what the database does not know, so nothing is published: losus recover.",
)
RELAY_SHARES = Gauge("losus_relay_shares", "Shares of the outbox that this relay holds.")

# Of HTTP and of the process itself.
INFO = Gauge("losus_info", "1, with the version that runs.", ["version"])
READY = Gauge("losus_ready", "1 where /readyz said ready when it was last asked, 0 where it did not.")
HTTP_ANSWERS = Counter(
    "losus_http_answers_total",
    "Answers over HTTP, by route (none: there is none) and status.",
    ["route", "status"],
)
DATABASE_CONNECTIONS = Gauge(
    "losus_database_connections", "Connections of this process to the database, by use: busy, idle.", ["use"]
)
AUDIT_FAILED = Counter("losus_audit_failed_total", "Times that the audit could not be written.")
ROUND_AT = Gauge(
    "losus_round_timestamp_seconds",
    "When work that is done again and again was last done: watcher, rereader, surveyor, flood, relay.",
    ["work"],
)
DEADLINES_MISSED = Counter(
    "losus_deadlines_missed_total",
    "Limits of time that became missed, by deadline and municipality (unknown: not told by anything).",
    ["deadline", "municipality"],
)

# Read from the database by the surveyor, and so the same on each replica: take the maximum, not the sum.
CASES = Gauge("losus_cases", "Cases that are open, by state and municipality.", ["state", "municipality"])
MANUAL_HANDLING = Gauge(
    "losus_cases_manual_handling",
    "Open cases that a person has to handle: protected identity.",
    ["municipality"],
)
HEARD_AT = Gauge(
    "losus_source_heard_timestamp_seconds",
    "When something of a source was last taken in.",
    ["source", "door"],
)
OLDEST_SECONDS = Gauge(
    "losus_outbox_oldest_seconds",
    "Age of the oldest event that waits, lanes in quarantine left out; 0: none. Known without a relay too.",
)
RELAYS = Gauge("losus_relays", "Relays that are there.")
SHARES_HELD = Gauge("losus_outbox_shares_held", "Shares of the outbox that some relay holds, of eight.")
ISSUED_AT = Gauge("losus_statement_issued_timestamp_seconds", "When a statement was last issued.")
STATEMENTS_DUE = Gauge(
    "losus_statements_due", "Statements past their correction day that are not issued.", ["municipality"]
)
RATE_UNANNOUNCED = Gauge(
    "losus_rate_unannounced",
    "Municipalities not notified of a year's amount: current, and from 1 December on next.",
    ["year"],
)
DISPUTES_OPEN = Gauge("losus_disputes_open", "Disputes that the region has not answered.", ["municipality"])
DISPUTED_AT = Gauge(
    "losus_dispute_oldest_timestamp_seconds", "When the oldest open dispute was raised.", ["municipality"]
)
AUDIT_NUMBER = Gauge("losus_audit_number", "Number of the last row of the audit.")
MIGRATIONS_MISSING = Gauge("losus_migrations_missing", "Migrations of this version that the database lacks.")
CERTIFICATE_ENDS = Gauge(
    "losus_certificate_end_timestamp_seconds",
    "Until when a certificate of the settings is valid, by its place there.",
    ["setting"],
)

#: Figures of one process. Of every other gauge the replicas know the same, or each a part: the maximum tells.
PER_PROCESS = (INFO, READY, DATABASE_CONNECTIONS, CLIENT_CIRCUIT_OPEN, RELAY_SHARES)

INFO.labels(version("losus-adapter")).set(1)
