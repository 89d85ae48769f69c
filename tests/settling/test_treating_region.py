"""The treating region and the liable municipality together choose the agreement; the region is paid."""

import json
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
import pytest

from adapter.doctor.agreed import region as region_check
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Verdict
from adapter.errors import SetupError
from adapter.settings import Source, TreatingRegion
from tests.service import EXAMPLES, send, service, settings, stay
from tests.settling.hospital import JH, at, corrected, ledger, messages, rows, settled, tell

LUS = "lus-2017-612"
NUMBER = "002000-0006"
HOSPITAL = "urn:oid:1.2.752.29.4.19|SE0000000000-1001"
TWO = {
    "sources": {
        "losus-r4": Source(mapping="losus-r4"),
        "sundsvall": Source(mapping="losus-r4", region="22"),
    },
    "regions": {"22": TreatingRegion(organisation_number=NUMBER, hospitals=(HOSPITAL,))},
}


def at_hospital(message: dict[str, Any]) -> dict[str, Any]:
    """The same message, its stay in a hospital of Västernorrland."""
    system, value = HOSPITAL.split("|")
    for entry in message["entry"]:
        if entry["resource"]["resourceType"] == "Encounter":
            entry["resource"]["serviceProvider"] = {"identifier": {"system": system, "value": value}}
    return message


def billed(number: int, month: str, end_day: int, municipality: str) -> list[dict[str, Any]]:
    """A way home that the statute bills: open care's part is clarified (LUS 5:5)."""
    text = (EXAMPLES / "steps" / "open-care-available.json").read_text("utf-8")
    said = stay(json.loads(text.replace("2024-03-", f"{month}-")), number, 50)
    return [*messages(number, month, end_day, municipality), said]


# whose resident, settings, sent by, in a hospital of Västernorrland; agreement, creditor; because
WHO = [
    ("2380", {}, "losus-r4", False, (JH, "23"), "both are parties of Jämtland's agreement"),
    (
        "0188",
        {},
        "losus-r4",
        False,
        (LUS, "23"),
        "a Norrtälje resident in Östersund: the statute, to Jämtland",
    ),
    (
        "1480",
        {},
        "losus-r4",
        False,
        (LUS, "23"),
        "Göteborg's agreement is with Västra Götaland, which did not treat",
    ),
    ("2380", TWO, "sundsvall", False, (LUS, "22"), "the source's region has no agreement with Östersund"),
    ("2380", TWO, "losus-r4", True, (LUS, "22"), "the hospital's organization goes before the source"),
    ("2380", TWO, "losus-r4", False, (JH, "23"), "another source of the same installation"),
]


@pytest.mark.parametrize(("resident", "more", "source", "away", "paid", "because"), WHO)
async def test_who_is_paid_by_what(
    dsn: str,
    resident: str,
    more: dict[str, Any],
    source: str,
    away: bool,
    paid: tuple[str, str],
    because: str,
) -> None:
    sent = messages(1, "2019-07", 20, resident)
    async with service(dsn, **more) as client:
        for message in map(at_hospital, sent) if away else sent:
            answer = await send(client, message, source)
            assert answer.status_code == 200, answer.text
    done = await settled(dsn, "2019-07", "2019-08-20", ledger=ledger(dsn, **more))
    found = [
        one.statement.statement
        for one in done.told
        if one.statement.statement.municipality == resident and one.statement.statement.mean.stays
    ]
    assert [(one.agreement, one.region) for one in found] == [paid], because


async def test_two_regions_make_out_two_statements_and_correct_their_own(dsn: str) -> None:
    """A stay in each region's hospital in one month; then one turns out to have been a day longer."""
    given = ledger(dsn, **TWO)
    async with service(dsn, **TWO) as client:
        await tell(client, *billed(1, "2019-07", 20, "2506"))
        await tell(client, *map(at_hospital, billed(2, "2019-07", 20, "2506")))
        await settled(dsn, "2019-07", "2019-08-02", issue=True, ledger=given)
        first = await rows(
            dsn, "select agreement, region, due from statement where due <> 0 order by region, agreement"
        )
        assert first == [(LUS, "22", Decimal(6 * 7800)), (LUS, "23", Decimal(6 * 7800))]
        await tell(client, at_hospital(corrected(2, "2019-07", 21, 9)))
        await settled(dsn, "2019-08", "2019-09-02", issue=True, ledger=given)
    adjusted = await rows(
        dsn,
        "select region, due from statement where municipality = '2506' and month = '2019-08' and due <> 0",
    )
    assert adjusted == [("22", Decimal(7800))]


