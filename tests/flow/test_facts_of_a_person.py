"""Facts of a person through the whole way: what is true only later touches no stay that is over."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from adapter.refold import judge_due
from adapter.wiring import world_of
from tests.service import service, settings
from tests.settling.hospital import database

START, END = "2024-01-04T14:20:00+01:00", "2024-01-08T10:00:00+01:00"
KOMMUNKOD = "https://losus-adapter.se/fhir/StructureDefinition/kommunkod"
PNR = "http://electronichealth.se/identifier/personnummer"


def lives(code: str, **period: str) -> dict[str, Any]:
    where = {"url": KOMMUNKOD, "valueCoding": {"system": "urn:oid:1.2.752.129.2.2.1.17", "code": code}}
    return {"use": "home", "city": code, "extension": [where]} | ({"period": period} if period else {})


def patient(version: int | None, day: str, *addresses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A version of the record as of a day; None: without meta."""
    meta = {"versionId": str(version), "lastUpdated": f"{day}T08:00:00+01:00"}
    numbers = [{"system": PNR, "value": "191212121212"}]
    known = {"resourceType": "Patient", "id": "p", "identifier": numbers, "name": [{"text": "Tolvan"}]}
    return known | {"address": list(addresses)} | ({"meta": meta} if version else {}) | more


def stay(name: str = "e", end: str | None = END, start: str = START, kind: str = "IMP") -> dict[str, Any]:
    """A stay of the person."""
    care_form = {"system": "https://losus-adapter.se/fhir/CodeSystem/care-form", "code": "somatic"}
    return {
        "resourceType": "Encounter",
        "id": name,
        "meta": {"versionId": "1", "lastUpdated": end or start},
        "status": "finished" if end else "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": kind},
        "serviceType": {"coding": [care_form]},
        "subject": {"reference": "Patient/p"},
        "period": {"start": start} | ({"end": end} if end else {}),
    }


def named(resource: dict[str, Any], number: int) -> dict[str, Any]:
    """The same resource of another person's story."""
    copy = resource | {"id": f"{resource['id']}-{number}"}
    return copy | ({"subject": {"reference": f"Patient/p-{number}"}} if "subject" in resource else {})


async def put(client: httpx.AsyncClient, *resources: dict[str, Any]) -> None:
    for resource in resources:
        path = f"/fhir/losus-r4/{resource['resourceType']}/{resource['id']}"
        answer = await client.put(path, content=json.dumps(resource))
        assert answer.status_code in {200, 201}, answer.text


async def events(dsn: str, key: str = "e") -> list[tuple[str, bool, list[str]]]:
    """The events of a case, oldest first: municipality, whether it is its last, and what has changed."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        """select event.municipality, closing, payload from event join cases on cases.id = case_id
           where key = $1 order by event.id""",
        key,
    )
    await connection.close()
    return [(row["municipality"], row["closing"], json.loads(row["payload"])["changed"]) for row in rows]


OLD, NEW = lives("2380"), lives("2309")
OLD_UNTIL, NEW_SINCE = lives("2380", end="2024-01-31"), lives("2309", start="2024-02-01")
# what the newer version says, whom the finished stay concerns in the end, whether it was told of; because
NEWER = [
    (patient(2, "2024-06-01", NEW), "2380", False, "settlement 1a: a move after the end changes nothing"),
    (patient(2, "2024-06-01", OLD_UNTIL, NEW_SINCE), "2380", False, "the same, by periods"),
    (patient(2, "2024-06-01", OLD), "2380", False, "11 row 5: the same again"),
    (patient(2, "2024-06-01", OLD, name=[{"text": "Ny"}]), "2380", False, "a new name, from then on"),
    (patient(2, "2024-06-01", lives("2309", start="2024-01-06")), "2309", True, "a correction does correct"),
    (patient(2, "2024-06-01", OLD, NEW_SINCE), "2380", False, "not yet in force at the end"),
]


@pytest.mark.parametrize(("newer", "municipality", "is_told", "because"), NEWER)
async def test_a_newer_version_of_the_person_and_a_stay_that_is_over(
    dsn: str, newer: dict[str, Any], municipality: str, is_told: bool, because: str
) -> None:
    async with service(dsn) as client:
        await put(client, patient(1, "2024-01-02", OLD), stay())
        before = await events(dsn)
        await put(client, newer)
        after = await events(dsn)
        [case] = (await client.get("/cases", params={"key": "e"})).json()["cases"]
        timeline = (await client.get(f"/cases/{case['case_id']}/timeline")).json()
    assert [where for where, *_ in before] == ["2380"]
    assert case["municipality"] == municipality, because
    moved = [("2380", True, ["moved"]), ("2309", False, ["municipality", "statutory", "sources"])]
    assert after[len(before) :] == (moved if is_told else []), because
    assert timeline["corrected"] == [], "each still holds of some time"


async def test_a_new_stay_is_that_of_the_new_municipality_and_the_old_one_stays(dsn: str) -> None:
    """12 row 1."""
    again = stay("e2", start="2024-06-02T10:00:00+02:00", end="2024-06-04T10:00:00+02:00")
    resources = [patient(1, "2024-01-02", OLD), stay(), patient(2, "2024-06-01", NEW), again]
    async with service(dsn) as client:
        for number, order in enumerate(itertools.permutations(resources)):
            await put(client, *(named(one, number) for one in order))
            found = []
            for key in (f"e-{number}", f"e2-{number}"):
                [case] = (await client.get("/cases", params={"key": key})).json()["cases"]
                found.append(case["municipality"])
            assert found == ["2380", "2309"], order


async def test_protection_is_at_once_and_for_every_case(dsn: str) -> None:
    label = [{"system": "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel", "code": "sekretessmarkering"}]
    newer = patient(2, "2024-06-01", OLD)
    newer["meta"]["security"] = label
    async with service(dsn) as client:
        await put(client, patient(1, "2024-01-02", OLD), stay(), newer)
        [case] = (await client.get("/cases")).json()["cases"]
    assert (case["protected"], case["statutory"]["name"]) == (True, None)


async def test_a_person_who_comes_along_with_every_visit(dsn: str) -> None:
    """11 row 5: a Patient without meta, as new as each message it comes in."""
    async with service(dsn) as client:
        await put(client, patient(None, "", OLD), stay())
        before = await events(dsn)
        for number in range(3):
            await put(client, patient(None, "", OLD), stay(f"v{number}", kind="AMB"))
        assert await events(dsn) == before


async def test_a_move_to_come_takes_effect_on_its_day(dsn: str) -> None:
    addresses = [lives("2380", end="2030-01-31"), lives("2309", start="2030-02-01")]
    async with service(dsn) as client:
        await put(client, patient(1, "2024-01-02", *addresses), stay(end=None))
        assert [where for where, *_ in await events(dsn)] == ["2380"]
    world = world_of(settings(dsn))
    seen = []
    for day in (datetime(2030, 1, 31, 22, 59, 59, tzinfo=UTC), datetime(2030, 1, 31, 23, tzinfo=UTC)):
        async with database(dsn) as opened, opened.transaction() as connection:
            await judge_due(connection, world, day, 10)
        seen.append([(where, closing) for where, closing, _ in await events(dsn)][-2:])
    assert seen[0][-1] == ("2380", False), "not before"
    assert seen[1] == [("2380", True), ("2309", False)]
