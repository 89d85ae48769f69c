"""What is issued with a month: the follow-up on the municipality's topic, and what the public is told."""

from typing import Any

import asyncpg
import orjson
import pytest

from adapter.fhir.vocabulary import CANONICAL
from adapter.losus.days import Month
from adapter.outbound.topics import settlements_topic
from adapter.settling import issuing
from adapter.settling.run import settle_due
from tests.conftest import Kafka as Broker
from tests.outbound.test_relay import drained, relay
from tests.service import service
from tests.settling.hospital import JH, at, database, ledger, messages, rows, settled, tell
from tests.settling.test_settle_on_store import losus
from tests.topic import records

EVENTS = """select event.municipality, type, payload from event join outbox on outbox.event = event.id
            where case_id in (select id from follow_up_resource) order by event.id"""


def report(bundle: bytes | dict[str, Any]) -> dict[str, Any]:
    told = orjson.loads(bundle) if isinstance(bundle, bytes) else bundle
    resource: dict[str, Any] = told["entry"][0]["resource"]
    return resource


def counts(told: dict[str, Any]) -> dict[str, list[int | None]]:
    """What is counted in each group; None where it is withheld."""
    return {
        group["code"]["coding"][0]["code"]: [one.get("count") for one in group["population"]]
        for group in told["group"]
    }


async def test_the_follow_up_is_issued_with_the_month_and_never_changed(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20), *messages(2, "2019-03", 12))
    first = await settled(dsn, "2019-03", "2019-04-01", issue=True)
    assert sorted(first.followed) == [("2309", Month(2019, 3)), ("2380", Month(2019, 3))]
    kept = await rows(dsn, "select municipality, month, bundle from follow_up order by municipality")
    assert [row[:2] for row in kept] == [("2309", "2019-03"), ("2380", "2019-03")]
    told = counts(report(kept[1][2]))
    assert told["mean-days"] == [2, 2]
    assert told["admission-notice-share"] == [2, 2, 2]
    assert told["return-share"] == [0, 0, 0], "their thirty days end in April"
    sent = await rows(dsn, EVENTS)
    assert {row[0]: row[2] for row in sent} == {row[0]: row[2] for row in kept}, (
        "what is kept is what is sent"
    )
    assert {row[1] for row in sent} == {"se.losus.settlement.issued.v1"}
    async with service(dsn) as client:
        await tell(client, *messages(3, "2019-03", 14))
    again = await settled(dsn, "2019-03", "2019-04-20", issue=True)
    assert again.followed == []
    assert await rows(dsn, "select municipality, month, bundle from follow_up order by municipality") == kept
    april = await settled(dsn, "2019-04", "2019-05-01", issue=True, municipalities=("2380",))
    assert april.followed == [("2380", Month(2019, 4))]
    [(bundle,)] = await rows(dsn, "select bundle from follow_up where month = '2019-04'")
    assert counts(report(bundle))["return-share"] == [3, 3, 0], "three went home in March"
    assert counts(report(bundle))["mean-days-1"] == [3, 3], "as known when it was issued"


NEVER = [
    "delete from follow_up",
    "update follow_up set month = '2019-01'",
    "truncate follow_up cascade",
    "delete from follow_up_resource",
    "update follow_up_resource set type = 'x'",
    "delete from statistic",
    "update statistic set month = '2019-01'",
    "truncate statistic",
]


