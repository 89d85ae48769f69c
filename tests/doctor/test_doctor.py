"""A deployment in good health; logins, gates, and what a check may do to the others; the command."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from adapter.cluster import Cluster
from adapter.commands.doctor import tell
from adapter.doctor import agreed, examine
from adapter.doctor.examine import Check
from adapter.doctor.findings import Told, Verdict, ok
from adapter.inbound.surveyor import survey_once
from adapter.outbound.topics import make_topics
from adapter.settings import Kafka
from adapter.store.database import connect
from adapter.wiring import surveyed_of
from tests import cli
from tests.doctor.broken import (
    FAIL,
    NO_RATE,
    SKIPPED,
    WARN,
    one,
)
from tests.doctor.region import LANES, OPEN_DOORS, Region, Trouble, troubles
from tests.service import settings


async def test_a_sandbox_in_health_is_ok_but_for_its_open_doors(well: Region) -> None:
    found = await well.seen()
    assert troubles(found) - {NO_RATE} == {OPEN_DOORS}
    assert {(one.area, one.check) for one in found} == {(one.area, one.name) for one in examine.CHECKS}
    assert all(bool(one.mend) == (one.verdict in {FAIL, WARN}) for one in found)


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
    done = cli.run("doctor", "--format", "json", "--quiet", env=given)
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
