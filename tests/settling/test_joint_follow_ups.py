"""Joint follow-ups on the store: opened by themselves, written in by both parties, published, kept."""

import asyncio
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from adapter.fhir.decimals import loads
from adapter.fhir.joint_read import read_entries, read_head
from adapter.fhir.model import FhirVersion
from adapter.fhir.rules import faults as fhir_faults
from adapter.losus.days import Month
from adapter.outbound.topics import settlements_topic
from adapter.settlement.joint_entries import ENTERED, Party
from adapter.settling.joint_follow_ups import Condition, Writer, enter, head_of, read_follow_ups
from adapter.settling.joint_judging import office_of
from tests.conftest import Kafka as Broker
from tests.outbound.published import faults
from tests.outbound.test_relay import drained, relay
from tests.service import service
from tests.settling.hospital import JH, at, corrected, database, ledger, messages, rows, settled, tell
from tests.settling.test_settle_on_store import losus
from tests.topic import records

HEADS = "select municipality, care_form, month from joint_follow_up order by month, municipality, care_form"
EVENTS = """select case_id, municipality, revision, payload from event where type = 'se.losus.followup.v1'
            order by id"""
FINDING = {"kind": "finding", "text": "Kallelserna till SIP är sena."}
BOTH = [
    {"party": "region", "name": "Anna Ek", "role": "verksamhetschef"},
    {"party": "municipality", "name": "Bo Ås", "role": None},
]
MEETING = {"kind": "meeting", "held_on": "2019-04-04", "representatives": BOTH}
MEASURE = {"kind": "measure", "text": "Kalla samma dag.", "party": "municipality",
           "responsible": "Biståndsenheten", "due": "2019-05-15"}  # fmt: skip


async def over(client: httpx.AsyncClient, dsn: str, *numbers: int, month: str = "2019-03") -> None:
    """Issue a month whose mean is nine days; the threshold is three."""
    for number in numbers or (1,):
        await tell(client, *messages(number, month, 20))
    await settled(dsn, month, str(Month.parse(month).end), issue=True)


async def listed(client: httpx.AsyncClient, **asked: str) -> list[dict[str, Any]]:
    found = await client.get("/follow-ups", params=asked)
    assert found.status_code == 200, found.text
    follow_ups: list[dict[str, Any]] = found.json()["follow_ups"]
    return follow_ups


