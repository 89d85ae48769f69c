"""A deployment in good health, and each way that it can be broken: told by the check meant, with the mend.

A row: what is done to it (statements of SQL, settings), what undoes it, what is then found that was not found
before, a word of the mend, because.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiokafka.admin import AIOKafkaAdminClient
from fastapi import FastAPI, HTTPException

from adapter.cluster import Cluster, Sasl
from adapter.commands.doctor import tell
from adapter.credentials import Issuer, Staff
from adapter.doctor import agreed, examine, servers
from adapter.doctor.examine import Check
from adapter.doctor.findings import Finding, Told, Verdict, ok
from adapter.inbound.surveyor import survey_once
from adapter.outbound.topics import make_topics
from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from adapter.servers import Certificate, Poll, PrivateKey, Server, Subscribe
from adapter.settings import Kafka, Source, Subscriber
from adapter.store.database import connect
from adapter.wiring import surveyed_of
from tests.client.listening import listening
from tests.doctor.region import LANES, OPEN_DOORS, Region, Trouble, region, troubles
from tests.service import settings

FAIL, WARN, SKIPPED = Verdict.FAIL, Verdict.WARN, Verdict.SKIPPED
NO_RATE: Trouble = ("agreements", "rates", "varddygn", WARN)
HELD = "insert into held (message, source, cause, problems, since) values (1, 'losus-r4', '{}', '[]', now())"
HEARD = "insert into message (source, received_at, body) values ('losus-r4', now() - interval '{}', '')"
POLLED = """
  insert into mark (name, value, changed_at)
  values ('poll losus-r4 Task', '', now() - interval '{}')"""
SUBSCRIBED = "insert into mark (name, value, changed_at) values ('subscription losus-r4 Task?', '{}', now())"
DISPUTED = (
    "insert into dispute (id, municipality, stay, month, asked_at) values ('a', '2380', 's', '2026-01', {})"
)


@pytest.fixture(scope="module")
async def well(database: Database, broker: Broker) -> AsyncIterator[Region]:
    async with region(database, broker, relay=True) as made:
        yield made


@pytest.fixture(scope="module")
async def unpublished(database: Database, broker: Broker) -> AsyncIterator[Region]:
    async with region(database, broker, relay=False) as made:
        yield made


@pytest.fixture(scope="module")
def ehr() -> Iterator[str]:
    """A hospital's server that says that it speaks R4."""
    served = FastAPI()
    served.get("/fhir/metadata")(lambda: {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
    served.get("/fhir/Subscription/{name}")(_subscription)
    with listening(served) as address:
        yield f"{address}/fhir"


def _subscription(name: str) -> dict[str, str]:
    status = {"alive": "active", "broken": "error"}.get(name)
    if status is None:
        raise HTTPException(404)
    return {"resourceType": "Subscription", "id": name, "status": status}


def sources(server: Server | None = None, **more: Any) -> dict[str, Any]:
    return {"sources": {"losus-r4": Source(mapping="losus-r4", server=server, **more)}}


async def test_a_sandbox_in_health_is_ok_but_for_its_open_doors(well: Region) -> None:
    found = await well.seen()
    assert troubles(found) - {NO_RATE} == {OPEN_DOORS}
    assert {(one.area, one.check) for one in found} == {(one.area, one.name) for one in examine.CHECKS}
    assert all(bool(one.mend) == (one.verdict in {FAIL, WARN}) for one in found)


@dataclass(frozen=True)
class Broken:
    """How something is broken, what undoes it, and what is found then."""

    found: set[Trouble]
    mend: str
    because: str
    sql: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


def one(area: str, check: str, what: str = "", verdict: Verdict = FAIL) -> set[Trouble]:
    return {(area, check, what, verdict)}


BROKEN = [
    Broken(
        one("database", "migrations", verdict=WARN),
        "roll-out",
        "the database is of a later version than we are",
        ("insert into migration (name) values ('9999_later')",),
        ("delete from migration where name = '9999_later'",),
    ),
    Broken(
        one("database", "rights", verdict=WARN),
        "losus migrate",
        "a role may do more than the matrix says",
        ("grant delete on held to losus_read",),
        ("revoke delete on held from losus_read",),
    ),
    Broken(
        one("publishing", "refused cases", "2380"),
        "losus cases refused",
        "the broker refuses an event for good",
        (
            """insert into parked_case (lane, case_id, event, reason, parked_at)
               values ('2380', 'a', 1, 'x', now())""",
        ),
        ("delete from parked_case",),
    ),
    Broken(
        one("publishing", "database as new as Kafka"),
        "losus recover",
        "a relay found claims in Kafka that this database never gave",
        ("insert into behind (slot, published, known, noticed_at) values ('share-1', 9, 3, now())",),
        ("delete from behind",),
    ),
    Broken(
        one("intake", "stopped sources", "losus-r4"),
        "losus sources resume",
        "the flood guard stopped it",
        ("insert into stopped_source (source, at, why) values ('losus-r4', now(), '26 of the last 50')",),
        ("delete from stopped_source",),
    ),
    Broken(
        one("intake", "held messages", "losus-r4"),
        "losus replay",
        "the mapping cannot translate it: somebody has to mend something",
        (HELD.format("untranslated"),),
        ("delete from held",),
    ),
    Broken(
        one("intake", "held messages", "losus-r4", WARN),
        "read again",
        "what it points at may come yet",
        (HELD.format("unresolved"),),
        ("delete from held",),
    ),
    Broken(
        one("intake", "heard", "losus-r4", WARN),
        "whether its system sends",
        "more than a day",
        (HEARD.format("25 hours"),),
        ("delete from message",),
    ),
    Broken(set(), "", "less than a day", (HEARD.format("23 hours"),), ("delete from message",)),
    Broken(
        one("audit", "chain"),
        "losus audit verify",
        "a row that does not follow from the one before",
        (
            """insert into audit
                 (number, at, kind, who, action, what, outcome, why, address, count, previous, hash)
               values (1, now(), 'staff', 'a', 'read', '{}', 'ok', '', '', 1, 'x', 'y')""",
        ),
        ("delete from audit",),
    ),
    Broken(
        one("settlement", "disputes", "2380", WARN),
        "losus disputes",
        "more than two weeks",
        (DISPUTED.format("now() - interval '15 days'"),),
        ("delete from dispute",),
    ),
    Broken(
        set(),
        "",
        "less than two weeks",
        (DISPUTED.format("now() - interval '13 days'"),),
        ("delete from dispute",),
    ),
    Broken(
        {("settlement", "due", code, FAIL) for code in LANES},
        "losus settle --due",
        "a month is over, and nothing of it is issued",
        more={"settle_from": "2026-01"},
    ),
    Broken(
        one("time", "clocks", verdict=WARN), "chrony", "three seconds", more={"ahead": timedelta(seconds=4)}
    ),
    Broken(one("time", "clocks"), "chrony", "half a minute", more={"ahead": timedelta(seconds=40)}),
    Broken(
        {("broker", "topics", f"losus.2303.{kind}", FAIL) for kind in ("events", "cases", "settlements")},
        "losus topics apply",
        "a subscriber whose topics nobody has made",
        more={"subscribers": {code: Subscriber(name=code) for code in (*LANES, "2303")}},
    ),
    Broken(
        one("settings", "mappings and agreements", "sources"),
        "losus mappings check",
        "a source that names a mapping which is not there",
        more={"sources": {"losus-r4": Source(mapping="nonsense")}},
    ),
    Broken(
        one("sources", "servers", "losus-r4"),
        "is the server up",
        "nobody listens there",
        more=sources(Server(base_url="http://127.0.0.1:1/fhir")),
    ),
    Broken(
        one("sources", "issuers", "staff.tokens"),
        "LOSUS_STAFF__TOKENS__JWKS",
        "nobody has put the keys there",
        more={
            "staff": Staff(tokens=Issuer(issuer="https://a.example", audience="losus", jwks="/nowhere.json"))
        },
    ),
    Broken(
        one("keys", "seal", "seal") | one("files", "rights", "LOSUS_SEAL"),
        "openssl rand",
        "a seal whose file is not there",
        more={"seal": ("/nowhere/seal",)},
    ),
]


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.because)
async def test_what_is_broken_is_told_by_its_check_with_the_mend(well: Region, row: Broken) -> None:
    await well.execute(*row.sql)
    try:
        found = await well.seen(**row.more)
    finally:
        await well.execute(*row.undo)
    assert troubles(found) - {NO_RATE, OPEN_DOORS} == row.found, row.because
    assert all_mended(found, row), row.because


def all_mended(found: list[Finding], row: Broken) -> bool:
    named = [each for each in found if (each.area, each.check, each.what, each.verdict) in row.found]
    return not row.found or any(row.mend in each.mend for each in named)


LOGINS: list[tuple[Callable[[Region], str], set[Trouble], str]] = [
    # by which login, what is found, because
    (lambda it: it.superuser, one("database", "login", verdict=WARN), "a superuser"),
    (lambda it: it.logins.dsn("owner"), one("database", "login", verdict=WARN), "the owner of the tables"),
    (
        lambda it: it.logins.dsn("intake"),
        set(),
        "that of the service may look at all of it too, but for the audit",
    ),
]


@pytest.mark.parametrize(("login", "found", "because"), LOGINS[:2])
async def test_a_login_that_may_too_much_is_told(
    well: Region, login: Callable[[Region], str], found: set[Trouble], because: str
) -> None:
    assert troubles(await well.seen(dsn=login(well))) - {NO_RATE, OPEN_DOORS} == found, because


async def test_what_a_login_may_not_see_is_told_and_the_rest_looked_at(well: Region) -> None:
    found = await well.seen(dsn=well.logins.dsn("relay"))
    denied = [each for each in found if "losus_read" in each.mend]
    assert ("settlement", "disputes") in {(each.area, each.check) for each in denied}
    assert ("publishing", "relays", "", Verdict.OK) in {(o.area, o.check, o.what, o.verdict) for o in found}


async def test_where_nothing_answers_the_gates_alone_fail(well: Region) -> None:
    found = await well.seen(dsn="postgresql://a:b@127.0.0.1:1/c", kafka=Kafka(bootstrap="127.0.0.1:1"))
    failed = {trouble for trouble in troubles(found) if trouble[3] is FAIL}
    assert failed == one("database", "reachable") | one("broker", "reachable")
    skipped = {(area, check) for area, check, _, verdict in troubles(found) if verdict is SKIPPED}
    assert skipped == {(each.area, each.name) for each in examine.CHECKS if each.needs}


async def test_where_a_migration_is_missing_what_needs_the_tables_is_not_looked_at(well: Region) -> None:
    await well.execute(
        "create table kept as select * from migration", "delete from migration where name > '0006'"
    )
    try:
        found = troubles(await well.seen())
    finally:
        await well.execute(
            "insert into migration select * from kept on conflict do nothing", "drop table kept"
        )
    assert {each for each in found if each[3] is FAIL} == one("database", "migrations")
    skipped = {(area, check) for area, check, _, verdict in found if verdict is SKIPPED}
    assert skipped == {(each.area, each.name) for each in examine.CHECKS if "tables" in each.needs}


async def test_publishing_that_stands_still_is_told(unpublished: Region) -> None:
    await unpublished.execute(
        """insert into event (case_id, municipality, revision, type, ce_id, payload, closing, created_at)
           values ('a', '2380', 1, 'se.losus.case.changed.v1', 'x', '{}', false, now() - interval '301 s')""",
        "insert into outbox (event, lane) select id, '2380' from event",
        """insert into quarantine (lane, reason, since, failures, retry_at)
           values ('2309', 'missing', now(), 1, now())""",
    )
    found = await unpublished.seen()
    assert troubles(found) - {NO_RATE, OPEN_DOORS} == {
        ("publishing", "relays", "", FAIL),
        ("publishing", "lag", "", FAIL),
        ("publishing", "quarantine", "2309", FAIL),
    }
    (apart,) = (each for each in found if each.what == "2309" and each.check == "quarantine")
    assert apart.mend == "`losus topics apply`"


async def test_a_topic_that_is_kept_too_short_is_told(well: Region) -> None:
    found = await well.seen(kafka=Kafka(bootstrap=well.bootstrap, transactions=False, retention_days=91))
    told = {what for _, check, what, verdict in troubles(found) if (check, verdict) == ("topics", WARN)}
    assert {"losus.2380.events", "losus.2309.settlements"} <= told
    assert "losus.2380.cases" not in told, "it is compacted"


async def test_a_topic_that_is_gone_is_told(well: Region) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=well.bootstrap)
    await client.start()
    await client.delete_topics(["losus.2309.cases"])
    await client.close()
    try:
        found = troubles(await well.seen())
    finally:
        await make_topics(Cluster(well.bootstrap), LANES, partitions=3, replication=1)
    assert found - {NO_RATE, OPEN_DOORS} == one("broker", "topics", "losus.2309.cases")


