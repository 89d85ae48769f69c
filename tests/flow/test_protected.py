"""Protected identity, and what a municipality may be sent: names and numbers are planted and looked for."""

import json
from typing import Any

import asyncpg
import pytest

from adapter.losus.instants import instant_text
from adapter.outbound.events import cloud_event_headers
from adapter.settings import Subscriber
from adapter.store.intake import EventRow
from tests.service import send, service, way_home

PLANTED = (
    "191212121212",
    "1212121212",
    "Tolvan",
    "Storgatan",
    "83130",
    "Patient/tolvan",
    "Medicinavdelning",
    "Anna Exempel",
    "Zätagränd",
)


async def told(dsn: str) -> str:
    """All that leaves for Kafka: keys, headers and payloads of every event, one after the other."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select * from event order by id")
    await connection.close()
    parts: list[str] = []
    for row in rows:
        event = EventRow(*(row[name] for name in EventRow.__dataclass_fields__))
        headers = cloud_event_headers(event, "urn:losus:region", instant_text(row["created_at"]))
        parts += [f"{name}: {value.decode()}" for name, value in headers]
        parts += [event.case_id, event.payload.decode()]
    return "\n".join(parts)


def marked(messages: list[dict[str, Any]], code: str | None) -> list[dict[str, Any]]:
    """The messages with the patient's security label `code`."""
    for message in messages:
        for entry in message["entry"]:
            if code and entry["resource"]["resourceType"] == "Patient":
                system = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel"
                entry["resource"]["meta"]["security"] = [{"system": system, "code": code}]
    return messages


CASES = [
    # security label, found in the events, because
    (None, True, "the search finds what is there"),
    ("sekretessmarkering", False, "OSL 22 kap. 1 §; no name, identifier, address or unit in any event"),
    ("skyddadFolkbokforing", False, "as above, and the registered municipality may be a former one"),
]


@pytest.mark.parametrize(("code", "found", "because"), CASES)
async def test_protected_identity_leaves_nothing_that_tells_who_or_where(
    dsn: str, capfd: pytest.CaptureFixture[str], code: str | None, found: bool, because: str
) -> None:
    async with service(dsn) as client:
        answers = [(await send(client, message)).text for message in marked(way_home(), code)]
        listed = (await client.get("/cases")).text
        [case] = json.loads(listed)["cases"]
        timeline = (await client.get(f"/cases/{case['case_id']}/timeline")).text
    events = await told(dsn)
    assert [word for word in PLANTED if word in events] == (list(PLANTED) if found else []), because
    if not found:
        assert (case["protected"], case["manual_handling"]) == (True, "protected-identity")
    quiet = "\n".join(answers) + capfd.readouterr().err
    assert [word for word in PLANTED if word in quiet] == [], "no answer and no log line, ever"
    if not found:
        assert [word for word in PLANTED if word in listed + timeline] == []


async def test_a_statutory_subscriber_is_sent_the_four_fields_and_the_state(dsn: str) -> None:
    subscribers = {"2380": Subscriber(name="Östersund", payload="statutory")}
    async with service(dsn, subscribers=subscribers) as client:
        for message in way_home():
            assert (await send(client, message)).status_code == 200
        [case] = (await client.get("/cases")).json()["cases"]
    events = await told(dsn)
    assert "Tolvan Tolvansson" in events
    assert [word for word in ("Anna Exempel", "ward", "SE2321000065-204") if word in events] == []
    assert case["care_contact"]["name"] == "Anna Exempel", "the region's own staff see the whole"


async def test_a_placement_tells_the_municipality_that_decided_it(dsn: str) -> None:
    """LUS 5:2 2 st.: registered in Krokom, placed by Östersund: Östersund is told and pays."""
    first = way_home()[0]
    patient = first["entry"][2]["resource"]
    patient["address"][0]["extension"][0]["valueCoding"]["code"] = "2309"
    url = "https://losus-adapter.se/fhir/StructureDefinition/placing-municipality"
    coding = {"system": "urn:oid:1.2.752.129.2.2.1.17", "code": "2380"}
    patient["extension"] = [{"url": url, "valueCoding": coding}]
    async with service(dsn) as client:
        assert (await send(client, first)).status_code == 200
        [case] = (await client.get("/cases", params={"municipality": "2380"})).json()["cases"]
    assert (case["municipality"], case["placing_municipality"]) == ("2309", "2380")
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("select municipality from event") == "2380"
    await connection.close()
