"""On which side of its edge each alert fires.

A row: the alert, the series (promtool's notation, a value a minute), the minute, the labels that it fires
with (None: it does not), because.
"""

Labels = dict[str, str]
DAY = 1440


def steady(name: str, value: float, minutes: int = 60) -> dict[str, str]:
    return {name: f"{value}x{minutes}"}


def since(name: str, minute: float, minutes: int = 60) -> dict[str, str]:
    """A timestamp that stays what it was at that minute."""
    return steady(name, 60 * minute, minutes)


SOURCE, LANE, TOWN = {"source": "ehr"}, {"lane": "2380"}, {"municipality": "2380"}
HEARD = 'losus_source_heard_timestamp_seconds{source="ehr", door="message"}'
ANSWERS = "losus_http_answers_total"
OK, AWAY, PROBE = (
    f'{ANSWERS}{{route="/fhir/{{source}}", status="200"}}',
    f'{ANSWERS}{{route="/fhir/{{source}}", status="503"}}',
    f'{ANSWERS}{{route="/readyz", status="503"}}',
)
CASES = f'{ANSWERS}{{route="/cases/{{case_id}}", status="200"}}'
BUCKETS = {
    'losus_receive_seconds_bucket{le="2"}': "0+99x60",
    'losus_receive_seconds_bucket{le="5"}': "0+100x60",
    'losus_receive_seconds_bucket{le="+Inf"}': "0+100x60",
}
OLDEST, SHARES = "losus_outbox_oldest_seconds", "losus_outbox_shares_held"
WATCHER, REREADER, SURVEYOR = (
    f'losus_round_timestamp_seconds{{work="{work}"}}' for work in ("watcher", "rereader", "surveyor")
)
CERTIFICATE = 'losus_certificate_end_timestamp_seconds{setting="sources.ehr.server.certificate"}'
SETTING = {"setting": "sources.ehr.server.certificate"}
#: Heard every other hour for eight days, and then no more.
USUALLY = {HEARD: " ".join(f"{7200 * turn}x11" for turn in range(95)) + f" {7200 * 95}x60"}
QUIET_FROM = 95 * 120
#: How often rules are looked at, and values come, where that is not every minute: a week is long.
PACES = {
    "LosusSourceSilent": ("30m", "10m"),
    "LosusDisputeOld": ("1h", "1h"),
    "LosusStatementsDue": ("10m", "10m"),
}

