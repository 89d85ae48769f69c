"""Creates, updates, transactions and batches lead to the same cases as messages do, in any order."""

import itertools
import json
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from adapter.inbound.library import Library
from adapter.inbound.rereader import reread_due
from tests.service import app_behind, send, service, way_home

Resource = dict[str, Any]
SOURCE = "/fhir/losus-r4"


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn) as one:
        yield one


def resources() -> list[Resource]:
    """All versions of all resources of the way home, in their own order."""
    return [entry["resource"] for message in way_home() for entry in message["entry"][1:]]


def encounter() -> Resource:
    return next(one for one in resources() if one["resourceType"] == "Encounter")


async def put(client: httpx.AsyncClient, resource: Resource, **headers: str) -> httpx.Response:
    path = f"{SOURCE}/{resource['resourceType']}/{resource['id']}"
    return await client.put(path, content=json.dumps(resource), headers=headers)


async def reread(client: httpx.AsyncClient) -> None:
    """Let what leans on something that has changed be read anew now."""
    app = app_behind(client)
    while await reread_due(app.state.world, app.state.database, Library(), datetime.now(UTC)):
        pass


async def picture(client: httpx.AsyncClient) -> Mapping[str, Any]:
    """The one case, without what depends on how often it was told of."""
    [case] = (await client.get("/cases")).json()["cases"]
    return {name: value for name, value in case.items() if name not in {"revision", "changed"}}


async def by_messages(client: httpx.AsyncClient) -> Mapping[str, Any]:
    for message in way_home():
        assert (await send(client, message)).status_code == 200
    return await picture(client)


@pytest.mark.parametrize("seed", range(4))
async def test_updates_in_any_order_make_the_same_case_as_the_messages(
    client: httpx.AsyncClient, other_dsn: str, seed: int
) -> None:
    wanted = await by_messages(client)
    every = resources()
    random.Random(seed).shuffle(every)  # noqa: S311 - a test's order
    async with service(other_dsn) as other:
        for resource in [*every, *every[: len(every) // 2]]:
            assert (await put(other, resource)).status_code in {200, 201}
        await reread(other)
        assert await picture(other) == wanted


def transaction(every: Iterable[Resource]) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"https://ehr.example/fhir/{one['resourceType']}/{one['id']}",
                "resource": one,
                "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
            }
            for one in every
        ],
    }


async def test_a_transaction_is_taken_whole(client: httpx.AsyncClient) -> None:
    first = [entry["resource"] for entry in way_home()[0]["entry"][1:]]
    answer = await client.post(SOURCE, json=transaction(first))
    assert answer.status_code == 200
    assert answer.json()["type"] == "transaction-response"
    told = [(e["response"]["status"], e["response"]["etag"]) for e in answer.json()["entry"]]
    assert told[0] == ("201 Created", 'W/"1"')
    assert len(told) == len(first)
    again = (await client.post(SOURCE, json=transaction(first))).json()["entry"][0]["response"]
    assert (again["status"], again["location"]) == (
        "200 OK",
        answer.json()["entry"][0]["response"]["location"],
    )


async def test_one_fault_refuses_a_transaction_and_nothing_is_kept(
    client: httpx.AsyncClient, dsn: str
) -> None:
    first = [entry["resource"] for entry in way_home()[0]["entry"][1:]]
    first[1]["birthDate"] = "yesterday"
    answer = await client.post(SOURCE, json=transaction(first))
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.birthDate"]
    assert await count(dsn, "message") == 0


async def test_one_fault_of_a_batch_is_that_entrys_alone(client: httpx.AsyncClient, dsn: str) -> None:
    first = [entry["resource"] for entry in way_home()[0]["entry"][1:]]
    first[1]["birthDate"] = "yesterday"
    answer = await client.post(SOURCE, json={**transaction(first), "type": "batch"})
    told = [entry["response"]["status"] for entry in answer.json()["entry"]]
    assert (answer.status_code, answer.json()["type"]) == (200, "batch-response")
    assert told == ["201 Created", "422", "201 Created"]
    assert await count(dsn, "message") == 2