@pytest.mark.parametrize(
    ("mode", "verdict", "because"),
    [(0o640, None, "its group is the adapter's own"), (0o644, FAIL, "everybody could read it")],
)
async def test_a_secret_file_is_nobody_elses(
    well: Region, tmp_path: Path, mode: int, verdict: Verdict | None, because: str
) -> None:
    file = tmp_path / "hook"
    file.write_text("a secret")
    file.chmod(mode)
    found = troubles(await well.seen(**sources(hook_file=file))) - {NO_RATE, OPEN_DOORS}
    place = "LOSUS_SOURCES__LOSUS-R4__HOOK_FILE"
    assert found == (one("files", "rights", place, verdict) if verdict else set()), because


async def test_a_broker_that_one_cannot_come_in_at_says_why(well: Region) -> None:
    sasl = Sasl(username="losus", password_file=Path("/nowhere/password"))
    found = await well.seen(kafka=Kafka(bootstrap=well.bootstrap, sasl=sasl, transactions=False))
    (told,) = (each for each in found if (each.area, each.verdict) == ("broker", FAIL))
    assert (told.check, told.found) == ("reachable", "cannot be read (FileNotFoundError)")
    place = "LOSUS_KAFKA__SASL__PASSWORD_FILE"
    assert {each for each in troubles(found) if each[0] == "files"} == one("files", "rights", place)


