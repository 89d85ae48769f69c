"""What the surveyor tells of the database, figure by figure, and that one that fails takes none with it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trustme
from prometheus_client import REGISTRY

from adapter import watch
from adapter.access.caller import Kind
from adapter.agreements.load import load_book
from adapter.inbound.surveyor import survey_once
from adapter.losus.days import Month, local_day
from adapter.losus.picture import CasePicture
from adapter.outbound.missed import note_missed
from adapter.servers import Certificate, Server
from adapter.settings import Source
from adapter.settling.due import due as due_of
from adapter.store.audit import Entry, append
from adapter.store.database import connect
from adapter.store.migrate import migrate, missing
from adapter.wiring import surveyed_of
from tests.outbound.outboxes import add, event
from tests.service import send, service, settings, way_home

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)

STATEMENT = """
  insert into statement (id, agreement, municipality, care_form, month, issued_at, due, held, said, bundle)
  values ($1, 'lus-2017-612', '2380', $1, '2026-02', $2, 0, '{}', '', '')"""
DISPUTE = """
  insert into dispute (id, municipality, stay, month, asked_at) values ($1, '2380', 's', '2026-02', $2)"""
ANSWER = "insert into dispute_answer (dispute, upheld, answered_at) values ($1, true, now())"
ANNOUNCED = """
  insert into rate_announcement (year, municipality, care_form, version, amount, verified, source,
                                 announced_at)
  values ($1, '2380', '', 1, 1, true, '', now())"""
CASE = """
  insert into cases (id, source, key, state, municipality, picture, changed_at)
  values ($1, 'x', $1, $2, $3, $4, now())"""
MESSAGE = "insert into message (source, received_at, body, door) values ($1, $2, '', $3)"
MARK = "insert into mark (name, value, changed_at) values ($1, '', $2)"
BY_HAND, PLAIN = b'{"manual_handling":{"reason":"x"}}', b'{"manual_handling":null}'


def told(name: str, **labels: str) -> float | None:
    """The figure as Prometheus would read it; None where there is none."""
    return REGISTRY.get_sample_value(name, labels)


async def surveyed(dsn: str, **more: Any) -> bool:
    database = await connect(dsn, size=1)
    try:
        return await survey_once(surveyed_of(settings(dsn, **more)), database, NOW)
    finally:
        await database.close()


FIGURES = [
    # what there is, the figure, its labels, its value, because
    (
        [(CASE, "a", "ready", "2380", PLAIN)],
        "losus_cases",
        {"state": "ready", "municipality": "2380"},
        1,
        "open",
    ),
    (
        [(CASE, "a", "discharged", "2380", PLAIN)],
        "losus_cases",
        {"state": "discharged", "municipality": "2380"},
        None,
        "ended: ten years of them would be counted each time",
    ),
    (
        [(CASE, "a", "admitted", None, PLAIN)],
        "losus_cases",
        {"state": "admitted", "municipality": "unknown"},
        1,
        "nothing says whose it is",
    ),
    (
        [(CASE, "a", "ready", "2380", BY_HAND), (CASE, "b", "admitted", "2380", BY_HAND)],
        "losus_cases_manual_handling",
        {"municipality": "2380"},
        2,
        "protected identity, in whatever state",
    ),
    (
        [(CASE, "a", "ready", "2380", PLAIN)],
        "losus_cases_manual_handling",
        {"municipality": "2380"},
        None,
        "the field is there, and says nothing",
    ),
    (
        [(MESSAGE, "losus-r4", AN_HOUR_AGO, "poll"), (MESSAGE, "losus-r4", NOW, "poll")],
        "losus_source_heard_timestamp_seconds",
        {"source": "losus-r4", "door": "poll"},
        NOW.timestamp(),
        "the newest counts",
    ),
    (
        [(MARK, "poll a Task", AN_HOUR_AGO), (MARK, "poll a Encounter", NOW)],
        "losus_poll_timestamp_seconds",
        {"source": "a"},
        AN_HOUR_AGO.timestamp(),
        "the type that was not asked to the end",
    ),
    ([], "losus_outbox_oldest_seconds", {}, 0, "nothing waits"),
    ([], "losus_outbox_shares_held", {}, 0, "no relay is there"),
    ([], "losus_relays", {}, 0, "no relay is there"),
    (
        [],
        "losus_statements_due",
        {"municipality": "2309"},
        2,
        "February, of both care forms, nobody was there",
    ),
    (
        [(STATEMENT, "somatic", NOW)],
        "losus_statements_due",
        {"municipality": "2380"},
        1,
        "the psychiatric one is left",
    ),
    (
        [(STATEMENT, "psychiatric", AN_HOUR_AGO), (STATEMENT, "somatic", NOW)],
        "losus_statement_issued_timestamp_seconds",
        {},
        NOW.timestamp(),
        "the last one",
    ),
    (
        [(DISPUTE, "a", NOW), (DISPUTE, "b", AN_HOUR_AGO), (DISPUTE, "c", AN_HOUR_AGO), (ANSWER, "c")],
        "losus_disputes_open",
        {"municipality": "2380"},
        2,
        "one was answered",
    ),
    (
        [(DISPUTE, "a", NOW), (DISPUTE, "b", AN_HOUR_AGO)],
        "losus_dispute_oldest_timestamp_seconds",
        {"municipality": "2380"},
        AN_HOUR_AGO.timestamp(),
        "the oldest",
    ),
    ([], "losus_rate_unannounced", {"year": "current"}, 2, "neither was notified of this year's amount"),
    (
        [(ANNOUNCED, 2026), (ANNOUNCED, 2027)],
        "losus_rate_unannounced",
        {"year": "current"},
        1,
        "one was notified",
    ),
    ([], "losus_rate_unannounced", {"year": "next"}, 0, "it is not December"),
    ([("delete from migration where name like '0006%'",)], "losus_migrations_missing", {}, 1, "one is gone"),
    ([], "losus_migrations_missing", {}, 0, "all are there"),
]


async def test_the_figure_is_what_the_database_holds(dsn: str) -> None:
    """One database for the whole table; what a row puts there is taken back after it."""
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute("set session_replication_role = replica")  # no trigger: what is kept may go too
    tables = ("statement", "dispute", "dispute_answer", "rate_announcement", "cases", "message", "mark")
    applied = await connection.fetch("select * from migration")
    for there, name, labels, value, because in FIGURES:
        for statement, *given in there:
            await connection.execute(statement, *given)
        assert await surveyed(dsn, settle_from="2026-02")
        assert told(name, **labels) == value, (name, because)
        for table in tables:
            await connection.execute(f"delete from {table}")  # noqa: S608 - names of ours
        await connection.executemany("insert into migration values ($1, $2) on conflict do nothing", applied)
    await connection.close()


@pytest.mark.parametrize(
    ("today", "due", "because"),
    [
        (datetime(2026, 2, 28, 22, 59, tzinfo=UTC), 0, "February is not over in Stockholm"),
        (datetime(2026, 2, 28, 23, 0, tzinfo=UTC), 2, "it is; the statute names no correction day"),
    ],
)
def test_a_statement_is_due_from_its_first_day_on(today: datetime, due: int, because: str) -> None:
    found = due_of(load_book(), ["2309"], Month(2026, 2), local_day(today))
    assert len(found) == due, because
    assert {key.month for key in found} <= {Month(2026, 2)}


def test_an_agreement_that_takes_corrections_is_due_after_its_day() -> None:
    """Västra Götaland: «senast den 12:e i följande månad, innan beräkningen fryses»."""
    book = load_book()
    before, after = (
        {agreement for agreement, *_ in due_of(book, ["1480"], Month(2024, 5), date(2024, 6, day))}
        for day in (12, 13)
    )
    assert (len(before), len(after)) == (0, 1)


async def test_what_waits_is_told_without_a_relay(dsn: str) -> None:
    await migrate(dsn)
    await add(dsn, event("2380", "case", 1), event("2380", "case", 2))
    connection = await asyncpg.connect(dsn)
    await connection.execute("set session_replication_role = replica")
    await connection.execute("update event set created_at = $1 where revision = 1", AN_HOUR_AGO)
    await connection.close()
    assert await surveyed(dsn)
    assert told("losus_outbox_oldest_seconds") == 3600
    assert told("losus_outbox_events") == 2


async def test_the_audit_grows(dsn: str) -> None:
    await migrate(dsn)
    database = await connect(dsn, size=1)
    async with database.transaction() as connection:
        entry = Entry(NOW, Kind.STAFF.value, "someone", "read", ("case/a",), "ok", "controller")
        await append(connection, [entry, entry])
    await database.close()
    assert await surveyed(dsn)
    assert told("losus_audit_number") == 2


async def test_the_end_of_a_certificate_is_told_by_its_place(dsn: str, tmp_path: Path) -> None:
    await migrate(dsn)
    ends_at = datetime(2026, 5, 1, tzinfo=UTC)
    made = trustme.CA().issue_cert("losus.example", not_after=ends_at)
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    server = Server(
        base_url="https://ehr.example/fhir", certificate=Certificate(certificate=certificate, key=key)
    )
    assert await surveyed(dsn, sources={"ehr": Source(mapping="losus-r4", server=server)})
    name = "losus_certificate_end_timestamp_seconds"
    assert told(name, setting="sources.ehr.server.certificate") == ends_at.timestamp()
    certificate.write_text("no certificate")
    assert await surveyed(dsn, sources={"ehr": Source(mapping="losus-r4", server=server)})


async def test_one_figure_that_fails_takes_none_with_it(dsn: str) -> None:
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute("alter table dispute rename to elsewhere")
    await connection.execute(CASE, "a", "planning", "2305", PLAIN)
    await connection.close()
    watch.ROUND_AT.labels("surveyor").set(0)
    assert not await surveyed(dsn)
    assert told("losus_cases", state="planning", municipality="2305") == 1
    assert told("losus_round_timestamp_seconds", work="surveyor") == 0, "it did not come to its end"


async def test_an_empty_database_lacks_every_migration(unmigrated: str) -> None:
    connection = await asyncpg.connect(unmigrated)
    names = await missing(connection)
    await connection.close()
    assert names[0].name == "0001_intake_cases_outbox"
    assert await migrate(unmigrated) == [one.name for one in names]


async def test_a_limit_counts_as_missed_once(dsn: str) -> None:
    """The way home of the demo, years later: what is missed when it is first heard of counts too."""

    def missed() -> float:
        name = "losus_deadlines_missed_total"
        return told(name, deadline="admission-notice", municipality="2380") or 0.0

    before = missed()
    async with service(dsn) as client:
        for message in [*way_home()[:1], *way_home()]:
            assert (await send(client, message)).status_code == 200
        page = (await client.get("/metrics")).text
    assert missed() == before + 1
    assert 'losus_http_answers_total{route="/fhir/{source}/$process-message",status="200"}' in page
    assert 'losus_database_connections{use="busy"}' in page


def test_nothing_is_missed_twice() -> None:
    picture = CasePicture.model_validate(
        {
            "case_id": "a",
            "state": "admitted",
            "label": "inskriven",
            "deadlines": [
                {"name": "sip-call", "status": "missed", "due": NOW, "met_at": None, "clause": "LUS 4:3"},
                {"name": "care-contact", "status": "met", "due": NOW, "met_at": NOW, "clause": "LUS 2:5"},
            ],
        }
    )

    def count(deadline: str) -> float:
        return told("losus_deadlines_missed_total", deadline=deadline, municipality="unknown") or 0.0

    before, of_contacts = count("sip-call"), count("care-contact")
    note_missed(None, picture, None)
    assert count("sip-call") == before + 1
    note_missed(picture.model_dump_json().encode(), picture, None)
    assert count("sip-call") == before + 1
    assert count("care-contact") == of_contacts