async def test_urn_uuid_and_conditional_references_are_resolved(client: httpx.AsyncClient) -> None:
    person = next(one for one in resources() if one["resourceType"] == "Patient")
    identifier = person["identifier"][0]
    condition = f"identifier={identifier['system']}|{identifier['value']}"
    stay = encounter()
    named = {**transaction([person, stay]), "entry": []}
    for one, url in ((person, "urn:uuid:5f1c0d1e-0000-4000-8000-000000000001"), (stay, None)):
        body = {name: value for name, value in one.items() if name != "id"}
        request = {"method": "POST", "url": one["resourceType"]}
        if one is person:
            request["ifNoneExist"] = condition
        else:
            body["subject"] = {"reference": "urn:uuid:5f1c0d1e-0000-4000-8000-000000000001"}
        entry = {"resource": body, "request": request, **({"fullUrl": url} if url else {})}
        named["entry"].append(entry)
    answer = await client.post(SOURCE, json=named)
    assert answer.status_code == 200, answer.text
    assert (await picture(client))["municipality"] == "2380"
    located = answer.json()["entry"][0]["response"]["location"]
    other = {**stay, "id": "stay-2", "subject": {"reference": f"Patient?{condition}"}}
    again = await client.post(SOURCE, json=transaction([other]))
    assert again.status_code == 200, again.text
    cases = (await client.get("/cases")).json()["cases"]
    assert [case["municipality"] for case in cases] == ["2380", "2380"]
    once = await client.post(f"{SOURCE}/Patient", json=person, headers={"if-none-exist": condition})
    assert (once.status_code, once.headers["location"].split("/_history")[0]) == (
        200,
        located.split("/_history")[0],
    )


VERSIONS = [
    # known, If-Match, status, because
    (None, None, 201, "new"),
    ("1", None, 200, "a second version"),
    ("1", 'W/"1"', 200, "the version that is known"),
    ("1", '"1"', 200, "a strong tag of it"),
    ("1", 'W/"2"', 412, "another version than the newest"),
    (None, 'W/"1"', 412, "nothing is known that could match"),
]


@pytest.mark.parametrize(("known", "tag", "status", "because"), VERSIONS)
async def test_if_match(
    client: httpx.AsyncClient, known: str | None, tag: str | None, status: int, because: str
) -> None:
    resource = encounter()
    if known:
        assert (await put(client, resource)).status_code == 201
    newer = {**resource, "meta": {"versionId": "2", "lastUpdated": "2024-03-04T15:00:00+01:00"}}
    answer = await put(client, newer, **({"if-match": tag} if tag else {}))
    assert answer.status_code == status, because
    if status < 300:
        assert answer.headers["etag"] == 'W/"2"'
        assert answer.headers["location"].endswith("/fhir/losus-r4/Encounter/stay-1/_history/2")


FAULTS = [
    # method, path, body, status, code, because
    ("PUT", "/Encounter/other", {}, 400, "invalid", "the id of the body is that of the address"),
    ("PUT", "/Task/stay-1", {}, 400, "invalid", "the type of the body is that of the address"),
    ("PUT", "/Observation/stay-1", {}, 404, "not-supported", "a type that no case is made of"),
    ("PUT", "/Encounter/stay-1", {"status": "utskrivningsklar"}, 422, "code-invalid", "value set"),
    ("POST", "", {"resourceType": "Bundle", "type": "collection"}, 400, "structure", "no transaction"),
    ("POST", "", {"resourceType": "Bundle", "type": "message"}, 400, "structure", "another door's"),
]


@pytest.mark.parametrize(("method", "path", "change", "status", "code", "because"), FAULTS)
async def test_what_is_wrong_is_an_operation_outcome(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    change: Resource,
    status: int,
    code: str,
    because: str,
) -> None:
    answer = await client.request(method, SOURCE + path, json={**encounter(), **change})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (status, code), because


REQUESTS = [
    # request of an entry, place, because
    ({"method": "DELETE", "url": "Encounter/stay-1"}, "request.method", "entered-in-error says it"),
    ({"method": "GET", "url": "Encounter/stay-1"}, "request.method", "nothing is read back"),
    ({"method": "PUT", "url": "Encounter/other"}, "request.url", "an update names its resource"),
    ({"method": "POST", "url": "Encounter/stay-1"}, "request.url", "a create is to the type"),
    ({"method": "PUT", "url": "Encounter?name=x"}, "request.url", "the one condition is identifier"),
    (None, None, "bdl-3: a request is there"),
]


