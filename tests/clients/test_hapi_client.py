"""HAPI's generic client (https://hapifhir.io/hapi-fhir/docs/client/generic_client.html), in JSON and in XML.

Before its first request it asks for the CapabilityStatement of its base, and refuses a server of another
version. Of its own accord it sends If-Match with the version that a resource's id or meta bears, _format
where an encoding is set, and If-None-Exist as a whole URL.
"""

from typing import Any

import pytest

from tests.clients.adapter_server import AdapterServer
from tests.clients.filters import Filter
from tests.clients.stories import PATIENTS, STAYS, admission, encounter, finished, notice, patient

ENCODINGS = ["", "json", "xml"]  # "": none is set, it takes both


class Client:
    """The library's client of one base and encoding."""

    def __init__(self, running: Filter, base: str, encoding: str) -> None:
        self._running, self._base, self._encoding = running, base, encoding

    def __call__(self, what: str, **more: Any) -> dict[str, Any]:
        return self._running.ask(base=self._base, encoding=self._encoding, do=what, **more)


@pytest.fixture(params=ENCODINGS)
def client(request: pytest.FixtureRequest, hapi_client: Filter, adapter: AdapterServer) -> Client:
    return Client(hapi_client, adapter.base, request.param)


def id_of(outcome: dict[str, Any]) -> str:
    """The id in a MethodOutcome, `[base]/[type]/[id]/_history/[vid]`."""
    return str(outcome["id"].split("/")[-3])


def test_capabilities(client: Client) -> None:
    statement = client("capabilities")["resource"]
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")


def test_create_then_update(adapter: AdapterServer, client: Client, key: str) -> None:
    person = client("create", resource=patient(key))
    assert (person["created"], person["status"]) == (True, 201)
    assert person["resource"]["id"] == id_of(person)
    stay = client("create", resource=encounter(key, f"Patient/{id_of(person)}"))
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    assert stay["id"].endswith(f"/_history/{stay['resource']['meta']['versionId']}")
    ended = client("update", resource=finished(stay["resource"]))
    assert (id_of(ended), ended["status"]) == (id_of(stay), 200)
    assert ended["created"] is not True
    assert ended["resource"]["meta"]["versionId"] != stay["resource"]["meta"]["versionId"]
    assert adapter.cases(key) == [("discharged", 2, "2380")], "an update, and no second create"
    late = client("update", resource={**stay["resource"], "status": "onleave"})
    assert late["error"].startswith("PreconditionFailedException"), "its If-Match names the version before"
    assert late["outcome"]["issue"][0]["code"] == "conflict"
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_a_reference_is_the_id_of_an_outcome(adapter: AdapterServer, client: Client, key: str) -> None:
    """`new Reference(outcome.getId())` is a whole URL of ours (R4 references#literal)."""
    person = client("create", resource=patient(key))
    stay = client("create", resource=encounter(key, person["id"]))
    assert stay["resource"]["subject"]["reference"].startswith(f"{adapter.base}/Patient/")
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    task = client("create", resource=notice(person["id"], stay["id"]))
    assert task["status"] == 201
    assert adapter.cases(key) == [("notified", 2, "2380")], "one case, and no second one of the Task's"


def test_update_with_id(adapter: AdapterServer, client: Client, key: str) -> None:
    person = client("update", resource=patient(key), id=f"p-{key[-32:]}")
    assert (person["created"], id_of(person)) == (True, f"p-{key[-32:]}")
    stay = encounter(key, f"Patient/{id_of(person)}")
    assert client("update", resource=stay, id=f"s-{key[-32:]}")["created"]
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    assert client("update", resource=finished(stay), id=f"s-{key[-32:]}")["status"] == 200
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_versions_of_the_sender(adapter: AdapterServer, client: Client, key: str) -> None:
    """Who hands on another server's versions says `withId`, else the library's If-Match names them."""
    name = f"s-{key[-32:]}"
    person = id_of(client("create", resource=patient(key)))
    stay = {**encounter(key, f"Patient/{person}"), "id": name, "meta": {"versionId": "7"}}
    assert client("update", resource=stay)["status"] == 412, (
        "R4 http#concurrency: version 7 is not known here"
    )
    for version, written in (("7", stay), ("8", finished(stay))):
        sent = {**written, "meta": {"versionId": version}}
        answer = client("update", resource=sent, id=name)
        assert answer["resource"]["meta"]["versionId"] == version
    assert adapter.cases(key) == [("discharged", 2, "2380")]