async def post(client: httpx.AsyncClient, name: str, content: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/follow-ups/{name}/entries", json=content)
    assert answer.status_code == 201, answer.text
    follow_up: dict[str, Any] = answer.json()
    return follow_up


async def test_it_opens_by_itself_where_the_mean_is_over(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(2, "2019-03", 14), *messages(3, "2019-03", 14, "2309"))
        below = await settled(dsn, "2019-03", "2019-04-01", issue=True, municipalities=("2309",))
        assert below.opened == [], "a mean of three is not over three"
        await tell(client, *messages(1, "2019-03", 20))
        run = await settled(dsn, "2019-03", "2019-04-01", issue=True)
        assert [(one.municipality, one.care_form) for one in run.opened] == [("2380", "somatic")]
        assert await rows(dsn, HEADS) == [("2380", "somatic", "2019-03")], "psychiatric is apart"
        again = await settled(dsn, "2019-03", "2019-04-02", issue=True)
        assert again.opened == []
        [one] = await listed(client)
    assert (one["agreement"], one["because"], one["over"]) == (JH, "over-threshold", True)
    assert one["missing"] == [
        "representatives-region",
        "representatives-municipality",
        "findings",
        "measures",
    ]
    [(name, town, revision, payload)] = await rows(dsn, EVENTS)
    assert (name, town, revision) == (one["id"], "2380", 1), "published once, in the same transaction"
    assert orjson.loads(payload)["entry"][0]["resource"]["meta"]["versionId"] == "1"


async def test_missed_limits_are_taken_from_the_stays_and_judged_again(dsn: str) -> None:
    async with service(dsn) as client:
        late = [one for number, one in enumerate(messages(1, "2019-03", 20)) if number != 7]
        await tell(client, *late)
        await settled(dsn, "2019-03", "2019-04-01", issue=True)
        [one] = await listed(client)
        shown = (await client.get(f"/follow-ups/{one['id']}")).json()
        assert (shown["judged"]["mean"], shown["judged"]["threshold"]) == ("9", "3")
        before = {(each["name"], each["stay"]) for each in shown["deviations"]}
        assert all(each["source"] == "limit" for each in shown["deviations"])
        await tell(client, corrected(1, "2019-03", 21, 9))
        await settled(dsn, "2019-03", "2019-04-02", issue=True)
        again = (await client.get(f"/follow-ups/{one['id']}")).json()
        assert again["version"] == 2, "what came late changed the figures"
        assert [each["kind"] for each in again["entries"]] == ["opened", "judged", "judged"]
        assert again["judged"]["trend"][0]["days"] == 10
        assert again["judged"]["mean"] == "9", "the statement stands as it was issued"
        assert {each["stay"] for each in again["deviations"]} == {stay for _, stay in before}


async def test_a_month_that_is_issued_late_opens_too_and_judges_no_other(dsn: str) -> None:
    """Two years later: what is older than a year is left as it was judged with its statement."""
    async with service(dsn) as client:
        await over(client, dsn)
        await tell(client, *messages(2, "2019-02", 20))
        run = await settled(dsn, "2019-02", "2021-03-01", issue=True)
        assert [str(each.month) for each in run.opened] == ["2019-02"]
        assert [(one["month"], one["over"], one["version"]) for one in await listed(client)] == [
            ("2019-03", True, 1),
            ("2019-02", True, 1),
        ]


async def test_both_parties_write_and_the_measure_is_carried_over(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
        [one] = await listed(client)
        name = one["id"]
        await post(client, name, MEETING)
        await post(client, name, FINDING)
        shown = await post(client, name, MEASURE)
        assert (shown["state"], shown["missing"], shown["open_measures"]) == ("held", [], 1)
        [measure] = shown["measures"]
        await tell(client, *messages(2, "2019-04", 14))
        run = await settled(dsn, "2019-04", "2019-05-01", issue=True)
        assert [str(each.month) for each in run.opened] == ["2019-04"], "a measure is followed up next month"
        april, march = await listed(client, municipality="2380")
        assert (april["because"], april["missing"][-1]) == ("open-measures", "outcomes")
        await post(client, april["id"], MEETING)
        moved = {"kind": "outcome", "measure": measure["id"], "result": "moved", "due": "2019-06-30"}
        follow = await post(client, april["id"], moved)
        assert [(each["status"], each["due"]) for each in follow["carried"]] == [("open", "2019-06-30")]
        task = await client.get(f"/fhir/Task/{measure['id']}")
        assert (task.json()["status"], task.json()["businessStatus"]["text"]) == (
            "in-progress",
            "Flyttad till annan dag",
        )
        done = await post(
            client, april["id"], {"kind": "outcome", "measure": measure["id"], "result": "done"}
        )
        assert (done["state"], done["carried"][0]["status"]) == ("completed", "done")
        march = (await client.get(f"/follow-ups/{march['id']}")).json()
        assert [each["result"] for each in march["measures"][0]["outcomes"]] == ["moved", "done"]
        assert march["state"] == "completed"
        tasks = (await client.get("/fhir/Task")).json()
        assert [entry["resource"]["status"] for entry in tasks["entry"]] == ["completed"]
    told: dict[str, list[int]] = {}
    for key, _, revision, _ in await rows(dsn, EVENTS):
        told.setdefault(key, []).append(revision)
    assert told == {name: [1, 2, 3, 4, 5, 6], april["id"]: [1, 2, 3, 4]}, "contiguous for each"


async def test_the_bundle_is_sound_and_says_all_that_was_entered(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
        [one] = await listed(client)
        stay = (await rows(dsn, "select id from cases where municipality = '2380'"))[0][0]
        for content in (
            MEETING,
            FINDING,
            {"kind": "deviation", "text": "Läkemedel saknades.", "name": "medication", "stay": stay},
            MEASURE,
            MEASURE | {"corrects": 6, "due": "2019-05-20"},
            {"kind": "outcome", "measure": f"{one['id']}-6", "result": "not-done", "text": "Semester."},
            {"kind": "withdrawal", "corrects": 4, "text": "Fel månad."},
        ):
            await post(client, one["id"], content)
        answer = await client.get(f"/follow-ups/{one['id']}", headers={"accept": "application/fhir+json"})
        plain = (await client.get(f"/follow-ups/{one['id']}")).json()
        report = await client.get(f"/fhir/MeasureReport/{one['id']}")
        found = await client.get("/fhir/MeasureReport", params={"_id": one["id"]})
    assert answer.headers["etag"] == 'W/"8"'
    bundle = loads(answer.content)
    assert fhir_faults(bundle, FhirVersion.R4, "Bundle") == []
    first, task, rule = (entry["resource"] for entry in bundle["entry"])
    assert (first["resourceType"], task["resourceType"], rule["resourceType"]) == (
        "MeasureReport",
        "Task",
        "Measure",
    )
    assert first == loads(report.content)
    assert found.json()["total"] == 1, "of several versions the newest is found"
    assert first["measure"].startswith(rule["url"]), "the monthly follow-up's own Measure"
    evidence = [(each["type"], each["identifier"]["value"]) for each in first["evaluatedResource"]]
    assert ("Encounter", stay) in evidence
    assert evidence[0][0] == "MeasureReport"
    assert (task["status"], task["description"], task["owner"]["display"]) == (
        "in-progress",
        "Kalla samma dag.",
        "Biståndsenheten",
    )
    assert task["restriction"]["period"]["end"] == "2019-05-20"
    async with database(dsn) as opened, opened.transaction() as connection:
        head = read_head(first)
        [shown] = await read_follow_ups(connection, [head])
    assert head == head_of(JH, "2380", "somatic", Month(2019, 3))
    again = read_entries(first)
    assert [(e.number, e.at, e.party, e.content) for e in again] == [
        (e.number, e.at, e.party, e.content) for e in shown.follow_up.entries
    ], "what is published restores what was entered"
    assert [each["kind"] for each in plain["entries"]][2:] == [
        "meeting", "finding", "deviation", "measure", "measure", "outcome", "withdrawal",
    ]  # fmt: skip
    assert plain["missing"] == ["findings"]


NEVER = [
    f"{what} joint_follow_up{table}{how}"
    for table, how in (
        ("", "set month = '2019-01'"),
        ("_entry", "set author = 'x'"),
        ("_version", "set version = 9"),
    )
    for what, how in (("delete from", ""), ("update", f" {how}"))
]


async def test_what_was_entered_cannot_be_changed(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
    for change in NEVER:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changed"):
            await rows(dsn, change)


async def test_an_entry_under_a_key_is_made_once(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
        [one] = await listed(client)
        address = f"/follow-ups/{one['id']}/entries/minutes-1"
        first = await client.put(address, json=FINDING)
        assert (first.status_code, first.json()["version"]) == (201, 2)
        again = await client.put(address, json=FINDING)
        assert (again.status_code, again.json()["version"]) == (200, 2)
        other = await client.put(address, json=FINDING | {"text": "Annat."})
        assert other.status_code == 409
        stale = await client.post(
            f"/follow-ups/{one['id']}/entries", json=FINDING, headers={"if-match": 'W/"1"'}
        )
        assert stale.status_code == 412
        fresh = await client.post(
            f"/follow-ups/{one['id']}/entries", json=FINDING, headers={"if-match": 'W/"2"'}
        )
        assert fresh.status_code == 201
        same = await client.get(f"/follow-ups/{one['id']}", headers={"if-none-match": 'W/"3"'})
        assert same.status_code == 304


BODIES = [
    # body, status, expression, because
    ({"kind": "finding", "text": "Patient 19121212-1212."}, 422, "finding.text", "a personnummer"),
    ({"kind": "finding"}, 422, "finding.text", "nothing is said"),
    ({"kind": "secret-kind", "text": "x"}, 422, "kind", "no such kind"),
    ({"kind": "opened", "because": "by-hand"}, 422, "kind", "the adapter's own"),
    ({"kind": "finding", "text": "x", "hidden": "secret"}, 422, "finding", "a field that there is not"),
    ({"kind": "deviation", "text": "x", "stay": "secret"}, 422, "stay", "not the municipality's stay"),
    ({"kind": "finding", "text": "x", "corrects": 99}, 409, "corrects", "no such entry"),
    ({"kind": "outcome", "measure": "secret", "result": "done"}, 409, "measure", "no such measure"),
]


async def test_what_is_refused_is_named_by_its_place_alone(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
        [one] = await listed(client)
        for body, status, expression, because in BODIES:
            answer = await client.post(f"/follow-ups/{one['id']}/entries", json=body)
            assert answer.status_code == status, (because, answer.text)
            [issue] = answer.json()["issue"]
            assert issue["expression"] == [expression], because
            for value in ("19121212", "secret", "hidden"):
                assert value not in answer.text, because
        broken = await client.post(f"/follow-ups/{one['id']}/entries", content=b"{")
        assert broken.status_code == 400
        assert (await client.post("/follow-ups/nothing/entries", json=FINDING)).status_code == 404


OPENINGS = [
    # what is asked for, status, because
    ({}, 201, "a month below its threshold may be controlled too"),
    ({}, 200, "it is open already"),
    ({"care_form": "pooled"}, 422, "the agreement keeps the care forms apart"),
    ({"agreement": "stockholm-2020"}, 422, "another region's"),
    ({"month": "2090-01"}, 422, "it is not over"),
    ({"month": "2019"}, 400, "no month"),
]


async def test_one_is_opened_by_hand_and_judged_by_the_next_run(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 13))
        for more, status, because in OPENINGS:
            asked = {
                "agreement": JH,
                "municipality": "2380",
                "care_form": "somatic",
                "month": "2019-03",
                **more,
            }
            assert (await client.post("/follow-ups", json=asked)).status_code == status, because
        [one] = await listed(client)
        assert (one["because"], one["status"], one["version"]) == ("by-hand", None, 1)
        run = await settled(dsn, "2019-03", "2019-04-01", issue=True)
        assert run.opened == []
        [one] = await listed(client)
        assert (one["because"], one["status"], one["over"], one["version"]) == (
            "by-hand",
            "follow-up",
            False,
            2,
        )


async def test_who_wrote_is_audited_and_text_is_not(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
        [one] = await listed(client)
        await post(client, one["id"], FINDING)
    audited = await rows(dsn, "select action, what, municipality, why from audit order by number")
    [entry] = [row for row in audited if row[0] == "update"]
    assert entry[1:3] == ([f"follow-up/{one['id']}"], "2380")
    assert all("SIP" not in str(row) for row in audited)


async def test_two_who_write_at_once_both_stand(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
        [one] = await listed(client)
        answers = await asyncio.gather(
            *(
                client.post(f"/follow-ups/{one['id']}/entries", json=FINDING | {"text": f"Nummer {n}."})
                for n in range(5)
            )
        )
        assert {answer.status_code for answer in answers} == {201}
        shown = (await client.get(f"/follow-ups/{one['id']}")).json()
    assert [each["entry"] for each in shown["entries"]] == list(range(1, 8))
    assert [row[2] for row in await rows(dsn, EVENTS)] == list(range(1, 7))


async def test_a_municipality_writes_for_itself_alone(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
    given = ledger(dsn)
    theirs = Writer(Party.MUNICIPALITY, "source", "ostersund", "own municipality", "2380")
    others = Writer(Party.MUNICIPALITY, "source", "krokom", "own municipality", "2309")
    name = head_of(JH, "2380", "somatic", Month(2019, 3)).id
    content = ENTERED.validate_python(FINDING)
    async with database(dsn) as opened:
        async with opened.transaction() as connection:
            made = await enter(
                connection, office_of(given), name, content, theirs, at("2019-04-03"),
                condition=Condition("k"),
            )  # fmt: skip
        assert made.follow_up.findings[0].party is Party.MUNICIPALITY
        with pytest.raises(Exception, match="no such follow-up"):
            async with opened.transaction() as connection:
                await enter(connection, office_of(given), name, content, others, at("2019-04-03"))


async def test_by_the_commands(dsn: str) -> None:
    async with service(dsn) as client:
        await over(client, dsn)

    def run(*words: str, status: int = 0) -> str:
        done = losus(dsn, *words, command="follow-up")
        assert done.returncode == status, done.stderr
        return done.stdout

    [one] = [orjson.loads(line) for line in run("list", "--format", "json").splitlines()]
    name = one["id"]
    run("record", name, "--held", "2019-04-04", "--region", "Anna Ek, chef", "--municipality", "Bo Ås")
    run("record", name, "--finding", "Kallelserna är sena.")
    shown = orjson.loads(
        run("measure", "add", name, "Kalla samma dag.", "--responsible", "Enheten", "--due", "2019-05-15",
            "--party", "municipality", "--format", "json")
    )  # fmt: skip
    [measure] = shown["measures"]
    done = orjson.loads(run("measure", "close", name, measure["id"], "--outcome", "done", "--format", "json"))
    assert (done["state"], done["entries"][-1]["author"] != "") == ("completed", True)
    assert "Kalla samma dag." in run("show", name)
    assert orjson.loads(run("show", name, "--fhir"))["entry"][0]["resource"]["id"] == name
    opened = run(
        "open", "--agreement", JH, "--municipality", "2380", "--month", "2019-02", "--format", "json"
    )
    assert orjson.loads(opened)["judged"]["over"] is False
    run("record", name, "--finding", "19121212-1212", status=1)
    run("record", name, status=2)


async def test_on_the_topic_as_promised(dsn: str, kafka: Broker) -> None:
    async with service(dsn) as client:
        await over(client, dsn)
        [one] = await listed(client)
        await post(client, one["id"], FINDING)
    with relay(dsn, kafka.bootstrap):
        await drained(dsn)
    seen = [r for r in await records(kafka.bootstrap, settlements_topic("2380")) if r.key == one["id"]]
    assert [r.headers["ce_type"] for r in seen] == ["se.losus.followup.v1"] * 2
    for record in seen:
        assert faults(record.headers, record.value) == []
        assert record.headers["ce_dataschema"] == "urn:losus:schema:followup.v1"
        assert record.headers["content-type"] == "application/fhir+json"
    versions = [r.value["entry"][0]["resource"]["meta"]["versionId"] for r in seen if r.value]
    assert versions == ["1", "2"]