@pytest.mark.parametrize(
    ("days", "verdict", "because"), [(5, WARN, "within fourteen days"), (50, Verdict.OK, "not soon")]
)
async def test_the_certificate_of_a_server_is_looked_at(
    well: Region, tmp_path: Path, days: int, verdict: Verdict, because: str
) -> None:
    authority = trustme.CA()
    made = authority.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days))
    certificate, key, trusted = (tmp_path / name for name in ("tls.crt", "tls.key", "ca.crt"))
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    with listening(FastAPI(), {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}) as address:
        server = Server(base_url=f"{address}/fhir", authority=trusted)
        found = await servers.certificates(well.deployment(**sources(server)))
    assert [each.verdict for each in found] == [verdict], because


@pytest.mark.parametrize(
    ("known", "verdict", "mend", "because"),
    [
        (None, FAIL, "losus watch", "nobody asked for any"),
        ("alive", Verdict.OK, "", "it is active"),
        ("broken", FAIL, "losus watch", "it is in error: the server tells of nothing"),
        ("gone", FAIL, "losus watch", "the server does not know it"),
    ],
)
async def test_our_subscriptions_are_looked_at(
    well: Region, ehr: str, known: str | None, verdict: Verdict, mend: str, because: str
) -> None:
    server = Server(base_url=ehr, subscribe=Subscribe(hook_url="http://127.0.0.1/hook"))
    if known:
        await well.execute(SUBSCRIBED.format(known))
    try:
        (found,) = await servers.subscriptions(well.deployment(**sources(server)))
    finally:
        await well.execute("delete from mark")
    assert found.verdict is verdict, because
    assert mend in found.mend


