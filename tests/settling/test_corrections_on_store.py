"""Settlement rules 8 on the store: a correction says why, and the measure that it changes is issued again."""

import csv
import io

import orjson

from adapter.fhir.vocabulary import STATEMENT_IDENTIFIER
from tests.service import service
from tests.settling.hospital import corrected, messages, rows, settled, tell
from tests.settling.test_settle_on_store import losus

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")


async def test_a_correction_says_why_and_the_measure_is_issued_again(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        for month in SPRING:
            await settled(dsn, month, "2019-05-02", issue=True, municipalities=("2380",))
        before = await rows(dsn, "select id, bundle from statement order by number")
        await tell(client, corrected(3, "2019-04", 18, 3))
        await settled(dsn, "2019-05", "2019-06-02", issue=True, municipalities=("2380",))
        found = (await client.get("/fhir/MeasureReport?municipality=2380&period=2019-04")).json()
        answer = await client.get(
            "/settlements/jamtland-harjedalen-losus-2018/2380/2019-05?care_form=somatic",
            headers={"Accept": "application/json"},
        )
    assert (await rows(dsn, "select id, bundle from statement order by number"))[: len(before)] == before
    listed = [entry["resource"] for entry in found["entry"]]
    reports = [
        one
        for one in listed
        if any(each["system"] == STATEMENT_IDENTIFIER for each in one.get("identifier", ()))
    ]
    somatic = {
        one["id"]: one["group"][0]["measureScore"]["value"]
        for one in reports
        if "measureScore" in one["group"][0]
    }
    assert sorted(somatic.values()) == [7, 9], "as it was issued, and as it is counted now"
    replaced = [
        each["valueReference"]["reference"]
        for one in reports
        for each in one["extension"]
        if each["url"].endswith("settlement-replaces")
    ]
    assert replaced == [f"MeasureReport/{name}" for name, mean in somatic.items() if mean == 9]
    [adjustment] = answer.json()["statements"][0]["adjustments"]
    [reason] = adjustment["reasons"]
    assert reason["reason"] == "fact"
    assert [(one["what"], one["before"], one["after"]) for one in reason["changes"]] == [
        ("ended_at", "2019-04-20T10:00:00Z", "2019-04-18T10:00:00Z")
    ]
    assert {one["term"] for one in adjustment["clauses"]} == {"unit", "count_end_day"}
    [line] = adjustment["lines"]
    items = await rows(dsn, "select statement from statement_resource where type = 'ChargeItem'")
    assert (line["statement"],) in items
    typed = losus(dsn, "--month", "2019-05", "--municipality", "2380", "--format", "csv", "--corrections")
    [row] = csv.DictReader(io.StringIO(typed.stdout))
    assert (row["reasons"], row["kind"], row["charge_items"]) == ("fact", "credit", line["charge_item"])
    assert orjson.loads(row["changes"])[0][0]["what"] == "ended_at"
    known = await rows(dsn, "select id from statement_resource where type = 'ChargeItem'")
    assert (line["charge_item"],) in known, "the id that the line was published under"