async def test_what_was_issued_beside_cannot_be_changed(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await settled(dsn, "2019-03", "2019-04-01", issue=True)
    for change in NEVER:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changed"):
            await rows(dsn, change)


async def test_on_the_topic_and_over_http(dsn: str, empty_broker: Broker) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
        await settled(dsn, "2019-03", "2019-04-01", issue=True)
        asked = {"measure": f"{CANONICAL}/Measure/manadsuppfoljning", "municipality": "2380"}
        found = (await client.get("/fhir/MeasureReport", params=asked)).json()
        joint = f"{CANONICAL}/StructureDefinition/joint-follow-up"
        reports = [entry["resource"] for entry in found["entry"]]
        [one] = [each for each in reports if joint not in {x["url"] for x in each.get("extension", ())}]
        assert len(reports) == 2, "the mean is over: a joint follow-up by the same Measure"
        assert (await client.get(f"/fhir/MeasureReport/{one['id']}")).json() == one
    with relay(dsn, empty_broker.bootstrap):
        await drained(dsn)
    seen = await records(empty_broker.bootstrap, settlements_topic("2380"))
    bundles = {record.key: record.value for record in seen}
    assert len(bundles) == 4, "two care forms, the follow-up, and the joint one"
    assert bundles[one["id"]] is not None
    assert report(bundles[one["id"]]) == one


async def test_the_public_is_told_when_all_is_issued_and_then_never_again(dsn: str) -> None:
    async with service(dsn) as client:
        for number, town in enumerate(("2380",) * 6 + ("2309",) * 2):
            await tell(client, *messages(number, "2019-03", 14, town))
        nothing = await client.get(f"/statistics/{JH}/2019-03")
        assert nothing.status_code == 404
        first = await settled(dsn, "2019-03", "2019-04-01", issue=True, municipalities=("2380",))
        assert first.published == [], "Krokom's statements are not issued yet"
        assert (await client.get("/statistics")).json() == {"statistics": []}
        done = await settled(dsn, "2019-03", "2019-04-02", issue=True)
        assert done.published == [(JH, Month(2019, 3))]
        told = await client.get(f"/statistics/{JH}/2019-03")
        assert (told.status_code, told.headers["content-type"]) == (200, "application/fhir+json")
        await tell(client, *messages(9, "2019-03", 14, "2309"), *messages(10, "2019-03", 14, "2305"))
        for day in ("2019-04-03", "2019-04-04"):  # Bräcke has a statement now, that comes too late
            assert (await settled(dsn, "2019-03", day, issue=True)).published == []
        assert (await client.get(f"/statistics/{JH}/2019-03")).content == told.content
        listed = (await client.get("/statistics")).json()["statistics"]
        assert [(one["agreement"], one["month"]) for one in listed] == [(JH, "2019-03")]
    text = told.text
    cases = {row[0] for row in await rows(dsn, "select id from cases")}
    assert not [name for name in cases if name in text], "no stay, by whatever name"
    assert "SEK" not in text
    reports = [
        entry["resource"]
        for entry in told.json()["entry"]
        if entry["resource"]["resourceType"] == "MeasureReport"
    ]
    somatic = {
        one["subject"]["identifier"]["value"]: counts(one)["mean-days"]
        for one in reports
        if "somatic" in orjson.dumps(one["extension"]).decode()
    }
    assert somatic["2309"] == [None, 0, None], "two stays: withheld"
    assert somatic["2380"] == [None, 0, None], "six, beside which two could be had from the sum"
    assert somatic["23"] == [None, 0, None], "eight are fewer than two times five: the sum is withheld too"
    run = losus(dsn, JH, "2019-03", command="statistics")
    assert (run.returncode, run.stdout.strip()) == (0, text)
    assert losus(dsn, JH, "2019-04", command="statistics").returncode == 1
    assert losus(dsn, command="statistics").stdout.split() == [JH, "2019-03"]


async def test_a_statement_that_no_topic_can_hold_is_told_of_and_holds_up_nothing_else(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In earnest a statement has megabytes; here the limit is lowered between the small and the large one."""
    async with service(dsn) as client:
        for number, month in enumerate(("2019-01", "2019-02", "2019-03", "2019-04", "2019-04")):
            await tell(client, *messages(number, month, 20))
    for month in ("2019-01", "2019-02", "2019-03"):
        await settled(dsn, month, "2019-05-01", issue=True)
    [(without_lines,)] = await rows(dsn, "select max(length(bundle)) from statement")
    monkeypatch.setattr(issuing, "LARGEST_STATEMENT", without_lines + 500)
    async with database(dsn) as opened:
        done = await settle_due(opened, ledger(dsn), Month(2019, 4), at("2019-05-02"))
        [(code, month, fault)] = done.refused
        assert (code, str(month)) == ("2380", "2019-04")
        assert f"a message of its topic holds {without_lines + 500}" in fault.problems[0].rule
        issued = "select municipality, care_form from statement where month = '2019-04' order by 1, 2"
        assert await rows(dsn, issued) == [
            ("2309", "psychiatric"),
            ("2309", "somatic"),
            ("2380", "psychiatric"),
        ]
        assert (done.followed, done.published) == ([("2309", Month(2019, 4))], [])
        monkeypatch.undo()
        healed = await settle_due(opened, ledger(dsn), Month(2019, 4), at("2019-05-03"))
    assert (healed.refused, healed.followed) == ([], [("2380", Month(2019, 4))])
    assert healed.published == [(JH, Month(2019, 4))]
    assert len(await rows(dsn, issued)) == 4