async def test_the_statute_has_issuer_and_reporter(dsn: str) -> None:
    """From 2025-07 on that is every bill in Jämtland (row 4)."""
    async with service(dsn) as client:
        await tell(client, *billed(1, "2019-07", 20, "0188"))
    done = await settled(dsn, "2019-07", "2019-08-02", issue=True)
    assert done.refused == []
    [(bundle,)] = await rows(
        dsn, "select bundle from statement where municipality = '0188' and care_form = 'somatic'"
    )
    resources = [entry["resource"] for entry in orjson.loads(bundle)["entry"]]
    by = {f"Organization/{one['id']}": one for one in resources if one["resourceType"] == "Organization"}
    [invoice] = [one for one in resources if one["resourceType"] == "Invoice"]
    [report] = [one for one in resources if one["resourceType"] == "MeasureReport"]
    issuer = by[invoice["issuer"]["reference"]]
    assert issuer is by[report["reporter"]["reference"]]
    assert issuer["name"] == "Region Jämtland Härjedalen"
    assert {one["system"]: one["value"] for one in issuer["identifier"]} == {
        "urn:oid:1.2.752.129.2.2.1.18": "23",
        "urn:oid:2.5.4.97": NUMBER,
    }


UNKNOWN = [
    # region of the settings, what refuses; settled as a draft; because
    ({}, "the treating region is not known", False, "settlement 3: unknown region: refused, by name"),
    (
        {"county": "23"},
        "Region Jämtland Härjedalen (23) has no organisation number",
        True,
        "no issuer, no claim",
    ),
]


@pytest.mark.parametrize(("given", "rule", "drafted", "because"), UNKNOWN)
async def test_a_region_that_is_not_known_is_refused_by_name(
    dsn: str, given: dict[str, str], rule: str, drafted: bool, because: str
) -> None:
    async with service(dsn, region=given) as client:
        await tell(client, *messages(1, "2019-07", 20, "0188"))
    made = ledger(dsn, region=given)
    draft = await settled(dsn, "2019-07", "2019-08-02", ledger=made)
    assert bool(draft.told) is drafted, because
    done = await settled(dsn, "2019-07", "2019-08-02", issue=True, ledger=made)
    assert {fault.problems[0].rule.split(":")[0] for _, _, fault in done.refused} == {rule}
    assert all(isinstance(fault, SetupError) for *_, fault in done.refused)
    assert await rows(dsn, "select 1 from statement") == []
    it = Deployment(
        settings(dsn, region=given, open_doors=False), lambda: at("2019-08-02"), at("2019-08-02").date()
    )
    told = await region_check(it)
    assert [(one.verdict, one.found.split(":")[0]) for one in told] == [(Verdict.FAIL, rule)]


async def test_statements_of_before_there_were_several_are_the_installations(dsn: str) -> None:
    """A database of an earlier release: nothing is credited, and the next statement corrects its own."""
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-07", 20))
    await settled(dsn, "2019-07", "2019-08-02", issue=True)
    before = await rows(
        dsn, "select count(*) from statement where convert_from(said, 'UTF8') like '%\"region\":\"23\"%'"
    )
    assert before == [(4,)]
    connection = await asyncpg.connect(dsn)
    await connection.execute("set session_replication_role = replica")
    await connection.execute(
        """update statement set region = '', said = convert_to(replace(convert_from(said, 'UTF8'),
             '"region":"23"', '"region":null'), 'UTF8')"""
    )
    await connection.close()
    done = await settled(dsn, "2019-08", "2019-09-02", issue=True)
    assert done.refused == []
    assert [one.statement.adjustments for one in done.told] == [()] * 4
    again = await settled(dsn, "2019-07", "2019-09-02", issue=True)
    assert [one.fresh for one in again.told] == [False] * 4