@pytest.mark.parametrize(("request_", "place", "because"), REQUESTS)
async def test_what_an_entry_may_ask_for(
    client: httpx.AsyncClient, request_: Resource | None, place: str | None, because: str
) -> None:
    body = transaction([encounter()])
    body["entry"][0]["request"] = request_
    if request_ is None:
        del body["entry"][0]["request"]
    answer = await client.post(SOURCE, json=body)
    assert answer.status_code == 422, because
    places = itertools.chain.from_iterable(one.get("expression", ()) for one in answer.json()["issue"])
    assert f"Bundle.entry[0]{'.' + place if place else ''}" in set(places)


async def test_the_same_version_from_two_doors_is_one_fact(client: httpx.AsyncClient, dsn: str) -> None:
    assert (await send(client, way_home()[0])).status_code == 200
    events = await count(dsn, "event")
    answer = await put(client, encounter())
    assert answer.status_code == 200
    assert (await count(dsn, "message"), await count(dsn, "event")) == (1, events)


PREFERENCES = [
    # Prefer, what the body is, because
    (None, "Encounter", "R4 http#ops: clients take id and version from it"),
    ("return=minimal", None, "no body"),
    ("return=representation", "Encounter", "the resource as it is known"),
    ("return=OperationOutcome", "OperationOutcome", "what was done"),
]


@pytest.mark.parametrize(("prefer", "kind", "because"), PREFERENCES)
async def test_prefer(client: httpx.AsyncClient, prefer: str | None, kind: str | None, because: str) -> None:
    answer = await put(client, encounter(), **({"prefer": prefer} if prefer else {}))
    told = answer.json()["resourceType"] if answer.content else None
    assert (answer.status_code, told) == (201, kind), because


CONDITIONS = [
    # If-None-Exist, query of the address, status, because
    (None, "", 201, "another body is another create"),
    ("identifier=urn:ours|1", "", 200, "R4 http#ccreate"),
    ("http://adapter/fhir/losus-r4/Encounter?identifier=urn:ours|1", "", 200, "HAPI's client: a whole URL"),
    (None, "?identifier=urn:ours|1", 200, "fhirpy's get_or_create: the search in the address"),
    (None, "?identifier=urn%3Aours%7C1&_format=json", 200, "R4 http#parameters: how to answer"),
    ("identifier=urn:ours|1", "?identifier=urn:ours|1", 200, "said twice"),
    (None, "?_format=json&_pretty=true", 201, "no condition"),
    ("identifier=urn:ours|1", "?identifier=urn:ours|2", 400, "two conditions"),
    (None, "?name=Eva", 422, "a condition that cannot be judged is not passed over"),
]


@pytest.mark.parametrize(("header", "query", "status", "because"), CONDITIONS)
async def test_a_create_on_condition(
    client: httpx.AsyncClient, header: str | None, query: str, status: int, because: str
) -> None:
    first = {**encounter(), "identifier": [{"system": "urn:ours", "value": "1"}]}
    made = await client.post(f"{SOURCE}/Encounter", json=first)
    other = {**first, "status": "onleave"}
    headers = {"if-none-exist": header} if header else {}
    answer = await client.post(f"{SOURCE}/Encounter{query}", json=other, headers=headers)
    assert answer.status_code == status, because
    if status == 200:
        assert answer.headers["location"] == made.headers["location"]
    assert len((await client.get("/cases")).json()["cases"]) == (2 if status == 201 else 1), because


async def test_a_transaction_tells_its_resources_with_the_references_that_they_are_stored_with(
    client: httpx.AsyncClient,
) -> None:
    """R4 http#trules: references by fullUrl are replaced; who sends back what was told must not lose them."""
    person = next(one for one in resources() if one["resourceType"] == "Patient")
    url = "urn:uuid:5f1c0d1e-0000-4000-8000-000000000001"
    stay = {**encounter(), "subject": {"reference": url}}
    entries = [
        {"fullUrl": full_url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for one, full_url in ((person, url), (stay, "urn:uuid:5f1c0d1e-0000-4000-8000-000000000002"))
    ]
    body = {**transaction([]), "entry": entries}
    for _ in ("first", "again"):
        answer = await client.post(SOURCE, json=body, headers={"prefer": "return=representation"})
        patient, told = (entry["resource"] for entry in answer.json()["entry"])
        assert told["subject"] == {"reference": f"Patient/{patient['id']}"}


async def count(dsn: str, table: str) -> int:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchval(f"select count(*) from {table}")  # noqa: S608 - names of ours
    await connection.close()
    return int(found)