@pytest.mark.parametrize(
    ("days", "verdict", "because"),
    [(-1, FAIL, "it has ended"), (1, FAIL, "it ends tomorrow"), (13, WARN, "soon"), (15, None, "not yet")],
)
async def test_the_end_of_a_certificate_is_told_in_time(
    well: Region, ehr: str, tmp_path: Path, days: int, verdict: Verdict | None, because: str
) -> None:
    now = datetime.now(UTC)
    made = trustme.CA().issue_cert(
        "a.example", not_before=now - timedelta(9), not_after=now + timedelta(days)
    )
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    server = Server(base_url=ehr, certificate=Certificate(certificate=certificate, key=key))
    found = troubles(await well.seen(**sources(server))) - {NO_RATE, OPEN_DOORS}
    place = "sources.losus-r4.server.certificate"
    assert found == (one("keys", "certificates", place, verdict) if verdict else set()), because


async def test_a_server_that_speaks_another_version_is_told(well: Region, ehr: str) -> None:
    given = {"sources": {"losus-r4": Source(mapping="losus-r4", fhir="R5", server=Server(base_url=ehr))}}
    found = troubles(await well.seen(**given)) - {NO_RATE, OPEN_DOORS}
    assert found == one("sources", "servers", "losus-r4", WARN)


