"""The CapabilityStatement is true to what is there: what it tells is done, and nothing else is."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapter.fhir.capability import capability_statement
from adapter.fhir.model import FhirVersion, validate
from adapter.settings import Source
from tests.service import service

SOURCE = "losus-r4"
OTHERS = ("Observation", "Condition", "Subscription", "Bundle", "AuditEvent", "Measure")
NOT_OFFERED = {404, 405}


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    kommun = Source(mapping="losus-r4", municipality="2380")
    async with service(dsn, sources={SOURCE: Source(mapping="losus-r4"), "kommun": kommun}) as one:
        yield one


async def statement(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/fhir/metadata")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")
    told: dict[str, Any] = answer.json()
    return told


async def is_offered(client: httpx.AsyncClient, kind: str, code: str) -> bool:
    """Whether an interaction is there: it is refused for what is sent, if at all, and not as unknown."""
    if code == "create":
        answer = await client.post(f"/fhir/{SOURCE}/{kind}", json={"resourceType": kind})
    elif code == "update":
        answer = await client.put(f"/fhir/{SOURCE}/{kind}/x", json={"resourceType": kind, "id": "x"})
    elif code == "search-type":
        answer = await client.get(f"/fhir/{kind}")
    else:
        answer = await client.get(f"/fhir/{kind}/x")
        return "no such interaction" not in answer.text
    return answer.status_code not in NOT_OFFERED


async def test_what_it_tells_is_done_and_nothing_else(client: httpx.AsyncClient) -> None:
    [rest] = (await statement(client))["rest"]
    told = {one["type"]: {i["code"] for i in one["interaction"]} for one in rest["resource"]}
    for kind in [*told, *OTHERS]:
        for code in ("create", "update", "search-type"):
            assert await is_offered(client, kind, code) == (code in told.get(kind, set())), (kind, code)
    assert await is_offered(client, "Task", "read")


async def test_the_operations_it_tells_are_there_and_no_others(client: httpx.AsyncClient) -> None:
    [rest] = (await statement(client))["rest"]
    for name in [*(one["name"] for one in rest["operation"]), "everything", "export"]:
        source = "kommun" if name == "dispute" else SOURCE
        answer = await client.post(f"/fhir/{source}/${name}", json={"resourceType": "Parameters"})
        told = name in {one["name"] for one in rest["operation"]}
        assert (answer.status_code not in NOT_OFFERED) == told, (name, answer.text)


@pytest.mark.parametrize("kind", ["transaction", "batch"])
async def test_the_interactions_of_the_whole_are_there(client: httpx.AsyncClient, kind: str) -> None:
    [rest] = (await statement(client))["rest"]
    assert kind in {one["code"] for one in rest["interaction"]}
    answer = await client.post(f"/fhir/{SOURCE}", json={"resourceType": "Bundle", "type": kind})
    assert (answer.status_code, answer.json()["type"]) == (200, f"{kind}-response")


async def test_search_parameters_it_tells_are_understood_and_no_others(client: httpx.AsyncClient) -> None:
    [rest] = (await statement(client))["rest"]
    values = {"period": "2024-03", "municipality": "2380", "agreement": "a", "measure": "m", "status": "x"}
    for resource in rest["resource"]:
        for parameter in resource.get("searchParam", ()):
            query = {parameter["name"]: values[parameter["name"]]}
            answer = await client.get(f"/fhir/{resource['type']}", params=query)
            assert answer.status_code == 200, (resource["type"], parameter, answer.text)
        if "search-type" in {one["code"] for one in resource["interaction"]}:
            refused = await client.get(f"/fhir/{resource['type']}", params={"subject": "x"})
            assert refused.status_code == 400


FORMATS = [
    # Accept, content type, because
    (None, "application/fhir+json", "JSON where nothing is asked for"),
    ("application/fhir+xml", "application/fhir+xml", "XML"),
    ("application/fhir+json; fhirVersion=5.0", "application/fhir+json; fhirVersion=5.0", "R5"),
]


@pytest.mark.parametrize(("accept", "kind", "because"), FORMATS)
async def test_formats_it_tells(
    client: httpx.AsyncClient, accept: str | None, kind: str, because: str
) -> None:
    answer = await client.get("/fhir/metadata", headers={"accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind), because


async def test_the_same_at_a_base_that_is_none(client: httpx.AsyncClient) -> None:
    """Whether there is a source is not told to whoever asks."""
    for name in (SOURCE, "hospital-of-nowhere"):
        assert (await client.get(f"/fhir/{name}/metadata")).json() == await statement(client)


@pytest.mark.parametrize("version", FhirVersion)
def test_it_is_sound_fhir(version: FhirVersion) -> None:
    told = capability_statement(version, "1", "https://losus.example", 60)
    assert validate(told, version) == []
