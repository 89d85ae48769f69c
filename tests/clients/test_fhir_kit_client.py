"""fhir-kit-client of npm (https://github.com/Vermonster/fhir-kit-client), used as its README shows."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from tests.clients.adapter_server import AdapterServer
from tests.clients.filters import Filter
from tests.clients.stories import (
    PATIENTS,
    STAYS,
    Resource,
    admission,
    encounter,
    finished,
    id_in,
    notice,
    patient,
)


class Client:
    """The library's Client of one base, by its own names of methods and arguments."""

    def __init__(self, running: Filter, base: str) -> None:
        self._running, self._base = running, base

    def __call__(self, method: str, **arguments: Any) -> dict[str, Any]:
        answer = self._running.ask(base=self._base, method=method, arguments=arguments)
        assert "fault" not in answer, answer
        return answer

    def create(self, body: Resource, **headers: str) -> dict[str, Any]:
        return self(
            "create", resourceType=body["resourceType"], body=body, options={"headers": _named(headers)}
        )

    def update(self, body: Resource, **headers: str) -> dict[str, Any]:
        kind, name = body["resourceType"], body["id"]
        return self("update", resourceType=kind, id=name, body=body, options={"headers": _named(headers)})


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def client(fhir_kit_client: Filter, adapter: AdapterServer) -> Client:
    return Client(fhir_kit_client, adapter.base)


def test_what_its_capability_tool_reads(client: Client) -> None:
    told = client("capabilityStatement")["told"]
    assert told == {"transaction": True, "create": True, "update": True, "conditionalCreate": True}


def test_create_then_update(adapter: AdapterServer, client: Client, key: str) -> None:
    person = client.create(patient(key))["body"]
    created = client.create(encounter(key, f"Patient/{person['id']}"))
    assert created["status"] == 201
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    stay = created["body"]
    client.create(notice(f"Patient/{person['id']}", f"Encounter/{stay['id']}"))
    assert adapter.cases(key) == [("notified", 2, "2380")]
    updated = client.update(finished(stay), If_Match=created["headers"]["etag"])
    assert (updated["status"], updated["body"]["id"]) == (200, stay["id"])
    assert adapter.cases(key) == [("discharged", 4, "2380")], "the third revision; the fourth: a limit passed"
    late = client.update({**stay, "status": "onleave"}, If_Match=created["headers"]["etag"])
    assert late["status"] == 412, "R4 http#concurrency: the version that it was made from is not the newest"
    assert adapter.cases(key) == [("discharged", 4, "2380")]


PREFERENCES = [
    # Prefer, what the body is, because
    (None, "Patient", "R4 http#create: the default is the server's; clients take the id from it"),
    ("return=representation", "Patient", "R4 http#ops"),
    ("return=minimal", None, "R4 http#ops: no body; the id is in Location"),
    ("return=OperationOutcome", "OperationOutcome", "R4 http#ops"),
]


@pytest.mark.parametrize(("prefer", "kind", "because"), PREFERENCES)
def test_prefer(client: Client, key: str, prefer: str | None, kind: str | None, because: str) -> None:
    answer = client.create(patient(key), **({"Prefer": prefer} if prefer else {}))
    assert (answer["status"], answer["body"].get("resourceType")) == (201, kind), because
    name = id_in(answer["headers"]["location"])
    again = client.update({**patient(key, gender="female"), "id": name}, If_Match=answer["headers"]["etag"])
    assert (again["status"], again["body"]["id"]) == (200, name), because


ANSWERS = [
    # what is asked, its status, because
    ("create", 201, "R4 http#create: ETag, Last-Modified and Location of what was created"),
    ("create again", 200, "the same create is known; its answer holds for what is stored"),
    ("create on condition, found", 200, "R4 http#ccreate: of what is there already"),
    ("update", 200, "R4 http#update: of the new version"),
    ("update again", 200, "nothing has changed, so of the version that is known"),
    ("update on condition", 200, "R4 http#cond-update: of the new version"),
]


@pytest.mark.parametrize(("asked", "status", "because"), ANSWERS)
def test_etag_and_last_modified_are_those_of_what_is_stored(
    client: Client, key: str, asked: str, status: int, because: str
) -> None:
    known = client.create(patient(key))
    person = {**patient(key, gender="female"), "id": known["body"]["id"]}
    answer = {
        "create": lambda: known,
        "create again": lambda: client.create(patient(key)),
        "create on condition, found": lambda: client.create(
            patient(key, gender="female"), If_None_Exist=f"identifier={PATIENTS}|{key}"
        ),
        "update": lambda: client.update(person),
        "update again": lambda: (client.update(person), client.update(person))[1],
        "update on condition": lambda: client(
            "update",
            resourceType="Patient",
            searchParams={"identifier": f"{PATIENTS}|{key}"},
            body=patient(key, gender="female"),
        ),
    }[asked]()
    meta, headers = answer["body"]["meta"], answer["headers"]
    modified = datetime.fromisoformat(meta["lastUpdated"]).astimezone(UTC)
    assert answer["status"] == status, because
    assert headers["etag"] == f'W/"{meta["versionId"]}"', because
    assert headers["last-modified"] == format_datetime(modified, usegmt=True), because
    assert headers["location"].endswith(f"/Patient/{person['id']}/_history/{meta['versionId']}"), because
    assert answer["body"]["id"] == person["id"], because
    later = {**person, "birthDate": "1950-01-01"}
    assert client.update(later, If_Match=headers["etag"])["status"] == 200, "it is the newest, and stored"
    assert client.update(person, If_Match=headers["etag"])["status"] == 412, "and then it is not"


def test_conditional_create(adapter: AdapterServer, client: Client, key: str) -> None:
    person = client.create(patient(key))["body"]
    once = {"If_None_Exist": f"identifier={STAYS}|{key}"}
    stay = client.create(encounter(key, f"Patient/{person['id']}"), **once)
    again = client.create(finished(encounter(key, f"Patient/{person['id']}")), **once)
    assert (stay["status"], again["status"]) == (201, 200)
    assert (again["body"]["id"], again["body"]["status"]) == (stay["body"]["id"], "in-progress")
    assert adapter.cases(key) == [("admitted", 1, "2380")]


@pytest.mark.parametrize("prefer", [None, "return=representation"])
def test_a_transaction(adapter: AdapterServer, client: Client, key: str, prefer: str | None) -> None:
    """The library posts it to the base with a slash at its end."""
    options = {"headers": {"Prefer": prefer} if prefer else {}}
    answer = client("transaction", body=admission(key), options=options)
    assert (answer["status"], answer["body"]["type"]) == (200, "transaction-response")
    person, stay = (id_in(entry["response"]["location"]) for entry in answer["body"]["entry"])
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    begun = answer["body"]["entry"][1].get("resource") or {**encounter(key, f"Patient/{person}"), "id": stay}
    ended = client.update(finished(begun), If_Match=answer["body"]["entry"][1]["response"]["etag"])
    assert (ended["status"], ended["body"]["subject"]) == (200, {"reference": f"Patient/{person}"})
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_a_batch(adapter: AdapterServer, client: Client, key: str) -> None:
    person = client.create(patient(key))["body"]["id"]
    stay = {**encounter(key, f"Patient/{person}"), "id": key}
    entries = [{"resource": stay, "request": {"method": "PUT", "url": f"Encounter/{key}"}}]
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    assert client("batch", body=body)["body"]["entry"][0]["response"]["status"] == "201 Created"
    assert adapter.cases(key) == [("admitted", 1, "2380")]