@pytest.mark.parametrize("by", ["identifier", "url"])
def test_conditional_create(adapter: AdapterServer, client: Client, key: str, by: str) -> None:
    def once(kind: str, system: str) -> dict[str, str]:
        """`conditional().where(…)`, or `conditionalByUrl(…)`."""
        found = f"{system}|{key}"
        return {"identifier": found} if by == "identifier" else {"url": f"{kind}?identifier={found}"}

    person = client("create", resource=patient(key), **once("Patient", PATIENTS))
    stay = encounter(key, f"Patient/{id_of(person)}")
    made = client("create", resource=stay, **once("Encounter", STAYS))
    again = client("create", resource=finished(stay), **once("Encounter", STAYS))
    assert (made["created"], made["status"], again["status"]) == (True, 201, 200)
    assert again["created"] is not True
    assert (id_of(again), again["resource"]["status"]) == (id_of(made), "in-progress")
    assert adapter.cases(key) == [("admitted", 1, "2380")]


def test_conditional_update(adapter: AdapterServer, client: Client, key: str) -> None:
    person = id_of(client("create", resource=patient(key)))
    stay, found = encounter(key, f"Patient/{person}"), f"{STAYS}|{key}"
    made = client("update", resource=stay, identifier=found)
    ended = client("update", resource=finished(stay), url=f"Encounter?identifier={found}")
    assert (made["created"], id_of(ended)) == (True, id_of(made))
    assert adapter.cases(key) == [("discharged", 2, "2380")]


PREFERENCES = [
    # PreferReturnEnum, has a resource, has an outcome, because
    ("REPRESENTATION", True, False, "R4 http#ops"),
    ("MINIMAL", False, False, "R4 http#ops: no body; the id is in Location"),
    ("OPERATION_OUTCOME", False, True, "R4 http#ops"),
]


@pytest.mark.parametrize(("prefer", "resource", "outcome", "because"), PREFERENCES)
def test_prefer(client: Client, key: str, prefer: str, resource: bool, outcome: bool, because: str) -> None:
    answer = client("create", resource=patient(key), prefer=prefer)
    assert (answer["created"], bool(answer["id"])) == (True, True), because
    assert (answer["resource"] is not None, answer["outcome"] is not None) == (resource, outcome), because


@pytest.mark.parametrize("prefer", [None, "representation"])
def test_a_transaction(adapter: AdapterServer, client: Client, key: str, prefer: str | None) -> None:
    answer = client("transaction", resource=admission(key), **({"prefer": prefer} if prefer else {}))
    assert answer["resource"]["type"] == "transaction-response"
    person, stay = (entry["response"]["location"].split("/")[-3] for entry in answer["resource"]["entry"])
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    begun = answer["resource"]["entry"][1].get("resource") or encounter(key, f"Patient/{person}")
    ended = client("update", resource=finished(begun), id=stay)
    assert ended["resource"]["subject"]["reference"] == f"Patient/{person}"
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_a_refusal_names_the_element(client: Client, key: str) -> None:
    ended = {**encounter(key, "Patient/nobody"), "period": {"start": "2024-03-08", "end": "2024-03-04"}}
    answer = client("create", resource=ended)
    assert answer["status"] == 422
    assert answer["outcome"]["issue"][0]["expression"] == ["Encounter.period"]