async def test_a_key_that_cannot_sign_is_told(well: Region, ehr: str, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key")
    key.chmod(0o600)
    server = Server(base_url=ehr, login=PrivateKey(client_id="losus", keys=(key,)))
    found = troubles(await well.seen(**sources(server))) - {NO_RATE, OPEN_DOORS}
    assert found == one("keys", "signing", str(key)) | one("sources", "servers", "losus-r4")


@pytest.mark.parametrize(
    ("asked", "verdict", "because"),
    [(None, FAIL, "never"), ("11 minutes", FAIL, "not for ten minutes"), ("9 minutes", None, "of late")],
)
async def test_a_server_that_nobody_asks_is_told(
    well: Region, ehr: str, asked: str | None, verdict: Verdict | None, because: str
) -> None:
    if asked:
        await well.execute(POLLED.format(asked))
    try:
        found = troubles(await well.seen(**sources(Server(base_url=ehr, poll=Poll())))) - {
            NO_RATE,
            OPEN_DOORS,
        }
    finally:
        await well.execute("delete from mark")
    assert found == (one("intake", "polled", "losus-r4", verdict) if verdict else set()), because


async def test_outside_the_sandbox_more_is_demanded(well: Region) -> None:
    """What is a warning of a sandbox, or nothing, is a fault of a region."""
    found = troubles(await well.seen(open_doors=False, dsn=well.superuser))
    assert {
        ("settings", "demands", "LOSUS_STAFF", FAIL),
        ("settings", "demands", "LOSUS_SECRET", FAIL),
    } <= found
    assert {
        ("database", "login", "", FAIL),
        ("broker", "copies", "", WARN),
        ("keys", "seal", "", WARN),
        ("settlement", "due", "", WARN),
    } <= found


async def test_an_amount_is_asked_for_in_time(well: Region) -> None:
    """Decided in the autumn: from November on the next year's is asked for, from January on it is lacking."""
    amounts = well.deployment().book.rates.series["varddygn"].amounts
    last = max(each.year for each in amounts if each.amount is not None)
    for day, found, because in (
        (date(last, 10, 31), [Verdict.OK], "not yet"),
        (date(last, 11, 1), [WARN], "the next year's is not there"),
        (date(last - 1, 11, 1), [Verdict.OK], "it is there"),
        (date(last + 1, 1, 1), [FAIL], "nothing can be settled"),
    ):
        deployment = well.deployment(today=day, open_doors=False)
        assert [each.verdict for each in await agreed.rates(deployment)] == found, because


async def test_an_agreements_file_that_was_not_looked_at_for_a_year_is_told(well: Region) -> None:
    late = well.deployment(today=well.deployment().today + timedelta(days=400))
    found = list(await agreed.files(late))
    assert {each.verdict for each in found} == {WARN}
    assert all(each.what.startswith("stale ") for each in found)


async def _hang(_: object) -> list[Told]:
    await asyncio.Event().wait()
    return [ok("never")]


async def _stumble(_: object) -> list[Told]:
    raise KeyError("19121212-1212")


async def test_a_check_that_hangs_or_stumbles_takes_none_with_it(
    well: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def well_looked(_: object) -> list[Told]:
        return [ok("well")]

    gates = {need: Check("gate", need, well_looked) for need in examine.GATES}
    monkeypatch.setattr(examine, "GATES", gates)
    monkeypatch.setattr(
        examine,
        "CHECKS",
        (Check("a", "hangs", _hang), Check("a", "stumbles", _stumble), Check("b", "c", well_looked)),
    )
    found = await examine.examine(well.deployment(), limit_s=0.05)
    assert [(each.check, each.verdict) for each in found] == [
        ("hangs", FAIL),
        ("stumbles", FAIL),
        ("c", Verdict.OK),
    ]
    assert "0.05 s" in found[0].found
    assert "KeyError" in found[1].found
    assert "1212" not in str(found), "no value of anything"


def test_the_command_says_so_by_its_exit_code_and_tells_no_secret() -> None:
    secret = settings("postgresql://a/b").secret.get_secret_value()
    given = {name: value for name, value in os.environ.items() if not name.startswith("LOSUS_")} | {
        "LOSUS_DATABASE": "postgresql://losus:hunter2hunter2@127.0.0.1:1/losus",
        "LOSUS_SECRET": secret,
        "LOSUS_KAFKA__BOOTSTRAP": "127.0.0.1:1",
        "LOSUS_OPEN_DOORS": "true",
    }
    argv = [sys.executable, "-m", "adapter.cli", "doctor", "--format", "json", "--quiet"]
    done = subprocess.run(argv, env=given, capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert {each["verdict"] for each in told} == {"fail", "warn", "skipped"}
    assert told[0].keys() == {"area", "check", "what", "verdict", "found", "mend"}
    for output in (done.stdout, done.stderr):
        assert "hunter2" not in output
        assert secret not in output


async def test_the_surveyor_sees_all_by_the_login_of_the_service(well: Region) -> None:
    """Every figure that is read from the database, with the rights of losus_intake."""
    given = well.deployment(settle_from="2026-01").settings
    opened = await connect(well.logins.dsn("intake"), size=1)
    try:
        assert await survey_once(surveyed_of(given), opened, datetime.now(UTC))
    finally:
        await opened.close()


async def test_people_are_told_what_to_mend(well: Region, capsys: pytest.CaptureFixture[str]) -> None:
    found = await well.seen(dsn="postgresql://a:b@127.0.0.1:1/c")
    tell(found, Counter(each.verdict for each in found))
    lines = capsys.readouterr().out.splitlines()
    assert "  fail    reachable: the database is not available (ConnectionRefusedError)" in lines
    assert any(line.startswith("          mend: is LOSUS_DATABASE right") for line in lines)
    assert lines[-1].endswith(f"1 fail, {sum(each.verdict is SKIPPED for each in found)} skipped")