TABLE: list[tuple[str, dict[str, str], int, Labels | None, str]] = [
    ("LosusPublishingLate", steady(OLDEST, 121), 3, {}, "over two minutes old, for two minutes"),
    ("LosusPublishingLate", steady(OLDEST, 120), 9, None, "two minutes are in order"),
    ("LosusPublishingLate", steady(OLDEST, 121), 1, None, "not yet for two minutes"),
    ("LosusPublishingStopped", steady(OLDEST, 901), 2, {}, "over a quarter of an hour"),
    ("LosusPublishingStopped", steady(OLDEST, 900), 9, None, "a quarter of an hour"),
    ("LosusRelayGone", steady(SHARES, 7), 3, {}, "one share is nobody's"),
    ("LosusRelayGone", steady(SHARES, 8), 9, None, "all are held"),
    ("LosusUnseen", steady("up", 1), 6, {}, "no process tells"),
    ("LosusUnseen", steady(SHARES, 0), 9, None, "one tells, whatever it says"),
    ("LosusDatabaseOlder", {"losus_database_older": "0x10 1x20"}, 20, {}, "one relay that sees it is enough"),
    ("LosusDatabaseOlder", {"losus_database_older": "0x10 1x5 0x20"}, 25, None, "it was mended"),
    ("LosusRelayFenced", {"losus_relay_fenced_total": "0x10 3x20"}, 20, {}, "three times"),
    ("LosusRelayFenced", {"losus_relay_fenced_total": "0x10 1x20"}, 20, None, "a relay died, once"),
    ("LosusLaneQuarantined", steady('losus_lane_quarantined{lane="2380"}', 1), 11, LANE, "for ten minutes"),
    ("LosusLaneQuarantined", steady('losus_lane_quarantined{lane="2380"}', 1), 9, None, "it may come back"),
    ("LosusLaneLate", steady('losus_outbox_lag_seconds{lane="2380"}', 1801), 6, LANE, "over half an hour"),
    ("LosusLaneLate", steady('losus_outbox_lag_seconds{lane="2380"}', 1800), 9, None, "half an hour"),
    ("LosusCaseRefused", steady('losus_parked_cases{lane="2380"}', 1), 6, LANE, "one case is one too many"),
    ("LosusCaseRefused", steady('losus_parked_cases{lane="2380"}', 0), 9, None, "none"),
    ("LosusSourceStopped", steady('losus_source_stopped{source="ehr"}', 1), 2, SOURCE, "it is stopped"),
    ("LosusSourceStopped", steady('losus_source_stopped{source="ehr"}', 0), 9, None, "it is not"),
    (
        "LosusMessagesHeld",
        steady('losus_held_messages{source="ehr", cause="untranslated"}', 1),
        16,
        {**SOURCE, "cause": "untranslated"},
        "somebody has to mend something",
    ),
    (
        "LosusMessagesHeld",
        steady('losus_held_messages{source="ehr", cause="unresolved"}', 1),
        60,
        None,
        "it may come by itself",
    ),
    (
        "LosusReferencesMissing",
        steady('losus_held_messages{source="ehr", cause="unresolved"}', 1, 200),
        121,
        SOURCE,
        "it has not come for two hours",
    ),
    (
        "LosusReferencesMissing",
        steady('losus_held_messages{source="ehr", cause="unresolved"}', 1, 200),
        119,
        None,
        "it may come yet",
    ),
    ("LosusSourceSilent", USUALLY, QUIET_FROM + 210, SOURCE, "half as long again as ever"),
    ("LosusSourceSilent", USUALLY, QUIET_FROM + 150, None, "a little longer than ever"),
    ("LosusSourceSilent", since(HEARD, 0), 600, None, "nobody knows yet what is usual"),
    (
        "LosusPollLate",
        since('losus_poll_timestamp_seconds{source="ehr"}', 0),
        16,
        SOURCE,
        "ten minutes and five",
    ),
    ("LosusPollLate", since('losus_poll_timestamp_seconds{source="ehr"}', 0), 10, None, "ten minutes"),
    (
        "LosusSourceUnreachable",
        steady('losus_client_circuit_open{source="ehr"}', 1),
        11,
        SOURCE,
        "ten minutes",
    ),
    ("LosusSourceUnreachable", steady('losus_client_circuit_open{source="ehr"}', 0), 20, None, "it answers"),
    ("LosusHookGaps", {'losus_hook_gaps_total{source="ehr"}': "0x10 3x60"}, 60, SOURCE, "three in an hour"),
    ("LosusHookGaps", {'losus_hook_gaps_total{source="ehr"}': "0x10 1x60"}, 60, None, "one is healed"),
    ("LosusSubscriptionDead", steady('losus_subscribed{source="ehr"}', 0), 11, SOURCE, "not alive"),
    ("LosusSubscriptionDead", steady('losus_subscribed{source="ehr"}', 1), 20, None, "alive"),
    ("LosusWatcherLate", since(WATCHER, 0), 6, {}, "not for two minutes, and three more"),
    ("LosusWatcherLate", steady("up", 1), 6, {"work": "watcher"}, "nobody ever did"),
    ("LosusWatcherLate", {WATCHER: "0+60x60"}, 30, None, "every minute"),
    ("LosusRereaderLate", since(REREADER, 0), 21, {}, "a quarter of an hour and five minutes"),
    ("LosusRereaderLate", since(REREADER, 0), 15, None, "a quarter of an hour"),
    (
        "LosusDeadlinesMissed",
        {'losus_deadlines_missed_total{municipality="2380", deadline="sip-call"}': "0x10 7x60"},
        60,
        {**TOWN, "deadline": "sip-call"},
        "seven in an hour",
    ),
    (
        "LosusDeadlinesMissed",
        {'losus_deadlines_missed_total{municipality="2380", deadline="sip-call"}': "0x10 4x60"},
        60,
        None,
        "four happen",
    ),
    (
        "LosusStatementsDue",
        steady('losus_statements_due{municipality="2380"}', 1, 200),
        1560,
        TOWN,
        "26 hours",
    ),
    (
        "LosusStatementsDue",
        steady('losus_statements_due{municipality="2380"}', 1, 200),
        1550,
        None,
        "the daily run",
    ),
    ("LosusRateUnannounced", steady('losus_rate_unannounced{year="next"}', 8), 61, {}, "in December"),
    ("LosusRateUnannounced", steady('losus_rate_unannounced{year="next"}', 0), 61, None, "all are notified"),
    (
        "LosusRateUnannounced",
        steady('losus_rate_unannounced{year="current"}', 8),
        61,
        None,
        "this year's is the other alert's",
    ),
    ("LosusRateMissing", steady('losus_rate_unannounced{year="current"}', 1), 61, {}, "from 1 January"),
    ("LosusRateMissing", steady('losus_rate_unannounced{year="current"}', 1), 59, None, "not yet an hour"),
    ("LosusRateMissing", steady('losus_rate_unannounced{year="next"}', 8), 61, None, "not yet January"),
    (
        "LosusDisputeOld",
        since('losus_dispute_oldest_timestamp_seconds{municipality="2380"}', 0, 400),
        14 * DAY + 120,
        TOWN,
        "two weeks",
    ),
    (
        "LosusDisputeOld",
        since('losus_dispute_oldest_timestamp_seconds{municipality="2380"}', 0, 400),
        14 * DAY,
        None,
        "not yet",
    ),
    (
        "LosusJobFailed",
        steady('kube_job_status_failed{namespace="losus", job_name="losus-settle-1"}', 1),
        2,
        {"namespace": "losus", "job_name": "losus-settle-1"},
        "it failed",
    ),
    (
        "LosusJobFailed",
        steady('kube_job_status_failed{namespace="losus", job_name="another"}', 1),
        9,
        None,
        "not one of ours",
    ),
    ("LosusNotReady", steady('losus_ready{pod="a"}', 0), 6, {"pod": "a"}, "for five minutes"),
    ("LosusNotReady", steady('losus_ready{pod="a"}', 1), 20, None, "it is"),
    ("LosusFailing", {OK: "0+94x60", AWAY: "0+6x60"}, 20, {}, "six in a hundred"),
    ("LosusFailing", {OK: "0+95x60", AWAY: "0+5x60"}, 20, None, "five in a hundred"),
    ("LosusFailing", {OK: "0+95x60", PROBE: "0+50x60"}, 20, None, "a probe is no request"),
    (
        "LosusSlow",
        {**BUCKETS, 'losus_receive_seconds_bucket{le="2"}': "0+98x60"},
        30,
        {},
        "two in a hundred are slower",
    ),
    ("LosusSlow", BUCKETS, 30, None, "one in a hundred is as slow"),
    (
        "LosusAccessRefused",
        {'losus_access_refused_total{source="ehr", reason="api-key"}': "0x5 120x30"},
        12,
        {**SOURCE, "reason": "api-key"},
        "a hundred and more",
    ),
    (
        "LosusAccessRefused",
        {'losus_access_refused_total{source="ehr", reason="api-key"}': "0x5 80x30"},
        12,
        None,
        "somebody mistyped",
    ),
    ("LosusMigrationsMissing", steady("losus_migrations_missing", 1), 16, {}, "for a quarter of an hour"),
    ("LosusMigrationsMissing", steady("losus_migrations_missing", 1), 14, None, "it is being applied"),
    (
        "LosusVersionsMixed",
        {'losus_info{version="1"}': "1x90", 'losus_info{version="2"}': "1x90"},
        61,
        {},
        "two for an hour",
    ),
    (
        "LosusVersionsMixed",
        {'losus_info{version="1", pod="a"}': "1x90", 'losus_info{version="1", pod="b"}': "1x90"},
        61,
        None,
        "one of two replicas",
    ),
    (
        "LosusCertificateEnds",
        since(CERTIFICATE, 14 * DAY),
        12,
        {"setting": "sources.ehr.server.certificate"},
        "14",
    ),
    ("LosusCertificateEnds", since(CERTIFICATE, 15 * DAY), 12, None, "fifteen days"),
    (
        "LosusCertificateEndsSoon",
        since(CERTIFICATE, 2 * DAY),
        3,
        {"setting": "sources.ehr.server.certificate"},
        "2",
    ),
    ("LosusCertificateEndsSoon", since(CERTIFICATE, 3 * DAY), 3, None, "three days"),
    ("LosusAuditFailed", {"losus_audit_failed_total": "0x5 1x30"}, 10, {}, "once"),
    ("LosusAuditFailed", {"losus_audit_failed_total": "5x30"}, 10, None, "before"),
    ("LosusAuditShorter", {"losus_audit_number": "100x10 90x30"}, 15, {}, "ten rows are gone"),
    ("LosusAuditShorter", {"losus_audit_number": "100+1x30"}, 15, None, "it grows"),
    (
        "LosusAuditStill",
        {"losus_audit_number": "100x800", CASES: "0x100 1x600"},
        400,
        {},
        "a case was read, and nothing written",
    ),
    (
        "LosusAuditStill",
        {"losus_audit_number": "100x100 101x600", CASES: "0x100 1x600"},
        400,
        None,
        "and written down",
    ),
    ("LosusAuditStill", {"losus_audit_number": "100x800", CASES: "0x800"}, 700, None, "nobody read anything"),
    ("LosusSurveyorLate", since(SURVEYOR, 0), 11, {}, "five minutes and five"),
    ("LosusSurveyorLate", since(SURVEYOR, 0), 5, None, "five minutes"),
]
